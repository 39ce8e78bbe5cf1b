"""The server's side of SMTP as a state machine: bytes in, replies and events out.

    session.receive(block)                      bytes from the peer, cut anyhow
    while event := session.next_event(): ...    what only the shell can do
        session.answer(...)                     ... and what came of it, now or later
    session.outgoing()                          bytes for the peer: one write a batch

While a question waits for its answer nothing further is read, so what a client pipelines is
carried out in order, once. RFC 5321, 2920 (PIPELINING), 1870 (SIZE), 3030 (CHUNKING), 3207
(STARTTLS), 3461 (DSN), 4954 (AUTH), 6531 (SMTPUTF8), 9422 (LIMITS).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from smtp import reply
from smtp.address import Address
from smtp.envelope import Draft, Peer
from smtp.receive import command, login
from smtp.receive.command import CommandError, Lines
from smtp.receive.events import (
    Closed,
    ContentFailed,
    Event,
    Heard,
    LoginAsked,
    MailAsked,
    RecipientAsked,
    TlsAsked,
)
from smtp.receive.login import Exchange, LoginError
from smtp.receive.outlet import Outlet
from smtp.receive.rules import Rules
from smtp.receive.transaction import Transaction
from smtp.reply import Reply

_KIB = 1024
_IN_CLEAR = frozenset({"EHLO", "HELO", "STARTTLS", "NOOP", "RSET", "HELP", "QUIT", "BDAT"})
_ENDS_TRANSACTION = frozenset({"EHLO", "HELO", "RSET", "QUIT"})

Question = MailAsked | RecipientAsked | LoginAsked | TlsAsked


class Session:
    """One connection, from greeting to goodbye."""

    def __init__(self, rules: Rules, peer: Peer) -> None:
        self.rules = rules
        self.peer = peer
        self.progress = 0  # octets of content; a command, or the end of content, counts as a KiB
        self._lines = Lines()
        self._outlet = Outlet()
        self._transaction = Transaction(self._outlet, rules.max_size)
        self._asked: Question | None = None
        self._exchange: Exchange | None = None
        self._retiring: Reply | None = None
        self._closed = False
        self._owed: Draft | None = None  # the message in hand when it was closed
        self._outlet.say(Reply(220, "", f"{rules.host} ESMTP Sceau"))

    def __repr__(self) -> str:
        state = "closed" if self._closed else "waiting" if self.waiting else "listening"
        return f"<Session {self.rules.listener} {self.peer.ip} {state}>"

    # What the shell says.

    def receive(self, block: bytes) -> None:
        """Take bytes from the peer."""
        if isinstance(self._asked, TlsAsked):
            self.close(reply.BYTES_BEFORE_TLS)
        elif not self._closed:
            self._lines.push(block)

    def next_event(self) -> Event | None:
        """Return the next thing to do; None: there is nothing until more bytes or an answer."""
        events = self._outlet.events
        while not events:
            if not self._advance():
                return None
        return events.popleft()

    def outgoing(self) -> bytes:
        """Take what the peer is to be told."""
        return self._outlet.take()

    def answer(self, said: Reply | Address) -> None:
        """Answer the question that waits: a reply, or after ``LoginAsked`` the mailbox."""
        if self._closed:
            if self._owed is not None and isinstance(said, Reply) and said.positive:
                self._outlet.tell(Heard(self._owed, certain=False))  # gone before we could say so
            self._owed = None
            return
        asked, self._asked = self._asked, None
        if not isinstance(said, Reply):
            self.peer = replace(self.peer, login=said)
            self._outlet.say(reply.AUTHENTICATED)
        elif asked is None:
            self._transaction.judge(said)
        else:
            if isinstance(asked, MailAsked) and said.positive:
                self._transaction.draft = asked.draft
            elif isinstance(asked, RecipientAsked):
                self._transaction.note(asked.recipient, said)
            self._outlet.say(said)

    def secured(self, peer: Peer) -> None:
        """TLS has begun: what was said before it is forgotten (RFC 3207 §4.2)."""
        self._asked = None
        self.peer = peer

    def retire(self, said: Reply) -> None:
        """Say goodbye with this 421 as soon as no message is in hand."""
        self._retiring = said

    def close(self, said: Reply | None = None) -> None:
        """End here and now; without a reply, because the peer is gone or has heard it."""
        if self._closed:
            return
        self._closed = True
        if said is not None:
            self._outlet.say(said)
        if self._transaction.kept:
            self._owed = self._transaction.draft
            self._outlet.tell(ContentFailed("closed"))
        self._heard(certain=False)
        self._transaction.drop()
        self._outlet.tell(Closed())

    @property
    def waiting(self) -> bool:
        """Whether it is we who owe the next word."""
        return self._asked is not None or self._transaction.waiting

    @property
    def buffered(self) -> int:
        """How many octets wait to be read."""
        return len(self._lines)

    # What the peer says.

    def _advance(self) -> bool:
        if self._closed:
            return False
        if self._outlet.over:
            self.close()
            return True
        if self.waiting:
            return False
        if self._transaction.reading:
            return self._read_content()
        if self._retiring is not None and self._transaction.content is None:
            self.close(self._retiring)
            return True
        return self._read_line()

    def _read_content(self) -> bool:
        octets = self._transaction.read(self._lines)
        self.progress += octets if self._transaction.reading else octets + _KIB
        return octets > 0

    def _read_line(self) -> bool:
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
            self._outlet.say(error.reply)
        return True

    def _command(self, line: bytes) -> None:
        self._heard(certain=True)
        verb, argument = command.split(line)
        act = self._commands.get(verb)
        if act is None:
            raise CommandError(reply.UNKNOWN_COMMAND)
        if not self.peer.tls and verb not in _IN_CLEAR:
            raise CommandError(reply.MUST_STARTTLS)
        if verb in _ENDS_TRANSACTION and self._transaction.kept and self._transaction.give_up():
            # First the shell gives the message up; then this command again.
            self._lines.put_back(line + b"\r\n")
            return
        act(self, argument)

    def _heard(self, *, certain: bool) -> None:
        promised, self._transaction.promised = self._transaction.promised, None
        if promised is not None:
            self._outlet.tell(Heard(promised, certain))

    def _ehlo(self, argument: str) -> None:
        self._greet(argument)
        offers = self.rules.offers(tls=bool(self.peer.tls))
        self._outlet.list(250, (f"{self.rules.host} greets you", *offers))

    def _helo(self, argument: str) -> None:
        self._greet(argument)
        self._outlet.say(Reply(250, "", self.rules.host))

    def _greet(self, argument: str) -> None:
        name = command.client_name(argument)
        self._transaction.drop()
        self.peer = replace(self.peer, helo=name)

    def _starttls(self, argument: str) -> None:
        _no_argument(argument)
        if self.peer.tls:
            raise CommandError(reply.BAD_SEQUENCE)
        if self._lines:
            # Said in clear, to be obeyed as if TLS had protected it (CVE-2011-0411).
            raise CommandError(reply.BYTES_BEFORE_TLS)
        self._outlet.say(reply.READY_FOR_TLS)
        self._ask(TlsAsked())

    def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if not self.peer.helo or self.peer.login or self._transaction.draft is not None:
            raise CommandError(reply.BAD_SEQUENCE)
        if mechanism.upper() not in self.rules.mechanisms:
            raise CommandError(reply.UNKNOWN_MECHANISM)
        self._exchange = login.exchange(mechanism.upper(), initial)
        self._log_in(self._exchange, None)

    def _log_in(self, exchange: Exchange, line: bytes | None) -> None:
        try:
            if line is None:
                self._outlet.say(next(exchange))
            else:
                self._outlet.say(exchange.send(line.decode("ascii", "replace")))
        except StopIteration as end:
            self._exchange = None
            self._ask(LoginAsked(end.value))
        except LoginError as error:
            self._exchange = None
            self._outlet.say(error.reply)

    def _mail(self, argument: str) -> None:
        if not self.peer.helo or self._transaction.draft is not None:
            raise CommandError(reply.BAD_SEQUENCE)
        if self.rules.certificate and self.peer.certificate is None:
            raise CommandError(reply.MUST_CERTIFY)
        if self.rules.mechanisms and self.peer.login is None:
            raise CommandError(reply.MUST_LOG_IN)
        mail = command.mail(argument, self.rules.parameters)
        if mail.size and self.rules.max_size and mail.size > self.rules.max_size:
            raise CommandError(reply.too_big(self.rules.max_size))
        if mail.large and mail.large > self.rules.large:
            raise CommandError(reply.too_big(self.rules.large))
        self._ask(MailAsked(Draft(self.peer, mail)))

    def _rcpt(self, argument: str) -> None:
        draft = self._transaction.draft
        if draft is None or self._transaction.content is not None:
            raise CommandError(reply.BAD_SEQUENCE)
        recipient = command.recipient(
            argument, smtputf8=draft.mail.smtputf8, postmaster=self.rules.postmaster
        )
        if len(draft.recipients) + len(draft.refused) >= self.rules.max_recipients:
            raise CommandError(reply.TOO_MANY_RECIPIENTS)
        self._ask(RecipientAsked(draft, recipient))

    def _data(self, argument: str) -> None:
        _no_argument(argument)
        self._transaction.begin_data()

    def _bdat(self, argument: str) -> None:
        try:
            size, last = command.chunk(argument)
        except CommandError as error:
            # How many octets follow is anybody's guess, and none of them may be a command.
            self.close(error.reply)
            return
        fault = None if self.peer.tls else reply.MUST_STARTTLS
        self._transaction.begin_chunk(size, fault, last=last)

    def _rset(self, argument: str) -> None:
        _no_argument(argument)
        self._transaction.drop()
        self._outlet.say(reply.OK)

    def _noop(self, _argument: str) -> None:
        self._outlet.say(reply.OK)

    def _vrfy(self, argument: str) -> None:
        self._outlet.say(reply.CANNOT_VERIFY if argument else reply.SYNTAX)

    def _expn(self, _argument: str) -> None:
        self._outlet.say(reply.NOT_IMPLEMENTED)

    def _help(self, _argument: str) -> None:
        self._outlet.say(reply.HELP)

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

    def _ask(self, question: Question) -> None:
        self._asked = question
        self._outlet.tell(question)


def _no_argument(argument: str) -> None:
    if argument:
        raise CommandError(reply.SYNTAX)
