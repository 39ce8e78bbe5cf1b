"""A folder as one client knows it: which messages it has seen, and what changed since.

Sets of UIDs are ranges, so that a folder of 100,000 messages is a handful of numbers however many
clients look at it. Pure: what happened in the database comes as ``Changes``, what a client must be
told goes out as ``Told``. RFC 3501 §2.3.1 (numbers), RFC 7162 §3.2.10 (VANISHED).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Self

import msgspec

HIGHEST = (1 << 32) - 1  # a UID has 32 bits


class UidSet:
    """An immutable set of positive numbers, UIDs or sequence numbers, kept as ranges."""

    __slots__ = ("_before", "_firsts", "ranges")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self.ranges = _merged(ranges)
        self._firsts = [first for first, _ in self.ranges]
        # How many numbers lie before each range, and at last how many there are.
        self._before = [0, *accumulate(last - first + 1 for first, last in self.ranges)]

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Self:
        """Make a set of single numbers."""
        return cls((number, number) for number in numbers)

    def __repr__(self) -> str:
        return f"UidSet({self})"

    def __str__(self) -> str:
        """Write it as IMAP does: ``1:5,9``."""
        return ",".join(
            f"{first}:{last}" if last > first else str(first) for first, last in self.ranges
        )

    def __len__(self) -> int:
        return self._before[-1]

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.position(number) > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UidSet) and self.ranges == other.ranges

    def __hash__(self) -> int:
        return hash(self.ranges)

    def __or__(self, other: "UidSet") -> "UidSet":
        if not (self.ranges and other.ranges):
            return self if self.ranges else other
        return UidSet((*self.ranges, *other.ranges))

    def __and__(self, other: "UidSet") -> "UidSet":
        return UidSet(_common(self.ranges, other.ranges))

    def __sub__(self, other: "UidSet") -> "UidSet":
        if not (self.ranges and other.ranges):
            return self
        return UidSet(_common(self.ranges, tuple(_gaps(other.ranges))))

    def nth(self, place: int) -> int:
        """Return the number at a place counted from 1; 0 beyond the end."""
        if not 1 <= place <= len(self):
            return 0
        at = bisect_left(self._before, place) - 1
        return self.ranges[at][0] + place - self._before[at] - 1

    def position(self, number: int) -> int:
        """Return a number's place, counted from 1; 0 if it is not in the set."""
        at = bisect_right(self._firsts, number) - 1
        if at < 0 or number > self.ranges[at][1]:
            return 0
        return self._before[at] + number - self.ranges[at][0] + 1

    def slices(self, most: int) -> Iterator["UidSet"]:
        """Yield it in sets of at most so many numbers, ascending."""
        taken: list[tuple[int, int]] = []
        room = most
        for first, last in self.ranges:
            start = first
            while last - start + 1 >= room:
                taken.append((start, start + room - 1))
                yield UidSet(taken)
                start, taken, room = start + room, [], most
            if start <= last:
                taken.append((start, last))
                room -= last - start + 1
        if taken:
            yield UidSet(taken)

    def among(self, others: "UidSet") -> "UidSet":
        """Read it as places in another set, and return the numbers that stand there."""
        places = self & UidSet(((1, len(others)),))
        return UidSet(_standing(others, places.ranges))

    def places(self, of: "UidSet") -> "UidSet":
        """Return the places that some of its numbers have; what it does not hold is passed over."""
        found = ((self.position(first), self.position(last)) for first, last in (self & of).ranges)
        return UidSet(found)


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message of a folder as lists and flags need it; nothing of it had to be opened.

    There may be 100,000 of them in hand: the garbage collector has nothing to look for in one.
    """

    uid: int
    id: int
    modseq: int
    flags: tuple[str, ...]
    size: int
    arrived: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened in a folder since a modification sequence."""

    modseq: int  # as of now
    uid_next: int
    rows: tuple[Row, ...]  # new, or with other flags
    vanished: UidSet  # no longer there; it may name some that went long ago


@dataclass(frozen=True, slots=True)
class Told:
    """What a client must hear, in this order: what went, how many there are, what changed."""

    expunged: tuple[int, ...] = ()  # sequence numbers, each as of its own turn
    vanished: UidSet = field(default_factory=UidSet)
    exists: int | None = None
    changed: tuple[tuple[int, Row], ...] = ()


class View:
    """The folder that a client selected, as far as it was told."""

    def __init__(self, uids: UidSet, modseq: int) -> None:
        self.uids, self.modseq = uids, modseq

    def __repr__(self) -> str:
        return f"<View of {len(self.uids)} messages at {self.modseq}>"

    def named(self, numbers: UidSet) -> UidSet:
        """Return the UIDs that sequence numbers stand for."""
        return numbers.among(self.uids)

    def apply(self, changes: Changes, *, expunging: bool = True) -> Told:
        """Learn what happened and return what to tell.

        While commands with sequence numbers are under way nobody may hear of an expunge
        (RFC 3501 §7.4.1): with ``expunging`` false what went stays known, and ``modseq`` stays
        behind so that it is found again.
        """
        gone = self.uids & changes.vanished if expunging else UidSet()
        places = tuple(self.uids.places(gone))
        left = self.uids - gone
        new = UidSet.of(row.uid for row in changes.rows) - left
        after = left | new
        self.uids = after
        if expunging or not self.uids & changes.vanished:
            self.modseq = max(self.modseq, changes.modseq)
        return Told(
            # From the highest down, so that no number moves before its turn.
            expunged=places[::-1],
            vanished=gone,
            exists=len(after) if new else None,
            changed=tuple((after.position(row.uid), row) for row in changes.rows),
        )


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def _common(
    some: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    one = other = 0
    while one < len(some) and other < len(others):
        first = max(some[one][0], others[other][0])
        last = min(some[one][1], others[other][1])
        if first <= last:
            yield first, last
        if some[one][1] < others[other][1]:
            one += 1
        else:
            other += 1


def _gaps(ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what lies between ranges, as far as any UID goes."""
    start = 1
    for first, last in ranges:
        if start < first:
            yield start, first - 1
        start = last + 1
    if start <= HIGHEST:
        yield start, HIGHEST


def _standing(others: UidSet, places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of a set that lie at ranges of places."""
    before = 0
    at = 0
    for first, last in others.ranges:
        size = last - first + 1
        while at < len(places) and places[at][0] <= before + size:
            low, high = max(places[at][0], before + 1), min(places[at][1], before + size)
            yield first + low - before - 1, first + high - before - 1
            if places[at][1] > before + size:
                break
            at += 1
        before += size
