"""Messages that a client appends, as they stream past: one APPEND from announcement to answer.

Each message is asked about before it comes. Where the client does not wait for our word (LITERAL+)
a refused one is read past, as much as a client could have meant. RFC 3501 §6.3.11, RFC 3502
(MULTIAPPEND), RFC 7888.
"""

import re
from typing import TYPE_CHECKING

from imap.events import AppendEnded, AppendFailed, MessageAsked, MessageBlock, MessageEnded
from imap.grammar import append
from imap.grammar.command import Announced
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError
from imap.grammar.writer import Answer
from smtp import reply

if TYPE_CHECKING:
    from imap.session import Session

_LITERAL = re.compile(rb"~?\{(\d{1,18})(\+?)\}\r\n\Z")
_TIMES = 4  # the largest message so many times over is read past, no more
_MANY = 1000  # messages in one APPEND


class Incoming:
    """What comes with an APPEND."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._announced: Announced | None = None
        self._refusal: Answer | None = None
        self._waits = False  # the client, for our word
        self._asking = False
        self._left = 0
        self._count = 0
        self._past = 0  # octets read past

    @property
    def busy(self) -> bool:
        """Whether an APPEND is in hand."""
        return self._announced is not None

    def begins(self, cursor: Cursor, tag: str) -> bool:
        """Whether an APPEND has come to its first message; then it is asked about."""
        announced = append.announced(cursor, tag)
        if announced is not None:
            self._count = self._past = 0
            self._refusal = None
            self._ask(announced, cursor.octets)
        return announced is not None

    def go_on(self) -> None:
        """Let the message come."""
        assert self._announced is not None
        self._asking = False
        if self._waits:
            self._session.say(b"+ Go on\r\n")
        self._left = self._announced.size
        self._session.read_by(self._read_message)

    def refused(self, answer: Answer) -> bool:
        """Take the APPEND's answer; say whether something must be read past before it is given."""
        if self._announced is None:
            return False
        if not self._asking or self._waits:
            self._announced, self._asking = None, False
            return False
        self._asking, self._refusal = False, answer
        self._left = self._announced.size
        self._session.read_by(self._read_past)
        return True

    def fail(self) -> None:
        """Give the APPEND up."""
        if self._announced is not None:
            self._announced = None
            self._session.tell(AppendFailed())

    def _ask(self, announced: Announced, line: bytes) -> None:
        self._announced = announced
        self._waits = not line.endswith(b"+}\r\n")
        self._count += 1
        if self._count > _MANY:
            raise GrammarError("too many messages at once")
        self._asking = True
        self._session.ask(MessageAsked(announced))

    def _read_message(self) -> bool:
        if self._left:
            block = self._session.take(self._left)
            if not block:
                return False
            self._left -= len(block)
            self._session.tell(MessageBlock(block))
        if not self._left:
            self._session.tell(MessageEnded())
            self._session.read_by(self._read_on)
        return True

    def _read_on(self) -> bool:
        """Read what follows a message: the end of the command, or another."""
        line = self._session.line()
        if line is None:
            return False
        assert self._announced is not None
        try:
            self._follow(Cursor(line, utf8=self._session.utf8), self._announced)
        except GrammarError:
            follows = _LITERAL.search(line)
            self.fail()
            self._session.answer(Answer("BAD", "Expected another message, or the end"))
            if follows is not None and follows[2]:
                self._session.close(reply.TOO_MUCH)
            self._session.fresh()
        return True

    def _follow(self, cursor: Cursor, announced: Announced) -> None:
        if announced.utf8:
            cursor.expect(b")")
        if cursor.skip(b"\r\n"):
            cursor.end()
            self._session.ask(AppendEnded())
        else:
            self._ask(append.another(cursor, announced), cursor.octets)

    def _read_past(self) -> bool:
        block = self._session.take(self._left)
        self._left -= len(block)
        self._past += len(block)
        if self._past > _TIMES * self._session.rules.max_size:
            self._session.close(reply.TOO_MUCH)
        elif not self._left:
            self._session.read_by(self._read_past_line)
            return True
        return bool(block)

    def _read_past_line(self) -> bool:
        line = self._session.line()
        if line is None:
            return False
        follows = _LITERAL.search(line)
        if follows is not None and follows[2]:
            self._left = int(follows[1])
            self._session.read_by(self._read_past)
            return True
        assert self._refusal is not None
        self._announced = None
        self._session.done(self._refusal)
        return True
