"""Octets in base64 (RFC 2045 §6.8), and words beyond ASCII in a header's field (RFC 2047)."""

import re
import string

import pybase64

_WORD = 54  # characters of one encoded word: with "Subject: " before it, a line of 75
_AS_IT_IS = frozenset(b"!*+-/" + string.ascii_letters.encode() + string.digits.encode())
_LETTERS = tuple(
    "_" if octet == ord(" ") else chr(octet) if octet in _AS_IT_IS else f"={octet:02X}"
    for octet in range(256)
)
_BREAKS = re.compile(r"[\x00-\x1f\x7f]+")
_BEYOND = re.compile(r"[^\x20-\x7e]")


def lines(content: bytes) -> bytes:
    """Return base64 in lines that end in CRLF."""
    return pybase64.encodebytes(content).replace(b"\n", b"\r\n")


def one_line(text: str) -> str:
    """Return text in which nothing can begin another field."""
    return _BREAKS.sub(" ", text)


def plain(text: str) -> bool:
    """Whether a header can hold text as it is."""
    return _BEYOND.search(text) is None


def words(text: str) -> str:
    """Return text as encoded words, folded; no character is cut in two (RFC 2047 §4.2, §5)."""
    pieces = [""]
    for octets in (char.encode() for char in text):
        coded = "".join(_LETTERS[octet] for octet in octets)
        if len(pieces[-1]) + len(coded) > _WORD:
            pieces.append("")
        pieces[-1] += coded
    return "\r\n ".join(f"=?utf-8?q?{each}?=" for each in pieces)
