"""A directory is asked by address, by holder, by words; what is hidden is found by address alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import Address, parse
from trust import identifiers
from trust.addresses import Kind
from trust.directory import filing, record
from trust.directory.entry import Entry, words
from trust.directory.reading import Directory
from trust.directory.report import Report
from trust.errors import ListError

CHU = "finess:540002698"
ZOE = Entry(
    parse("zoe.barber@chu.example"),
    Kind.PER,
    "rpps:10003456786",
    CHU,
    "Dr Zoé BARBER",
    "Médecin",
    "CHU d'Évreux",
    "Cardiologie",
)
ZOE_TOO = ZOE._replace(address=parse("z.barber@labo.example"), organisation="", structure="")
PAUL = Entry(
    parse("paul@chu.example"), Kind.PER, "adeli:759312345", CHU, "Paul ZOELLER", structure="CHU"
)
WARD = Entry(parse("cardio@chu.example"), Kind.ORG, "", CHU, structure="CHU d'Évreux")
LAB = Entry(parse("labo@labo.example"), Kind.APP)
SHY = ZOE._replace(address=parse("zoe.secret@chu.example"), hidden=True)
ALL = Directory.of([ZOE, ZOE_TOO, PAUL, WARD, LAB, SHY])


def test_by_address() -> None:
    """An address is found however it is spelt, also one that may not be shown."""
    assert ZOE == ALL.entry(parse("ZOE.Barber@CHU.example"))
    assert SHY == ALL.entry(SHY.address)
    assert SHY.listed == ALL.find(SHY.address)
    assert ALL.find(parse("nobody@chu.example")) is None
    assert ALL.entry(parse("nobody@chu.example")) is None


def test_all_of_it() -> None:
    """The whole of it, or a domain's part, can be compared with what we have."""
    assert {ZOE, ZOE_TOO, PAUL, WARD, LAB, SHY} == set(ALL)
    assert {ZOE_TOO, LAB} == set(ALL.within("labo.example"))
    assert {"chu.example", "labo.example"} == ALL.domains
    assert 6 == len(ALL)
    assert "<Directory: 6 addresses in 2 domains>" == repr(ALL)


def test_by_holder() -> None:
    """A person's addresses are had by their number, a structure's by its own; not hidden ones."""
    assert [ZOE, ZOE_TOO] == list(ALL.held(identifiers.parse("rpps:10003456786")))
    assert {ZOE, PAUL, WARD} == set(ALL.held(identifiers.parse(CHU)))
    assert [] == list(ALL.held(identifiers.parse("adeli:759312346")))
    assert [] == list(ALL.held(identifiers.parse("finess:540000007")))


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("zoe", {ZOE, ZOE_TOO, PAUL}),
        ("zoé barber", {ZOE, ZOE_TOO}),
        ("BARB chu", {ZOE}),
        ("évreux", {ZOE, WARD}),
        ("cardiologie", {ZOE, ZOE_TOO}),
        ("cardio", {WARD, ZOE, ZOE_TOO}),
        ("labo", {LAB}),
        ("secret", set()),
        ("zz", set()),
        ("barber nobody", set()),
        ("", set()),
    ],
)
def test_by_words(question: str, found: set[Entry]) -> None:
    """Each word must be one of the entry's, or its beginning; the hidden are never found."""
    assert found == set(ALL.search(words(question), 10))


def test_whole_words_first() -> None:
    """Who is called as one asks comes before whose name only begins so."""
    assert [ZOE_TOO, PAUL] == sorted(ALL.search(["zoe"], 10), key=lambda e: e is PAUL)[1:]
    assert PAUL == ALL.search(["zoe"], 10)[-1]
    assert 1 == len(ALL.search(["zoe"], 1))


def test_the_first_row_of_an_address_counts() -> None:
    """Later ones are counted as repeated, not as wrong."""
    made = Directory.of([ZOE, ZOE._replace(name="Somebody else")])

    assert [ZOE] == list(made)
    assert "2 rows, 1 left out (repeated 1)" == str(made.report)


@pytest.mark.parametrize("limit", ["PROFESSIONS", "STRUCTURES", "GIVEN"])
def test_too_many_to_number(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a record can number is refused, never confused."""
    monkeypatch.setattr(record, limit, 1)
    with pytest.raises(ListError, match="than there are"):
        filing.pack([ZOE, WARD, LAB], Report(3))


# Names whose last word is in the address; the last ones only nearly.
IN_THE_ADDRESS = ["CHU", "A", "Dr EXAMPLE", "LABO EXAMPLE", "E2", "Chu", "É"]

entries = st.builds(
    Entry,
    st.from_regex(r"[a-z0-9é]{1,5}@(chu|labo)\.example", fullmatch=True).map(Address),
    st.sampled_from(Kind),
    st.sampled_from(["", "rpps:10003456786", "adeli:759312345", "adeli:2A9312345"]),
    st.sampled_from(["", CHU, "siret:44306184100047"]),
    st.text(max_size=9) | st.text("ab ", max_size=9) | st.sampled_from(IN_THE_ADDRESS),
    st.text(max_size=3),
    st.text(max_size=9),
    st.text(max_size=9),
    st.booleans(),
)


@given(st.lists(entries, min_size=1, unique_by=lambda entry: entry.address))
def test_what_goes_in_comes_out(given: list[Entry]) -> None:
    """Every entry is found by its address and by each of its words, hidden ones by none."""
    made = Directory(Directory.of(given).packed)

    assert given == [made.entry(entry.address) for entry in given]
    for entry in given:
        for word in entry.words:
            assert entry.hidden != (entry in made.search([word], 1000))


def test_a_name_far_into_the_address() -> None:
    """What the address has at its end is found all the same, and a word that is in the title too."""
    far = ZOE._replace(address=parse(f"{'x' * 64}@zoe.barber.example"), name="ZOE BARBER ZOE")
    near = far._replace(address=parse(f"{'x' * 58}@zoe.barber.example"))
    made = Directory.of([far, near])

    assert [far, near] == [made.entry(far.address), made.entry(near.address)]
    assert {far, near} == set(made.search(["zoe"], 9)) == set(made.search(["barber"], 9))


@given(st.binary(max_size=200) | st.integers(1, 400).map(lambda n: bytes(ALL.packed[:])[:-n]))
def test_what_is_no_directory(octets: bytes) -> None:
    """What was cut off, or never was one, is our error."""
    with pytest.raises(ListError):
        Directory(octets)
