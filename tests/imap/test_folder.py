"""Sets of UIDs are sets, however they are kept; a client learns each change once, in order."""

from hypothesis import given
from hypothesis import strategies as st

from imap.folder import HIGHEST, Changes, Row, UidSet, View

_NUMBERS = st.sets(st.integers(1, 60))


def row(uid: int, modseq: int = 5) -> Row:
    return Row(uid, uid, modseq, (), 1, 0.0)


def changes(*uids: int, vanished: tuple[int, ...] = (), modseq: int = 5) -> Changes:
    rows = tuple(row(uid) for uid in uids)
    return Changes(modseq, max((0, *uids)) + 1, rows, UidSet.of(vanished))


@given(_NUMBERS, _NUMBERS)
def test_ranges_are_a_set(some: set[int], others: set[int]) -> None:
    """Union, intersection, difference, order, and equality are those of sets."""
    one, other = UidSet.of(some), UidSet.of(others)

    assert sorted(some) == list(one)
    assert len(some) == len(one)
    assert some | others == set(one | other)
    assert some & others == set(one & other)
    assert some - others == set(one - other)
    assert (some == others) == (one == other)
    assert hash(one) == hash(UidSet.of(some))
    assert one == UidSet(one.ranges)
    assert "1" not in one


@given(_NUMBERS)
def test_places(some: set[int]) -> None:
    """A number's place is its sequence number, and the other way round (RFC 3501 §2.3.1.2)."""
    uids, ascending = UidSet.of(some), sorted(some)

    assert ascending == [uids.nth(place) for place in range(1, len(some) + 1)]
    assert [0, 0] == [uids.nth(0), uids.nth(len(some) + 1)]
    for number in range(62):
        assert (number in some) == (number in uids)
        place = ascending.index(number) + 1 if number in some else 0
        assert place == uids.position(number)


@given(_NUMBERS, _NUMBERS)
def test_numbers_are_named_by_places(some: set[int], others: set[int]) -> None:
    """Sequence numbers lead to UIDs, UIDs to sequence numbers; what is not there is passed over."""
    uids, ascending = UidSet.of(some), sorted(some)

    assert {ascending[n - 1] for n in others if n <= len(some)} == set(
        UidSet.of(others).among(uids)
    )
    assert {ascending.index(n) + 1 for n in some & others} == set(uids.places(UidSet.of(others)))


@given(_NUMBERS, st.integers(1, 9))
def test_slices(some: set[int], most: int) -> None:
    """Slices are full but for the last one, and together they are the set."""
    slices = list(UidSet.of(some).slices(most))

    assert sorted(some) == [number for each in slices for number in each]
    assert all(len(each) == most for each in slices[:-1])


def test_written_as_imap_writes_it() -> None:
    """A set is told in as few words as there are ranges; it may go to the end of all UIDs."""
    assert "1:3,7" == str(UidSet.of([7, 1, 2, 3]))
    assert "UidSet(2)" == repr(UidSet.of([2]))
    assert "5:4294967295" == str(UidSet([(1, HIGHEST)]) - UidSet([(1, 4)]))
    assert UidSet() == UidSet([(1, HIGHEST)]) - UidSet([(1, HIGHEST)])


def test_what_a_client_hears() -> None:
    """Expunges from the highest down, then how many there are, then what changed."""
    view = View(UidSet.of([2, 4, 6, 8]), 3)

    told = view.apply(changes(4, 9, vanished=(2, 8, 77)))

    assert (4, 1) == told.expunged
    assert UidSet.of([2, 8]) == told.vanished
    assert 3 == told.exists
    assert ((1, row(4)), (3, row(9))) == told.changed
    assert (UidSet.of([4, 6, 9]), 5) == (view.uids, view.modseq)
    assert "<View of 3 messages at 5>" == repr(view)
    assert UidSet.of([6, 9]) == view.named(UidSet.of([2, 3, 4]))


def test_nothing_new_is_nothing_said() -> None:
    """How many messages there are is told when there are more, not at each flag."""
    view = View(UidSet.of([2]), 3)

    assert view.apply(changes(2)).exists is None
    assert view.apply(changes(modseq=9)) == view.apply(changes(modseq=9))
    assert 9 == view.modseq


def test_an_expunge_waits_while_numbers_are_in_use() -> None:
    """While a command goes by numbers none moves; what went is found again (RFC 3501 §7.4.1)."""
    view = View(UidSet.of([2, 4]), 3)

    told = view.apply(changes(6, vanished=(2,)), expunging=False)

    assert ((), 3) == (told.expunged, told.exists)
    assert 3 == view.modseq, "so that it is asked for again"
    assert (1,) == view.apply(changes(6, vanished=(2,))).expunged
    assert (UidSet.of([4, 6]), 5) == (view.uids, view.modseq)


@given(st.lists(st.tuples(_NUMBERS, _NUMBERS, st.booleans()), max_size=6))
def test_a_client_that_follows_knows_what_there_is(
    steps: list[tuple[set[int], set[int], bool]],
) -> None:
    """After any changes, a client that did what it was told sees the folder as it is."""
    view, numbers, there = View(UidSet(), 0), list[int](), set[int]()
    for new, gone, expunging in [*steps, (set[int](), set[int](), True)]:
        top = max((0, *there, *numbers))
        there = {uid for uid in there | {top + each for each in new} if uid not in gone}
        absent = set(range(1, top + 70)) - there
        found = Changes(1, 1, tuple(map(row, sorted(there))), UidSet.of(absent))
        told = view.apply(found, expunging=expunging)
        for place in told.expunged:
            del numbers[place - 1]
        known = set(numbers)
        numbers += [uid for uid in sorted(there) if uid not in known]
        assert told.exists in {None, len(numbers)}

    assert sorted(there) == numbers == list(view.uids)
