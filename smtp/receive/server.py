"""The connection under ``smtp.receive.session``: the one importer of aiosmtpd.

``Connection`` is aiosmtpd's SMTP protocol with the places replaced where bytes arrive and leave;
its command loop never starts. Nothing here knows the protocol: it carries bytes to the session
and the session's questions to the intake. One task a message, one write a batch of replies.

What runs for a message is never cancelled by its connection: a peer that half-closes, or is gone,
does not stop a commit in mid-course.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from typing import Protocol, cast

from aiosmtpd.smtp import SMTP

from smtp import reply, transports
from smtp.address import Address
from smtp.envelope import Draft, Peer, Recipient
from smtp.receive.body import Body, BodyError
from smtp.receive.events import (
    Abandoned,
    Closed,
    ContentBegun,
    ContentBlock,
    ContentEnded,
    ContentFailed,
    Event,
    Heard,
    LoginAsked,
    MailAsked,
    RecipientAsked,
    TlsAsked,
)
from smtp.receive.intake import Authenticator, Intake, Limits, OnEvent
from smtp.receive.login import CertificateClaim, Claim, PasswordClaim
from smtp.receive.rules import Rules
from smtp.receive.session import Session
from smtp.reply import Reply
from smtp.tls import culprit

__all__ = ["Authenticator", "Connection", "Inlet", "Intake", "Limits", "OnEvent"]

# The stock class tells, at each connection, of log-ins that it will never be asked for.
logging.getLogger("mail.log").setLevel(logging.WARNING)

_HIGH = 64 << 10  # stop reading from a peer that is so far ahead of us ...
_LOW = 32 << 10  # ... until it is no more than this
_STEP = 1024  # progress that a peer must make while a timeout runs


class Room(Protocol):
    """What a connection needs of the door it came in by."""

    rules: Rules
    context: ssl.SSLContext
    intake: Intake
    authenticator: Authenticator | None
    limits: Limits
    on_event: OnEvent
    connections: "set[Connection]"

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Run it to its end, whatever becomes of the connection it is for."""

    def left(self, connection: "Connection") -> None:
        """The connection is closed."""


# Every connection reads into this one: what is read is copied out before anything else runs.
_BLOCK = memoryview(bytearray(_HIGH))


class Inlet(asyncio.BufferedProtocol):
    """What a transport sees of a connection.

    A plain protocol, as aiosmtpd's is, gets up to half a megabyte at once from TLS, paused or
    not; one that lends its buffer gets no more than that, and can pause in between.
    """

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass it on."""
        self._connection.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's name
        """Lend the common block."""
        return _BLOCK

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was put there."""
        self._connection.data_received(bytes(_BLOCK[:nbytes]))

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._connection.resume_writing()


