"""What a mail client asks about a message, computed once while the message streams.

ENVELOPE, BODY and BODYSTRUCTURE as the very octets that go out, and where each part lies, so that
a fetch parses nothing and opens only the chunks it needs. Any octets make an index: a message that
no parser likes is one leaf, served as it is. It is kept sealed with its entry. RFC 3501 §7.4.2.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from imap.envelope import EMPTY, NIL, envelope, string, values
from smtp.message.header import Header
from smtp.message.mime import Part, PartIndex

_LARGEST = 256 << 10  # octets of a structure: beyond it the message is told as one leaf
_MOST_PARAMETERS = 64
_TYPE = re.compile(rb"\s*([^\s;/()\"]+)\s*/\s*([^\s;()\"]+)")
_PARAMETER = re.compile(
    rb';\s*([^\s;="()]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)(?:"|\Z)|([^\s;"()]*))', re.DOTALL
)
# Quotes and escapes are taken whole, so that nobody makes it look at the same octets twice.
_COMMENT = re.compile(rb'("(?:[^"\\]|\\.)*(?:"|\Z)|\\.)|\((?:[^()\\]|\\.)*\)', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_WORD = re.compile(rb"[^\s;,()\"]+")
_WANTED = frozenset(
    {
        "content-type",
        "content-transfer-encoding",
        "content-id",
        "content-description",
        "content-md5",
        "content-disposition",
        "content-language",
        "content-location",
    }
)
_ASCII = ((b"charset", b"us-ascii"),)
_TEXT = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'
_NO_TEXT, _NO_TEXT_EXTENDED = _TEXT + b")", _TEXT + b" NIL NIL NIL NIL)"


class Section(msgspec.Struct, frozen=True, array_like=True):
    """A part of a message: where it lies, and what it takes to read it."""

    number: str  # "2.1"; "TEXT" for what holds the parts of a message
    parent: int  # its place in the index; -1 for the message itself
    header: int
    body: int
    end: int
    type: str
    encoding: str = ""
    charset: str = ""
    name: str = ""  # the file's, decoded


class Span(NamedTuple):
    """Octets of a message, and how the part that they are was encoded."""

    start: int
    end: int
    encoding: str = ""


class Index(msgspec.Struct, frozen=True, array_like=True):
    """All that is told of a message without opening it."""

    envelope: bytes
    body: bytes
    bodystructure: bytes
    parts: tuple[Section, ...]

    @property
    def size(self) -> int:
        """How long the message is."""
        return self.parts[0].end

    def span(self, section: str) -> Span | None:
        """Return what a section of BODY[…] names: "", "HEADER", "TEXT", "1", "2.MIME", "2.HEADER".

        HEADER.FIELDS is for who asks: its octets are among those of HEADER. None: there is none.
        """
        if section == "":
            return Span(0, self.size)
        number, _, last = section.rpartition(".")
        if last in {"HEADER", "TEXT"}:
            return self._of_message(self._message(number), last)
        found = self._part(number if last == "MIME" else section)
        if found is None or found.number.endswith("TEXT"):
            return None
        if last == "MIME":
            return Span(found.header, found.body)
        return Span(found.body, found.end, found.encoding)

    def _of_message(self, message: Section | None, what: str) -> Span | None:
        if message is None:
            return None
        if what == "HEADER":
            return Span(message.header, message.body)
        return Span(message.body, message.end)

    def _part(self, number: str) -> Section | None:
        return next((part for part in self.parts if part.number == number), None)

    def _message(self, number: str) -> Section | None:
        """Return the whole message that a number names: the outermost, or an attached one."""
        if not number:
            return self.parts[0]
        for place, part in enumerate(self.parts[:-1]):
            if part.number == number and part.type in _MESSAGES:
                inner = self.parts[place + 1]
                return inner if inner.parent == place else None
        return None


_MESSAGES = frozenset({"message/rfc822", "message/global"})
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Index)


def packed(index: Index) -> bytes:
    """Return an index as it is sealed."""
    return _ENCODER.encode(index)


def unpacked(octets: bytes) -> Index:
    """Read what ``packed`` wrote."""
    return _DECODER.decode(octets)


class Indexing:
    """Feed it the message as it passes; ``finish`` returns its index."""

    def __init__(self) -> None:
        self.header = Header(b"", ())  # the message's own, once it has come
        self._said: list[_Said] = []
        self._spent = 0
        self._parts = PartIndex(self._headed)

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        self._parts.feed(block)

    def finish(self) -> Index:
        """Return the index of the message, which has ended."""
        parts = self._parts.finish()
        said = [*self._said, *(_NOTHING for _ in parts[len(self._said) :])]
        body, extended = _structures(parts, said)
        if (
            self._spent > _LARGEST or len(extended) > _LARGEST
        ):  # a bomb: one leaf, read octet by octet by who wants to
            parts = (parts[0]._replace(number="1", type="text/plain", encoding=""),)
            body, extended = _structures(parts, [_NOTHING])
        sections = tuple(
            Section(
                part.number,
                part.parent,
                part.header,
                part.body,
                part.end,
                part.type[:_LONGEST_WORD],
                part.encoding[:_LONGEST_WORD],
                said[place].charset if place < len(said) else "",
                part.name[:_LONGEST_NAME],
            )
            for place, part in enumerate(parts)
        )
        return Index(said[0].envelope, body, extended, sections)

    def _headed(self, place: int, header: Header) -> None:
        # Parts are shown in their order, each once. Behind an attached message's own header, or
        # one that a digest leaves out, comes that message's.
        if place == 0:
            self.header = header
        whole = place == 0 or _attached(self._said[-1].type)
        if place and self._spent > _LARGEST:  # it will be one leaf: keep no more of it
            self._said.append(_NOTHING)
            return
        said = _Said.of(header, envelope(header) if whole else EMPTY)
        self._said.append(said)
        self._spent += said.size


def index_of(message: bytes) -> Index:
    """Return the index of a message that is at hand."""
    indexing = Indexing()
    indexing.feed(message)
    return indexing.finish()


_LONGEST_WORD, _LONGEST_NAME = 100, 1000


class _Said(NamedTuple):
    """What a part's header says, each field as it is written into a structure."""

    type: tuple[bytes, bytes] | None = None
    parameters: tuple[tuple[bytes, bytes], ...] = ()
    id: bytes = NIL
    description: bytes = NIL
    encoding: bytes = b'"7bit"'
    md5: bytes = NIL
    disposition: bytes = NIL
    language: bytes = NIL
    location: bytes = NIL
    envelope: bytes = EMPTY

    @classmethod
    def of(cls, header: Header, written: bytes) -> "_Said":
        found = values(header, _WANTED)
        first = {name: found[name][0] for name in found}.get
        kind, parameters = _media(first("content-type") or b"")
        coded = _WORD.match(_bare(first("content-transfer-encoding") or b"").strip())
        return cls(
            kind,
            parameters,
            string(first("content-id")),
            string(first("content-description")),
            string(coded[0]) if coded else b'"7bit"',
            string(first("content-md5")),
            _disposition(first("content-disposition")),
            _language(first("content-language")),
            string(first("content-location")),
            written,
        )

    @property
    def size(self) -> int:
        """How many octets of a structure it will be, about."""
        written = (self.id, self.description, self.encoding, self.md5, self.extension)
        named = sum(len(name) + len(value) for name, value in self.parameters)
        return sum(map(len, written)) + len(self.envelope) + named

    @property
    def charset(self) -> str:
        for name, value in self.parameters:
            if name.lower() == b"charset":
                return value.decode("ascii", "replace")[:_LONGEST_WORD]
        return ""

    @property
    def extension(self) -> bytes:
        return b" ".join((self.disposition, self.language, self.location))


