"""The address that stands for a number is read back, and no other is taken for one."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.relay.ambiguous import number, shown, standing
from smtp.address import Address, AddressError, parse
from trust import identifiers


def test_a_number_stands_and_is_read_back() -> None:
    """A professional's, an establishment's with letters in it."""
    for text in ("rpps:10003456786", "finess:2A0000022", "siret:73282932000074"):
        try:
            holder = identifiers.parse(text)
        except ValueError:
            continue
        who = standing(holder)
        assert who == parse(who)
        assert (holder, text) == (number(who), shown(who))


def test_others_are_addresses() -> None:
    """Other domains, other registers, numbers that are none."""
    for text in ("dr@chu.example", "1@rpps.invalid", "x@y.invalid", "10003456786@rpps.example"):
        assert number(Address(text)) is None
        assert text == shown(Address(text))


@given(st.text(max_size=30))
def test_any_address_is_one_or_the_other(local: str) -> None:
    """Whatever stands before the domain."""
    try:
        who = parse(f"{local}@rpps.invalid")
    except AddressError:
        return
    found = number(who)
    assert found is None or shown(who) == str(found)
