"""Doors: who comes in, how many, and how they close."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Hashable

import pytest

from smtp import hall, porch, reply
from smtp.receive.door import Door
from smtp.receive.rules import Rules
from smtp.receive.server import Limits
from tests.smtp.receive.test_server import ENVELOPE, MESSAGE, RELAY, SUBMISSION, Patient
from tests.smtp.stage import LOOPS, Pki, Wire, opened, run, turn
from tests.transcripts.play import Desk

both_loops = pytest.mark.parametrize("loop", LOOPS)


def test_a_door_that_must_ask_for_certificates_does(pki: Pki) -> None:
    """A context that would let anybody in is no context for the relay."""
    context = pki.server(client_certificates=False)
    with pytest.raises(ValueError, match="client certificates"):
        Door(RELAY, context, Desk(), None, Limits(), lambda slug, facts: None)


@both_loops
def test_only_so_many_come_in(loop: str, pki: Pki) -> None:
    """One more hears 421 in clear, where clear is spoken; when one has left there is room."""

    async def main() -> None:
        async with opened(RELAY, pki, Desk(), limits=Limits(max_connections=1, grace=1)) as at:
            first = await Wire.dial(at.port)
            assert (await first.reply()).startswith("220")
            assert "<Door relay, 1 connections>" == repr(at.door)
            second = await Wire.dial(at.port)
            assert str(reply.TOO_MANY_CONNECTIONS) == await second.reply()
            await second.close()
            assert "221" == (await first.ask("QUIT"))[:3]
            await first.close()
            await at.emptied()
            third = await Wire.dial(at.port)
            assert (await third.reply()).startswith("220")
            await third.close()
            assert ["session.refused"] == [slug for slug, _ in at.events]

    run(loop, main())


async def dial_from(host: str, port: int) -> Wire:
    """Connect from that address."""
    return Wire(*await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0)))


@both_loops
def test_no_network_has_more_than_its_share(loop: str, pki: Pki) -> None:
    """Whoever opens connections by the hundred shuts out nobody else, and is told once in sum."""

    async def main() -> None:
        limits = Limits(max_connections=5, max_connections_per_address=2, grace=1)
        async with opened(RELAY, pki, Desk(), limits=limits) as at:
            greedy = [await dial_from("127.0.0.9", at.port) for _ in range(4)]
            said = [await wire.reply() for wire in greedy]
            assert ["220", "220", "421", "421"] == sorted(text[:3] for text in said)
            assert 2 == said.count(str(reply.TOO_MANY_FROM_YOU))
            other = await Wire.dial(at.port)
            assert (await other.reply()).startswith("220")
            facts = {"listener": "relay", "ip": "127.0.0.9", "reason": "address"}
            assert [("session.refused", facts)] * 2 == at.events
            for wire in (*greedy, other):
                await wire.close()
            await at.emptied()
            again = await dial_from("127.0.0.9", at.port)
            assert (await again.reply()).startswith("220")
            await again.close()
            await at.emptied()
            assert ({}, {}) == (at.door.porch.admitted, dict(at.door.porch._shares))

    run(loop, main())


@both_loops
def test_handshakes_count_in_a_network_s_share(loop: str, pki: Pki) -> None:
    """A silent connection before TLS takes a place, and gives it back when it goes."""

    async def main() -> None:
        limits = Limits(max_connections=9, max_connections_per_address=1, grace=1)
        async with opened(SUBMISSION, pki, Desk(), limits=limits) as at:
            silent = await dial_from("127.0.0.9", at.port)
            while not at.door._arriving:
                await turn()
            second = await dial_from("127.0.0.9", at.port)
            assert b"" == await second.reader.read(100)
            other = await Wire.dial(at.port, pki.client())
            assert (await other.reply()).startswith("220")
            for wire in (silent, second, other):
                await wire.close()
            await at.emptied()
            while at.door._arriving:
                await turn()
            assert ({}, {}) == (at.door.porch.admitted, dict(at.door.porch._shares))

    run(loop, main())


@both_loops
def test_under_implicit_tls_one_too_many_hears_nothing(loop: str, pki: Pki) -> None:
    """Clear text there would be noise."""

    async def main() -> None:
        limits = Limits(max_connections=0, grace=1)
        async with opened(SUBMISSION, pki, Desk(), limits=limits) as at:
            wire = await Wire.dial(at.port)
            assert b"" == await wire.reader.read(100)
            await wire.close()

    run(loop, main())


@both_loops
def test_without_file_descriptors_it_waits(
    loop: str, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMFILE is a pause, not a spin, and not a lost connection."""
    tried = []
    accept = socket.socket.accept

    def poor(self: socket.socket) -> tuple[socket.socket, object]:
        tried.append(self)
        if len(tried) == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    async def main() -> None:
        async with opened(RELAY, pki, Desk()) as at:
            monkeypatch.setattr(porch, "_BREATH", 0.01)
            monkeypatch.setattr(socket.socket, "accept", poor)
            wire = await Wire.dial(at.port)
            assert (await wire.reply()).startswith("220")
            await wire.close()
            assert [("accept.failed", "EMFILE")] == [
                (slug, facts["error"]) for slug, facts in at.events
            ]

    run(loop, main())


