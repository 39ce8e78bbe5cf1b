"""The SIEM is told everything, once it is there; and while it is not, nobody notices but operators."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.pki import Authority
from gateway.operations.rooms import Rooms
from gateway.running import forwarding
from gateway.running.conditions import conditions
from gateway.running.forwarding import Forwarding, Line, Place
from gateway.running.housekeeping import told_upto
from gateway.running.standing import untold
from tests.gateway.operations.conftest import authority, clock, lists, rooms, site  # noqa: F401
from tests.smtp.stage import LOOPS, Pki, run
from tests.world.clock import Clock
from tests.world.lists import Lists
from tests.world.running import running
from tests.world.site import Site
from vault.database import Statement


class Monitor:
    """A SIEM that a test takes down and brings up; it keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.breaks: OSError | None = None  # what connecting raises
        self.deaf = False  # it takes a batch and dies before it says so
        self.tries = 0
        self.changed = asyncio.Event()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Line]:
        self.tries += 1
        self.changed.set()
        if self.breaks is not None:
            raise self.breaks
        yield self

    async def send(self, octets: bytes) -> None:
        self.heard += [json.loads(line) for line in octets.splitlines()]
        self.changed.set()
        if self.deaf:
            raise ConnectionResetError

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not done():
                self.changed.clear()
                await self.changed.wait()

    @property
    def rows(self) -> list[int]:
        return [each["event"]["sequence"] for each in self.heard]


