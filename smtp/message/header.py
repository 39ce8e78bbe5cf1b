"""The header block of a message: found while it streams, read field by field, never rewritten.

Fields keep their byte offsets, so that one can be taken out (Bcc) and every other byte stays as
the sender wrote it. Reading is strict where two programs could see two different senders, and
tolerant where they could not. RFC 5322 §2.2, §3.4, §4.4; RFC 6532.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Self

import msgspec

from smtp.address import Address, AddressError, parse

_END = b"\r\n\r\n"
_FIELD = re.compile(
    rb"([!-9;-~]+)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)(?:\r\n|\Z)"
)  # white space before the colon: obsolete, but some programs read such a From, so we do too
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_MOST_FIELDS = 2000


class HeaderError(ValueError):
    """The header cannot be relied on; the message says why, without repeating what is in it."""


@dataclass(slots=True)
class HeaderScanner:
    """Feed it the start of a message, block by block, until it answers True.

    ``raw`` is then the header block with its blank line and ``rest`` what followed it.
    """

    limit: int = 256 * 1024
    raw: bytes = b""
    rest: bytes = b""
    complete: bool = False
    _held: bytearray = field(default_factory=lambda: bytearray(b"\r\n"))  # so no line is special

    def feed(self, block: bytes) -> bool:
        """Take the next block; True once the blank line has come. ``HeaderError`` past the limit."""
        if self.complete:
            self.rest += block
            return True
        start = max(0, len(self._held) - len(_END) + 1)
        self._held += block
        end = self._held.find(_END, start)
        size = end + len(_END) if end >= 0 else len(self._held)
        if size > self.limit + 2:
            raise HeaderError("the header block is too large")
        if end >= 0:
            self._settle(size)
        return self.complete

    def finish(self) -> bytes:
        """Return the header block of a message that has ended, blank line or not."""
        if not self.complete:
            self._settle(len(self._held))
        return self.raw

    def _settle(self, size: int) -> None:
        self.raw, self.rest = bytes(self._held[2:size]), bytes(self._held[size:])
        self.complete = True
        self._held = bytearray()


class Field(msgspec.Struct, frozen=True, gc=False):
    """One field: its name in lower case, and where it and its value lie in the block."""

    name: str
    start: int
    value: int
    end: int  # past its last CRLF


@dataclass(frozen=True, slots=True)
class Header:
    """A header block and the fields found in it."""

    raw: bytes
    fields: tuple[Field, ...]

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a whole block; raise ``HeaderError`` for a line that is neither field nor fold.

        Where the header ends must not be a matter of opinion: what one reader takes for the body
        another takes for a second From.
        """
        fields = _fields(raw)
        end = fields[-1].end if fields else 0
        if raw[end:] not in {b"", b"\r\n"}:
            raise HeaderError("the header has a line that is no header field")
        return cls(raw, tuple(fields))

    @classmethod
    def skim(cls, raw: bytes) -> Self:
        """Take what can be read as a field and pass over the rest: for parts, never for trust."""
        found: list[Field] = []
        at = 0
        while at < len(raw) and len(found) < _MOST_FIELDS:
            if match := _FIELD.match(raw, at):
                found.append(_field(match))
            at = match.end() if match else (raw.find(b"\n", at) + 1 or len(raw))
        return cls(raw, tuple(found))

    def all(self, name: str) -> list[bytes]:
        """Return the value of each field of that name (lower case), unfolded and stripped."""
        return [self.value(f) for f in self.fields if f.name == name]

    def first(self, name: str) -> bytes | None:
        """Return the value of the first field of that name (lower case), or None."""
        for found in self.fields:
            if found.name == name:
                return self.value(found)
        return None

    def without(self, *names: str) -> bytes:
        """Return the block without the fields of those names, every other byte as it was."""
        kept: list[bytes] = []
        at = 0
        for gone in (f for f in self.fields if f.name in names):
            kept.append(self.raw[at : gone.start])
            at = gone.end
        return b"".join((*kept, self.raw[at:]))

    def value(self, found: Field) -> bytes:
        """Return a field's value, unfolded and stripped."""
        value = self.raw[found.value : found.end].strip(b" \t\r\n")
        return _FOLD.sub(b"", value) if b"\n" in value else value


def _fields(raw: bytes) -> list[Field]:
    found: list[Field] = []
    at = 0
    while match := _FIELD.match(raw, at):
        if len(found) == _MOST_FIELDS:
            raise HeaderError("the header has too many fields")
        found.append(_field(match))
        at = match.end()
    return found