@both_loops
def test_stopping_says_so_and_waits_for_what_is_in_hand(loop: str, pki: Pki) -> None:
    """Idle sessions hear 421 at once; a message gets its reply first, then 421."""

    async def main() -> None:
        desk = Patient()
        async with opened(RELAY, pki, desk) as at:
            idle, busy = await Wire.dial(at.port), await Wire.dial(at.port)
            for wire in (idle, busy):
                await wire.reply()
            await busy.starttls(pki.client())
            await busy.say(b"EHLO x\r\n" + MESSAGE)
            for _ in range(4):
                await busy.reply()
            await desk.reached.wait()
            stopping = at.door._loop.create_task(at.door.stop())
            assert str(reply.STOPPING) == await idle.reply()
            assert "" == await idle.reply()
            assert not stopping.done()
            desk.allowed.set()
            assert [str(reply.OK), str(reply.STOPPING), ""] == [
                await busy.reply() for _ in range(3)
            ]
            for wire in (idle, busy):
                await wire.close()
            await stopping
            assert [b"hello\r\n"] == desk.bodies

    run(loop, main())


@both_loops
def test_stopping_does_not_wait_for_ever(loop: str, pki: Pki) -> None:
    """After its grace an unfinished message is given up, and never half kept."""

    async def main() -> None:
        desk = Desk()
        async with opened(RELAY, pki, desk, limits=Limits(grace=0.05)) as at:
            wire, shy = await Wire.dial(at.port), await Wire.dial(at.port)
            await wire.reply()
            await wire.starttls(pki.client())
            await wire.say(b"EHLO x\r\n" + ENVELOPE + b"DATA\r\nhal")
            for _ in range(4):
                await wire.reply()
            await at.door.stop()
            assert (["closed"], []) == (desk.failed, desk.bodies)
            for one in (wire, shy):
                await one.close()

    run(loop, main())


