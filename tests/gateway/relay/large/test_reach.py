"""Whether a message gets to its reader, before a word is said to anybody."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.pki import Authority
from gateway.relay.large.hops import Hop
from gateway.relay.large.reach import Way, holder_of, too_large, way
from smtp.address import Address, parse
from tests.world.clock import START
from tests.world.lists import Lists
from trust.addresses import Kind, Listed
from trust.sources import TrustList

AT = datetime(2026, 3, 2, tzinfo=UTC)
MARTIN = parse("martin@clinique.example")
RPPS = "rpps:10001234565"
SMALL = Hop(10, 0, AT)
SCEAU = Hop(10, 100, AT)


@pytest.mark.parametrize(
    ("size", "hop", "lends", "holder", "wanted"),
    [
        (11, None, True, "", Way.WHOLE),
        (10, SMALL, False, "", Way.WHOLE),
        (999, Hop(0, 0, AT), True, "", Way.WHOLE),
        (11, SMALL, True, RPPS, Way.READ),
        (11, SMALL, True, "", Way.NONE),
        (11, SMALL, False, RPPS, Way.READ),
        (11, SCEAU, True, "", Way.FETCHED),
        (11, SCEAU, False, "", Way.NONE),
        (101, SCEAU, True, "", Way.NONE),
        (101, SCEAU, True, RPPS, Way.READ),
    ],
)
def test_the_way_of_a_message(
    size: int,
    hop: Hop | None,
    lends: bool,  # noqa: FBT001
    holder: str,
    wanted: Way,
) -> None:
    """Whole where it is taken, fetched by a gateway, read by a person, or not at all."""
    assert wanted is way(size, hop, lends=lends, holder=holder)


@given(st.integers(0, 200), st.integers(0, 200), st.booleans(), st.sampled_from(["", RPPS]))
def test_a_larger_message_has_no_better_way(
    size: int,
    more: int,
    lends: bool,  # noqa: FBT001
    holder: str,
) -> None:
    """What is refused at one size is refused at every larger one."""
    order = list(Way)
    small = way(size, SCEAU, lends=lends, holder=holder)
    large = way(size + more, SCEAU, lends=lends, holder=holder)
    assert order.index(small) <= order.index(large)


class _Directory:
    """A directory of one entry."""

    def __init__(self, holder: str) -> None:
        self._entry = Listed(MARTIN, Kind.PER, holder)

    def find(self, address: Address) -> Listed | None:
        return self._entry if address == MARTIN else None


def _listed(holder: str | None, *directories: str) -> TrustList:
    authority = Authority.make(START)
    lists = Lists.make(authority)
    lists.add("clinique.example", authority.issue("mx.clinique.example"))
    lists.addresses = [] if holder is None else [Listed(MARTIN, Kind.PER, holder)]
    current = lists.current()
    return TrustList.of(current.editions, directories=tuple(map(_Directory, directories)))


@pytest.mark.parametrize(
    ("holder", "directories", "wanted"),
    [
        (RPPS, (), RPPS),
        ("adeli:751234567", (), "adeli:751234567"),
        (None, (RPPS,), RPPS),
        ("", (RPPS,), RPPS),
        (None, ("", RPPS), RPPS),
        ("adeli:751234567", (RPPS,), "adeli:751234567"),
        ("finess:750712184", (RPPS,), ""),
        ("ward-4", (RPPS,), ""),
        (None, (), ""),
    ],
)
def test_who_can_prove_to_be_the_recipient(
    holder: str | None, directories: tuple[str, ...], wanted: str
) -> None:
    """A person, by a number that an issuer knows; the list's word goes before a directory's."""
    assert wanted == holder_of(_listed(holder, *directories), MARTIN)


def test_without_a_list_nobody_is_known() -> None:
    """As for everything else that it would have to say."""
    assert "" == holder_of(None, MARTIN)


@pytest.mark.parametrize(("limit", "words"), [(25_000_000, "25 MB"), (10, "1 MB")])
def test_the_refusal_says_how_much_may_be_sent(limit: int, words: str) -> None:
    """And what to do: in several parts, or another way (RFC 1870 §6.2)."""
    said = too_large(limit)
    assert (552, "5.3.4") == (said.code, said.enhanced)
    assert words in said.text
    assert "several parts" in said.text
