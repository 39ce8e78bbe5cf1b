"""What goes in place of a message that is too large for a next hop: all of it but its large parts.

The header and the small parts stay as they are. Each large part is replaced by one that says where
it lies (``message/external-body``, or words for a person), how long, how large it is and what its
bytes must hash to. Another Sceau reads none of that: a field on top tells it under which name it
fetches the whole, and the header it then gets must be the one that was judged at its door.
docs/large-documents.md; RFC 2046 §5.2.3, RFC 2017.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import msgspec

from smtp.message.header import Field, Header, HeaderError
from smtp.message.mime import Part
from smtp.message.trace import date

FIELD = "x-sceau-large"

_MARK = re.compile(
    r"1; id=([A-Za-z0-9_-]{43}); port=([0-9]{1,5}); size=([0-9]{1,15}); sha256=([0-9a-f]{64})"
)
_REPLACED = 1024  # octets that a part takes which stands for another, about
_OWN = frozenset({"mime-version"})


class StubError(ValueError):
    """What came in place of a message cannot be relied on; the message says why."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the field on top says to another Sceau: the name of the whole, its length and hash."""

    token: str
    port: int  # of the web listener for certificates, at whatever host the list names
    size: int
    sha256: str

    def encode(self) -> bytes:
        """Write the field."""
        return (
            f"X-Sceau-Large: 1; id={self.token}; port={self.port};\r\n"
            f" size={self.size}; sha256={self.sha256}\r\n"
        ).encode()

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Read the field's value; ``StubError`` if it is none of ours."""
        found = _MARK.fullmatch(" ".join(value.decode("ascii", "replace").split()))
        if found is None or not 0 < int(found[2]) < 65536:
            raise StubError("what it says of the whole message cannot be read")
        return cls(found[1], int(found[2]), int(found[3]), found[4])


class Cut(msgspec.Struct, frozen=True, array_like=True):
    """A part that stays at home: where it lies in the whole, and what it is."""

    header: int
    body: int
    end: int
    type: str
    name: str  # the file's; "" if it has none
    encoding: str
    octets: int = 0  # its length, once its transfer encoding is undone,
    sha256: str = ""  # and the hash of those octets

    @property
    def size(self) -> int:
        """How many octets its content has."""
        return self.end - self.body


Instead = Callable[[int, Cut, bytes], bytes]
"""Writes the part that stands for the n-th cut, of which the header block is given."""


def plan(parts: Sequence[Part], size: int, limit: int, least: int) -> tuple[Cut, ...] | None:
    """Return the parts to be cut out of a message, in their order; None if it stays too large.

    All of at least ``least`` octets go; smaller ones too, the largest first, until what is left has
    room within ``limit``.
    """
    parents = {part.parent for part in parts}
    leaves = [part for place, part in enumerate(parts) if place not in parents]
    chosen: list[Part] = []
    left = size
    for part in sorted(leaves, key=lambda part: part.body - part.end):
        if part.end - part.body < least and left <= limit:
            break
        if part.end - part.body <= _REPLACED:
            break
        chosen.append(part)
        left -= part.end - part.body - _REPLACED
    if left > limit or not chosen:
        return None
    return tuple(
        Cut(part.header, part.body, part.end, part.type, part.name, part.encoding)
        for part in sorted(chosen, key=lambda part: part.header)
    )


def kept(size: int, cuts: Sequence[Cut]) -> Iterator[tuple[int, int] | int]:
    """Yield what a stub is made of: ranges of the whole, and the numbers of cuts between them."""
    at = 0
    for number, cut in enumerate(cuts):
        yield at, cut.header
        yield number
        at = cut.end
    yield at, size


def root(block: bytes, part: bytes) -> bytes:
    """Return a message whose only part was cut: its header, less what was said of that part."""
    header = Header.skim(block)
    own = b"".join(block[one.start : one.end] for one in header.fields if not _of_part(one))
    return own + b"MIME-Version: 1.0\r\n" + part


def external(mark: Mark, url: str, until: datetime) -> Instead:
    """Return how a cut part is replaced by one that says where it lies, for programs."""

    def instead(number: int, cut: Cut, block: bytes) -> bytes:
        shown = Header.skim(block)
        of_part = b"".join(block[one.start : one.end] for one in shown.fields if _of_part(one))
        lines = [
            "Content-Type: message/external-body; access-type=URL;",
            f' URL="{url}";',
            f' expiration="{date(until)}"; size={cut.octets}; permission=read',
            "",
            f"X-Sceau-SHA256: {cut.sha256}",
        ]
        if shown.first("content-id") is None:  # RFC 2046 §5.2.3 wants one
            lines.append(f"Content-ID: <{mark.sha256[:32]}.{number + 1}@sceau.invalid>")
        about = "".join(f"{line}\r\n" for line in lines).encode()
        return about + of_part.removesuffix(b"\r\n") + b"\r\n\r\n"

    return instead


def _of_part(one: Field) -> bool:
    """Whether a field speaks of a part's content, and not of the message."""
    return one.name.startswith("content-") or one.name in _OWN


def trace(stored: bytes) -> tuple[bytes, Mark]:
    """Return what was put on top of a stub on its way here, and what it says of the whole.

    ``stored`` begins with the stub's header.
    """
    header = Header.skim(stored.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    found = next((one for one in header.fields if one.name == FIELD), None)
    if found is None:
        raise StubError("it says nothing of the whole message")
    return stored[: found.start], Mark.parse(header.value(found))


def same(stub: bytes, whole: bytes) -> bool:
    """Whether the whole message has the very header that its stub had, but for what says of parts.

    Both begin with their header; what lies in the stub above our field, and it, do not count.
    """
    above, _ = trace(stub)
    judged = _said(stub[len(above) :], FIELD)
    return judged is not None and judged == _said(whole)


def _said(block: bytes, *less: str) -> list[tuple[str, bytes]] | None:
    try:
        header = Header.parse(block.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    except HeaderError:
        return None
    skip = list(less)
    said = []
    for one in header.fields:
        if one.name in skip:
            skip.remove(one.name)
        elif not _of_part(one):
            said.append((one.name, header.value(one)))
    return said
