"""The shell: what it does with bytes, time, failures and peers that go away."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field, replace

import pytest

from smtp import reply
from smtp.address import Address
from smtp.envelope import Draft, Peer, Recipient
from smtp.receive.body import BodyError
from smtp.receive.rules import Rules
from smtp.receive.server import Authenticator, Connection, Intake, Limits, OnEvent
from smtp.reply import Reply
from smtp.transports import why
from tests.smtp.stage import LOOPS, Pki, Wire, opened, run, turn
from tests.transcripts.play import Desk

RELAY = Rules.of("relay", "gw.example")
SUBMISSION = Rules.of("submission", "gw.example")
ENVELOPE = b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\n"
MESSAGE = ENVELOPE + b"DATA\r\nhello\r\n.\r\n"

both_loops = pytest.mark.parametrize("loop", LOOPS)


@dataclass
class Patient(Desk):
    """A desk that commits only when it is allowed to, and says when it has begun."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    allowed: asyncio.Event = field(default_factory=asyncio.Event)

    def taken(self, draft: Draft, content: bytes) -> Reply:
        raise NotImplementedError

    async def accept(self, draft: Draft, body: AsyncIterator[bytes]) -> Reply:
        content = b"".join([block async for block in body])
        self.reached.set()
        await self.allowed.wait()
        return super().taken(draft, content)


