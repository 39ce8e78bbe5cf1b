"""The client's side of SMTP as a state machine: replies in, commands out, no socket.

    OPENING ─► HANDSHAKE ─► OPENING ─► READY ─► ENVELOPE ─► CONTENT ─► FINAL ─► READY
    greeting,  the shell    EHLO         ▲        │ none accepted                 any ─► CLOSED
    EHLO,      runs TLS     again        └────────┘
    STARTTLS

While ``waiting`` it is the peer's turn; else ours. A reply answers the oldest command that has
none; one that answers nothing, or makes no sense, ends the conversation, and what is undecided
then is put off (4yz), never given up. Clear text is no fallback, nor is HELO: a server without
EHLO has no TLS. A mailbox server may be spoken to in LMTP, which answers the content once a
recipient; on a way that only it can hear, there is no TLS to wait for.
RFC 5321, RFC 2033 (LMTP), RFC 2920, RFC 3030, RFC 3207 (R-A4).
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import ClassVar

from smtp.address import Address
from smtp.data import Stuffer
from smtp.reply import Reply, printable, says_delivered
from smtp.send.answers import Answer, AnswerReader, GarbledError
from smtp.send.outgoing import TOO_MANY_FOR_THEM, Offer, Outcome, Outgoing

LOST = Reply(451, "4.4.2", "The next hop closed the connection; it will be tried again")
SILENT = Reply(451, "4.4.2", "The next hop did not answer in time; it will be tried again")
GARBLED = Reply(451, "4.5.0", "The next hop's answer made no sense; it will be tried again")
NO_TLS = Reply(451, "4.7.0", "The next hop offers no TLS, and mail never goes in clear")
INJECTED = Reply(451, "4.7.0", "The next hop sent something before TLS was up; not trusted")


class Stage(IntEnum):
    """How far the conversation has come."""

    OPENING = auto()
    HANDSHAKE = auto()
    READY = auto()
    ENVELOPE = auto()
    CONTENT = auto()
    FINAL = auto()
    CLOSED = auto()


class Verb(IntEnum):
    """What a reply answers."""

    GREETING = auto()
    EHLO = auto()
    STARTTLS = auto()
    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    CHUNK = auto()
    DOT = auto()


_THEIRS = frozenset({Stage.OPENING, Stage.ENVELOPE, Stage.FINAL})
_DEAF = frozenset({Stage.HANDSHAKE, Stage.CLOSED})
_IN_HAND = frozenset({Stage.ENVELOPE, Stage.CONTENT, Stage.FINAL})


@dataclass(slots=True)
class _Message:
    """The message in hand, and what has been said about it so far."""

    outgoing: Outgoing
    chunked: bool = False
    asked: int = 0  # how many recipients fit in one message for this peer
    replies: list[Reply] = field(default_factory=list)  # to RCPTs; a positive one is provisional
    accepted: int = 0
    refusal: Reply | None = None  # of MAIL
    verdict: Reply | None = None  # of DATA, then of the content
    verdicts: list[Reply] = field(default_factory=list)  # LMTP: one an accepted recipient, in order
    ended: bool = False
    heard: bool = False
    stuffer: Stuffer = field(default_factory=Stuffer)

    @property
    def hopeless(self) -> bool:
        """MAIL was refused, or every recipient: no content is wanted."""
        all_answered = len(self.replies) == self.asked
        return self.refusal is not None or (all_answered and not self.accepted)

    def settled(self, said: Reply) -> tuple[tuple[Address, Reply], ...]:
        """Return one reply a recipient: its own, at RCPT or after it, else what was said to all."""
        to_all = self.refusal or said
        later = iter(self.verdicts)
        own = [next(later, to_all) if reply.positive else reply for reply in self.replies]
        own += [to_all] * (self.asked - len(own))
        own += [TOO_MANY_FOR_THEM] * (len(self.outgoing.recipients) - len(own))
        return tuple(zip((r.address for r in self.outgoing.recipients), own, strict=True))


class Dialogue:
    """One connection's conversation. ``helo`` is our name; ``chunking`` allows BDAT.

    ``private``: nobody else can listen, as on a Unix socket, and TLS is not asked for.
    """

    def __init__(
        self, helo: str, *, chunking: bool = True, lmtp: bool = False, private: bool = False
    ) -> None:
        self.stage = Stage.OPENING
        self.offer = Offer()
        self.failure: Reply | None = None  # why it is CLOSED; always 4yz
        self.outcome: Outcome | None = None  # of the last message, once it has one
        self.answered = 0  # how many commands in all: a sign of life
        self._hello = f"{'LHLO' if lmtp else 'EHLO'} {helo}\r\n".encode()
        self._chunking, self._lmtp = chunking and not lmtp, lmtp
        self._secure = private
        self._unclean = False  # they may still hold an open transaction
        self._answers = AnswerReader()
        self._out: list[bytes] = []
        self._expected = deque((Verb.GREETING,))
        self._queue: deque[tuple[Verb, bytes]] = deque()  # what awaits its turn, without PIPELINING
        self._message = _Message(Outgoing(None, (), 0))
        self._count = 0

    @property
    def waiting(self) -> bool:
        """It is the peer's turn."""
        return self.stage in _THEIRS

    @property
    def eager(self) -> bool:
        """The whole body may follow the envelope at once: BDAT is counted, nothing goes astray."""
        pipelined = self._message.chunked and "PIPELINING" in self.offer
        return pipelined and self.stage is Stage.ENVELOPE and not self._message.ended

    def outgoing(self) -> bytes:
        """Return what is to be written now, and forget it."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def receive(self, block: bytes) -> None:
        """Take bytes as they arrive."""
        self._answers.feed(block)
        try:
            while self.stage not in _DEAF and (answer := self._answers.next()):
                self._take(answer)
        except GarbledError:
            self.close(GARBLED)
        if self.stage is Stage.HANDSHAKE and not self._answers.empty:
            self.close(INJECTED)

    def secured(self) -> None:
        """TLS is up: begin anew, and forget what was learnt in clear (RFC 3207 §4.2)."""
        if self.stage is Stage.HANDSHAKE:
            self._secure, self.offer, self.stage = True, Offer(), Stage.OPENING
            self._say(Verb.EHLO, self._hello)

    def begin(self, outgoing: Outgoing) -> None:
        """Start a message: all of its envelope at once where the peer takes it so."""
        self.outcome = None
        self._count += 1
        recipients = outgoing.recipients[: self.offer.rcpt_max]
        chunked = self._chunking and "CHUNKING" in self.offer
        self._message = _Message(outgoing, chunked, len(recipients))
        if self.failure is not None:
            self._conclude(self.failure)
        elif (refusal := self.offer.refusal(outgoing)) is not None:
            self._conclude(refusal)
        else:
            self.stage = Stage.ENVELOPE
            if self._unclean:
                self._queue.append((Verb.RSET, b"RSET\r\n"))
            self._queue.append((Verb.MAIL, self.offer.mail(outgoing)))
            self._queue.extend((Verb.RCPT, self.offer.rcpt(r)) for r in recipients)
            if not chunked:
                self._queue.append((Verb.DATA, b"DATA\r\n"))
            self._pump()

    def content(self, block: bytes, *, last: bool) -> None:
        """Send the next block of the body in CONTENT, or the one and last while ``eager``."""
        message = self._message
        message.ended = last
        if message.chunked:
            mark = b" LAST" if last else b""
            self._say(Verb.CHUNK, b"BDAT %d%b\r\n" % (len(block), mark), block)
        else:
            self._out.append(message.stuffer.feed(block))
            if last:
                self._say(Verb.DOT, message.stuffer.finish())
                if self._lmtp:  # RFC 2033 §4.2: a reply for each recipient that was accepted
                    self._expected.extend([Verb.DOT] * (message.accepted - 1))
        if last and self.stage is Stage.CONTENT:
            self.stage = Stage.FINAL

    def quit(self) -> None:
        """Say goodbye if it is our turn; nobody waits for the answer."""
        if self.stage is Stage.READY:
            self._out.append(b"QUIT\r\n")
        self.close(LOST)

    def close(self, why: Reply) -> None:
        """End the conversation: the peer is gone, silent, or not to be trusted."""
        if self.stage is Stage.CLOSED:
            return
        in_hand = self.stage in _IN_HAND
        self.stage = Stage.CLOSED
        self.failure = why if why.transient else _put_off(why)
        self._expected.clear()
        self._queue.clear()
        if in_hand:
            self._conclude(why)

    def _say(self, verb: Verb, *octets: bytes) -> None:
        self._out.extend(octets)
        self._expected.append(verb)

    def _pump(self) -> None:
        while self._queue and (not self._expected or "PIPELINING" in self.offer):
            self._say(*self._queue.popleft())

    def _take(self, answer: Answer) -> None:
        """Hand an answer to the command it belongs to, then see what follows."""
        reply = answer.reply
        if reply.code == 421 or not self._expected:
            # 421 may come at any time. A refusal before the last dot is a verdict; any other
            # answer to nothing is none.
            self.close(GARBLED if reply.positive else reply)
            return
        verb = self._expected.popleft()
        if reply.positive and (reply.code == 354) is not (verb is Verb.DATA):
            raise GarbledError
        if reply.positive and 300 <= reply.code != 354:
            raise GarbledError
        self.answered += 1
        self._message.heard = True
        self._TAKES[verb](self, answer, reply)
        self._pump()
        if self.stage in _IN_HAND and not self._expected and not self._queue:
            self._settle()

    def _take_greeting(self, _: Answer, reply: Reply) -> None:
        if reply.positive:
            self._say(Verb.EHLO, self._hello)
        else:
            self.close(reply)

    def _take_ehlo(self, answer: Answer, reply: Reply) -> None:
        self.offer = Offer.parse(answer.lines[1:])
        if not reply.positive:
            self.close(reply)
        elif self._secure:
            self.stage = Stage.READY
        elif "STARTTLS" in self.offer:
            self._say(Verb.STARTTLS, b"STARTTLS\r\n")
        else:
            self.close(NO_TLS)

    def _take_starttls(self, _: Answer, reply: Reply) -> None:
        if reply.positive:
            self.stage = Stage.HANDSHAKE
        else:
            self.close(reply)

    def _take_reset(self, _: Answer, __: Reply) -> None:
        self._unclean = False  # and if they could not reset, MAIL's reply will tell

    def _take_mail(self, _: Answer, reply: Reply) -> None:
        if not reply.positive:
            self._message.refusal = reply
            self._queue.clear()

    def _take_rcpt(self, _: Answer, reply: Reply) -> None:
        message = self._message
        message.replies.append(reply)
        message.accepted += reply.positive
        if message.hopeless:
            self._queue.clear()

    def _take_verdict(self, _: Answer, reply: Reply) -> None:
        message = self._message
        if message.verdict is None or message.verdict.positive:
            message.verdict = reply
        if not reply.positive and self.stage is Stage.CONTENT:
            self.stage = Stage.FINAL  # a chunk was refused: no use in sending the rest

    def _take_content(self, answer: Answer, reply: Reply) -> None:
        if self._lmtp:
            self._message.verdicts.append(reply)
        self._take_verdict(answer, reply)

    _TAKES: ClassVar[Mapping[Verb, Callable[["Dialogue", Answer, Reply], None]]] = {
        Verb.GREETING: _take_greeting,
        Verb.EHLO: _take_ehlo,
        Verb.STARTTLS: _take_starttls,
        Verb.RSET: _take_reset,
        Verb.MAIL: _take_mail,
        Verb.RCPT: _take_rcpt,
        Verb.DATA: _take_verdict,
        Verb.CHUNK: _take_verdict,
        Verb.DOT: _take_content,
    }

    def _settle(self) -> None:
        """Go on, now that all that was sent is answered."""
        message = self._message
        verdict = message.verdict
        if self.stage is Stage.ENVELOPE and not message.ended:
            if verdict and verdict.positive and message.hopeless:
                # Nobody accepted, and yet they said 354: an empty message (RFC 2920 §3.1).
                if self._lmtp:  # which no reply would follow: RFC 2033 §4.2 forbids that 354
                    raise GarbledError
                self.stage = Stage.FINAL
                self._say(Verb.DOT, b".\r\n")
            elif not message.hopeless and (verdict is None or verdict.positive):
                self.stage = Stage.CONTENT
            else:
                self._conclude(verdict or GARBLED)
        elif self.stage is not Stage.CONTENT:
            self._conclude(verdict or GARBLED)

    @property
    def _marked(self) -> bool:
        """Whether the message bore a transfer id: who takes that says what became of it."""
        outgoing = self._message.outgoing
        sent = outgoing.transfer is not None and not outgoing.recall and outgoing.large is None
        return sent and "XTRANSFER" in self.offer

    def _conclude(self, said: Reply) -> None:
        """Write down what became of the message, and be ready for another one."""
        message = self._message
        if message.heard:
            self._unclean = not said.positive or message.hopeless
        if self.stage is not Stage.CLOSED:
            self.stage = Stage.READY
        alive = self.stage is Stage.READY and self._count < (self.offer.mail_max or self._count + 1)
        self.outcome = Outcome(
            message.settled(said),
            dsn="DSN" in self.offer,
            delivered=self._marked and says_delivered(said),
            reusable=alive,
            stale=self._count > 1 and not (alive or message.heard or message.ended),
        )


def _put_off(reply: Reply) -> Reply:
    """Turn a refusal of the whole connection into a 4yz: it says nothing about the message."""
    return Reply(451, "4.3.2", printable(f"The next hop takes no mail now; it said: {reply}"))
