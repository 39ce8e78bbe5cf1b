"""What of a message FETCH asks for: items, sections of a body, ranges of octets.

RFC 3501 §6.4.5, RFC 3516 (BINARY), RFC 7162 (MODSEQ).
"""

from dataclasses import dataclass

from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError

DEEPEST = 50  # numbers in a part's name
_MANY = 100  # items, or fields of a header


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is told of a message as a whole: FLAGS, ENVELOPE, RFC822.SIZE ..."""

    name: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a message, or what of it: ``[1.2.HEADER.FIELDS (TO)]``."""

    part: tuple[int, ...] = ()
    text: str = ""  # "", HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, MIME
    fields: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How the answer names it."""
        words = ".".join([*map(str, self.part), *([self.text] if self.text else [])])
        return f"{words} ({' '.join(map(_astring, self.fields))})" if self.fields else words


@dataclass(frozen=True, slots=True)
class Body(Item):
    """BODY[...], BODY.PEEK[...] and the old RFC822, RFC822.HEADER, RFC822.TEXT."""

    section: Section = Section()
    peek: bool = False
    span: tuple[int, int] | None = None  # first octet, how many

    @property
    def label(self) -> str:
        """How the answer names it."""
        if not self.name.startswith("BODY"):
            return self.name
        return f"BODY[{self.section.label}]{_origin(self.span)}"


@dataclass(frozen=True, slots=True)
class Binary(Item):
    """BINARY[...], BINARY.PEEK[...] and BINARY.SIZE[...]."""

    part: tuple[int, ...] = ()
    peek: bool = False
    span: tuple[int, int] | None = None

    @property
    def label(self) -> str:
        """How the answer names it."""
        kind = "BINARY.SIZE" if self.name == "BINARY.SIZE" else "BINARY"
        return f"{kind}[{'.'.join(map(str, self.part))}]{_origin(self.span)}"


_WHOLE = frozenset(
    {"ENVELOPE", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "UID", "MODSEQ", "BODY", "BODYSTRUCTURE"}
)
_MACROS = {
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}
_OLD = {
    "RFC822": Body("RFC822"),
    "RFC822.HEADER": Body("RFC822.HEADER", Section(text="HEADER"), peek=True),
    "RFC822.TEXT": Body("RFC822.TEXT", Section(text="TEXT")),
}
_NAMES = ("BODY.PEEK[", "BODY[", "BINARY.PEEK[", "BINARY.SIZE[", "BINARY[")


def read(cursor: Cursor) -> tuple[Item, ...]:
    """Read the items of a FETCH: a macro, an item, or a list of items."""
    if cursor.ahead(b"("):
        items = cursor.list(lambda: item(cursor), empty=False)
        if len(items) > _MANY:
            raise GrammarError("too many items")
        return tuple(items)
    before = cursor.at
    if (macro := _MACROS.get(cursor.word())) is not None:
        return tuple(map(Item, macro))
    cursor.at = before
    return (item(cursor),)


def item(cursor: Cursor) -> Item:
    """Read one item."""
    ahead = cursor.octets[cursor.at : cursor.at + 14].upper()
    for name in _NAMES:
        if ahead.startswith(name.encode()):
            cursor.at += len(name)
            return _bracketed(cursor, name[:-1])
    word = cursor.word()
    if word in _WHOLE:
        return Item(word)
    if word in _OLD:
        return _OLD[word]
    raise GrammarError("there is no such item")


def _bracketed(cursor: Cursor, name: str) -> Item:
    kind, peek = name.removesuffix(".PEEK"), name.endswith(".PEEK")
    if kind == "BODY":
        section = _section(cursor)
        return Body("BODY", section, peek, _span(cursor))
    part = _part(cursor)
    cursor.expect(b"]")
    if kind == "BINARY.SIZE":
        return Binary(kind, part, peek=True)
    return Binary(kind, part, peek, _span(cursor))


def _section(cursor: Cursor) -> Section:
    part, text, fields = _part(cursor), "", tuple[str, ...]()
    if not cursor.ahead(b"]"):
        text = cursor.word()
        if text not in _TEXTS or (text == "MIME") > bool(part):
            raise GrammarError("there is no such section")
        if text.startswith("HEADER.FIELDS"):
            cursor.space()
            fields = tuple(cursor.list(lambda: _field(cursor), empty=False))
            if len(fields) > _MANY:
                raise GrammarError("too many fields")
    elif cursor.octets[cursor.at - 1 : cursor.at] == b".":
        raise GrammarError("a section ends with a dot")
    cursor.expect(b"]")
    return Section(part, text, fields)


_TEXTS = frozenset({"HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"})


def _part(cursor: Cursor) -> tuple[int, ...]:
    numbers: list[int] = []
    while cursor.octets[cursor.at : cursor.at + 1].isdigit():
        numbers.append(cursor.nonzero())
        if len(numbers) > DEEPEST:
            raise GrammarError("the part lies too deep")
        if not cursor.skip(b"."):
            break
    return tuple(numbers)


def _field(cursor: Cursor) -> str:
    name = cursor.astring()
    if not 0 < len(name) <= 200 or not name.isascii() or any(c <= 32 or c == 58 for c in name):
        raise GrammarError("that is no name of a field")
    return name.decode("ascii")


def _span(cursor: Cursor) -> tuple[int, int] | None:
    if not cursor.skip(b"<"):
        return None
    first = cursor.number64()
    cursor.expect(b".")
    count = cursor.number64()
    cursor.expect(b">")
    if not count:
        raise GrammarError("0 octets are none")
    return first, count


def _origin(span: tuple[int, int] | None) -> str:
    return "" if span is None else f"<{span[0]}>"


def _astring(name: str) -> str:
    if any(c in '(){%*"\\]' for c in name):
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return name
