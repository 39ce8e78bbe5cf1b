"""The way out: one connection to a next hop, over mutual TLS, for many messages.

A thin shell over ``smtp.send.dialogue``, which knows the protocol. Its order is the safety argument:
TLS is up, and ``entitled`` has judged the peer's certificate, before anything about a message is
said; the final dot is sent only after the whole body, so what breaks half-way was never sent.
A small message costs two writes, or one where the peer takes BDAT. RFC 5321 §4.5.3.2 (R-A4).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

from smtp.reply import Reply, printable
from smtp.send.dialogue import LOST, SILENT, Dialogue, Stage
from smtp.send.outgoing import Offer, Outcome, Outgoing
from smtp.tls import issuers

__all__ = ["Connection", "Outcome", "Outgoing"]

UNREACHABLE = Reply(451, "4.4.1", "The next hop could not be reached; it will be tried again")
UNWELCOME = Reply(
    451, "4.7.0", "The next hop closed right after TLS: perhaps it does not accept our certificate"
)

# Given the peer's leaf and the certificates by which it was verified (DER).
Entitled = Callable[[bytes, tuple[bytes, ...]], Awaitable[Reply | None]]

_EXPIRED = 10  # OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED
_HIGH_WATER = 256 * 1024
_GOODBYE = 5.0  # seconds that a peer gets to end the connection in good order


class _Wire(asyncio.Protocol):
    """The socket: carries bytes between transport and dialogue, and wakes whoever waits."""

    def __init__(self, dialogue: Dialogue, timeout: float) -> None:
        self.dialogue = dialogue
        self.timeout = timeout
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.full = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.dialogue.receive(data)
        self.flush()
        if not self.dialogue.waiting:
            self._wake()

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.dialogue.close(_tls_broke(exc) if isinstance(exc, ssl.SSLError) else LOST)
        self._wake()

    def flush(self) -> None:
        """Write what the dialogue has to say."""
        if (out := self.dialogue.outgoing()) and self.transport is not None:
            self.transport.write(out)

    def abort(self) -> None:
        """Drop the connection at once."""
        self.dialogue.close(LOST)
        if self.transport is not None:
            self.transport.abort()

    async def connect(self, host: str, port: int, seconds: float) -> Reply | None:
        """Reach the host; return why not, if not."""
        try:
            async with asyncio.timeout(seconds):
                await self.loop.create_connection(lambda: self, host, port)
        except OSError:
            return UNREACHABLE
        return None

    async def connect_within(self, socket: Path, seconds: float) -> Reply | None:
        """Reach a server of this machine by its Unix socket; return why not, if not."""
        try:
            async with asyncio.timeout(seconds):
                await self.loop.create_unix_connection(lambda: self, str(socket))
        except OSError:
            return UNREACHABLE
        return await self.theirs()

    async def greet(
        self, context: ssl.SSLContext, host: str, seconds: float, entitled: Entitled
    ) -> bytes | Reply:
        """Open the conversation, to where MAIL may be said; return the peer's certificate (DER)."""
        if (failure := await self.theirs()) is not None:
            return failure
        tls = await self.upgrade(context, host, seconds)
        if isinstance(tls, Reply):
            return tls
        certificate = tls.getpeercert(binary_form=True) or b""
        if (refusal := await entitled(certificate, issuers(tls))) is not None:
            return refusal
        self.dialogue.secured()
        failure = await self.theirs()
        # TLS 1.3 lets a server refuse our certificate only after the handshake, by going away.
        return (UNWELCOME if failure is LOST else failure) or certificate

    async def upgrade(
        self, context: ssl.SSLContext, host: str, seconds: float
    ) -> ssl.SSLObject | Reply:
        """Start TLS; return it, or why there is none."""
        if self.transport is None:
            return LOST
        try:
            secured = await self.loop.start_tls(
                self.transport, self, context, server_hostname=host, ssl_handshake_timeout=seconds
            )
        except OSError as error:
            return self.dialogue.failure or _tls_broke(error)
        if secured is None or self.dialogue.failure is not None:
            return self.dialogue.failure or LOST
        self.transport = secured
        secured.set_write_buffer_limits(high=_HIGH_WATER)
        return cast("ssl.SSLObject", secured.get_extra_info("ssl_object"))

    async def theirs(self, factor: int = 1) -> Reply | None:
        """Flush, and wait while it is the peer's turn; return the failure if it is over."""
        self.flush()
        while self.dialogue.waiting:
            await self._pause(self.timeout * factor)
        return self.dialogue.failure

    async def drained(self) -> None:
        """Flush, and wait while the peer takes no more octets."""
        self.flush()
        while self.full and self.dialogue.stage is Stage.CONTENT:
            await self._pause(self.timeout)

    async def ended(self) -> None:
        """Wait until the connection is gone."""
        while self.transport is not None:
            await self._pause(_GOODBYE)

    async def _pause(self, seconds: float) -> None:
        """Sleep until woken; a peer that answers nothing for so long is dropped."""
        self._waiter = self.loop.create_future()
        self._timer = self.loop.call_later(seconds, self._overdue, seconds, self.dialogue.answered)
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._timer.cancel()

    def _overdue(self, seconds: float, answered: int) -> None:
        if answered != self.dialogue.answered:  # slow, but alive: a hundred RCPTs take their time
            now = self.dialogue.answered
            self._timer = self.loop.call_later(seconds, self._overdue, seconds, now)
            return
        self.dialogue.close(SILENT)
        self.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@dataclass(frozen=True, slots=True)