class Connection(SMTP):
    """One connection: bytes to the session, its questions to the intake, its replies back."""

    transport: asyncio.Transport | None

    def __init__(self, room: Room, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            room.intake, hostname=room.rules.host, timeout=room.limits.idle_timeout, loop=loop
        )
        self._room = room
        self.inlet = Inlet(self)
        self.machine = Session(room.rules, Peer(""))
        self._body: Body | None = None
        self._met = asyncio.Event()  # what is to be known of the peer's certificate is known
        self._met.set()
        self._early: bytearray | None = None  # arrived while TLS was being started
        self._reading = True
        self._choked = False
        self._closing = False
        self._settling = False  # what was given up is being written down: first that, then more
        self._marked = 0

    def __repr__(self) -> str:
        return f"<Connection {self.machine!r}>"

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        return self.machine.peer

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the peer."""
        self.transport = cast("asyncio.Transport", transport)
        self.machine.peer = self._peer(self.transport)
        self._meet(self.machine.peer)
        self._room.connections.add(self)
        self._reset_timeout()
        self._pump()

    def data_received(self, data: bytes) -> None:
        """Give what came to the session, unless TLS is still being started."""
        if self._early is not None:
            # Some loops deliver what came under TLS before ``start_tls`` returns: answered now,
            # the answer would go out in clear.
            self._early += data
            return
        self.machine.receive(data)
        self._pump()

    def eof_received(self) -> bool | None:
        """Let the transport close; what runs for a message goes on."""
        return None

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - aiosmtpd's name
        """End the session; a message that had not come whole is given up."""
        if self.transport is None:
            return
        self.transport = None
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self.machine.close()
        self._pump()
        self._room.left(self)

    def pause_writing(self) -> None:
        """The peer does not read its replies: do not read its commands."""
        super().pause_writing()
        self._choked = True
        self._regulate()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self._choked = False
        self._regulate()

    def _timeout_cb(self) -> None:
        machine = self.machine
        ours = machine.waiting or self._settling or not (self._reading or self._choked)
        if not ours and machine.progress - self._marked < _STEP:
            self._tell("session.timed_out")
            self.machine.close(reply.TOO_SLOW)
            self._pump()
        else:
            self._marked = self.machine.progress
            self._reset_timeout()

    # What the door says.

    def retire(self, said: Reply) -> None:
        """Say goodbye as soon as no message is in hand."""
        self.machine.retire(said)
        if self._early is None:
            self._pump()

    def abort(self) -> None:
        """Close without another word."""
        if self.transport is not None:
            self.transport.abort()

    # What the session says.

    def _pump(self) -> None:
        while not self._settling and (event := self.machine.next_event()) is not None:
            self._act(event)
        transport, out = self.transport, self.machine.outgoing()
        if transport is None:
            return
        if out:
            transport.write(out)
        if self._closing:
            transport.close()
        else:
            self._regulate()

    def _act(self, event: Event) -> None:  # noqa: C901, PLR0912 - one arm an event
        match event:
            case MailAsked(draft):
                if self._met.is_set():
                    self.machine.answer(self._asked(self._room.intake.mail, draft))
                else:
                    self._room.run(self._mail(draft))
            case RecipientAsked(draft, recipient):
                self.machine.answer(self._asked(self._room.intake.rcpt, draft, recipient))
            case ContentBegun(draft):
                self._body = Body(self._regulate)
                self._room.run(self._accept(draft, self._body))
            case ContentBlock(block):
                if self._body is not None:
                    self._body.put(block)
            case ContentEnded():
                if self._body is not None:
                    self._body.finish()
            case ContentFailed(reason):
                self._tell("message.failed", reason=reason)
                if self._body is not None:
                    self._body.fail(reason)
            case LoginAsked(claim):
                self._room.run(self._log_in(claim))
            case Heard(draft, certain):
                self._hear(draft, certain=certain)
            case TlsAsked():
                self._begin_tls()
            case Abandoned(draft):
                self._settling = True
                self._room.run(self._abandoned(draft))
            case Closed():
                self._closing = True

    def _asked(self, question: Callable[..., Reply], *facts: Draft | Recipient) -> Reply:
        try:
            return question(*facts)
        except Exception as error:  # noqa: BLE001 - the boundary: the peer hears a fixed sentence
            return self._broken(error)

    async def _accept(self, draft: Draft, body: Body) -> None:
        try:
            said = await self._room.intake.accept(draft, body)
            if said.positive and not body.read_whole:
                raise AssertionError("a message was promised before it had been read")
        except BodyError:
            said = reply.LOCAL_ERROR  # never said: the session has the reason
        except Exception as error:  # noqa: BLE001 - the boundary: the peer hears a fixed sentence
            said = self._broken(error)
        body.discard()
        self.machine.answer(said)
        self._pump()

    def _hear(self, draft: Draft, *, certain: bool) -> None:
        try:
            self._room.intake.heard(draft, certain=certain)
        except Exception as error:  # noqa: BLE001 - the boundary: it is about what is over
            self._broken(error)

    def _meet(self, peer: Peer) -> None:
        """Let what is to be known of a certificate become known, while the peer says hello."""
        if peer.certificate is not None:
            self._met.clear()
            self._room.run(self._known(peer))

    async def _known(self, peer: Peer) -> None:
        try:
            await self._room.intake.met(peer)
        except Exception as error:  # noqa: BLE001 - the boundary: the answer at RCPT says enough
            self._broken(error)
        self._met.set()

    async def _mail(self, draft: Draft) -> None:
        await self._met.wait()
        self.machine.answer(self._asked(self._room.intake.mail, draft))
        self._pump()

    async def _log_in(self, claim: Claim) -> None:
        said: Address | Reply
        try:
            said = await self._claimed(claim)
        except Exception as error:  # noqa: BLE001 - the boundary: the peer hears a fixed sentence
            said = self._broken(error)
        self.machine.answer(said)
        self._pump()

    async def _claimed(self, claim: Claim) -> Address | Reply:
        authenticator, peer = self._room.authenticator, self.machine.peer
        if authenticator is None:
            return reply.BAD_CREDENTIALS
        if isinstance(claim, CertificateClaim):
            return await authenticator.certificate(claim.authzid, peer)
        if isinstance(claim, PasswordClaim):
            return await authenticator.password(claim.login, claim.password, peer)
        return await authenticator.token(claim.login, claim.token, peer)

    async def _abandoned(self, draft: Draft) -> None:
        try:
            await self._room.intake.abandoned(draft)
        except Exception as error:  # noqa: BLE001 - the boundary: nobody is left to be told
            self._broken(error)
        self._settling = False
        self._pump()

    def _begin_tls(self) -> None:
        transport = self.transport
        if transport is None:
            return
        # From here on TLS reads: what comes in clear before it stays in the kernel, and breaks
        # the handshake instead of being obeyed.
        self._early = bytearray()
        transport.pause_reading()
        transport.write(self.machine.outgoing())
        self._room.run(self._start_tls(transport))

    async def _start_tls(self, clear: asyncio.Transport) -> None:
        if self.transport is None:  # gone already: TLS would wait for ever for a word of it
            return
        room = self._room
        within = room.limits.handshake_timeout
        transport = await transports.secured(
            clear, self.inlet, room.context, within, self._unsecured
        )
        if transport is None:
            self.connection_lost(None)
            return
        early, self._early = self._early, None
        self.transport = transport
        peer = self._peer(transport)
        self._meet(peer)
        self.machine.secured(peer)
        self.machine.receive(bytes(early or b""))
        self._pump()

    # What both need.

    def _unsecured(self, error: OSError) -> None:
        self._tell("tls.failed", reason=transports.why(error), **culprit(error))

    def _peer(self, transport: asyncio.Transport) -> Peer:
        return transports.peer(transport, self._room.rules.listener)

    def _regulate(self) -> None:
        """Read on, or not: a peer is held back by what we have not worked off."""
        transport = self.transport
        if transport is None or self._early is not None:
            return
        ahead = self.machine.buffered + (self._body.queued if self._body is not None else 0)
        if self._reading and (self._choked or ahead > _HIGH):
            self._reading = False
            transport.pause_reading()
        elif not self._reading and not self._choked and ahead <= _LOW:
            self._reading = True
            transport.resume_reading()

    def _broken(self, error: Exception) -> Reply:
        self._tell("session.error", error=type(error).__name__, exception=error)
        return reply.LOCAL_ERROR

    def _tell(self, event: str, **facts: object) -> None:
        rules, peer = self._room.rules, self.machine.peer
        self._room.on_event(event, {"listener": rules.listener, "ip": peer.ip, **facts})