class FakeTransport(asyncio.Transport):
    """A peer that hears everything and says nothing."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1)})
        self.writes: list[bytes] = []
        self.state = ["reading"]
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def pause_reading(self) -> None:
        self.state.append("paused")

    def resume_reading(self) -> None:
        self.state.append("reading")

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


class FakeRoom:
    """A door without a socket."""

    def __init__(self, desk: Desk) -> None:
        self.rules = RELAY
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.intake: Intake = desk
        self.authenticator: Authenticator | None = desk
        self.on_event: OnEvent = lambda slug, _: self.events.append(slug)
        self.limits = Limits()
        self.connections: set[Connection] = set()
        self.events: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    def run(self, work: Coroutine[object, object, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def left(self, connection: Connection) -> None:
        self.connections.discard(connection)


def connected(desk: Desk | None = None) -> tuple[Connection, FakeTransport, FakeRoom]:
    """A connection past its EHLO, under TLS as it were."""
    room, transport = FakeRoom(desk or Desk()), FakeTransport()
    connection = Connection(room, asyncio.get_running_loop())
    connection.connection_made(transport)
    connection.machine.peer = Peer("192.0.2.1", tls="TLSv1.3", certificate=b"der")
    connection.data_received(b"EHLO peer.example\r\n")
    transport.writes.clear()
    return connection, transport, room


def gone(connection: Connection) -> None:
    connection.connection_lost(None)


# Bytes.


async def test_a_batch_of_replies_is_one_write() -> None:
    """What was pipelined is answered in one piece."""
    connection, transport, room = connected()
    connection.data_received(ENVELOPE * 2 + b"NOOP\r\n")
    assert 1 == len(transport.writes)
    assert 5 == transport.writes[0].count(b"\r\n")
    gone(connection)
    assert set() == room.connections


async def test_a_peer_that_is_gone_before_tls_begins_leaves_nothing() -> None:
    """It asked for TLS and hung up in one breath: nobody would tell TLS, which waits for its word."""
    room, transport = FakeRoom(Desk()), FakeTransport()
    connection = Connection(room, asyncio.get_running_loop())
    connection.connection_made(transport)
    connection.data_received(b"EHLO peer.example\r\nSTARTTLS\r\n")
    gone(connection)
    assert [None] == await asyncio.gather(*room.tasks)
    assert set() == room.connections


async def test_the_stock_command_loop_never_starts() -> None:
    """Of aiosmtpd only the protocol class is left."""
    connection, _, _ = connected()
    assert connection._handler_coroutine is None
    gone(connection)


async def test_a_peer_too_far_ahead_is_held_back() -> None:
    """Reading stops above 64 KiB in hand, and goes on when the intake has taken it."""
    desk = Patient()
    connection, transport, room = connected(desk)
    connection.data_received(ENVELOPE + b"DATA\r\n")
    for _ in range(3):
        connection.data_received(b"x" * (32 << 10))
    assert ["reading", "paused"] == transport.state
    await turn()
    assert ["reading", "paused", "reading"] == transport.state
    gone(connection)
    await asyncio.wait(room.tasks)


async def test_tiny_chunks_are_held_back_before_they_weigh_much() -> None:
    """A block costs more than its octets, and is counted so."""
    connection, transport, room = connected()
    connection.data_received(ENVELOPE + b"BDAT 1\r\nx" * 2000)
    assert ["reading", "paused"] == transport.state
    gone(connection)
    await asyncio.wait(room.tasks)


async def test_commands_after_a_message_in_hand_are_held_back_too() -> None:
    """Pipelining is no way to make us keep megabytes."""
    desk = Patient()
    connection, transport, room = connected(desk)
    connection.data_received(MESSAGE)
    connection.data_received(b"NOOP\r\n" * 20_000)
    assert ["reading", "paused"] == transport.state
    desk.allowed.set()
    await asyncio.wait(room.tasks)
    assert ["reading", "paused", "reading"] == transport.state
    assert 20_000 == transport.writes[-1].count(reply.OK.line()) - 1
    gone(connection)


async def test_transactions_given_up_in_a_row_are_written_down_one_by_one() -> None:
    """Each costs us more than its sender: the next is not read before the last is written."""
    allowed, given_up = asyncio.Event(), []

    class Refusing(Desk):
        def rcpt(self, draft: Draft, recipient: Recipient) -> Reply:
            return reply.PEER_NOT_ENTITLED

        async def abandoned(self, draft: Draft) -> None:
            given_up.append(draft)
            await allowed.wait()

    connection, transport, room = connected(Refusing())
    connection.data_received((ENVELOPE + b"RSET\r\n") * 2000)
    await turn()
    assert (1, ["reading", "paused"]) == (len(given_up), transport.state)
    connection._timeout_cb()  # it is not their turn
    assert not transport.closed
    gone(connection)
    allowed.set()
    await asyncio.wait(room.tasks)
    assert 1 == len(given_up)


async def test_a_peer_that_reads_no_replies_is_not_read_from() -> None:
    """Its commands would only make more of them."""
    connection, transport, _ = connected()
    connection.pause_writing()
    connection.resume_writing()
    assert ["reading", "paused", "reading"] == transport.state
    gone(connection)


# Time.


async def test_time_runs_out_for_a_peer_that_does_not_get_on() -> None:
    """Silence, or an octet now and then, is told so and ended."""
    connection, transport, room = connected()
    connection._timeout_cb()
    connection.data_received(ENVELOPE + b"DATA\r\n")
    connection._timeout_cb()
    connection.data_received(b"x")
    assert not transport.closed
    connection._timeout_cb()
    assert (reply.TOO_SLOW.line(), True) == (transport.writes[-1], transport.closed)
    assert "session.timed_out" in room.events
    await asyncio.wait(room.tasks)
    gone(connection)


async def test_slow_but_steady_is_fast_enough() -> None:
    """A large file over a thin line takes as long as it takes."""
    connection, transport, room = connected()
    connection._timeout_cb()
    connection.data_received(ENVELOPE + b"DATA\r\n")
    for _ in range(50):
        connection._timeout_cb()
        connection.data_received(b"x" * 1024)
    assert not transport.closed
    gone(connection)
    await asyncio.wait(room.tasks)


async def test_time_that_we_take_is_not_the_peers() -> None:
    """Neither a slow commit nor a full disk queue is its fault."""
    desk = Patient()
    connection, transport, room = connected(desk)
    connection.data_received(MESSAGE)
    for _ in range(3):
        connection._timeout_cb()
    assert not transport.closed
    desk.allowed.set()
    await asyncio.wait(room.tasks)
    gone(connection)


async def test_a_peer_that_reads_no_replies_is_ended_in_time() -> None:
    """Holding it back must not hold it for ever."""
    connection, transport, _ = connected()
    connection._timeout_cb()
    connection.pause_writing()
    connection._timeout_cb()
    assert transport.closed
    gone(connection)


@both_loops
def test_silence_is_ended(loop: str, pki: Pki) -> None:
    """With the real clock, too."""

    async def main() -> None:
        limits = Limits(idle_timeout=0.05, grace=1)
        async with opened(RELAY, pki, Desk(), limits=limits) as at:
            wire = await Wire.dial(at.port)
            assert (await wire.reply()).startswith("220")
            assert str(reply.TOO_SLOW) == await wire.reply()
            assert "" == await wire.reply()
            await wire.close()

    run(loop, main())


# Peers that go away.


@both_loops
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_commit_in_hand_outlives_its_connection(loop: str, how: str, pki: Pki) -> None:
    """A peer that half-closes, or is gone, does not undo what is being made durable."""

    async def main() -> None:
        desk = Patient()
        async with opened(RELAY, pki, desk) as at:
            wire = await Wire.dial(at.port)
            await wire.reply()
            await wire.starttls(pki.client())
            await wire.say(b"EHLO x\r\n" + MESSAGE)
            await desk.reached.wait()
            if how == "fin":
                number = os.dup(wire.writer.get_extra_info("socket").fileno())
                with socket.socket(fileno=number) as half:
                    half.shutdown(socket.SHUT_WR)
            await wire.close()
            while at.door.connections:
                await at.door._quiet.wait()
                at.door._quiet.clear()
            assert [] == desk.bodies
            desk.allowed.set()
            await at.settled()
            assert [b"hello\r\n"] == desk.bodies

    run(loop, main())


@both_loops
def test_messages_aborted_just_below_the_limit_leave_nothing(loop: str, pki: Pki) -> None:
    """Again and again: each is failed to the intake, none is kept, no connection stays."""

    async def main() -> None:
        desk = Desk()
        rules = Rules.of("relay", "gw.example", max_size=200_000)
        async with opened(rules, pki, desk) as at:
            for _ in range(10):
                wire = await Wire.dial(at.port)
                await wire.reply()
                await wire.starttls(pki.client())
                await wire.say(b"EHLO x\r\n" + ENVELOPE + b"DATA\r\n" + b"x" * 199_000)
                for _ in range(4):
                    await wire.reply()
                await wire.close()
            await at.emptied()
            assert (["closed"] * 10, []) == (desk.failed, desk.bodies)

    run(loop, main())


# TLS.


@both_loops
def test_what_is_said_in_clear_after_starttls_is_not_obeyed(loop: str, pki: Pki) -> None:
    """421, the connection closed, and no mail from anybody (CVE-2011-0411)."""

    async def main() -> None:
        desk = Desk()
        async with opened(RELAY, pki, desk) as at:
            wire = await Wire.dial(at.port)
            await wire.reply()
            await wire.say(b"EHLO x\r\nSTARTTLS\r\nEHLO x\r\n" + MESSAGE)
            await wire.reply()
            assert str(reply.BYTES_BEFORE_TLS) == await wire.reply()
            assert "" == await wire.reply()
            await wire.close()
        assert [] == desk.drafts

    run(loop, main())


@both_loops
def test_what_comes_with_the_handshake_is_answered_under_tls(loop: str, pki: Pki) -> None:
    """A client may send its EHLO with its Finished: no reply leaves in clear."""

    async def main() -> None:
        async with opened(RELAY, pki, Desk()) as at:
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            wire = Wire(reader, writer)
            await wire.reply()
            await wire.ask("EHLO x")
            await wire.ask("STARTTLS")
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            end = pki.client().wrap_bio(incoming, outgoing)
            while True:
                try:
                    end.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    await wire.say(outgoing.read())
                    incoming.write(await reader.read(65536))
            end.write(b"EHLO early.example\r\nNOOP\r\n")
            await wire.say(outgoing.read())  # Finished and EHLO in one piece
            said = b""
            while not said.endswith(b"250 2.0.0 OK\r\n"):
                try:
                    said += end.read(65536)
                except ssl.SSLWantReadError:
                    incoming.write(await reader.read(65536))
            assert said.startswith(b"250-gw.example greets you\r\n")
            await wire.close()

    run(loop, main())


@both_loops
@pytest.mark.parametrize("rules", [RELAY, SUBMISSION], ids=lambda rules: rules.listener)
def test_a_handshake_that_fails_is_told(loop: str, rules: Rules, pki: Pki) -> None:
    """The journal learns of it, with OpenSSL's word for it; the door stays open."""

    async def main() -> None:
        async with opened(rules, pki, Desk()) as at:
            wire = await Wire.dial(at.port)
            if not rules.implicit_tls:
                await wire.reply()
                await wire.ask("EHLO x")
                await wire.ask("STARTTLS")
            await wire.say(b"this is no ClientHello at all\r\n")
            while await wire.reader.read(1024):
                pass
            await wire.close()
            await at.emptied()
            (slug, facts), *_ = at.events
            assert "tls.failed" == slug
            assert {"listener": rules.listener, "ip": "127.0.0.1"} == {
                name: facts[name] for name in ("listener", "ip")
            }
            assert facts["reason"]

    run(loop, main())


