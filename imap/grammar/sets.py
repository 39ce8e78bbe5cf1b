"""Sequence sets: ``1,3:5,7:*`` as pairs of numbers. RFC 3501 §9, RFC 9051 §4.1.1."""

import re

from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError

Ranges = tuple[tuple[int, int], ...]

STAR = 1 << 32  # "*", the highest there is: above every UID, which has 32 bits

_SET = re.compile(rb"[\d:,*]+")
_ITEM = re.compile(rb"(\*|[1-9]\d{0,9})(?::(\*|[1-9]\d{0,9}))?")


def read(cursor: Cursor) -> Ranges:
    """Read a sequence set."""
    return parse(cursor.match(_SET, "a sequence set"))


def parse(text: bytes) -> Ranges:
    """Return the pairs of a sequence set, the lower number first."""
    return tuple([_pair(item) for item in text.split(b",")])


def _pair(item: bytes) -> tuple[int, int]:
    found = _ITEM.fullmatch(item)
    if found is None:
        raise GrammarError("that is no sequence set")
    first = _number(found[1])
    last = first if found[2] is None else _number(found[2])
    return (first, last) if first <= last else (last, first)


def _number(text: bytes) -> int:
    if text == b"*":
        return STAR
    number = int(text)
    if number >= STAR:
        raise GrammarError("the number is too large")
    return number
