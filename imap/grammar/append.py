"""APPEND, whose messages stream past: what is announced before each of them.

    tag APPEND folder [(flags)] ["date"] {size}          the message's octets
                     [(flags)] ["date"] {size}           another's (MULTIAPPEND, RFC 3502)
                     [(flags)] ["date"] UTF8 (~{size}    its octets, then ")" (RFC 6855)

``~{size}`` is BINARY's literal (RFC 3516). RFC 3501 §6.3.11, RFC 7888.
"""

import re
from dataclasses import replace

from imap.grammar import dates, names, reader
from imap.grammar.command import Announced
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError

_SIZE = re.compile(rb"(~?)\{(\d{1,18})(\+?)\}\r\n")


def announced(cursor: Cursor, tag: str) -> Announced | None:
    """Read what stands before the first message; None if the literal is the folder's name."""
    cursor.space()
    if _SIZE.fullmatch(cursor.octets, cursor.at):
        return None
    folder = names.read(cursor)
    return another(cursor, Announced(tag, "APPEND", folder, 0))


def another(cursor: Cursor, first: Announced) -> Announced:
    """Read what stands before a message, beginning with a space."""
    cursor.space()
    flags, date, utf8 = tuple[str, ...](), None, False
    if cursor.ahead(b"("):
        flags = reader.flags(cursor)
        cursor.space()
    if cursor.ahead(b'"'):
        date = dates.moment(cursor)
        cursor.space()
    if cursor.octets[cursor.at : cursor.at + 6].upper() == b"UTF8 (":
        cursor.at += 6
        utf8 = True
    found = _SIZE.fullmatch(cursor.octets, cursor.at)
    if found is None or (utf8 and not found[1]):
        raise GrammarError("expected a message")
    return replace(
        first,
        flags=flags,
        date=date,
        size=int(found[2]),
        binary=bool(found[1]),
        utf8=utf8,
    )