_NOTHING = _Said()


def _structures(parts: Sequence[Part], said: Sequence[_Said]) -> tuple[bytes, bytes]:
    """Write BODY and BODYSTRUCTURE of a message, its last parts first: no recursion to bomb."""
    below: list[list[int]] = [[] for _ in parts]
    for place, part in enumerate(parts[1:], 1):
        below[part.parent].append(place)
    written: list[tuple[bytes, bytes]] = [(b"", b"")] * len(parts)
    spent = 0
    for place in reversed(range(len(parts))):
        inner = [written[child] for child in below[place]]
        envelope_within = said[below[place][0]].envelope if below[place] else EMPTY
        written[place] = _structure(parts[place], said[place], inner, envelope_within)
        for child in below[place]:
            written[child] = (b"", b"")
        spent += len(written[place][1]) - sum(len(extended) for _, extended in inner)
        if spent > _LARGEST:
            return b"", b" " * (_LARGEST + 1)
    return written[0]


def _structure(
    part: Part, said: _Said, inner: Sequence[tuple[bytes, bytes]], within: bytes
) -> tuple[bytes, bytes]:
    if part.type.startswith("multipart/"):
        bodies = b"".join(body for body, _ in inner) or _NO_TEXT
        extended = b"".join(more for _, more in inner) or _NO_TEXT_EXTENDED
        subtype = string((said.type or (b"", b"mixed"))[1])
        return (
            b"(%b %b)" % (bodies, subtype),
            b"(%b %b %b %b)" % (extended, subtype, _written(said.parameters), said.extension),
        )
    start = _leaf(part, said)
    after = b" %b %b)" % (said.md5, said.extension)
    if part.type in _MESSAGES:
        body, extended = inner[0] if inner else (_NO_TEXT, _NO_TEXT_EXTENDED)
        lines = b" %d" % part.lines
        return (
            b"%b %b %b%b)" % (start, within, body, lines),
            b"%b %b %b%b%b" % (start, within, extended, lines, after),
        )
    if part.type.startswith("text/"):
        start += b" %d" % part.lines
    return start + b")", start + after


