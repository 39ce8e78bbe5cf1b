"""A message as a look sees it: its parts decoded, and where two readers would not agree on them.

A part's content is decoded as the most tolerant mail program would: what hides behind a padding,
or under an encoding nobody knows, is looked at all the same, and told as ``structure``. Where another
reader may find parts that were not looked at, that is ``not-inspected``. RFC 2045 §6, RFC 2046 §5.
"""

import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from quarantine.kinds import HEAD
from quarantine.policy import Finding
from quarantine.windows import each, matches, windows
from smtp.address import Address
from smtp.message.fields import parameters, words
from smtp.message.header import Header
from smtp.message.mime import Part, PartIndex

Read = Callable[[int, int], bytes]  # a range of the message

_IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
_UUENCODED = frozenset({"x-uuencode", "x-uue", "uuencode", "uue"})
_ONCE = ("content-type", "content-transfer-encoding", "content-disposition")
_MOST_PARTS = 10_000
_DEEPEST = 98
_MOST_PIECES = 1000  # of base64 with padding in the middle
_LONGEST_UU = 100
_WORDS = 1 << 20  # characters of base64 decoded at once, a multiple of four
_UU = re.compile(rb"^begin[ \t]+[0-7]{3,4}[ \t]+([^\r\n]{1,255})\r?\n", re.MULTILINE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\r\n\t ]")
_NO_DIGIT = re.compile(rb"[^A-Za-z0-9+/=]+")
_MOST_FIELDS = 2000  # of a part's header; nobody writes so many
_MESSAGES = frozenset({"message/rfc822", "message/global"})
_ELSEWHERE = frozenset({"message/partial", "message/external-body"})
_NAMED = re.compile(r'\b(?:file)?name[*0-9]*\s*=\s*(?:"([^"]*)|([^;"]*))', re.IGNORECASE)
_MOST_NAMES = 20  # of one file
_TOKEN = re.compile(r"[\w-]+")
_DECODED = frozenset({"base64", "quoted-printable"})
_MULTIPART = re.compile(r"multipart/[\w.+-]+\s*;", re.IGNORECASE)
_BOUNDARY = re.compile(r'\bboundary[*0-9]*\s*=\s*(?:"([^"]*)"?|([^\s;]*))', re.IGNORECASE)
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pgp-encrypted"})


class Thing(NamedTuple):
    """Something to be looked at: a part of a message, a file in an archive."""

    name: str
    content: bytes
    place: str  # where it is, for whoever reads the finding
    attached: bool = True  # False: it is what the message says, not a file
    whole: bool = True
    depth: int = 0
    also: tuple[str, ...] = ()  # what other readers may take for its name
    mail: bool = False  # it is said to be a message


@dataclass(slots=True)
class Indexed:
    """The parts of a message, found while it streams, and what is odd in their headers."""

    header: Header = field(default_factory=lambda: Header(b"", ()))
    odd: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    names: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _index: PartIndex = field(init=False)

    def __post_init__(self) -> None:
        self._index = PartIndex(self._headed)

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        self._index.feed(block)

    def letter(self, read: Read, largest: int, recipients: Sequence[Address] = ()) -> "Letter":
        """Return the message, which has ended."""
        parts = self._index.finish()
        hidden = (*self.hidden, *self._index.doubts)
        odd = tuple(self.odd)
        return Letter(self.header, parts, recipients, read, largest, odd, hidden, self.names)

    def _headed(self, place: int, header: Header) -> None:
        if place == 0:
            self.header = header
        for name in _ONCE:
            if len(header.all(name)) > 1:
                self.odd.append(f"{name} twice in one header")
                self.hidden.append(f"{name} twice in one header")
        if len(header.fields) >= _MOST_FIELDS:
            self.hidden.append("more header fields than anybody reads")
        kind = header.first("content-type") or b""
        if doubt := _ambiguous(kind):
            self.hidden.append(doubt)
        if found := _names(kind, header.first("content-disposition") or b""):
            self.names[place] = found


@dataclass(frozen=True, slots=True)
class Letter:
    """A message whose parts can be looked into."""

    header: Header
    parts: tuple[Part, ...]
    recipients: Sequence[Address]
    read: Read = field(repr=False)
    largest: int
    odd: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    names: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def content(self, part: Part) -> bytes:
        """Return what a part holds, decoded; ``b""`` if that is more than is looked at."""
        if _shortest(part) > self.largest:
            return b""
        return decoded(self.read(part.body, part.end), part.encoding)[0]

    def things(self) -> Iterator[Thing | Finding]:
        """Yield what is to be looked at, and what is wrong with how it is put together."""
        for odd in dict.fromkeys(self.odd):
            yield Finding("structure", odd)
        for hidden in dict.fromkeys(self.hidden):
            yield Finding("not-inspected", hidden)
        if len(self.parts) >= _MOST_PARTS:
            yield Finding("structure", "more parts than anybody reads")
        parents = {part.parent for part in self.parts}
        for place, part in enumerate(self.parts):
            yield from self._odd(part, parted=place in parents)
            if place not in parents:
                yield from self._leaf(part, self.names.get(place, ()))

    def _odd(self, part: Part, *, parted: bool) -> Iterator[Finding]:
        multipart = part.type.startswith("multipart/")
        if part.type in _ENCRYPTED:
            yield Finding("content-encrypted", _where(part))
        if multipart and not parted:
            yield Finding("structure", f"{_where(part)}: {part.type} without parts")
            if part.end > part.body:
                yield Finding("not-inspected", f"{_where(part)}: {part.type} without parts")
        if multipart and part.encoding not in _IDENTITY:
            yield Finding("structure", f"{_where(part)}: {part.type} in {part.encoding}")
        if part.type in _ELSEWHERE:
            yield Finding("structure", f"{_where(part)}: a fragment, whose rest is elsewhere")
        if part.number.count(".") >= _DEEPEST:
            yield Finding("structure", f"{_where(part)}: nested deeper than anybody reads")

    def _leaf(self, part: Part, names: tuple[str, ...]) -> Iterator[Thing | Finding]:
        where = _where(part)
        whole = _shortest(part) <= self.largest
        end = part.end if whole else min(part.end, part.body + 2 * HEAD)
        content, doubt = decoded(self.read(part.body, end), part.encoding)
        if doubt and whole:
            yield Finding("structure", f"{where}: {doubt}")
        if not whole:
            yield Finding("not-inspected", f"{where}: larger than {self.largest} octets")
        also = tuple(each for each in names if each != part.name)
        named = part.attachment or part.name or also
        shown = part.type in {"text/plain", "text/html"} and not named
        mail = part.type in _MESSAGES
        yield Thing(part.name, content, where, not shown, whole, also=also, mail=mail)
        if part.type == "text/plain":
            yield from _uuencoded(content, where)


