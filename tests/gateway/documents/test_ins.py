"""The national health identity: form, key, register, traits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import ins
from gateway.documents.errors import DocumentError
from gateway.documents.ins import OLD, Ins, Register, Traits

NUMBERS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from("123478"),
        st.from_regex(r"\A[0-9]{4}\Z"),
        st.one_of(st.from_regex(r"\A[0-9]{2}\Z"), st.sampled_from(["2A", "2B"])),
        st.from_regex(r"\A[0-9]{6}\Z"),
    ),
)


@pytest.mark.parametrize(
    ("matricule", "key"),
    [
        ("2790351215189", "89"),  # those of the agency's published examples
        ("2770763220829", "10"),
        ("1541163220104", f"{97 - 1541163220104 % 97:02}"),
        ("185052A01301", None),
        ("185052C013012", None),
        ("9850520013012", None),
    ],
)
def test_keys(matricule: str, key: str | None) -> None:
    """The key is what is left to 97, and a number of another form has none."""
    if key is None:
        with pytest.raises(DocumentError, match="another form"):
            Ins(matricule)
    else:
        assert key == Ins(matricule).key
        assert matricule + key == Ins(matricule).number


def test_corsica_has_two_numbers_of_its_own() -> None:
    """2A counts as 19 and 2B as 18; the number itself keeps its letter."""
    south, north = Ins("185052A004022"), Ins("185052B033007")
    assert f"{97 - 1850519004022 % 97:02}" == south.key
    assert f"{97 - 1850518033007 % 97:02}" == north.key
    assert south == ins.parse("1 85 05 2a 004 022 " + south.key)


@given(NUMBERS, st.sampled_from(list(Register)))
def test_what_is_written_is_read_again(matricule: str, register: Register) -> None:
    """A number with its key is read back, and one digit of another key is noticed."""
    made = Ins(matricule, register)
    assert made == ins.parse(made.number, register)
    with pytest.raises(DocumentError, match="key"):
        ins.parse(matricule + f"{(int(made.key) + 1) % 100:02}", register)


@given(st.text(), st.text())
def test_any_text_is_a_number_or_our_error(text: str, register: str) -> None:
    """Nothing that stands in a document's place for a number surprises us."""
    try:
        found = ins.parse(text, register)
    except DocumentError:
        return
    assert len(found.number) == 15


def test_thirteen_digits_are_told_apart_from_wrong_ones() -> None:
    """Whoever left the key out learns that, and not that the number is wrong."""
    with pytest.raises(DocumentError, match="without its key"):
        ins.parse("2790351215189")


@pytest.mark.parametrize(
    ("register", "words"), [(OLD, "INS-C was given up"), ("1.2.3", "no register")]
)
def test_other_registers_number_nobody(register: str, words: str) -> None:
    """An identifier of another kind is no INS, and the old kind is named."""
    with pytest.raises(DocumentError, match=words):
        ins.parse("279035121518989", register)


def test_only_people_have_real_numbers() -> None:
    """Numbers for tests and demonstrations are told apart."""
    assert [True, True, False, False] == [each.real for each in Register]


@pytest.mark.parametrize(
    ("local", "digits", "found"),
    [
        ("279035121518989", 15, "2790351215189"),
        ("279035121518988", 15, None),  # wrong key
        ("2790351215189", 15, None),
        ("2790351215189", 13, "2790351215189"),
        ("279035121518989", 13, None),
        ("reponse.automati", 15, None),
        ("reponse.automat", 15, None),
    ],
)
def test_a_citizens_address_bears_their_number(local: str, digits: int, found: str | None) -> None:
    """Fifteen digits with their key, or thirteen where the house says so, and nothing else."""
    assert found == ins.of_address(local, digits)


def test_no_identity_is_ever_printed() -> None:
    """What holds an identity may be logged by mistake: neither digits nor names come out (R-G6)."""
    who = (Ins("2790351215189"), Traits("DESMAUX", "NATHALIE", "19790301", "F", "51215"))
    assert "(Ins(…, NIR), Traits(…))" == repr(who)


def test_qualified_is_complete() -> None:
    """A number and all five traits; one missing is one too few (R-H4)."""
    traits = Traits("DESMAUX", "NATHALIE", "19790301", "F", "51215")
    number = Ins("2790351215189")
    assert ins.qualified(number, traits)
    assert not ins.qualified(None, traits)
    assert not ins.qualified(number, Traits("DESMAUX", "NATHALIE", "19790301", "F"))
    assert ("place",) == Traits("DESMAUX", "NATHALIE", "19790301", "F").missing


def test_traits_are_compared_as_people_mean_them() -> None:
    """Accents, case, hyphens and further first names are no difference; another day is."""
    one = Traits("Lœb-Légré", "Zoé Marie", "20110722", "F", "75056")
    same = Traits("LOEB LEGRE", "ZOE", "20110722", "F", "")
    assert () == ins.differences(one, same)
    assert ("given", "born", "sex") == ins.differences(
        one, Traits("LOEB LEGRE", "MARIE", "20110723", "M", "75056")
    )


@pytest.mark.parametrize(
    ("matricule", "traits", "told"),
    [
        ("2790351215189", Traits(sex="F", born="19790301"), ()),
        ("2790351215189", Traits(sex="M", born="19790301"), ("sex",)),
        ("1790351215189", Traits(sex="F", born="19800301"), ("sex", "born")),
        ("2790351215189", Traits(sex="U", born="19790401"), ("born",)),
        ("2793251215189", Traits(born="19790401"), ()),  # no month in the number
        ("2790351215189", Traits(born="1979"), ()),
        ("2790351215189", Traits(born="19790000"), ()),
        ("2790351215189", Traits(), ()),
    ],
)
def test_a_number_tells_sex_and_month_of_birth(
    matricule: str, traits: Traits, told: tuple[str, ...]
) -> None:
    """What the number says otherwise than the document is named; what neither says is not."""
    assert told == ins.contradictions(Ins(matricule), traits)


@given(st.text())
def test_plain_names_are_stable(text: str) -> None:
    """Simplified twice is simplified once."""
    assert ins.plain(text) == ins.plain(ins.plain(text))
