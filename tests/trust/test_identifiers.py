"""A wrong digit in a national identifier is noticed before it names somebody else."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from trust import identifiers
from trust.errors import HolderError
from trust.identifiers import Identifier, Scheme

RPPS, FINESS = "10003456786", "540002698"
SIREN, SIRET = "443061841", "44306184100047"


@pytest.mark.parametrize(
    ("text", "national"),
    [
        (f"rpps:{RPPS}", f"8{RPPS}"),
        ("adeli:759312345", "0759312345"),
        ("adeli:2A9312345", "02A9312345"),
        (f"finess:{FINESS}", f"1{FINESS}"),
        ("finess:2A0000014", "12A0000014"),
        (f"siren:{SIREN}", f"2{SIREN}"),
        (f"siret:{SIRET}", f"3{SIRET}"),
        ("siret:35600000000048", "335600000000048"),
        ("siret:35600000009075", "335600000009075"),
        (f"cabinet:{RPPS}003", f"4{RPPS}003"),
    ],
)
def test_both_ways(text: str, national: str) -> None:
    """What a register numbers is the same holder in a directory's writing and in ours."""
    holder = identifiers.parse(text)

    assert text == str(holder)
    assert national == holder.national
    read = identifiers.person if holder.scheme.person else identifiers.structure
    assert text == read(national)


def test_as_people_write_it() -> None:
    """Spaces and the case of letters say nothing."""
    assert Identifier(Scheme.FINESS, "2A0000014") == identifiers.parse("FINESS:2a 000 001 4")


@pytest.mark.parametrize(
    "text",
    [
        "",
        RPPS,
        "rpps",
        "rpps:",
        "inami:12345",
        "rpps:10003456787",
        "rpps:1000345678",
        f"rpps:{RPPS}0",
        "rpps:٣٣٣٣٣٣٣٣٣٣٣",
        "finess:540002699",
        "finess:2C0000014",
        "siren:443061842",
        "siret:44306184100048",
        "siret:35600000000049",
        "cabinet:10003456787003",
        "adeli:75931234",
    ],
)
def test_nobody(text: str) -> None:
    """A wrong check digit, length or scheme names nobody."""
    with pytest.raises(HolderError):
        identifiers.parse(text)


def test_numbers_of_no_register() -> None:
    """A structure's own number for somebody is no identifier, and no error."""
    assert not identifiers.person("3540002698/1234")
    assert not identifiers.person("")
    assert not identifiers.structure("0123456")


@given(st.text())
def test_any_text(text: str) -> None:
    """Any text is an identifier or our error."""
    for read in (identifiers.parse, identifiers.person, identifiers.structure):
        with suppress(HolderError):
            assert isinstance(read(text), Identifier | str)


@given(st.integers(0, 10**10 - 1), st.integers(0, 10), st.integers(1, 9))
def test_one_digit_wrong(number: int, at: int, more: int) -> None:
    """Any single wrong digit of an RPPS number is noticed."""
    digits = f"{number:010d}"
    sound = digits + luhn.calc_check_digit(digits)
    wrong = sound[:at] + str((int(sound[at]) + more) % 10) + sound[at + 1 :]

    assert sound == Identifier(Scheme.RPPS, sound).number
    with pytest.raises(HolderError, match="check digit"):
        Identifier(Scheme.RPPS, wrong)