def _leaf(part: Part, said: _Said) -> bytes:
    """Write what all but a multipart begin with."""
    kind, parameters = said.type, said.parameters
    if kind is None or b"/".join(kind).lower() != part.type.encode("utf-8", "replace"):
        main, _, sub = part.type.partition("/")
        kind, parameters = (main.encode(), sub.encode()), ()
    if kind[0].lower() == b"text" and all(name.lower() != b"charset" for name, _ in parameters):
        parameters = (*parameters, *_ASCII)
    return b"(%b %b %b %b %b %b %d" % (
        string(kind[0]),
        string(kind[1]),
        _written(parameters),
        said.id,
        said.description,
        said.encoding,
        part.end - part.body,
    )


def _attached(kind: tuple[bytes, bytes] | None) -> bool:
    return kind is None or b"/".join(kind).lower() in {b"message/rfc822", b"message/global"}


def _media(value: bytes) -> tuple[tuple[bytes, bytes] | None, tuple[tuple[bytes, bytes], ...]]:
    """Read a media type and its parameters as they were written, pieces and encoded words too."""
    value = _bare(value)
    match = _TYPE.match(value)
    return ((match[1], match[2]) if match else None), _parameters(value)


def _parameters(value: bytes) -> tuple[tuple[bytes, bytes], ...]:
    found = []
    for match in _PARAMETER.finditer(value):
        text = match[3] if match[2] is None else _ESCAPED.sub(rb"\1", match[2])
        found.append((match[1], text))
        if len(found) == _MOST_PARAMETERS:
            break
    return tuple(found)


def _written(parameters: Sequence[tuple[bytes, bytes]]) -> bytes:
    if not parameters:
        return NIL
    return b"(" + b" ".join(string(text) for pair in parameters for text in pair) + b")"


def _disposition(value: bytes | None) -> bytes:
    match = _WORD.match(_bare(value or b"").strip())
    if match is None:
        return NIL
    return b"(%b %b)" % (string(match[0]), _written(_parameters(_bare(value or b""))))


def _language(value: bytes | None) -> bytes:
    tags = _WORD.findall(_bare(value or b""))[:_MOST_PARAMETERS]
    return b"(" + b" ".join(map(string, tags)) + b")" if tags else NIL


def _bare(value: bytes) -> bytes:
    """Return a value without comments."""
    return _COMMENT.sub(rb"\1 ", value) if b"(" in value else value
