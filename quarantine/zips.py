"""A zip archive by its directory, and whether its files agree with that.

Readers differ: some believe the directory, some the files' own headers, some what comes first.
What two of them would read differently is told, and read as far as it goes. Nothing is written
anywhere: names are only compared. R-J5; PKWARE's APPNOTE 6.3, §4.3, §4.4.
"""

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

_END = b"PK\x05\x06"
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_TAIL = struct.Struct("<4s4H2LH")
_TAIL64 = struct.Struct("<4sQ2H2L4Q")
_LINK = 0xA000  # of the high half of a Unix entry's attributes
_FULL = 0xFFFFFFFF
_STEP = 256 << 10


class Broken(Exception):  # noqa: N818 - says it in full
    """It cannot be read as a zip archive, or only by some."""


class Entry(NamedTuple):
    """One file as the directory names it."""

    name: str
    raw: bytes  # the name's octets
    flags: int
    method: int
    packed: int
    size: int
    offset: int
    link: bool

    @property
    def encrypted(self) -> bool:
        """Whether it opens with a password alone: its content, or its name too."""
        return bool(self.flags & 0x41)

    @property
    def folder(self) -> bool:
        """Whether it is a folder's name."""
        return self.name.endswith("/") and not self.size


@dataclass(frozen=True, slots=True)
class Zip:
    """An archive whose directory was read."""

    content: bytes
    entries: tuple[Entry, ...]
    directory: int  # where that begins

    def doubts(self) -> Iterator[str]:
        """Yield in what readers would differ."""
        at = 0
        for entry in sorted(self.entries, key=lambda entry: entry.offset):
            if _hidden(self.content[at : entry.offset]):
                yield "a file that its directory does not name"
            try:
                header, body = self._local(entry)
            except Broken as error:
                yield str(error)
                continue
            if header != (entry.raw, entry.method, entry.flags & 1):
                yield "its directory and its files disagree"
            at = max(at, body + entry.packed)
        if _hidden(self.content[at : self.directory]):
            yield "a file that its directory does not name"

    def overlaps(self) -> bool:
        """Whether files share octets: a small archive that swells without end."""
        ends = 0
        for entry in sorted(self.entries, key=lambda entry: entry.offset):
            if entry.packed and entry.offset < ends:
                return True
            ends = entry.offset + _LOCAL.size + entry.packed
        return False

    def unpacked(self, entry: Entry) -> Iterator[bytes]:
        """Yield a file's content, block by block; ``Broken`` if it does not unpack to its size."""
        _, body = self._local(entry)
        packed = self.content[body : body + entry.packed]
        size = 0
        for block in _unpacked(entry.method, packed):
            size += len(block)
            yield block
        if size != entry.size:
            raise Broken("a file has another size than its directory says")

    def _local(self, entry: Entry) -> tuple[tuple[bytes, int, int], int]:
        """Return a file's own header as far as readers use it, and where its content begins."""
        try:
            read = _LOCAL.unpack_from(self.content, entry.offset)
        except struct.error:
            raise Broken("a file lies outside it") from None
        named, extra = read[9], read[10]
        if read[0] != b"PK\x03\x04":
            raise Broken("a file is not where its directory says")
        at = entry.offset + _LOCAL.size
        return (self.content[at : at + named], read[3], read[2] & 1), at + named + extra


class Machine(Protocol):
    """A decompressor of the standard library."""

    @property
    def eof(self) -> bool:
        """Whether the end of what was packed has come."""

    @property
    def unused_data(self) -> bytes:
        """What follows that end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return what comes out, so much at most."""


class Meter(Protocol):
    """Who counts the files (``quarantine.budget``)."""

    def enter(self) -> None:
        """Count one; raise if there are too many."""


def ends_as_zip(content: bytes) -> bool:
    """Whether a zip archive ends where the file does, whatever it begins as."""
    at = content.rfind(_END, max(0, len(content) - 0xFFFF - _TAIL.size))
    return at >= 0 and len(content) - at >= _TAIL.size and _comment_ends(content, at)


