"""Many lists of numbers in one buffer, had by their own number; those side by side are one slice."""

from array import array
from collections.abc import Iterable
from itertools import accumulate

from trust.errors import ListError

_SIZE = 4


class Lists:
    """An immutable sequence of lists of 32-bit numbers."""

    __slots__ = ("_ends", "_numbers")

    def __init__(self, packed: memoryview) -> None:
        """Open what ``pack`` made; raise ``ListError`` if this is not one."""
        if len(packed) % _SIZE or not packed:
            raise ListError("these octets are no lists of numbers")
        words = packed.cast("I")
        count = words[0]
        if count >= len(words) or len(words) != 1 + count + (words[count] if count else 0):
            raise ListError("lists of numbers were cut off")
        self._ends, self._numbers = words[: count + 1], words[count + 1 :]

    def of(self, numbers: range) -> memoryview:
        """Return the lists of these numbers, one after the other; a range's step is 1."""
        if not numbers:
            return self._numbers[:0]
        start = self._ends[numbers.start] if numbers.start else 0
        return self._numbers[start : self._ends[numbers.stop]]


def numbers(of: Iterable[int] = ()) -> "array[int]":
    """Return a list of these; others may be added to it, four octets each."""
    return array("I", of)


def pack(lists: Iterable["array[int]"]) -> bytes:
    """Return the buffer of these: how many, where each one ends, then all of them."""
    held = list(lists)
    ends = array("I", accumulate(map(len, held)))
    return b"".join((array("I", [len(held)]), ends, *held))
