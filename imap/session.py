r"""The server's side of IMAP as a state machine: bytes in, answers and events out.

    session.receive(block)                      bytes from the client, cut anyhow
    while event := session.next_event(): ...    what only the shell can do
        session.done(...)                       ... and how it ended, now or later
    session.outgoing()                          bytes for the client

    NOT_AUTHENTICATED --log-in--> AUTHENTICATED <--close / select--> SELECTED ; LOGOUT from all

While a command is carried out nothing further is read, so what a client pipelines is done in order,
once. A message that is appended is never gathered: it streams past. RFC 3501 §3, §5.5, §6;
RFC 2177 (IDLE), RFC 7888 (LITERAL+).
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from imap.arrived import Arrived, LineTooLong
from imap.events import Asked, Closed, Event, IdleBegun, IdleEnded, TlsAsked
from imap.grammar import reader
from imap.grammar.command import Command, Identify
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError
from imap.grammar.search import CHARSETS, UnknownCharset
from imap.grammar.writer import Answer
from imap.incoming import Incoming
from imap.introduction import Introduction
from imap.rules import Rules
from imap.state import INSIDE, TRANSITIONS, State, Turn, allowed
from smtp import reply
from smtp.address import Address
from smtp.envelope import Peer
from smtp.reply import Reply

_LITERAL = re.compile(rb"(~?)\{(\d{1,18})(\+?)\}\r\n\Z")
_MAX_FAULTS = 20
_GUESS = 7  # a failed log-in counts so many faults: the third ends the connection
_LITERALS = 500  # in one command


class Session:
    """One connection, from greeting to goodbye."""

    def __init__(self, rules: Rules, peer: Peer) -> None:
        self.rules = rules
        self.peer = peer
        self.state = State.NOT_AUTHENTICATED
        self.utf8 = False  # the client said ENABLE UTF8=ACCEPT
        self.progress = 0  # octets read
        self.waiting = False  # it is we who owe the next word
        self._arrived = Arrived()
        self._events: deque[Event] = deque()
        self._out = bytearray()
        self._reading: Callable[[], bool] = self._read_line
        self._command = bytearray()  # as far as it has come, literals within
        self._literals = 0
        self._left = 0  # of the literal that is being read
        self._tag = "*"  # of the command in hand
        self._incoming = Incoming(self)
        self._introduction = Introduction(self)
        self._faults = 0
        self._retiring: Reply | None = None
        self._starting_tls = False

    def __repr__(self) -> str:
        return f"<Session {self.rules.listener} {self.peer.ip} {self.state.value}>"

    # What the shell says.

    def greet(self) -> None:
        """Say hello."""
        code = f"CAPABILITY {self.capabilities}"
        self.say(Answer("OK", f"{self.rules.host} Sceau ready", code).line())

    def receive(self, block: bytes) -> None:
        """Take bytes from the client."""
        if self._starting_tls:
            self.close(reply.BYTES_BEFORE_TLS)
        elif self.state is not State.LOGOUT:
            self._arrived.push(block)

    def next_event(self) -> Event | None:
        """Return the next thing to do; None: there is nothing until more bytes or an answer."""
        while not self._events:
            if not self._advance():
                return None
        return self._events.popleft()

    def say(self, octets: bytes) -> None:
        """Add to what the client is told."""
        self._out += octets

    def outgoing(self) -> bytes:
        """Take what the client is to be told."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def done(self, answer: Answer) -> None:
        """End the command in hand with this answer."""
        self.waiting = False
        if self.state is State.LOGOUT:
            return
        if self._incoming.refused(answer):
            return
        self.answer(answer)
        self.fresh()

    def go_on(self) -> None:
        """Let the message that was announced come."""
        self.waiting = False
        self._incoming.go_on()

    def turn(self, turn: Turn) -> None:
        """Take note of where the connection stands now."""
        self.state = TRANSITIONS[self.state, turn]

    def logged_in(self, address: Address) -> None:
        """The claim was true."""
        self.waiting = False
        if self.state is not State.NOT_AUTHENTICATED:
            return
        self.peer = replace(self.peer, login=address)
        self.turn(Turn.LOGGED_IN)
        self.answer(Answer("OK", "Logged in", f"CAPABILITY {self.capabilities}"))
        self.fresh()

    def refused(self, said: Reply) -> None:
        """The claim was false, or is not looked at now."""
        self.waiting = False
        self._introduction.refused(said)

    def secured(self, peer: Peer) -> None:
        """TLS has begun: what was said before it is forgotten (RFC 3501 §6.2.1)."""
        self.waiting = self._starting_tls = False
        self.peer = peer
        self.fresh()

    def retire(self, said: Reply) -> None:
        """Say goodbye as soon as no command is in hand."""
        self._retiring = said

    def close(self, said: Reply | None = None) -> None:
        """End here and now; without a word, because the client is gone or has heard it."""
        if self.state is State.LOGOUT:
            return
        if said is not None:
            self.say(Answer("BYE", said.text).line())
        self._incoming.fail()
        self.turn(Turn.GONE)
        self.tell(Closed())

    @property
    def unsent(self) -> int:
        """How many octets wait to be written."""
        return len(self._out)

    @property
    def buffered(self) -> int:
        """How many octets wait to be read."""
        return len(self._arrived)

    @property
    def capabilities(self) -> str:
        """What this connection can be asked for as it stands."""
        return self.rules.capabilities(tls=bool(self.peer.tls), within=self.state in INSIDE)

    # What ``imap.incoming`` and ``imap.introduction`` need as well.

    def tell(self, event: Event) -> None:
        """Tell the shell."""
        self._events.append(event)

    def ask(self, event: Event) -> None:
        """Ask the shell, and read nothing until it answers."""
        self.waiting = True
        self._events.append(event)

    def answer(self, answer: Answer) -> None:
        """Answer the command in hand."""
        self.say(answer.line(self._tag))
        self._faults = 0 if answer.kind == "OK" else self._faults + (answer.kind == "BAD")

    def guessed(self, answer: Answer) -> None:
        """End a log-in that failed; the third ends the connection."""
        faults = self._faults + _GUESS
        self.done(answer)
        self._faults = faults

    def fresh(self) -> None:
        """Read a command next."""
        self._command.clear()
        self._literals = 0
        self._tag = "*"
        self.read_by(self._read_line)

    def read_by(self, reading: Callable[[], bool]) -> None:
        """Read what comes next by this."""
        self._reading = reading

    def line(self) -> bytes | None:
        """Take a line."""
        line = self._arrived.line(64 << 10 if self.state in INSIDE else 16 << 10)
        self.progress += len(line or b"")
        return line

    def take(self, most: int) -> bytes:
        """Take octets of a literal."""
        block = self._arrived.take(most)
        self.progress += len(block)
        return block

    # What the client says.

    def _advance(self) -> bool:
        if self.state is State.LOGOUT or self.waiting:
            return False
        if self._faults >= _MAX_FAULTS:
            self.close(reply.TOO_MANY_ERRORS)
            return True
        if self._retiring is not None and not self._incoming.busy:
            self.close(self._retiring)
            return True
        try:
            return self._reading()
        except LineTooLong as error:
            self._tag = _tag_of(error.begun)
            self._incoming.fail()
            self.answer(Answer("BAD", "The line is too long"))
            self.fresh()
            return True

    def _read_line(self) -> bool:
        line = self.line()
        if line is None:
            return False
        self._command += line
        literal = _LITERAL.search(line)
        if literal is None:
            self._perform(bytes(self._command))
        else:
            self._announced(int(literal[2]), waits=not literal[3])
        return True

    def _announced(self, size: int, *, waits: bool) -> None:
        """A literal follows: a message, or an argument of the command; ``waits``: for our word."""
        self._literals += 1
        cursor = Cursor(bytes(self._command), utf8=self.utf8)
        try:
            self._tag, name = reader.begin(cursor)
            if (
                name == "APPEND"
                and self.state in INSIDE
                and self._incoming.begins(cursor, self._tag)
            ):
                return
        except GrammarError as error:
            self._broken(error, waits=waits)
            return
        room = (128 << 10 if self.state in INSIDE else 16 << 10) - len(self._command)
        if self._literals > _LITERALS or size > room:
            self._broken(GrammarError("the command is too long"), waits=waits)
            return
        self._left = size
        if waits:
            self.say(b"+ Go on\r\n")
        self.read_by(self._read_literal)

    def _broken(self, error: GrammarError, *, waits: bool) -> None:
        """A command is wrong though it goes on; if it does not wait for us, nothing can follow."""
        self._tag = _tag_of(bytes(self._command))
        self.answer(Answer("BAD", _sentence(error)))
        if not waits:
            self.close(reply.TOO_MUCH)
        self.fresh()

    def _read_literal(self) -> bool:
        octets = self.take(self._left)
        self._command += octets
        self._left -= len(octets)
        if not self._left:
            self.read_by(self._read_line)
            return True
        return bool(octets)

    def _perform(self, octets: bytes) -> None:
        """Carry out a command that has come whole, or say what is wrong with it."""
        self._tag = _tag_of(octets)
        try:
            if not octets.endswith(b"\r\n"):
                raise GrammarError("a line ends with CRLF")
            cursor = Cursor(octets[:-2], utf8=self.utf8)
            tag, name = reader.begin(cursor)
            if name not in reader.READERS:
                raise GrammarError("there is no such command")
            if self.state not in allowed(name):
                raise GrammarError(f"not when {self.state.value}")
            self._obey(reader.read(cursor, tag, name))
        except UnknownCharset as error:
            code = f"BADCHARSET ({' '.join(CHARSETS)})"
            self.done(Answer("NO", _sentence(error), code))
        except GrammarError as error:
            self.done(Answer("BAD", _sentence(error)))

    def _obey(self, command: Command) -> None:
        act = self._ours.get(command.name)
        if act is None or (command.name == "NOOP" and self.state in INSIDE):
            self.ask(Asked(command))
        else:
            act(self, command)

    # The commands that need nobody else.

    def _noop(self, _command: Command) -> None:
        self.done(Answer("OK", "Nothing done"))

    def _capability(self, _command: Command) -> None:
        self.say(f"* CAPABILITY {self.capabilities}\r\n".encode())
        self.done(Answer("OK", "That is what there is"))

    def _id(self, command: Command) -> None:
        assert isinstance(command, Identify)
        self.say(b'* ID ("name" "Sceau" "vendor" "Sceau")\r\n')
        self.done(Answer("OK", "Pleased to meet you"))

    def _logout(self, _command: Command) -> None:
        self.say(Answer("BYE", "Goodbye").line())
        self.answer(Answer("OK", "Logged out"))
        self.close()

    def _starttls(self, _command: Command) -> None:
        if self.peer.tls:
            raise GrammarError("TLS has been started already")
        if len(self._arrived):
            # Said in clear, to be obeyed as if TLS had protected it (CVE-2011-0411).
            self.close(reply.BYTES_BEFORE_TLS)
            return
        self.answer(Answer("OK", "Begin TLS"))
        self._starting_tls = True
        self.ask(TlsAsked())

    def _idle(self, command: Command) -> None:
        self.say(b"+ Idling\r\n")
        self.tell(IdleBegun())
        self.read_by(lambda: self._read_done(command))

    def _read_done(self, command: Command) -> bool:
        line = self.line()
        if line is None:
            return False
        if line.upper() == b"DONE\r\n":
            self.ask(IdleEnded(command))
        else:
            self._faults += 1
            self.ask(IdleEnded(replace(command, name="IDLE, broken off")))
        return True

    _ours: ClassVar[dict[str, Callable[["Session", Command], None]]] = {
        "NOOP": _noop,
        "CAPABILITY": _capability,
        "ID": _id,
        "LOGOUT": _logout,
        "STARTTLS": _starttls,
        "IDLE": _idle,
        "LOGIN": lambda self, command: self._introduction.login(command),
        "AUTHENTICATE": lambda self, command: self._introduction.authenticate(command),
    }


_TAG = re.compile(rb"[^(){ %*\"\\+\x00-\x1f\x7f-\xff]{1,64}(?= )")


def _tag_of(octets: bytes) -> str:
    """Return the tag under which a command that is wrong can be answered."""
    found = _TAG.match(octets)
    return found[0].decode("ascii") if found else "*"


def _sentence(error: GrammarError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
