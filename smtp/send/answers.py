"""A server's replies as they arrive: bytes in, whole replies out, nothing of them trusted.

Length and number of lines are bounded; the text is made printable; an enhanced code that
contradicts its reply is left out. RFC 5321 §4.2.1, §4.5.3.1.5; RFC 2034.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from smtp.reply import Reply, printable

_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?\r?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$)")
_LONGEST_LINE = 2048  # the RFC says 512; some peers say more than they should
_MOST_LINES = 128


class GarbledError(Exception):
    """The peer sent what is no reply, or no reply to what was asked."""


class Answer(NamedTuple):
    """One whole reply: fit to be shown, and the text of its lines as it came."""

    reply: Reply
    lines: tuple[str, ...]


@dataclass(slots=True)
class AnswerReader:
    """Add bytes with ``feed``, take answers with ``next`` until it has no more."""

    _held: bytearray = field(default_factory=bytearray)
    _lines: list[str] = field(default_factory=list)
    _code: int = 0

    def feed(self, block: bytes) -> None:
        """Take bytes as they arrive."""
        self._held += block

    @property
    def empty(self) -> bool:
        """Nothing is left over."""
        return not self._held and not self._lines

    def next(self) -> Answer | None:
        """Return the next answer, or None until more has come; ``GarbledError`` if it can be none."""
        while (end := self._held.find(b"\n", 0, _LONGEST_LINE)) >= 0:
            line = bytes(self._held[:end])
            del self._held[: end + 1]
            code, more, text = _read(line)
            if (self._lines and code != self._code) or len(self._lines) == _MOST_LINES:
                raise GarbledError
            self._code = code
            self._lines.append(text)
            if not more:
                answer = _answer(code, tuple(self._lines))
                self._lines.clear()
                return answer
        if len(self._held) >= _LONGEST_LINE:
            raise GarbledError
        return None


@lru_cache(maxsize=256)
def _read(line: bytes) -> tuple[int, bool, str]:
    """Take a line apart: its code, whether more follow, its text."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise GarbledError
    return int(match[1]), match[2] == b"-", (match[3] or b"").decode("utf-8", "replace").strip()


@lru_cache(maxsize=256)  # a server says the same few things all day
def _answer(code: int, lines: tuple[str, ...]) -> Answer:
    match = _ENHANCED.match(lines[0])
    if match is None:
        return Answer(Reply(code, "", printable(" ".join(lines))), lines)
    enhanced = match[1]
    text = " ".join(line.removeprefix(enhanced).strip() for line in lines)
    agrees = enhanced[0] == str(code)[0]
    return Answer(Reply(code, enhanced if agrees else "", printable(text)), lines)