def _field(match: re.Match[bytes]) -> Field:
    start, end = match.span()
    return Field(match[1].decode("ascii").lower(), start, match.start(2), end)


_TOKEN = re.compile(r'[ \t\r\n]+|"(?:[^"\\]|\\.)*"|[<>,;:@()]|[^ \t\r\n"<>,;:@()\\]+', re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SEPARATORS = frozenset({",", ";", ":"})
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LONGEST_NAME = 1000
_PAREN = re.compile(r"\\.|[()]", re.DOTALL)


class Named(NamedTuple):
    """An address, and what a reader may be shown with it."""

    address: Address
    shown: str  # display name, comments, the group's name; encoded words as they stand


def addresses(value: bytes) -> tuple[Address, ...]:
    """Return the addresses of a From, Sender, To: names, comments and group names left out."""
    return tuple(one.address for one in mailboxes(value))


def mailboxes(value: bytes) -> tuple[Named, ...]:
    """Return the addresses of a From, Sender, To, each with what is written around it.

    Display names may be anything that all readers understand alike. What two readers could read
    in two ways (two pairs of angle brackets, a source route, a bare @ in a name) is refused.
    """
    return _remembered(value) if len(value) <= _SHORT else _read(value)


def _read(value: bytes) -> tuple[Named, ...]:
    if _CONTROL.search(value):  # some readers take one for the end of the line
        raise HeaderError("the address list has control characters")
    found: list[Named] = []
    item: list[str] = []
    comments: list[str] = []
    group = ""
    in_group = in_angle = False
    for word in (*_tokens(value.decode("utf-8", "surrogateescape")), ","):
        if len(word) > 1 and word[0] == "(":
            comments.append(word[1:-1])
            continue
        if in_angle or word not in _SEPARATORS:
            item.append(word)
            in_angle = word == "<" or (in_angle and word != ">")
            continue
        if (word == ":") == in_group and word != ",":
            raise HeaderError("the address list has a stray mark")
        if word == ":":
            group = _shown(*item, *comments)
        else:
            found.extend(_mailbox(item, (group, *comments)))
        in_group = word == ":" or (in_group and word == ",")
        group = group if in_group else ""
        item, comments = [], []
    if in_group or in_angle:
        raise HeaderError("the address list stops in the middle")
    return tuple(found)


# A client writes the same From into every message.
_SHORT = 200
_remembered = lru_cache(maxsize=1024)(_read)


def _tokens(text: str) -> Iterator[str]:
    """Yield words, marks and whole comments, nested or not; white space is passed over."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise HeaderError("the address list has a quote or a backslash out of place")
        at, word = match.end(), match[0]
        if word == "(":
            begun, at = at, _after_comment(text, at)
            yield text[begun - 1 : at]
        elif word == ")":
            raise HeaderError("the address list has a stray mark")
        elif word[0] not in " \t\r\n":
            yield word


def _after_comment(text: str, at: int) -> int:
    depth = 1
    for mark in _PAREN.finditer(text, at):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if not depth:
            return mark.end()
    raise HeaderError("a comment in the address list does not end")


def _mailbox(item: list[str], around: tuple[str, ...]) -> Iterator[Named]:
    """Yield the address between two commas; an empty place is allowed (RFC 5322 §4.4)."""
    if not item:
        return
    name: list[str] = []
    spec = item
    if "<" in item:
        opened = item.index("<")
        name, spec = item[:opened], item[opened + 1 : -1]
        if item[-1] != ">":
            raise HeaderError("something follows an address in angle brackets")
    if "@" in name and name != spec:
        raise HeaderError("a display name with @ must be quoted")
    if any(a[-1] not in ".@" and b[0] not in ".@" for a, b in pairwise(spec)):
        raise HeaderError("an address has words with nothing between them")
    try:
        address = parse("".join(spec))
    except AddressError as error:
        raise HeaderError(f"not an address: {error}") from None
    shown = _shown(*name, *around)
    if len(shown) > _LONGEST_NAME:
        raise HeaderError("a display name is too long")
    yield Named(address, shown)


def _shown(*words: str) -> str:
    """Return words as a reader is shown them: without quotes and backslashes."""
    bare = (word[1:-1] if word[:1] == '"' and len(word) > 1 else word for word in words)
    return _ESCAPED.sub(r"\1", " ".join(filter(None, bare))).strip()
