"""Names are the same when they mean the same; the traps are those of the real list."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from trust import names
from trust.errors import IdentityError

CN, O, OU, C = (  # noqa: E741 - the types' own names
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.COUNTRY_NAME,
)
VECTORS = json.loads((Path(__file__).parent / "vectors" / "names.json").read_text("ascii"))
_OIDS = {CN: "CN", O: "O", OU: "OU", C: "C"}


def certified(*pairs: tuple[x509.ObjectIdentifier, str]) -> names.Name:
    return names.of_certificate(x509.Name([x509.NameAttribute(*pair) for pair in pairs]))


@pytest.mark.parametrize("case", VECTORS["same"], ids=lambda case: case["written"])
def test_the_same_name_however_it_is_written(case: dict[str, str]) -> None:
    """A list's spelling and a certificate's ASN.1 meet whenever they mean one name."""
    meant = certified((CN, case["common_name"]), (O, case["organisation"]))
    assert meant == names.parse(case["written"])


@pytest.mark.parametrize("case", VECTORS["different"], ids=lambda case: case["one"])
def test_other_names_stay_other_names(case: dict[str, str]) -> None:
    """Normalising forgives spelling and never substance."""
    assert names.parse(case["one"]) != names.parse(case["other"])


@pytest.mark.parametrize("written", [*VECTORS["refused"], "CN=\ud800", "CN=" + "x" * 2048])
def test_what_is_no_name_is_refused(written: str) -> None:
    """Half a name must never match anything."""
    with pytest.raises(IdentityError):
        names.parse(written)


def test_a_value_that_is_not_text_is_kept_apart() -> None:
    """A bit string in a certificate's name equals no text."""
    unique = NameOID.X500_UNIQUE_IDENTIFIER
    name = x509.Name([x509.NameAttribute(unique, b"\x00\xff", x509.name._ASN1Type.BitString)])
    assert frozenset({frozenset({(unique.dotted_string, "#00ff")})}) == names.of_certificate(name)


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    """What all spellings share has one spelling."""
    assert names.normalise(text) == names.normalise(names.normalise(text))


@given(st.text())
def test_case_and_composition_do_not_count(text: str) -> None:
    """Folded or not, a value is the same value."""
    assert names.normalise(text) == names.normalise(text.casefold())


_VALUES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=16
).filter(names.normalise)  # at most 64 octets, as X.520 wants it


@given(st.lists(st.tuples(st.sampled_from([CN, O, OU]), _VALUES), min_size=1, max_size=5))
def test_every_name_survives_rfc_4514(pairs: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    """What another program writes by the RFC, we read as it was meant."""
    name = x509.Name([x509.NameAttribute(*pair) for pair in pairs])
    assert names.of_certificate(name) == names.parse(name.rfc4514_string())


@given(st.lists(st.tuples(st.sampled_from([CN, O, OU]), _VALUES), min_size=1, max_size=5))
@example([(CN, "#")])
def test_every_name_survives_rfc_1779(pairs: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    """Quoted, with semicolons and the other order: the same name."""
    parts = []
    for oid, value in pairs:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'{_OIDS[oid]} = "{escaped}"')
    assert certified(*pairs) == names.parse(" ; ".join(reversed(parts)))


@given(st.text(max_size=200))
def test_any_text_is_a_name_or_our_error(text: str) -> None:
    """A list that is badly written is refused in words, never with a crash."""
    with suppress(IdentityError):
        assert names.parse(text)