def read(content: bytes, meter: Meter) -> Zip:
    """Read the directory; raise ``Broken``."""
    at = content.rfind(_END, max(0, len(content) - 0xFFFF - _TAIL.size))
    if at < 0 or len(content) - at < _TAIL.size:
        raise Broken("it has no directory")
    if not _comment_ends(content, at):
        raise Broken("something follows its end")
    *_, count, size, offset, _ = _TAIL.unpack_from(content, at)
    end = at
    if _FULL in {size, offset} or count == 0xFFFF:
        end, count, size, offset = _large(content, at)
    begin = end - size
    before = begin - offset  # octets in front of the archive, that its offsets do not count
    if begin < 0 or before < 0:
        raise Broken("its directory lies outside it")
    entries: list[Entry] = []
    place = begin
    while place < end:
        meter.enter()
        entry, place = _entry(content, place, before)
        entries.append(entry)
    if place != end or len(entries) != count:
        raise Broken("its directory does not hold what it says")
    return Zip(content, tuple(entries), begin)


def _comment_ends(content: bytes, at: int) -> bool:
    (length,) = struct.unpack_from("<H", content, at + 20)
    return bool(at + _TAIL.size + length == len(content))


def _large(content: bytes, at: int) -> tuple[int, int, int, int]:
    """Return what the large form of the end says: where it lies, count, size, offset."""
    if content[at - 20 : at - 16] != b"PK\x06\x07":
        raise Broken("its end is incomplete")
    there = content.rfind(b"PK\x06\x06", max(0, at - 0xFFFF), at - 20)
    if there < 0 or there + _TAIL64.size > at:
        raise Broken("its end is incomplete")
    read = _TAIL64.unpack_from(content, there)
    return there, read[7], read[8], read[9]


def _entry(content: bytes, place: int, before: int) -> tuple[Entry, int]:
    try:
        read = _ENTRY.unpack_from(content, place)
    except struct.error:
        raise Broken("its directory is cut short") from None
    magic, _, _, flags, method, _, _, _, packed, size, named, extra, comment, *_, attributes, at = (
        read
    )
    if magic != b"PK\x01\x02":
        raise Broken("its directory has something else in it")
    start = place + _ENTRY.size
    raw = content[start : start + named]
    wide = _wide(content[start + named : start + named + extra], (size, packed, at))
    size, packed, at = wide
    name = raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
    link = attributes >> 16 & 0xF000 == _LINK
    entry = Entry(name, raw, flags, method, packed, size, at + before, link)
    return entry, start + named + extra + comment


def _wide(extra: bytes, values: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the values that did not fit into their four octets (APPNOTE §4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            found = extra[at + 4 : at + 4 + length]
            wide = iter(struct.unpack_from(f"<{len(found) // 8}Q", found))
            try:
                first, second, third = (next(wide) if v == _FULL else v for v in values)
            except (StopIteration, RuntimeError):
                raise Broken("its directory is cut short") from None
            return first, second, third
        at += 4 + length
    return values


def _unpacked(method: int, packed: bytes) -> Iterator[bytes]:
    if method == 0:
        yield from (packed[at : at + _STEP] for at in range(0, len(packed), _STEP))
        return
    if method not in {8, 12}:
        raise Broken("a file is packed in a way that is not known here")
    machine: Machine = zlib.decompressobj(-15) if method == 8 else bz2.BZ2Decompressor()
    yield from run(machine, packed)


def run(machine: Machine, packed: bytes) -> Iterator[bytes]:
    """Yield what a decompressor makes of its input, never much at once."""
    try:
        block = machine.decompress(packed, _STEP)
        while block:
            yield block
            if machine.eof:
                return
            block = machine.decompress(getattr(machine, "unconsumed_tail", b""), _STEP)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise Broken("a file does not unpack") from error


def _hidden(gap: bytes) -> bool:
    return b"PK\x03\x04" in gap