@both_loops
def test_a_handshake_that_never_ends_is_ended(loop: str, pki: Pki) -> None:
    """Nobody holds a connection by saying nothing."""

    async def main() -> None:
        limits = Limits(handshake_timeout=0.05, grace=1)
        async with opened(RELAY, pki, Desk(), limits=limits) as at:
            wire = await Wire.dial(at.port)
            await wire.reply()
            await wire.ask("EHLO x")
            await wire.ask("STARTTLS")
            assert "" == await wire.reply()
            await wire.close()
            await at.emptied()
            assert ["tls.failed"] == [slug for slug, _ in at.events]

    run(loop, main())


@both_loops
def test_the_desk_learns_who_the_peer_is(loop: str, pki: Pki) -> None:
    """Certificate, TLS, name, address and listener."""

    async def main() -> None:
        desk = Desk()
        async with opened(RELAY, pki, desk) as at:
            wire = await Wire.dial(at.port)
            await wire.reply()
            await wire.starttls(pki.client())
            await wire.say(b"EHLO peer.example\r\n" + MESSAGE)
            for _ in range(5):
                await wire.reply()
            await wire.close()
            await at.emptied()
        peer = desk.drafts[0].peer
        assert "TLSv1.3 TLS_AES_256_GCM_SHA384" == peer.tls
        expected = Peer("127.0.0.1", "peer.example", peer.tls, pki.peer_der, None, "relay")
        assert expected == replace(peer, issuers=())
        assert (pki.authority.issuing.der, pki.authority.root.der) == peer.issuers
        assert [pki.peer_der] == [one.certificate for one in desk.peers]

    run(loop, main())


