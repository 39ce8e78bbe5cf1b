"""The sockets: who does not read, who says nothing, and how a door closes."""

import asyncio
import re
from pathlib import Path

import pytest

from imap.rules import Rules
from imap.server import Connection, Door, Limits
from tests.imap.stage import HOST, LETTERS, USER, Core, Scene, opened
from tests.smtp.stage import LOOPS, Pki, Wire, run
from tests.world.rest import Rest
from vault.errors import StorageFull

IMAP = Rules.of("imap", HOST, max_size=64 << 20)
BIG = b"Subject: gros\r\n\r\n" + (b"x" * 76 + b"\r\n") * 200_000


class Deaf(asyncio.Transport):
    """A client that hears nothing."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def pause_reading(self) -> None:
        pass


async def inside(port: int, pki: Pki) -> Wire:
    """Log in and open INBOX."""
    wire = await Wire.dial(port, pki.anonymous())
    for line in ("", f"a LOGIN {USER} right", "b SELECT INBOX"):
        if line:
            await wire.say(line.encode() + b"\r\n")
        tag = line[:1].encode() or rb"\*"
        while not re.match(rb"%b OK" % tag, await wire.reader.readline()):
            pass
    return wire


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_does_not_read_is_let_go(loop: str, pki: Pki, tmp_path: Path) -> None:
    """What waits for it is bounded, and so is our patience."""

    async def wait() -> None:
        rest = Rest.open(tmp_path)
        scene = await Scene.make(rest, max_size=64 << 20)
        await scene.deliver(BIG)
        limits = Limits(grace=1.0, stall_timeout=0.2)
        async with opened(IMAP, pki, scene, limits) as at, asyncio.timeout(20):
            wire = await inside(at.port, pki)
            (connection,) = at.door.connections
            wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await wire.say(b"c FETCH 1 BODY[]\r\nd NOOP\r\n")
            while at.door.connections:
                waiting = connection.machine.unsent
                if connection.transport is not None:
                    waiting += connection.transport.get_write_buffer_size()
                assert waiting < 2 << 20
                await asyncio.sleep(0)
            await wire.close()
        assert "session.timed_out" in [event for event, _ in scene.notes]
        await rest.database.close()

    run(loop, wait())


@pytest.mark.parametrize("listener", ["imap", "imap_starttls"])
async def test_who_never_logs_in_is_let_go(pki: Pki, rest: Rest, listener: str) -> None:
    """However busily it says nothing."""
    scene = await Scene.make(rest)
    rules = Rules.of(listener, HOST)
    async with opened(rules, pki, scene, Limits(login_timeout=0.1)) as at, asyncio.timeout(10):
        wire = await Wire.dial(at.port, pki.anonymous() if rules.implicit_tls else None)
        await wire.say(b"a NOOP\r\n")
        said = await wire.reader.read()
        assert b"* BYE Nothing heard for too long; goodbye\r\n" in said
        await wire.close()


async def test_a_door_that_closes_says_goodbye(pki: Pki, rest: Rest) -> None:
    """To who idles, at once."""
    scene = await Scene.make(rest)
    await scene.deliver(*LETTERS)
    async with opened(IMAP, pki, scene) as at, asyncio.timeout(10):
        wire = await inside(at.port, pki)
        await wire.say(b"c IDLE\r\n")
        assert b"+ Idling\r\n" == await wire.reader.readline()
        await at.door.stop()
        assert b"* BYE The gateway is restarting; try again in a minute\r\n" == (
            await wire.reader.readline()
        )
        await wire.close()


async def test_a_client_that_is_gone_before_tls_begins_leaves_nothing(pki: Pki, rest: Rest) -> None:
    """It asked for TLS and hung up in one breath: nobody would tell TLS, which waits for its word."""
    scene = await Scene.make(rest)
    async with opened(Rules.of("imap_starttls", HOST), pki, scene) as at, asyncio.timeout(10):
        connection = Connection(at.door, asyncio.get_running_loop())
        connection.connection_made(Deaf())
        asked = b"a STARTTLS\r\n"
        connection.get_buffer(len(asked))[: len(asked)] = asked
        connection.buffer_updated(len(asked))
        connection.connection_lost(None)
        assert [None] == await asyncio.gather(*at.door._running)
        assert set() == at.door.connections


@pytest.mark.parametrize("loop", LOOPS)
def test_a_door_closes_in_the_middle_of_starttls(loop: str, pki: Pki, tmp_path: Path) -> None:
    """A client that asks for TLS and then says nothing is cut off when the grace is over."""

    async def close() -> None:
        rest = Rest.open(tmp_path)
        scene = await Scene.make(rest)
        rules = Rules.of("imap_starttls", HOST)
        async with opened(rules, pki, scene, Limits(grace=0.05)) as at, asyncio.timeout(10):
            wire = await Wire.dial(at.port)
            await wire.reader.readline()
            await wire.say(b"a STARTTLS\r\n")
            await wire.reader.readline()
            await wire.say(b"\x16\x03\x01")
            await at.door.stop()
            await wire.close()
            assert set() == at.door.connections
        await rest.database.close()

    run(loop, close())


async def test_whose_mailbox_closed_is_told_at_once(pki: Pki, rest: Rest) -> None:
    """The connections of one mailbox end, others stay."""
    scene = await Scene.make(rest)
    async with opened(IMAP, pki, scene) as at, asyncio.timeout(10):
        wire = await inside(at.port, pki)
        other = await Wire.dial(at.port, pki.anonymous())
        at.door.drop(lambda peer: peer.login is None)
        assert b"* BYE" in await wire.reader.read()
        assert None in [each.peer.login for each in at.door.connections]
        await wire.close()
        await other.close()


def test_a_door_for_certificates_asks_for_them(pki: Pki) -> None:
    """A listener whose TLS would let anybody in cannot be made."""
    rules = Rules.of("imap_certificate", HOST)
    people = None
    with pytest.raises(ValueError, match="must ask for client certificates"):
        Door(
            rules,
            pki.server(client_certificates=False),
            people,  # type: ignore[arg-type]
            people,  # type: ignore[arg-type]
            Limits(),
            lambda *_: None,
        )


@pytest.mark.parametrize("place", ["put", "commit"])
async def test_a_full_disk_takes_no_message_and_says_so(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    """UNAVAILABLE, nothing half; and the session goes on."""
    scene = await Scene.make(rest)
    core = Core(scene, IMAP)
    await core.response()
    core.receive(f"a LOGIN {USER} right\r\n".encode())
    await core.response()

    async def full(*_: object) -> object:
        raise StorageFull("the disk is down to its reserve")

    part = rest.vault if place == "put" else rest.database
    monkeypatch.setattr(type(part), place, full)
    core.receive(b"b APPEND INBOX {100000+}\r\n" + b"x" * 100_000 + b"\r\n")
    said = await core.response()
    monkeypatch.undo()

    assert said.startswith(b"b NO [UNAVAILABLE]")
    assert [] == [one for one in (tmp_path / "blobs").rglob("*") if one.is_file()]
    core.receive(b"c STATUS INBOX (MESSAGES)\r\n")
    assert b'* STATUS "INBOX" (MESSAGES 0)\r\n' == await core.response()
    core.lost()
    await core.ended()


async def test_a_full_disk_changes_no_flag_and_says_so(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same of what is small."""
    scene = await Scene.make(rest)
    await scene.deliver(LETTERS[0])
    core = Core(scene, IMAP)
    core.receive(f"a LOGIN {USER} right\r\nb SELECT INBOX\r\n".encode())
    while not (await core.response()).startswith(b"b OK"):
        pass

    async def full(*_: object) -> object:
        raise StorageFull("the disk is down to its reserve")

    monkeypatch.setattr(type(rest.database), "commit", full)
    core.receive(b"c STORE 1 +FLAGS (\\Flagged)\r\n")
    assert (await core.response()).startswith(b"c NO [UNAVAILABLE]")