class TlsFailure(Reply):
    """No TLS with a next hop: the reply, OpenSSL's word for it, and the certificate it is about."""

    why: str = ""
    shown: bytes = b""  # the peer's leaf, DER, if it did not verify
    expired: bool = False


def _tls_broke(error: OSError) -> Reply:
    """Say why, for the operator: the words are OpenSSL's, about certificates, not about mail."""
    why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or "cut off"
    words = printable(f"TLS with the next hop failed: {why}")
    expired = getattr(error, "verify_code", 0) == _EXPIRED
    shown = getattr(error, "shown", b"")
    return TlsFailure(451, "4.7.0", words, why=str(why), shown=shown, expired=expired)


class Connection:
    """An open connection to a next hop that may be told about messages; ``open`` makes one."""

    def __init__(self, wire: _Wire, certificate: bytes) -> None:
        self.certificate = certificate  # the peer's leaf, DER
        self.idle_since = wire.loop.time()
        self._wire = wire
        self._dialogue = wire.dialogue

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        *,
        helo: str,
        context: ssl.SSLContext,
        entitled: Entitled,
        connect_timeout: float = 30,
        reply_timeout: float = 300,
        chunking: bool = True,
        lmtp: bool = False,
    ) -> Self | Reply:
        """Connect, greet, start TLS, have the certificate judged; or say (4yz) why not.

        ``entitled`` is given the peer's leaf (DER) before we say anything more; a reply from it
        ends the connection and is the answer.
        """
        wire = _Wire(Dialogue(helo, chunking=chunking, lmtp=lmtp), reply_timeout)
        certificate: bytes | Reply = LOST
        try:
            certificate = await wire.connect(host, port, connect_timeout) or await wire.greet(
                context, host, connect_timeout, entitled
            )
        finally:
            if isinstance(certificate, Reply):
                wire.abort()
        return certificate if isinstance(certificate, Reply) else cls(wire, certificate)

    @classmethod
    async def within(
        cls,
        socket: Path,
        *,
        helo: str,
        lmtp: bool,
        connect_timeout: float = 30,
        reply_timeout: float = 300,
    ) -> Self | Reply:
        """Connect to a server of this machine, by a Unix socket that is between us alone."""
        wire = _Wire(Dialogue(helo, lmtp=lmtp, private=True), reply_timeout)
        failure: Reply | None = LOST
        try:
            failure = await wire.connect_within(socket, connect_timeout)
        finally:
            if failure is not None:
                wire.abort()
        return failure or cls(wire, b"")

    @property
    def usable(self) -> bool:
        """Another message may be sent: nobody has hung up."""
        return self._dialogue.stage is Stage.READY

    @property
    def offer(self) -> Offer:
        """What the peer said of itself at EHLO."""
        return self._dialogue.offer

    @property
    def recipients_max(self) -> int | None:
        """How many recipients the peer takes in one message, if it told (RFC 9422)."""
        return self._dialogue.offer.rcpt_max

    async def send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        """Send one message; whatever the peer does is in the outcome, never an exception.

        If ``body`` raises, so does this, and the connection is dropped before the final dot: the
        peer has nothing. The body may be left unread when it is refused early.
        """
        try:
            return await self._send(outgoing, body)
        except BaseException:
            self._wire.abort()
            raise
        finally:
            self.idle_since = self._wire.loop.time()

    async def _send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        dialogue, wire = self._dialogue, self._wire
        block, following = await anext(body, b""), await anext(body, None)
        dialogue.begin(outgoing)
        if dialogue.eager and following is None:
            dialogue.content(block, last=True)
        await wire.theirs()
        while dialogue.stage is Stage.CONTENT:
            dialogue.content(block, last=following is None)
            if following is not None:
                block, following = following, await anext(body, None)
                await wire.drained()
        await wire.theirs(factor=2)  # the answer to the final dot may take its time
        if dialogue.outcome is None:
            raise AssertionError(f"no outcome in {dialogue.stage}")
        return dialogue.outcome

    async def close(self) -> None:
        """Say QUIT and hang up; a peer that lingers is cut off."""
        self._dialogue.quit()
        self._wire.flush()
        if self._wire.transport is not None:
            self._wire.transport.close()
        await self._wire.ended()

    def __repr__(self) -> str:
        return f"<Connection {self._dialogue.stage.name.lower()}>"