@both_loops
@pytest.mark.parametrize("breaks", ["", "a bug of ours"])
def test_mail_waits_until_the_certificate_may_be_asked_about(
    loop: str, breaks: str, pki: Pki
) -> None:
    """EHLO is answered meanwhile; what goes wrong there is ours, and holds nobody up for ever."""

    class Slow(Desk):
        async def met(self, peer: Peer) -> None:
            await super().met(peer)
            await known.wait()
            if breaks:
                raise RuntimeError(breaks)

        def mail(self, draft: Draft) -> Reply:
            assert known.is_set()
            return super().mail(draft)

    async def main() -> None:
        async with opened(RELAY, pki, Slow()) as at:
            wire = await Wire.dial(at.port)
            await wire.reply()
            await wire.starttls(pki.client())
            await wire.say(b"EHLO peer.example\r\n" + MESSAGE)
            assert (await wire.reply()).startswith("250-")
            known.set()
            assert "250" == (await wire.reply())[:3]
            for _ in range(3):
                await wire.reply()
            await wire.close()
            await at.emptied()
            assert [bool(breaks)] == ["session.error" in {slug for slug, _ in at.events}]

    known = asyncio.Event()
    run(loop, main())


def test_a_failure_of_tls_in_words() -> None:
    """OpenSSL's, or the exception's name; never what the peer sent."""
    assert "ConnectionResetError" == why(ConnectionResetError(104, "x"))
    unnamed = ssl.SSLError(1, "x")
    unnamed.reason = ""
    assert "protocol error" == why(unnamed)
    broken = ssl.SSLCertVerificationError(1, "x")
    broken.verify_message = "certificate has expired"
    assert "certificate has expired" == why(broken)


