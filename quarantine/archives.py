"""What lies in an archive, one file after the other, and what is wrong with it.

Zip, tar, and single files made smaller by gzip, bzip2 or xz are opened; other kinds are told of.
Everything is unpacked in memory, counted, and let go again: nothing is written. R-J5.
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from quarantine import zips
from quarantine.budget import Budget
from quarantine.kinds import HEAD
from quarantine.policy import Finding
from quarantine.zips import Broken

_BLOCK = 512
_MEMORY = 64 << 20  # octets that xz may ask for
_DRIVE = re.compile(r"\A[A-Za-z]:")


class Member(NamedTuple):
    """A file in an archive."""

    name: str
    content: bytes
    whole: bool = True  # False: it is too large to be kept, and this is how it begins


def in_zip(content: bytes, place: str, budget: Budget) -> Iterator[Member | Finding]:
    """Yield what lies in a zip archive."""
    try:
        archive = zips.read(content, budget)
    except Broken as error:
        yield Finding("archive-unreadable", f"{place}: {error}")
        return
    for doubt in dict.fromkeys(archive.doubts()):
        yield Finding("archive-unreadable", f"{place}: {doubt}")
    if archive.overlaps():
        yield Finding("archive-bomb", f"{place}: its files overlap")
        return
    for entry in archive.entries:
        if entry.link or _leaves(entry.name):
            yield Finding("archive-traversal", f"{place}: {entry.name}")
        if entry.encrypted:
            yield Finding("archive-encrypted", f"{place}: {entry.name}")
        elif not entry.folder:
            yield from _taken(entry.name, place, archive.unpacked(entry), budget)


def in_packed(content: bytes, place: str, budget: Budget) -> Iterator[Member | Finding]:
    """Yield the one file that was made smaller."""
    budget.enter()
    name = re.sub(
        r"\.(?:gz|bz2|xz|tgz|tbz2?|txz)\Z", "", place.rpartition("/")[2], flags=re.IGNORECASE
    )
    yield from _taken(name, place, _unpacked(content), budget)


def in_tar(content: bytes, place: str, budget: Budget) -> Iterator[Member | Finding]:
    """Yield what lies in a tar archive."""
    at, long_name = 0, ""
    while at + _BLOCK <= len(content) and (header := content[at : at + _BLOCK]).strip(b"\x00"):
        budget.enter()
        size = _octal(header[124:136])
        if size is None or header[257:262] != b"ustar" or at + _BLOCK + size > len(content):
            yield Finding("archive-unreadable", f"{place}: it is cut short, or not what it says")
            return
        body = content[at + _BLOCK : at + _BLOCK + size]
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK
        kind = header[156:157]
        if kind in {b"L", b"x"}:
            long_name = _long_name(kind, body)
            continue
        name, long_name = long_name or _short_name(header), ""
        linked = kind in {b"1", b"2"} and _leaves(_text(header[157:257]))
        if linked or _leaves(name):
            yield Finding("archive-traversal", f"{place}: {name}")
        if kind in {b"0", b"\x00", b"7"}:
            yield from _taken(name, place, iter((body,)), budget)


def _taken(
    name: str, place: str, blocks: Iterator[bytes], budget: Budget
) -> Iterator[Member | Finding]:
    """Yield a file as it is unpacked, as much of it as may be kept."""
    budget.go_on()
    kept = bytearray()
    room, whole = budget.room, True
    try:
        for block in blocks:
            budget.unpack(len(block))
            whole = whole and len(kept) + len(block) <= room
            if whole or len(kept) < HEAD:
                kept += block
    except Broken as error:
        yield Finding("archive-unreadable", f"{place}: {name}: {error}")
    if not whole:
        del kept[HEAD:]
    yield Member(name, bytes(kept), whole)


def _unpacked(content: bytes) -> Iterator[bytes]:
    """Yield what a packed file holds; it may be several, one behind the other."""
    while content:
        if content[:2] == b"\x1f\x8b":
            machine: zips.Machine = zlib.decompressobj(31)
        elif content[:3] == b"BZh":
            machine = bz2.BZ2Decompressor()
        elif content[:6] == b"\xfd7zXZ\x00":
            machine = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
        else:
            raise Broken("something follows its end")
        yield from zips.run(machine, content)
        if not machine.eof:
            raise Broken("it is cut short")
        content = machine.unused_data.lstrip(b"\x00")


def _leaves(name: str) -> bool:
    """Whether a file of that name would be written outside the folder it is unpacked in."""
    path = name.replace("\\", "/")
    outside = path.startswith("/") or _DRIVE.match(path) is not None or "\x00" in path
    return outside or ".." in path.split("/")


def _octal(field: bytes) -> int | None:
    """Return a number as tar writes it; large ones are binary."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \x00") or b"0", 8)
    except ValueError:
        return None


def _short_name(header: bytes) -> str:
    prefix, name = _text(header[345:500]), _text(header[:100])
    return f"{prefix}/{name}" if prefix and header[257:263] == b"ustar\x00" else name


def _long_name(kind: bytes, body: bytes) -> str:
    if kind == b"L":
        return _text(body)
    found = re.search(rb"(?:\A|\n)\d+ path=([^\n]*)\n", body)
    return _text(found[1]) if found else ""


def _text(field: bytes) -> str:
    return field.partition(b"\x00")[0].decode("utf-8", "replace")
