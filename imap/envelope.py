"""The ENVELOPE of a message: the fields of its header as a mail client wants them told.

Written once, when the message comes, as the very octets that go out. Encoded words stay as they
are. Whatever a header holds makes an envelope: what is no address is told as a name with
``MISSING_MAILBOX``, as other servers do. RFC 3501 §7.4.2, RFC 5322 §3.4.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from smtp.message.header import Header

NIL = b"NIL"
EMPTY = b"(" + b" ".join([NIL] * 10) + b")"  # of a message without a header

_MOST_ADDRESSES = 2000  # of one field
_LONGEST = 64 << 10  # octets of one string
_PLAIN = re.compile(rb"[ !#-\[\]-~]*")  # what a quoted string holds without a backslash
_QUOTABLE = re.compile(rb"[ -~]*")
_SPECIAL = re.compile(rb'(["\\])')
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_TOKEN = re.compile(
    rb"""(?P<space>[\ \t\r\n]+)
    | "(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\Z)
    | (?P<mark>[<>,;:@()])
    | (?P<atom>(?:\\.|[^\ \t\r\n"<>,;:@()\\])+)
    | (?P<stray>.)""",
    re.DOTALL | re.VERBOSE,
)
_MISSING_MAILBOX, _MISSING_DOMAIN = b"MISSING_MAILBOX", b"MISSING_DOMAIN"
_FIELDS = ("from", "sender", "reply-to", "to", "cc", "bcc")
_STRINGS = ("date", "subject", "in-reply-to", "message-id")
_WANTED = frozenset({*_FIELDS, *_STRINGS})


def string(text: bytes | None) -> bytes:
    """Write a string as IMAP does: quoted, as a literal if it must be, NIL if there is none."""
    if text is None:
        return NIL
    if len(text) > _LONGEST:
        text = text[:_LONGEST]
    if _PLAIN.fullmatch(text):
        return b'"' + text + b'"'
    text = text.replace(b"\0", b"")
    if _QUOTABLE.fullmatch(text):
        return b'"' + _SPECIAL.sub(rb"\\\1", text) + b'"'
    return b"{%d}\r\n%b" % (len(text), text)


def envelope(header: Header) -> bytes:
    """Write the ENVELOPE of a header."""
    found = values(header, _WANTED)
    lists = [addresses(b", ".join(found[name])) if name in found else NIL for name in _FIELDS]
    for place in (1, 2):  # RFC 3501: the server says what sender and reply-to default to
        if lists[place] == NIL:
            lists[place] = lists[0]
    one = [string(found[name][0]) if name in found else NIL for name in _STRINGS]
    return b"(" + b" ".join((*one[:2], *lists, *one[2:])) + b")"


def values(header: Header, names: frozenset[str]) -> dict[str, list[bytes]]:
    """Return the values of the fields of those names that there are, in one pass."""
    found: dict[str, list[bytes]] = {}
    for field in header.fields:
        if field.name in names:
            found.setdefault(field.name, []).append(header.value(field))
    return found


def addresses(value: bytes) -> bytes:
    """Write a list of addresses; NIL if there is none."""
    return _remembered(value) if len(value) <= _SHORT else _written(value)


def spelled(value: bytes) -> bytes:
    """Return a list of addresses as one would write it: no comments, no spaces within."""
    return b", ".join(map(_spelled, islice(_addresses(value), _MOST_ADDRESSES)))


def _spelled(one: "_Address") -> bytes:
    at = b"@" if one.host else b""
    return b"%b <%b%b%b>" % (one.name or b"", one.mailbox or b"", at, one.host or b"")


def _written(value: bytes) -> bytes:
    written: list[bytes] = []
    for one in _addresses(value):
        written.append(b"(%b %b %b %b)" % tuple(map(string, one)))
        if len(written) == _MOST_ADDRESSES:
            break
    return b"(" + b"".join(written) + b")" if written else NIL


# The same few people write to each other in every message.
_SHORT = 200
_remembered = lru_cache(maxsize=1024)(_written)


class _Address(NamedTuple):
    """An address as IMAP has it; a group begins without a host and ends without anything."""

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None


_GROUP_END = _Address(None, None, None, None)


class _Word(NamedTuple):
    """A piece of an address list: a mark, or text."""

    text: bytes
    mark: bool = False
    spaced: bool = False  # white space stands before it


def _addresses(value: bytes) -> Iterator[_Address]:
    """Read an address list, whatever it is."""
    item: list[_Word] = []
    comment: list[bytes] = []
    in_group = in_angle = False
    for word in _words(value, comment):
        if not word.mark or (in_angle and word.text != b">") or word.text not in b",:;":
            if word.mark:
                in_angle = word.text == b"<" or (in_angle and word.text != b">")
            item.append(word)
            continue
        if word.text == b":" and not in_group:
            in_group = True
            yield _Address(None, None, _phrase(item) or b"", None)
        else:
            yield from _mailbox(item, comment)
            if word.text == b";" and in_group:
                in_group = False
                yield _GROUP_END
        item, comment[:] = [], []
    yield from _mailbox(item, comment)
    if in_group:
        yield _GROUP_END


def _words(value: bytes, comment: list[bytes]) -> Iterator[_Word]:
    """Yield the words and marks; comments are put aside, nested or not."""
    depth = 0
    spaced = False
    inside: list[bytes] = []
    for match in _TOKEN.finditer(value):
        kind, text = match.lastgroup, match[0]
        if depth or text == b"(":
            depth += (text == b"(") - (text == b")")
            inside.append(text)
            if depth == 0:
                comment.append(b"".join(inside)[1:-1].strip())
                inside, spaced = [], True
        elif kind == "space":
            spaced = True
        elif kind == "quoted":
            yield _Word(_ESCAPED.sub(rb"\1", match["quoted"]), spaced=spaced)
            spaced = False
        elif text != b")":
            yield _Word(text, mark=kind == "mark", spaced=spaced)
            spaced = False


def _mailbox(item: list[_Word], comment: list[bytes]) -> Iterator[_Address]:
    """Yield the address between two commas, if there is one."""
    if not item:
        return
    marks = [word.text if word.mark else b"" for word in item]
    if b"<" in marks:
        opened = marks.index(b"<")
        closed = marks.index(b">", opened) if b">" in marks[opened:] else len(item)
        yield _spec(item[opened + 1 : closed], _phrase(item[:opened]) or _first(comment))
    elif b"@" in marks or (len(item) == 1 and not item[0].mark):
        yield _spec(item, _first(comment))
    else:
        yield _Address(_phrase(item), None, _MISSING_MAILBOX, _MISSING_DOMAIN)


def _spec(words: list[_Word], name: bytes | None) -> _Address:
    """Read ``local@domain``, a route in front of it or not."""
    route = None
    marks = [word.text if word.mark else b"" for word in words]
    if marks[:1] == [b"@"] and b":" in marks:
        end = marks.index(b":")
        route = b"".join(word.text for word in words[:end])
        words, marks = words[end + 1 :], marks[end + 1 :]
    at = len(marks) - 1 - marks[::-1].index(b"@") if b"@" in marks else len(words)
    mailbox = b"".join(word.text for word in words[:at])
    host = b"".join(word.text for word in words[at + 1 :])
    return _Address(name, route, mailbox or _MISSING_MAILBOX, host or _MISSING_DOMAIN)


def _phrase(words: list[_Word]) -> bytes | None:
    """Return a display name as it was written, without its quotes."""
    pieces = [(b" " if word.spaced else b"") + word.text for word in words]
    return b"".join(pieces).strip() or None


def _first(comment: list[bytes]) -> bytes | None:
    return (_ESCAPED.sub(rb"\1", comment[-1]) or None) if comment else None