# What breaks.


async def test_an_intake_that_promises_too_early_is_not_believed() -> None:
    """250 is said for a message that was read to its end, and for no other."""

    class Hasty(Desk):
        async def accept(self, draft: Draft, body: AsyncIterator[bytes]) -> Reply:
            return reply.OK

    connection, transport, room = connected(Hasty())
    connection.data_received(MESSAGE)
    await asyncio.wait(room.tasks)
    assert transport.writes[-1] == reply.LOCAL_ERROR.line()
    assert ["session.error"] == room.events
    gone(connection)


async def test_whatever_breaks_is_one_sentence_and_an_event() -> None:
    """The peer learns nothing of us; the next command is heard."""

    class Broken(Desk):
        def mail(self, draft: Draft) -> Reply:
            raise OSError("disk /dev/secret")

        async def password(self, login: str, password: str, peer: Peer) -> Address | Reply:
            raise OSError("disk /dev/secret")

        async def abandoned(self, draft: Draft) -> None:
            raise OSError("disk /dev/secret")

    desk = Broken()
    connection, transport, room = connected(desk)
    connection.data_received(b"MAIL FROM:<>\r\n")
    connection.machine.rules = room.rules = SUBMISSION
    connection.data_received(b"AUTH PLAIN AGFAeC5leGFtcGxlAHB3\r\n")
    await asyncio.wait(room.tasks)
    await connection._abandoned(Draft(connection.machine.peer, mail=None))  # type: ignore[arg-type]
    assert [reply.LOCAL_ERROR.line()] * 2 == transport.writes
    assert ["session.error"] * 3 == room.events
    gone(connection)


async def test_without_an_authenticator_nobody_logs_in() -> None:
    """A door that was given none refuses, rather than trusts."""
    connection, transport, room = connected()
    connection.machine.rules = SUBMISSION
    room.authenticator = None
    connection.data_received(b"AUTH PLAIN AGFAeC5leGFtcGxlAHB3\r\n")
    await asyncio.wait(room.tasks)
    assert [reply.BAD_CREDENTIALS.line()] == transport.writes
    gone(connection)


async def test_a_lost_connection_is_lost_once() -> None:
    """Loops may say it again; a closed connection may be aborted and retired."""
    connection, transport, _ = connected()
    gone(connection)
    gone(connection)
    connection.abort()
    connection.retire(reply.STOPPING)
    connection._begin_tls()
    assert not transport.closed


async def test_a_body_that_fails_reaches_the_intake() -> None:
    """With its reason, through the iterator."""
    reasons = []

    class Curious(Desk):
        async def accept(self, draft: Draft, body: AsyncIterator[bytes]) -> Reply:
            try:
                return await super().accept(draft, body)
            except BodyError as error:
                reasons.append(error.reason)
                raise

    connection, transport, room = connected(Curious())
    connection.data_received(ENVELOPE + b"DATA\r\na\nb\r\n.\r\n")
    await asyncio.wait(room.tasks)
    assert ["smuggled"] == reasons
    assert transport.writes[-1] == reply.SMUGGLED.line()
    assert repr(connection).startswith("<Connection <Session relay")
    gone(connection)
