"""What a list says of addresses, kept small."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import Address, parse
from trust.addresses import NONE, Addresses, Kind, Listed
from trust.errors import IdentityError, ListError

DR = parse("Dr.Eve@chu.example")

entries = st.builds(
    Listed,
    st.from_regex(r"[a-z0-9é]{1,5}@(chu|labo)\.example", fullmatch=True).map(Address),
    st.sampled_from(Kind),
    st.from_regex(r"[!-~]{0,64}", fullmatch=True),
    st.frozensets(st.from_regex(r"[0-9a-f]{64}", fullmatch=True), max_size=3),
    st.booleans(),
)


@given(st.lists(entries, unique_by=lambda entry: entry.address))
def test_what_goes_in_comes_out(listed: list[Listed]) -> None:
    """Each address comes back with its kind, its holder, its pins, and whether it is hidden."""
    made = Addresses.of(listed)

    assert len(listed) == len(made)
    assert {each.address: each for each in listed} == {each.address: each for each in made}
    assert listed == [made.find(each.address) for each in listed]
    assert [each.pins for each in listed] == [made.pins(each.address) for each in listed]
    assert made == Addresses(made.packed)
    assert hash(made) == hash(Addresses(made.packed))


def test_any_spelling() -> None:
    """An address is found in upper and lower case, and what comes back is as it was listed."""
    made = Addresses.of([Listed(DR, Kind.PER)])

    assert parse("DR.EVE@chu.example") in made
    assert Listed(DR, Kind.PER) == made.find(parse("dr.eve@CHU.example"))
    assert parse("dr.eve@labo.example") not in made
    assert made.find(parse("dr.eve@labo.example")) is None
    assert made.pins(parse("dr.eve@labo.example")) is None


def test_by_domain() -> None:
    """The addresses of one domain can be had without those of the others."""
    one, two = Listed(DR, Kind.PER), Listed(parse("x@labo.example"), Kind.APP)
    made = Addresses.of([two, one])

    assert {"chu.example", "labo.example"} == made.domains
    assert [one] == list(made.within("chu.example"))
    assert [] == list(made.within("nobody.example"))
    assert "<Addresses: 2 in 2 domains>" == repr(made)


def test_none() -> None:
    """A list that names no address is none, and equal to every other such."""
    assert Addresses.of([]) == NONE
    assert 0 == len(NONE)
    assert NONE.find(DR) is None
    assert NONE != 0


def test_twice() -> None:
    """A list that says two things of one address says nothing."""
    with pytest.raises(ListError):
        Addresses.of([Listed(DR, Kind.PER), Listed(Address(DR.lower()), Kind.ORG)])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Listed(Address("dr@CHU.example"), Kind.PER),
        lambda: Listed(Address("dr"), Kind.PER),
        lambda: Listed(DR, Kind.PER, "é"),
        lambda: Listed(DR, Kind.PER, "x" * 65),
        lambda: Listed(DR, Kind.PER, pins=frozenset(f"{n:064x}" for n in range(256))),
    ],
)
def test_an_entry_that_is_none(wrong: Callable[[], Listed]) -> None:
    """What a list cannot mean cannot be said."""
    with pytest.raises(ListError):
        wrong()
    with pytest.raises(IdentityError):
        Listed(DR, Kind.PER, pins=frozenset({"A" * 64}))


def test_which_are_not_among_others() -> None:
    """Each counts, of whatever domain; how many others there are does not."""
    mine, theirs = (
        Addresses.of(Listed(parse(each), Kind.PER) for each in addresses)
        for addresses in (
            ("a@x.example", "b@x.example", "a@y.example"),
            ("b@x.example", "c@x.example", "d@x.example"),
        )
    )
    assert (2, 2, 0) == (mine.lacking(theirs), theirs.lacking(mine), mine.lacking(mine))