@both_loops
def test_what_never_ends_is_cancelled_at_last(
    loop: str, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that hangs does not keep the gateway from stopping; it promised nothing."""

    async def main() -> None:
        monkeypatch.setattr(hall, "_LAST", 0.05)
        desk = Patient()
        async with opened(RELAY, pki, desk, limits=Limits(grace=0.05)) as at:
            wire = await Wire.dial(at.port)
            await wire.reply()
            await wire.starttls(pki.client())
            await wire.say(b"EHLO x\r\n" + MESSAGE)
            await desk.reached.wait()
            await at.door.stop()
            assert [] == desk.bodies
            await wire.close()

    run(loop, main())


@both_loops
def test_stopping_in_mid_handshake(loop: str, pki: Pki) -> None:
    """Whoever has not come in yet does not come in."""

    async def main() -> None:
        async with opened(SUBMISSION, pki, Desk(), limits=Limits(grace=0.05)) as at:
            wire = await Wire.dial(at.port)
            await wire.say(b"\x16\x03\x01")
            while not at.door._arriving:
                await turn()
            await at.door.stop()
            await wire.close()

    run(loop, main())


@both_loops
@pytest.mark.parametrize("rules", [RELAY, SUBMISSION], ids=["clear", "tls"])
@pytest.mark.parametrize("turns", range(4))
def test_stopping_while_somebody_comes_in(loop: str, pki: Pki, rules: Rules, turns: int) -> None:
    """In whichever turn of the loop: it is shown out again, and not waited for for ever."""

    async def main() -> None:
        async with opened(rules, pki, Desk()) as at:
            stopping: asyncio.Future[asyncio.Task[None]] = at.door._loop.create_future()
            welcome = at.door.porch.welcome

            def stop_after(left: int) -> None:
                if left:
                    at.door._loop.call_soon(stop_after, left - 1)
                else:
                    stopping.set_result(at.door._loop.create_task(at.door.stop()))

            def welcomed(taken: socket.socket, ip: str) -> Hashable:
                stop_after(turns)
                return welcome(taken, ip)

            at.door.porch.welcome = welcomed
            wire = await Wire.dial(at.port)
            async with asyncio.timeout(10):
                await (await stopping)
            await wire.close()
            assert set() == at.door.connections

    run(loop, main())


@both_loops
def test_stopping_in_the_middle_of_starttls(loop: str, pki: Pki) -> None:
    """A peer that asks for TLS and then says nothing is cut off when the grace is over."""

    async def main() -> None:
        async with opened(RELAY, pki, Desk(), limits=Limits(grace=0.05)) as at:
            wire = await Wire.dial(at.port)
            await wire.reply()
            await wire.ask("EHLO peer.example")
            await wire.ask("STARTTLS")
            await wire.say(b"\x16\x03\x01")
            async with asyncio.timeout(10):
                await at.door.stop()
            await wire.close()
            assert set() == at.door.connections

    run(loop, main())


@both_loops
def test_a_changed_list_ends_the_connections_it_no_longer_allows(loop: str, pki: Pki) -> None:
    """The others go on."""

    async def main() -> None:
        async with opened(RELAY, pki, Desk()) as at:
            out, stays = await Wire.dial(at.port), await Wire.dial(at.port)
            for wire in (out, stays):
                await wire.reply()
            await out.starttls(pki.client())
            await out.ask("EHLO peer.example")
            at.door.drop(lambda peer: peer.certificate != pki.peer_der)
            assert str(reply.NO_LONGER_TRUSTED) == await out.reply()
            assert "250" == (await stays.ask("NOOP"))[:3]
            for wire in (out, stays):
                await wire.close()

    run(loop, main())


def visit(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[bool, ssl.SSLSession | None]:
    """Hear the greeting; return whether the session was resumed, and the one to come back with."""
    with (
        socket.create_connection(("127.0.0.1", port)) as clear,
        context.wrap_socket(clear, session=session) as secure,
    ):
        assert secure.recv(100).startswith(b"220")
        return bool(secure.session_reused), secure.session


@both_loops
def test_a_session_of_one_door_is_nothing_at_another(loop: str, pki: Pki) -> None:
    """A ticket got at submission, without a certificate, does not open the next door."""
    by_certificate = Rules.of("submission_certificate", "gw.example")

    async def main() -> None:
        context = pki.client()
        context.options &= ~ssl.OP_NO_TICKET
        async with (
            opened(SUBMISSION, pki, Desk()) as first,
            opened(by_certificate, pki, Desk()) as second,
        ):
            _, session = await asyncio.to_thread(visit, first.port, context)
            again, session = await asyncio.to_thread(visit, first.port, context, session)
            elsewhere, _ = await asyncio.to_thread(visit, second.port, context, session)
            assert (True, False) == (again, elsewhere)

    run(loop, main())