@pytest.fixture
def siem(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> Rooms:  # noqa: F811
    """Rooms whose settings name a SIEM."""
    named = rooms.settings.siem.model_copy(update={"host": "siem.example", "format": "json"})
    object.__setattr__(rooms, "settings", rooms.settings.model_copy(update={"siem": named}))
    monkeypatch.setattr(forwarding, "BATCH", 2)
    monkeypatch.setattr(forwarding, "_BREATH", 0)
    return rooms


async def write(rooms: Rooms, count: int) -> None:  # noqa: F811
    for n in range(count):
        told = rooms.journal.entry(rooms.clock(), "message.accepted", "gateway", n=n)
        await rooms.database.commit([told])


@asynccontextmanager
async def forwarded(rooms: Rooms, monitor: Monitor) -> AsyncIterator[Forwarding]:  # noqa: F811
    made = Forwarding(rooms, monitor.connect, pause=0)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()


async def test_every_row_in_its_order(siem: Rooms) -> None:
    """Those that were there and those that come, and how far is known after a restart."""
    monitor = Monitor()
    await write(siem, 3)
    async with forwarded(siem, monitor):
        await monitor.until(lambda: len(monitor.rows) == 3)
        await write(siem, 2)
        await monitor.until(lambda: len(monitor.rows) == 5)
        await _settled(siem, 5)
    async with forwarded(siem, monitor):
        await write(siem, 1)
        await monitor.until(lambda: len(monitor.rows) == 6)
    assert [1, 2, 3, 4, 5, 6] == monitor.rows


async def _settled(rooms: Rooms, upto: int) -> None:  # noqa: F811
    async with asyncio.timeout(20):
        while told_upto(rooms) < upto:
            await rooms.database.commit([])


async def test_a_siem_that_is_down_loses_nothing(siem: Rooms, clock: Clock) -> None:  # noqa: F811
    """Rows wait in the journal; operators are told once; then all of it comes, and that it is back."""
    monitor = Monitor()
    monitor.breaks = ConnectionRefusedError()
    await write(siem, 5)
    async with forwarded(siem, monitor):
        await monitor.until(lambda: monitor.tries > 3)
        assert (5, 0) == (untold(siem), told_upto(siem))
        clock.advance(hours=1)
        far = clock() + timedelta(days=365)
        names = [each.name for each in conditions(siem, far)]
        assert "siem-behind" in names
        monitor.breaks = None
        await monitor.until(lambda: len(monitor.rows) >= 5)
        await _settled(siem, 5)
        await siem.notes.write()
        await monitor.until(lambda: len(monitor.rows) >= 7)
        await _settled(siem, 7)
    assert list(range(1, 8)) == monitor.rows
    events = [each["event"]["action"] for each in monitor.heard[5:]]
    assert ["siem.reached", "siem.unreachable"] == sorted(events)
    assert "siem-behind" not in [each.name for each in conditions(siem, far)]


async def test_what_may_have_been_lost_is_told_again(siem: Rooms) -> None:
    """After a connection broke, the batch in hand and the one before it come again, by their id."""
    monitor = Monitor()
    await write(siem, 2)
    async with forwarded(siem, monitor):
        await monitor.until(lambda: len(monitor.rows) == 2)
        await _settled(siem, 2)
        monitor.deaf = True
        await write(siem, 1)
        await monitor.until(lambda: monitor.rows[-1] == 3)
        monitor.deaf = False
        await _settled(siem, 3)
    assert [1, 2, 3] == monitor.rows[:3]
    assert set(monitor.rows[3:]) >= {1, 2, 3}
    assert 3 == told_upto(siem)


async def test_without_a_siem_nothing_waits(rooms: Rooms) -> None:  # noqa: F811
    """No setting, no rows that wait, no condition."""
    await write(rooms, 3)
    assert 0 == untold(rooms)


async def test_a_database_that_fails_is_tried_again(siem: Rooms) -> None:
    """What could not be written down as told is told again."""
    monitor = Monitor()
    await write(siem, 1)
    guard = "CREATE TRIGGER no BEFORE INSERT ON siem BEGIN SELECT RAISE(ABORT, 'no'); END"
    await siem.database.commit([Statement(guard)])
    async with forwarded(siem, monitor):
        await monitor.until(lambda: len(monitor.rows) > 2)
        await siem.database.commit([Statement("DROP TRIGGER no")])
        await _settled(siem, 1)
    assert {1} == set(monitor.rows)


@pytest.mark.parametrize("loop", LOOPS)
def test_by_tls(loop: str, pki: Pki) -> None:
    """To who shows the certificate of that name, with ours; what was sent has arrived."""

    async def main() -> None:
        heard: list[bytes] = []
        sent, gone = asyncio.Event(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readexactly(70_000))
            await sent.wait()
            writer.transport.abort()
            gone.set()

        issued = pki.authority.issue("siem", hosts=("localhost",)).write(pki.folder, "siem")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*issued)
        context.load_verify_locations(pki.anchors)
        context.verify_mode = ssl.CERT_REQUIRED
        server = await asyncio.start_server(serve, "localhost", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            settings = _settings(pki.folder, pki, port)
            async with Place.of(settings).connected() as line:
                await line.send(b"x" * 70_000)
                sent.set()
                await gone.wait()
                with pytest.raises(ConnectionError):
                    await _until_it_breaks(line)
            assert [b"x" * 70_000] == heard
            with pytest.raises(OSError, match=r"(?i)certificate.verify.failed"):
                async with Place("127.0.0.1", port, Place.of(settings).context).connected():
                    pass

    run(loop, main())


async def _until_it_breaks(line: Line) -> None:
    async with asyncio.timeout(20):
        while True:
            await line.send(b"y" * 70_000)


def _settings(folder: Path, pki: Pki, port: int) -> Any:
    from types import SimpleNamespace

    certificate, key = pki.gateway
    siem = SimpleNamespace(host="localhost", port=port, anchors=None, client_certificate=True)
    ours = SimpleNamespace(certificate=certificate, key=key, anchors=pki.anchors)
    return SimpleNamespace(siem=siem, tls=ours)


async def test_a_running_gateway_tells_its_siem(tmp_path: Path) -> None:
    """By the settings alone: framed syslog over TLS, to which we show our certificate."""
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - real handshakes
    made = Authority.make(now)
    issued = made.issue("siem", hosts=("localhost",)).write(tmp_path, "siem")
    place = Site.make(tmp_path / "labo", "labo.example", made, Lists.make(made))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*issued)
    context.load_verify_locations(place.folder / "anchors.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    frames: list[bytes] = []
    heard = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int(await reader.readuntil(b" "))
                frames.append(await reader.readexactly(length))
                heard.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()

    server = await asyncio.start_server(serve, "localhost", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        place.configure(f'[siem]\nhost = "localhost"\nport = {port}\n')
        async with running(place) as here:
            await here.ask("mailbox.list")
            async with asyncio.timeout(20):
                while not any(b" sceau - operation.mailbox.list [" in each for each in frames):
                    heard.clear()
                    await heard.wait()
            await _settled(here.rooms, 1)
    assert all(each.startswith(b"<1") for each in frames)
