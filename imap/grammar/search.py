"""What SEARCH asks for: a tree of keys. RFC 3501 §6.4.4, RFC 9051 §6.4.4, RFC 5032, RFC 7162."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from imap.grammar import dates, sets
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError
from imap.grammar.sets import Ranges

_MANY = 1000  # keys of one command
CHARSETS = ("US-ASCII", "UTF-8")


class UnknownCharset(GrammarError):  # noqa: N818 - what the charset is
    """Text in a charset that we do not read."""


@dataclass(frozen=True, slots=True)
class Key:
    """Something that is true of a message or not; by itself ALL."""


@dataclass(frozen=True, slots=True)
class And(Key):
    """All of these; of none it is always true."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Or(Key):
    """One of the two."""

    one: Key
    other: Key


@dataclass(frozen=True, slots=True)
class Not(Key):
    """Not this."""

    key: Key


@dataclass(frozen=True, slots=True)
class Flagged(Key):
    """It has this flag or keyword."""

    flag: str


@dataclass(frozen=True, slots=True)
class Numbers(Key):
    """It is one of these; ``ranges`` None is ``$`` (RFC 5182)."""

    ranges: Ranges | None
    by_uid: bool


@dataclass(frozen=True, slots=True)
class Dated(Key):
    """Its day: ``sent`` by its Date field, else when it arrived; how it compares is a sign."""

    sent: bool
    compare: str  # "<", "=", ">=" of the message's day to this one
    day: date


@dataclass(frozen=True, slots=True)
class Sized(Key):
    """Larger or smaller than so many octets."""

    larger: bool
    octets: int


@dataclass(frozen=True, slots=True)
class Aged(Key):
    """Arrived within so many seconds, or before them (RFC 5032)."""

    younger: bool
    seconds: int


@dataclass(frozen=True, slots=True)
class InField(Key):
    """A header field has this text; empty text: it has the field."""

    field: str  # in small letters
    text: str


@dataclass(frozen=True, slots=True)
class InText(Key):
    """The text is in the body, or, with ``header``, in header or body."""

    text: str
    header: bool


@dataclass(frozen=True, slots=True)
class ChangedSince(Key):
    """Its modification sequence is at least this."""

    modseq: int


class _Reader:
    """One command's keys."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self._count = 0

    def keys(self) -> Key:
        """Read keys to the end, or to a closing parenthesis."""
        found = [self.key()]
        while self.cursor.skip(b" "):
            found.append(self.key())
        return found[0] if len(found) == 1 else And(tuple(found))

    def key(self) -> Key:
        self._count += 1
        if self._count > _MANY:
            raise GrammarError("too many search keys")
        cursor = self.cursor
        cursor.nest()
        try:
            return self._key(cursor)
        finally:
            cursor.rise()

    def _key(self, cursor: Cursor) -> Key:
        if cursor.skip(b"("):
            inner = self.keys()
            cursor.expect(b")")
            return inner
        if cursor.skip(b"$"):
            return Numbers(None, by_uid=False)
        if cursor.octets[cursor.at : cursor.at + 1] in b"0123456789*" and not cursor.done:
            return Numbers(sets.read(cursor), by_uid=False)
        word = cursor.word()
        if word in _FLAGS:
            return _FLAGS[word]
        if word in _TAKES:
            cursor.space()
            return _TAKES[word](self)
        raise GrammarError("there is no such search key")

    def text(self) -> str:
        return self.cursor.text()

    def either(self) -> Key:
        one = self.key()
        self.cursor.space()
        return Or(one, self.key())

    def header(self) -> Key:
        name = self.text().lower()
        self.cursor.space()
        return InField(name, self.text())

    def dated(self, compare: str, *, sent: bool) -> Key:
        return Dated(sent, compare, dates.day(self.cursor))

    def uids(self) -> Key:
        if self.cursor.skip(b"$"):
            return Numbers(None, by_uid=True)
        return Numbers(sets.read(self.cursor), by_uid=True)

    def modseq(self) -> Key:
        if self.cursor.ahead(b'"'):  # entry name and type: all metadata has one sequence here
            self.cursor.string()
            self.cursor.space()
            self.cursor.word()
            self.cursor.space()
        return ChangedSince(self.cursor.number64())

    def keyword(self) -> str:
        return self.cursor.flag()

    def seconds(self) -> int:
        return self.cursor.nonzero()


_ALL = Key()
_RECENT = Flagged("\\Recent")
_FLAGS: dict[str, Key] = {
    "ALL": _ALL,
    "NEW": And((_RECENT, Not(Flagged("\\Seen")))),
    "OLD": Not(_RECENT),
    "RECENT": _RECENT,
    **{word.upper(): Flagged(f"\\{word}") for word in ("Answered", "Deleted", "Draft", "Flagged")},
    **{
        f"UN{word.upper()}": Not(Flagged(f"\\{word}"))
        for word in ("Answered", "Deleted", "Draft", "Flagged", "Seen")
    },
    "SEEN": Flagged("\\Seen"),
}
_TAKES: dict[str, Callable[[_Reader], Key]] = {
    "NOT": lambda reader: Not(reader.key()),
    "OR": _Reader.either,
    "KEYWORD": lambda reader: Flagged(reader.keyword()),
    "UNKEYWORD": lambda reader: Not(Flagged(reader.keyword())),
    "UID": _Reader.uids,
    "BEFORE": lambda reader: reader.dated("<", sent=False),
    "ON": lambda reader: reader.dated("=", sent=False),
    "SINCE": lambda reader: reader.dated(">=", sent=False),
    "SENTBEFORE": lambda reader: reader.dated("<", sent=True),
    "SENTON": lambda reader: reader.dated("=", sent=True),
    "SENTSINCE": lambda reader: reader.dated(">=", sent=True),
    "LARGER": lambda reader: Sized(larger=True, octets=reader.cursor.number64()),
    "SMALLER": lambda reader: Sized(larger=False, octets=reader.cursor.number64()),
    "YOUNGER": lambda reader: Aged(younger=True, seconds=reader.seconds()),
    "OLDER": lambda reader: Aged(younger=False, seconds=reader.seconds()),
    "HEADER": _Reader.header,
    **{
        field.upper(): lambda reader, field=field: InField(field, reader.text())  # type: ignore[misc]
        for field in ("bcc", "cc", "from", "subject", "to")
    },
    "BODY": lambda reader: InText(reader.text(), header=False),
    "TEXT": lambda reader: InText(reader.text(), header=True),
    "MODSEQ": _Reader.modseq,
}


def read(cursor: Cursor) -> Key:
    """Read CHARSET, if it is there, and the keys to the end of the command."""
    before = cursor.at
    if cursor.octets[cursor.at : cursor.at + 8].upper() == b"CHARSET ":
        cursor.at += 8
        charset = cursor.astring().decode("ascii", "replace").upper()
        if charset not in CHARSETS:
            raise UnknownCharset("that charset is not known here")
        cursor.space()
    else:
        cursor.at = before
    return _Reader(cursor).keys()


def every(key: Key) -> Iterator[Key]:
    """Yield a key and all keys within it."""
    yield key
    match key:
        case And(keys):
            for each in keys:
                yield from every(each)
        case Or(one, other):
            yield from every(one)
            yield from every(other)
        case Not(inner):
            yield from every(inner)