def decoded(raw: bytes, encoding: str) -> tuple[bytes, str]:
    """Return what an encoding stands for, and in what readers would differ about it."""
    if (meant := _meant(encoding)) != encoding:
        return decoded(raw, meant)[0], "an encoding that is not written as it should be"
    if encoding == "base64":
        return _base64(raw)
    if encoding == "quoted-printable":
        return _quoted_printable(raw), ""
    if encoding in _UUENCODED:
        found = list(_uuencoded(raw, ""))
        return (found[0].content if found else raw), f"encoded as {encoding}"
    return raw, "" if encoding in _IDENTITY else "an encoding that nobody knows"


def _meant(encoding: str) -> str:
    """Return which encoding a tolerant reader takes it for: without quotes, comments, parameters."""
    found = _TOKEN.search(encoding)
    known = found is not None and (found[0] in _IDENTITY or found[0] in _DECODED)
    return found[0] if found is not None and known else encoding


def _ambiguous(kind: bytes) -> str:
    """Return why two readers may not agree whether, or where, a part holds others."""
    text = kind.decode("utf-8", "replace")
    if "multipart" not in text.lower():
        return ""
    if _MULTIPART.match(text) is None:
        return "a multipart to some readers only"
    marks = {(one or other).strip() for one, other in _BOUNDARY.findall(text)}
    if len(marks) > 1 or (marks and marks != {parameters(text).get("boundary", "").strip()}):
        return "a boundary that readers take for different ones"
    return ""


def _names(*values: bytes) -> tuple[str, ...]:
    """Return every name that some reader may give a file, the strangest included."""
    found: dict[str, None] = {}
    for value in values:
        text = value.decode("utf-8", "replace")
        joined = parameters(text)
        bare = [one or other.strip() for one, other in _NAMED.findall(text)]
        cut = [name.partition("(")[0] for name in bare]
        known = [joined.get("filename", ""), joined.get("name", "")]
        found |= dict.fromkeys([*known, *map(words, bare), *cut])
    found.pop("", None)
    return tuple(found)[:_MOST_NAMES]


def _quoted_printable(raw: bytes) -> bytes:
    """Decode it a piece at a time; what stands for one octet is not cut in two."""
    content, at = bytearray(), 0
    while at < len(raw):
        end = at + _WORDS
        if end < len(raw) and (cut := raw.rfind(b"=", end - 3, end)) >= 0:
            end = cut
        content += binascii.a2b_qp(raw[at:end])
        at = end
    return bytes(content)


def _base64(raw: bytes) -> tuple[bytes, str]:
    doubt = "characters that are not base64" if matches(_NOT_BASE64, raw) else ""
    blocks = (raw[start:end] for start, end in windows(len(raw), 0))
    clean = b"".join(_NO_DIGIT.sub(b"", block) for block in blocks)
    pieces = clean.rstrip(b"=").split(b"=", _MOST_PIECES)
    if len(pieces) > 1:
        doubt = "something follows its end"
    content = bytearray()
    for piece in (*pieces[:-1], _without_padding(pieces[-1])):
        for start in range(0, len(piece), _WORDS):
            content += binascii.a2b_base64(_padded(piece[start : start + _WORDS]))
    return bytes(content), doubt


def _without_padding(piece: bytes) -> bytes:
    if b"=" not in piece:
        return piece
    places = windows(len(piece), 0)
    return b"".join(piece[start:end].translate(None, b"=") for start, end in places)


def _padded(piece: bytes) -> bytes:
    """Return base64 with the padding it should have; one odd character stands for nothing."""
    left = len(piece) % 4
    return piece[:-1] if left == 1 else piece + b"=" * (-left % 4)


def _uuencoded(content: bytes, where: str) -> Iterator[Thing]:
    """Yield the files that a text holds as old programs wrote them into it."""
    for found in each(_UU, content):
        lines, at = bytearray(), found.end()
        while at < len(content):
            end = content.find(b"\n", at) + 1 or len(content)
            line, at = content[at:end].rstrip(b"\r\n"), end
            if line in {b"end", b"`", b""} or len(line) > _LONGEST_UU:
                break
            try:
                lines += binascii.a2b_uu(line)
            except binascii.Error:
                break
        name = found[1].decode("utf-8", "replace").strip()
        yield Thing(name, bytes(lines), f"{where}/{name}" if where else name)


def _shortest(part: Part) -> int:
    """Return how many octets a part holds at least, decoded."""
    length = part.end - part.body
    return length * 3 // 4 if part.encoding == "base64" else length


def _where(part: Part) -> str:
    return f"{part.number} {part.name}".strip()
