"""Many texts in one buffer, had by their number; sorted ones are found by their beginning too."""

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from trust.errors import ListError

_HEAD = struct.Struct("=Q")
_SIZE = 4


class Strings(Sequence[bytes]):
    """An immutable sequence of UTF-8 texts."""

    __slots__ = ("_ends", "_texts", "packed")

    def __init__(self, packed: memoryview) -> None:
        """Open what ``pack`` made; raise ``ListError`` if this is not one."""
        self.packed = packed
        count = _HEAD.unpack_from(packed)[0] if len(packed) >= _HEAD.size else -1
        start = _HEAD.size + (count + 1) * _SIZE
        if not 0 <= count <= len(packed) or len(packed) < start:
            raise ListError("these octets are no texts")
        self._ends = packed[_HEAD.size : start].cast("I")
        self._texts = packed[start:]
        if self._ends[count] != len(self._texts):
            raise ListError("texts were cut off")

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:  # type: ignore[override]  # slices have no use
        return bytes(self._texts[self._ends[number] : self._ends[number + 1]])

    def text(self, number: int) -> str:
        """Return one as text."""
        return str(self._texts[self._ends[number] : self._ends[number + 1]], "utf-8")

    def number(self, text: str) -> int | None:
        """Return the number of a text, if it is one of these and they are sorted."""
        octets = text.encode()
        at = bisect_left(self, octets)
        return at if at < len(self) and self[at] == octets else None

    def beginning(self, text: str) -> range:
        """Return the numbers of all that begin so, if they are sorted."""
        octets = text.encode()
        return range(bisect_left(self, octets), bisect_left(self, octets + b"\xff"))


def pack(texts: Iterable[str]) -> bytes:
    """Return the buffer of these, in their order."""
    encoded = [text.encode() for text in texts]
    ends = array("I", accumulate(map(len, encoded), initial=0))
    return b"".join((_HEAD.pack(len(encoded)), ends, *encoded))
