"""A part's transfer encoding undone while it streams, and text made comparable.

Tolerant, as mail clients are: what is no base64 is passed over, a line of any length goes through
in bounded memory. RFC 2045 §6, RFC 3516 (BINARY), RFC 5255 §4.4 (comparing text).
"""

import binascii
import codecs
import html
import re
from typing import Protocol
from unicodedata import normalize

from imap.errors import UnknownEncoding

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OTHER = bytes(set(range(256)) - set(_BASE64))
_IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
_LONGEST_LINE = 64 << 10
_CHARSET = re.compile(
    r"utf-?8|us-ascii|ascii|utf-?16(?:le|be)?|iso-?8859-?\d{1,2}|windows-?\d{3,4}|cp\d{3,4}|koi8-[ru]"
    r"|mac(?:roman|intosh)|gb2312|gbk|gb18030|big5|shift[_-]jis|euc-(?:jp|kr)|iso-2022-jp",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]*>")
_SPACES = re.compile(r"\s+")
_TRAILING = re.compile(rb"(?<![ \t])[ \t]+(?=\r?\n|\Z)")  # added on the way: no part of the text


class Decoder(Protocol):
    """Undoes a transfer encoding; the octets do not depend on how they were cut."""

    def feed(self, block: bytes) -> bytes:
        """Return what this block settles."""

    def finish(self) -> bytes:
        """Return the rest."""


def decoder(encoding: str) -> Decoder:
    """Return what undoes a transfer encoding; ``UnknownEncoding`` if nobody knows it."""
    if encoding in _IDENTITY:
        return _Identity()
    if encoding == "base64":
        return _Base64()
    if encoding == "quoted-printable":
        return _QuotedPrintable()
    raise UnknownEncoding("The part has a transfer encoding that is not known here.")


class _Identity:
    def feed(self, block: bytes) -> bytes:
        return block

    def finish(self) -> bytes:
        return b""


class _Base64:
    def __init__(self) -> None:
        self._held = b""
        self._ended = False

    def feed(self, block: bytes) -> bytes:
        if self._ended:
            return b""
        block, padding, _ = block.partition(b"=")
        self._ended = bool(padding)
        letters = self._held + block.translate(None, _OTHER)
        whole = len(letters) & ~3
        self._held = letters[whole:]
        return binascii.a2b_base64(letters[:whole])

    def finish(self) -> bytes:
        if len(self._held) < 2:
            return b""
        return binascii.a2b_base64(self._held + b"=" * (4 - len(self._held)))


class _QuotedPrintable:
    def __init__(self) -> None:
        self._held = b""

    def feed(self, block: bytes) -> bytes:
        coded = self._held + block
        end = coded.rfind(b"\n") + 1
        if not end and len(coded) > _LONGEST_LINE:  # no line at all: cut where no code is cut
            end = len(coded) - 3
            end += 3 if b"=" not in coded[end:] else coded[end:].index(b"=")
            end = len(coded[:end].rstrip(b" \t")) or end  # they may be the end of the line
        self._held = coded[end:]
        return binascii.a2b_qp(_TRAILING.sub(b"", coded[:end]))

    def finish(self) -> bytes:
        return binascii.a2b_qp(_TRAILING.sub(b"", self._held))


def comparable(text: str) -> str:
    """Return text as it is compared: without case, composed, any white space one space."""
    if not text.isascii():
        text = normalize("NFC", text)
    return _SPACES.sub(" ", text).casefold()


def readable(charset: str) -> str:
    """Return a charset's name if it is one of mail, which Python reads, or UTF-8."""
    if not _CHARSET.fullmatch(charset):
        return "utf-8"
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return "utf-8"


class Text:
    """A part's text, decoded from its charset while it streams, and searched for a word.

    Only the charsets of mail are read: Python knows others, slow or surprising.
    """

    def __init__(self, encoding: str, charset: str, kind: str) -> None:
        self._decoder = decoder(encoding)
        self._text = codecs.getincrementaldecoder(readable(charset))("replace")
        self._html = kind == "text/html"
        self._tail = ""

    def feed(self, block: bytes, needle: str, *, last: bool) -> bool:
        """Take the next block; say whether the needle (``comparable``) is in what was read."""
        octets = self._decoder.feed(block)
        if last:
            octets += self._decoder.finish()
        text = self._text.decode(octets, last)
        if self._html:
            text = html.unescape(_TAG.sub("", text))
        text = self._tail + comparable(text)
        self._tail = text[-len(needle) :] if needle else ""
        return needle in text
