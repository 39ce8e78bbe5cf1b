"""The server's side of SMTP as a state machine: bytes in, replies and events out.

    session.receive(block)                      bytes from the peer, cut anyhow
    while event := session.next_event(): ...    what only the shell can do
        session.answer(...)                     ... and what came of it, now or later
    session.outgoing()                          bytes for the peer: one write a batch

While a question waits for its answer nothing further is read, so what a client pipelines is
carried out in order, once. RFC 5321, 2920 (PIPELINING), 1870 (SIZE), 3030 (CHUNKING), 3207
(STARTTLS), 3461 (DSN), 4954 (AUTH), 6531 (SMTPUTF8), 9422 (LIMITS).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from typing import ClassVar

from smtp import command, login, reply
from smtp.address import Address
from smtp.command import CommandError, Lines
from smtp.content import Content
from smtp.data import ChunkScanner, DataScanner
from smtp.envelope import Draft, Peer, Recipient, Refusal
from smtp.events import (
    Abandoned,
    Closed,
    ContentBegun,
    ContentEnded,
    ContentFailed,
    Event,
    LoginAsked,
    MailAsked,
    RecipientAsked,
    TlsAsked,
)
from smtp.login import Claim, Exchange, LoginError
from smtp.reply import Reply
from smtp.rules import Rules

_MAX_FAULTS = 20
_PATIENCE = 4  # times the size limit is read on, to find the end of what was refused ...
_KIB = 1024
_FLOOR = 64 << 20  # ... and never less than this


class _Phase(Enum):
    COMMANDS = auto()
    CONTENT = auto()
    ASKED = auto()  # the shell owes us an answer
    CLOSED = auto()


class Session:
    """One connection, from greeting to goodbye."""

    def __init__(self, rules: Rules, peer: Peer) -> None:
        self.rules = rules
        self.peer = peer
        self.progress = 0  # octets of content; a command, or the end of content, counts as a KiB
        self._phase = _Phase.COMMANDS
        self._lines = Lines()
        self._out = bytearray()
        self._events: deque[Event] = deque()
        self._asked: Draft | Recipient | Claim | None = None
        self._draft: Draft | None = None
        self._content: Content | None = None
        self._exchange: Exchange | None = None
        self._retiring: Reply | None = None
        self._faults = 0
        self._discarded = 0
        self._say(Reply(220, "", f"{rules.host} ESMTP Sceau"))

    def __repr__(self) -> str:
        return f"<Session {self.rules.listener} {self.peer.ip} {self._phase.name.lower()}>"

    # What the shell says.

    def receive(self, block: bytes) -> None:
        """Take bytes from the peer."""
        if self._phase is not _Phase.CLOSED:
            self._lines.push(block)

    def next_event(self) -> Event | None:
        """Return the next thing to do; None: there is nothing until more bytes or an answer."""
        while not self._events:
            if not self._advance():
                return None
        return self._events.popleft()

    def outgoing(self) -> bytes:
        """Take what the peer is to be told."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def answer(self, said: Reply | Address) -> None:
        """Answer the question that waits: a reply, or after ``LoginAsked`` the mailbox."""
        if self._phase is _Phase.CLOSED:
            return
        if self._content is not None:
            assert isinstance(said, Reply)
            self._content.verdict = said
            if self._phase is _Phase.ASKED:
                self._conclude(self._content, said)
            return
        asked, self._asked, self._phase = self._asked, None, _Phase.COMMANDS
        if not isinstance(said, Reply):
            self.peer = replace(self.peer, login=said)
            said = reply.AUTHENTICATED
        elif isinstance(asked, Draft) and said.positive:
            self._draft = asked
        elif isinstance(asked, Recipient):
            self._note(asked, said)
        self._say(said)

    def secured(self, peer: Peer) -> None:
        """TLS has begun: what was said before it is forgotten (RFC 3207 §4.2)."""
        self.peer = peer
        self._lines = Lines()
        self._phase = _Phase.COMMANDS

    def retire(self, said: Reply) -> None:
        """Say goodbye with this 421 as soon as no message is in hand."""
        self._retiring = said

    def close(self, said: Reply | None = None) -> None:
        """End here and now; without a reply, because the peer is gone."""
        if self._phase is _Phase.CLOSED:
            return
        self._phase = _Phase.CLOSED
        if said is not None:
            self._out += said.line()
        if self._content is not None and self._content.begun:
            self._events.append(ContentFailed("closed"))
        self._drop_draft()
        self._events.append(Closed())

    @property
    def busy(self) -> bool:
        """Whether a message is in hand."""
        return self._content is not None and self._content.begun

    @property
    def waiting(self) -> bool:
        """Whether it is we who owe the next word."""
        return self._phase is _Phase.ASKED

    @property
    def buffered(self) -> int:
        """How many octets wait to be read."""
        return len(self._lines)

    # What the peer says.

    def _advance(self) -> bool:
        if self._phase is _Phase.CONTENT:
            return self._read_content()
        if self._phase is not _Phase.COMMANDS:
            return False
        if self._retiring is not None and self._content is None:
            self.close(self._retiring)
            return True
        try:
            line = self._lines.take()
            if line is None:
                return False
            self.progress += _KIB
            if self._exchange is not None:
                self._log_in(self._exchange, line)
            else:
                self._command(line)
        except CommandError as error:
            self._say(error.reply)
        return True

    def _command(self, line: bytes) -> None:
        verb, argument = command.split(line)
        act = self._commands.get(verb)
        if act is None:
            raise CommandError(reply.UNKNOWN_COMMAND)
        if not self.peer.tls and verb not in _IN_CLEAR:
            raise CommandError(reply.MUST_STARTTLS)
        content = self._content
        if content is not None and verb in _ENDS_TRANSACTION:
            if content.verdict is None:
                # First let the shell give the message up; then this command again.
                content.silent = True
                self._lines.put_back(line + b"\r\n")
                self._events.append(ContentFailed("reset"))
                self._phase = _Phase.ASKED
                return
            self._content = self._draft = None
        act(self, argument)

    def _ehlo(self, argument: str) -> None:
        self._greet(argument)
        lines = [f"{self.rules.host} greets you", *self.rules.offers(tls=bool(self.peer.tls))]
        self._out += "".join(f"250-{line}\r\n" for line in lines[:-1]).encode("ascii")
        self._out += f"250 {lines[-1]}\r\n".encode("ascii")

    def _helo(self, argument: str) -> None:
        self._greet(argument)
        self._say(Reply(250, "", self.rules.host))

    def _greet(self, argument: str) -> None:
        name = command.client_name(argument)
        self._drop_draft()
        self.peer = replace(self.peer, helo=name)

    def _starttls(self, argument: str) -> None:
        if argument:
            raise CommandError(reply.SYNTAX)
        if self.peer.tls:
            raise CommandError(reply.BAD_SEQUENCE)
        if self._lines:
            # Said in clear, to be obeyed as if it came under TLS (CVE-2011-0411).
            self.close(reply.BYTES_BEFORE_TLS)
            return
        self._say(reply.READY_FOR_TLS)
        self._ask(TlsAsked())

    def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if not self.peer.helo or self.peer.login is not None or self._draft is not None:
            raise CommandError(reply.BAD_SEQUENCE)
        if mechanism.upper() not in self.rules.mechanisms:
            raise CommandError(reply.UNKNOWN_MECHANISM)
        self._exchange = login.exchange(mechanism.upper(), initial)
        self._log_in(self._exchange, None)

    def _log_in(self, exchange: Exchange, line: bytes | None) -> None:
        try:
            if line is None:
                self._say(next(exchange))
            else:
                self._say(exchange.send(line.decode("ascii", "replace")))
        except StopIteration as end:
            self._exchange, self._asked = None, end.value
            self._ask(LoginAsked(end.value))
        except LoginError as error:
            self._exchange = None
            self._say(error.reply)

    def _mail(self, argument: str) -> None:
        if not self.peer.helo or self._draft is not None:
            raise CommandError(reply.BAD_SEQUENCE)
        if self.rules.certificate and self.peer.certificate is None:
            raise CommandError(reply.MUST_CERTIFY)
        if self.rules.mechanisms and self.peer.login is None:
            raise CommandError(reply.MUST_LOG_IN)
        mail = command.mail(argument, self.rules.parameters)
        if mail.size and self.rules.max_size and mail.size > self.rules.max_size:
            raise CommandError(reply.TOO_BIG)
        self._asked = draft = Draft(self.peer, mail)
        self._ask(MailAsked(draft))

    def _rcpt(self, argument: str) -> None:
        draft = self._draft
        if draft is None or self._content is not None:
            raise CommandError(reply.BAD_SEQUENCE)
        recipient = command.recipient(
            argument, smtputf8=draft.mail.smtputf8, postmaster=self.rules.postmaster
        )
        if len(draft.recipients) + len(draft.refused) >= self.rules.max_recipients:
            raise CommandError(reply.TOO_MANY_RECIPIENTS)
        self._asked = recipient
        self._ask(RecipientAsked(draft, recipient))

    def _data(self, argument: str) -> None:
        if argument:
            raise CommandError(reply.SYNTAX)
        if self._draft is None or self._content is not None:
            raise CommandError(reply.BAD_SEQUENCE)
        if not self._draft.recipients:
            raise CommandError(reply.NO_RECIPIENTS)
        self._say(reply.START_DATA)
        self._begin(DataScanner(), self._draft, None)
        self._phase = _Phase.CONTENT

    def _bdat(self, argument: str) -> None:
        try:
            size, last = command.chunk(argument)
        except CommandError as error:
            # How many octets follow is anybody's guess, and none of them may be a command.
            self._say(error.reply)
            self.close()
            return
        content = self._content
        if content is None:
            content = self._begin(ChunkScanner(), self._draft, self._chunk_fault())
        failed = content.expect(size, last=last)
        if failed is not None and content.begun:
            self._events.append(failed)
        self._phase = _Phase.CONTENT
        if content.complete:
            self._end_of_content(content)

    def _chunk_fault(self) -> Reply | None:
        if not self.peer.tls:
            return reply.MUST_STARTTLS
        if self._draft is None:
            return reply.BAD_SEQUENCE
        return None if self._draft.recipients else reply.NO_RECIPIENTS

    def _rset(self, argument: str) -> None:
        if argument:
            raise CommandError(reply.SYNTAX)
        self._drop_draft()
        self._say(reply.OK)

    def _noop(self, _argument: str) -> None:
        self._say(reply.OK)

    def _vrfy(self, argument: str) -> None:
        self._say(reply.CANNOT_VERIFY if argument else reply.SYNTAX)

    def _expn(self, _argument: str) -> None:
        self._say(reply.NOT_IMPLEMENTED)

    def _help(self, _argument: str) -> None:
        self._say(reply.HELP)

    def _quit(self, _argument: str) -> None:
        self.close(reply.BYE)

    _commands: ClassVar[dict[str, Callable[["Session", str], None]]] = {
        "EHLO": _ehlo,
        "HELO": _helo,
        "STARTTLS": _starttls,
        "AUTH": _auth,
        "MAIL": _mail,
        "RCPT": _rcpt,
        "DATA": _data,
        "BDAT": _bdat,
        "RSET": _rset,
        "NOOP": _noop,
        "VRFY": _vrfy,
        "EXPN": _expn,
        "HELP": _help,
        "QUIT": _quit,
    }

    # Content.

    def _begin(
        self, scanner: DataScanner | ChunkScanner, draft: Draft | None, fault: Reply | None
    ) -> Content:
        content = Content(scanner, self.rules.max_size, failure=fault)
        self._content = content
        if fault is None and draft is not None:
            content.begun = True
            self._events.append(ContentBegun(draft))
        return content

    def _read_content(self) -> bool:
        content, block = self._content, self._lines.take_all()
        if not block or content is None:
            return False
        before = content.size
        event = content.take(block)
        self.progress += len(block)
        if event is not None:
            self._events.append(event)
        if content.failure is not None:
            self._discarded += content.size - before
            if self._discarded > max(_FLOOR, _PATIENCE * self.rules.max_size):
                self.close(reply.TOO_MUCH)
                return True
        if content.complete:
            self._lines.put_back(content.rest)
            self._end_of_content(content)
        return True

    def _end_of_content(self, content: Content) -> None:
        self.progress += _KIB
        failed = content.finish()
        if failed is not None:
            self._events.append(failed)
        elif content.last and content.failure is None:
            self._events.append(ContentEnded())
        said = content.verdict or (None if content.begun else content.failure)
        if said is not None:
            self._conclude(content, said)
        elif content.last or content.failure is not None:
            self._phase = _Phase.ASKED
        else:
            self._phase = _Phase.COMMANDS
            self._say(reply.CHUNK_OK)

    def _conclude(self, content: Content, verdict: Reply) -> None:
        """Give the one answer, and forget the transaction whatever it was."""
        if content.begun:
            self._draft = None
        self._content, self._phase = None, _Phase.COMMANDS
        if not content.silent:
            self._say(content.failure or verdict)

    # What both need.

    def _ask(self, question: Event) -> None:
        self._events.append(question)
        self._phase = _Phase.ASKED

    def _note(self, recipient: Recipient, said: Reply) -> None:
        draft = self._draft
        assert draft is not None
        accepted, refused = draft.recipients, draft.refused
        if said.positive:
            accepted = (*accepted, recipient)
        else:
            refused = (*refused, Refusal(recipient, said))
        self._draft = Draft(draft.peer, draft.mail, accepted, refused)

    def _drop_draft(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None and draft.refused and not self.busy:
            self._events.append(Abandoned(draft))

    def _say(self, said: Reply) -> None:
        self._out += said.line()
        self._faults += _FAULTS.get((said.code, said.enhanced), 0)
        if said.code == 421:
            self.close()
        elif self._faults >= _MAX_FAULTS:
            self.close(reply.TOO_MANY_ERRORS)


# Only what shows a broken or hostile client; a mistyped address (5.1.z) is neither. The third
# failed log-in ends the connection.
_FAULTS = {
    (500, "5.5.2"): 1,
    (501, "5.5.2"): 1,
    (501, "5.5.4"): 1,
    (502, "5.5.1"): 1,
    (504, "5.5.4"): 1,
    (535, "5.7.8"): 7,
    (555, "5.5.4"): 1,
}
_IN_CLEAR = frozenset({"EHLO", "HELO", "STARTTLS", "NOOP", "RSET", "HELP", "QUIT", "BDAT"})
_ENDS_TRANSACTION = frozenset({"EHLO", "HELO", "RSET", "QUIT"})
