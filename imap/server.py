"""The sockets under ``imap.session``: connections, TLS, time-outs, and a client that does not read.

Nothing here knows the protocol. Each batch of answers is one write; what a client does not read is
not fetched for it. RFC 3501 §5.4 (time-outs), §6.2.1 (STARTTLS).
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import cast

from imap.attending import Attendant, Doorkeeper
from imap.events import Closed, Event, TlsAsked
from imap.grammar.writer import Answer
from imap.rules import Rules
from imap.session import Session
from imap.state import State
from imap.visit import House
from smtp import reply, transports
from smtp.envelope import Peer
from smtp.hall import Hall
from smtp.receive.intake import OnEvent
from smtp.reply import Reply
from smtp.tls import culprit

_HIGH = 256 << 10  # stop reading from a client, or for it, that is so far behind ...
_LOW = 64 << 10  # ... until it is no more than this
_BLOCK = memoryview(bytearray(64 << 10))  # every connection reads into it, and copies out at once


@dataclass(frozen=True, slots=True)
class Limits:
    """What one door bears. Times in seconds."""

    max_connections: int = 5000
    max_connections_per_address: int = 500  # of one IPv4 address or IPv6 /64
    idle_timeout: float = 1860.0  # RFC 3501 §5.4: not less than thirty minutes
    login_timeout: float = 120.0  # from the greeting to the log-in
    stall_timeout: float = 300.0  # in the middle of a message, either way
    handshake_timeout: float = 30.0
    grace: float = 30.0  # for commands in hand when the door closes


class Connection(asyncio.BufferedProtocol):
    """One connection."""

    def __init__(self, door: "Door", loop: asyncio.AbstractEventLoop) -> None:
        self._door, self._loop = door, loop
        self.machine = Session(door.rules, Peer("", listener=door.rules.listener))
        self.transport: asyncio.Transport | None = None
        self._attendant = Attendant(door, self.machine, self)
        self._early: bytearray | None = None  # arrived while TLS was being started
        self._drained: asyncio.Future[None] | None = None  # there while the client does not read
        self._reading = True
        self._timer: asyncio.TimerHandle | None = None
        self._marked, self._since = (-1, -1), 0.0

    def __repr__(self) -> str:
        return f"<Connection {self.machine!r}>"

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        return self.machine.peer

    @property
    def inlet(self) -> asyncio.BaseProtocol:
        """What a transport sees of it."""
        return self

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the client."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(_HIGH, _LOW)
        self.machine.peer = self._peer(self.transport)
        self._door.connections.add(self)
        self._since = self._loop.time()
        self._watch()
        self.machine.greet()
        self.pump()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's name
        """Lend the common block."""
        return _BLOCK

    def buffer_updated(self, nbytes: int) -> None:
        """Give what came to the session, unless TLS is still being started."""
        data = bytes(_BLOCK[:nbytes])
        if self._early is not None:
            # Some loops deliver what came under TLS before ``start_tls`` returns: answered now,
            # the answer would go out in clear.
            self._early += data
            return
        self.machine.receive(data)
        self.pump()

    def eof_received(self) -> bool | None:
        """Let the transport close; what runs for a command goes on."""
        return None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """End the session; an APPEND that had not come whole is given up."""
        if self.transport is None:
            return
        self.transport = None
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()
        self.machine.close()
        self.pump()
        self._attendant.leave()
        self._door.left(self)

    def pause_writing(self) -> None:
        """The client does not read what it asked for: do not read what else it asks."""
        if self._drained is None:
            self._drained = self._loop.create_future()
        self.regulate()

    def resume_writing(self) -> None:
        """It reads again."""
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
        self.regulate()

    def _watch(self) -> None:
        """Look now and then whether anything moves; end what does not."""
        machine, now = self.machine, self._loop.time()
        behind = self.transport.get_write_buffer_size() if self.transport is not None else 0
        mark = (machine.progress, behind)
        if mark != self._marked or (machine.waiting and self._drained is None):
            self._marked = mark
            if machine.state is not State.NOT_AUTHENTICATED:
                self._since = now
        patience = self._patience()
        if now - self._since < patience:
            often = min(patience, self._door.limits.stall_timeout, 60.0) / 2
            self._timer = self._loop.call_later(often, self._watch)
            return
        self._tell("session.timed_out")
        if self._drained is not None:
            self.abort()
        else:
            machine.close(reply.TOO_SLOW)
            self.pump()

    def _patience(self) -> float:
        limits = self._door.limits
        if self._drained is not None or self._attendant.taking:
            return limits.stall_timeout
        if self.machine.state is State.NOT_AUTHENTICATED:
            return limits.login_timeout
        return limits.idle_timeout

    # What the door says.

    def retire(self, said: Reply) -> None:
        """Say goodbye as soon as no command is in hand."""
        self.machine.retire(said)
        if self._early is None:
            self.pump()

    def abort(self) -> None:
        """Close without another word."""
        if self.transport is not None:
            self.transport.abort()

    # What the session says, and who attends to it.

    def pump(self) -> None:
        """Do what the session asks for, and write what it says."""
        closing = False
        while (event := self.machine.next_event()) is not None:
            closing |= self._act(event)
        self.write()
        if self.transport is None:
            return
        if closing:
            self.transport.close()
        else:
            self.regulate()

    def _act(self, event: Event) -> bool:
        """Do one thing; say whether it was the last."""
        match event:
            case TlsAsked():
                self._begin_tls()
            case Closed():
                return True
            case _:
                self._attendant.act(event)
        return False

    def write(self) -> None:
        """Write what was said."""
        out = self.machine.outgoing()
        if out and self.transport is not None:
            self.transport.write(out)

    async def flow(self) -> None:
        """Write what was said, and wait until the client has taken most of it."""
        if self.machine.unsent >= _LOW:
            self.write()
            if self._drained is None:
                await asyncio.sleep(0)  # others have their turn
            else:
                await asyncio.shield(self._drained)
        if self.transport is None:
            raise ConnectionAbortedError

    def regulate(self) -> None:
        """Read on, or not: a client is held back by what we have not worked off."""
        transport = self.transport
        if transport is None or self._early is not None:
            return
        ahead = self.machine.buffered + self._attendant.queued
        if self._reading and (self._drained is not None or ahead > _HIGH):
            self._reading = False
            transport.pause_reading()
        elif not self._reading and self._drained is None and ahead <= _LOW:
            self._reading = True
            transport.resume_reading()

    # TLS.

    def _begin_tls(self) -> None:
        transport = self.transport
        if transport is None:
            return
        # From here on TLS reads: what comes in clear before it stays in the kernel, and breaks
        # the handshake instead of being obeyed.
        self._early = bytearray()
        transport.pause_reading()
        self.write()
        self._door.run(self._start_tls(transport))

    async def _start_tls(self, clear: asyncio.Transport) -> None:
        if self.transport is None:  # gone already: TLS would wait for ever for a word of it
            return
        door = self._door
        within = door.limits.handshake_timeout
        transport = await transports.secured(clear, self, door.context, within, self._unsecured)
        if transport is None:
            self.connection_lost(None)
            return
        early, self._early = self._early, None
        self.transport = transport
        self.transport.set_write_buffer_limits(_HIGH, _LOW)
        self.machine.secured(self._peer(transport))
        self.machine.receive(bytes(early or b""))
        self.pump()

    def _unsecured(self, error: OSError) -> None:
        self._tell("tls.failed", reason=transports.why(error), **culprit(error))

    def _peer(self, transport: asyncio.Transport) -> Peer:
        return transports.peer(transport, self._door.rules.listener)

    def _tell(self, event: str, **facts: object) -> None:
        peer = self.peer
        self._door.on_event(event, {"listener": peer.listener, "ip": peer.ip, **facts})


class Door(Hall[Connection]):
    """One IMAP listener: its rules, the mailboxes behind it, who knows its people."""

    def __init__(  # noqa: PLR0917 - what a listener is made of
        self,
        rules: Rules,
        context: ssl.SSLContext,
        house: House,
        authenticator: Doorkeeper,
        limits: Limits,
        on_event: OnEvent,
    ) -> None:
        if rules.certificate and context.verify_mode is not ssl.CERT_REQUIRED:
            raise ValueError(f"listener {rules.listener} must ask for client certificates")
        super().__init__(
            rules.listener,
            context,
            limits,
            on_event,
            lambda loop: Connection(self, loop),
            lambda said: Answer("BYE", said.text).line(),
            implicit_tls=rules.implicit_tls,
        )
        self.rules, self.limits = rules, limits
        self.house, self.authenticator = house, authenticator
