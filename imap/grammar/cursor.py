"""A command's octets, read from left to right: atoms, strings, literals, numbers, lists.

A literal lies in the octets as it came, ``{3}CRLFabc``. Every reading either moves the cursor on
or raises ``GrammarError``. RFC 3501 §9, RFC 7888 (``{3+}``), RFC 6855 (UTF-8 in quoted strings).
"""

import re
from collections.abc import Callable
from typing import TypeVar

from imap.grammar.errors import GrammarError

T = TypeVar("T")

DEPTH = 30  # parentheses within parentheses; a search key has no use for more

_ATOM = re.compile(rb"[^(){ %*\"\\\]\x00-\x1f\x7f-\xff]+")
_ASTRING = re.compile(rb"[^(){ %*\"\\\x00-\x1f\x7f-\xff]+")
_PATTERN = re.compile(rb"[^(){ \"\\\x00-\x1f\x7f-\xff]+")
_TAG = re.compile(rb"[^(){ %*\"\\+\x00-\x1f\x7f-\xff]{1,64}")
_FLAG = re.compile(rb"\\?[^(){ %*\"\\\]\x00-\x1f\x7f-\xff]+")
_NUMBER = re.compile(rb"\d{1,20}")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPED = re.compile(rb"\\(.)")
_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r\n")
_32 = (1 << 32) - 1
_63 = (1 << 63) - 1


class Cursor:
    """Where we are in a command."""

    __slots__ = ("_depth", "at", "octets", "utf8")

    def __init__(self, octets: bytes, *, utf8: bool = False) -> None:
        self.octets = octets
        self.at = 0
        self.utf8 = utf8  # names of folders are UTF-8, not modified UTF-7 (RFC 6855)
        self._depth = 0

    # What lies ahead.

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.octets)

    def ahead(self, octets: bytes) -> bool:
        """Whether these octets come next."""
        return self.octets.startswith(octets, self.at)

    def skip(self, octets: bytes) -> bool:
        """Pass these octets if they come next; say whether they did."""
        if not self.ahead(octets):
            return False
        self.at += len(octets)
        return True

    def expect(self, octets: bytes) -> None:
        """Pass these octets, which must come."""
        if not self.skip(octets):
            raise GrammarError(f"expected {octets.decode('ascii')!r}")

    def space(self) -> None:
        """Pass one space."""
        if not self.skip(b" "):
            raise GrammarError("expected a space")

    def end(self) -> None:
        """Nothing may follow."""
        if not self.done:
            raise GrammarError("more than the command takes")

    def match(self, pattern: "re.Pattern[bytes]", what: str) -> bytes:
        """Pass what the pattern matches here."""
        found = pattern.match(self.octets, self.at)
        if found is None:
            raise GrammarError(f"expected {what}")
        self.at = found.end()
        return found[0]

    # Words.

    def tag(self) -> str:
        """Read a command's tag."""
        return self.match(_TAG, "a tag").decode("ascii")

    def word(self) -> str:
        """Read an atom that is a keyword of the protocol; it comes in capitals."""
        return self.match(_ATOM, "a word").decode("ascii").upper()

    def atom(self) -> str:
        """Read an atom as it is written."""
        return self.match(_ATOM, "an atom").decode("ascii")

    def flag(self) -> str:
        """Read a flag or keyword, as it is written."""
        flag = self.match(_FLAG, "a flag")
        if len(flag) > 100:
            raise GrammarError("a flag is too long")
        return flag.decode("ascii")

    # Numbers.

    def number(self) -> int:
        """Read a number of 32 bits."""
        return self._number(_32)

    def number64(self) -> int:
        """Read a number of 63 bits: sizes and modification sequences (RFC 9051, RFC 7162)."""
        return self._number(_63)

    def nonzero(self) -> int:
        """Read a number of 32 bits that is not 0."""
        number = self.number()
        if not number:
            raise GrammarError("0 is no number here")
        return number

    def _number(self, most: int) -> int:
        number = int(self.match(_NUMBER, "a number"))
        if number > most:
            raise GrammarError("the number is too large")
        return number

    # Strings.

    def string(self) -> bytes:
        """Read a quoted string or a literal."""
        text = self._string()
        if text is None:
            raise GrammarError("expected a string")
        return text

    def nstring(self) -> bytes | None:
        """Read a string, or NIL."""
        if self.octets[self.at : self.at + 3].upper() == b"NIL":
            self.at += 3
            return None
        return self.string()

    def astring(self) -> bytes:
        """Read an atom or a string."""
        text = self._string()
        return self.match(_ASTRING, "an atom or a string") if text is None else text

    def pattern(self) -> bytes:
        """Read a name that may have wildcards (RFC 3501 ``list-mailbox``)."""
        text = self._string()
        return self.match(_PATTERN, "a pattern") if text is None else text

    def text(self) -> str:
        """Read an atom or a string of UTF-8."""
        try:
            return self.astring().decode("utf-8")
        except UnicodeDecodeError:
            raise GrammarError("the string is not UTF-8") from None

    def _string(self) -> bytes | None:
        if self.ahead(b'"'):
            text = self.match(_QUOTED, "the end of a quoted string")[1:-1]
            return _ESCAPED.sub(rb"\1", text) if b"\\" in text else text
        if self.ahead(b"{"):
            return self._literal()
        return None

    def _literal(self) -> bytes:
        head = self.match(_LITERAL, "a literal")
        size = int(head[1:-3].rstrip(b"+"))
        text = self.octets[self.at : self.at + size]
        if len(text) < size:
            raise GrammarError("a literal is cut short")
        if b"\0" in text:
            raise GrammarError("a literal must not have NUL")
        self.at += size
        return text

    # Lists.

    def nest(self) -> None:
        """Go one level deeper, if there is a bottom left."""
        self._depth += 1
        if self._depth > DEPTH:
            raise GrammarError("too many levels")

    def rise(self) -> None:
        """Come up one level."""
        self._depth -= 1

    def list(self, each: Callable[[], T], *, empty: bool = True) -> list[T]:
        """Read ``(a b c)``, each by that reader."""
        self.expect(b"(")
        found: list[T] = []
        if empty and self.skip(b")"):
            return found
        found.append(each())
        while not self.skip(b")"):
            self.space()
            found.append(each())
        return found
