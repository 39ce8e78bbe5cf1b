"""So many connections are let in, so many of one network, and none by accident."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from smtp import porch
from smtp.porch import Porch


@dataclass
class House:
    """Welcomes whoever comes, and remembers."""

    guests: list[socket.socket] = field(default_factory=list)
    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)

    def porch(self, most: int = 9, of_a_network: int = 9) -> Porch:
        return Porch(
            "web",
            most,
            of_a_network,
            self._welcome,
            lambda _taken, reason: self.turned.append(reason),
            lambda slug, facts: self.events.append((slug, facts)),
        )

    def _welcome(self, taken: socket.socket, ip: str) -> socket.socket:
        assert ip.startswith("127.0.0.") or ip == "::1"
        self.guests.append(taken)
        return taken


@asynccontextmanager
async def _open(found: Porch, host: str = "127.0.0.1") -> AsyncIterator[int]:
    port = found.open(host, 0)
    try:
        yield port
    finally:
        found.close()
        for guest in list(found.admitted):
            assert isinstance(guest, socket.socket)
            guest.close()
            found.left(guest)
        assert {} == found.admitted


async def _knock(port: int, host: str = "127.0.0.1") -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection(
        "127.0.0.1" if "." in host else "::1", port, local_addr=(host, 0)
    )
    return writer


async def _until(house: House, came: int) -> None:
    async with asyncio.timeout(5):
        while len(house.guests) + len(house.turned) < came:  # noqa: ASYNC110 - nobody rings a bell
            await asyncio.sleep(0)


async def test_only_so_many_and_of_one_network_fewer() -> None:
    """Each that is one too many is told of by its network, and its place is the next one's."""
    house = House()
    found = house.porch(most=3, of_a_network=2)
    async with _open(found) as port:
        writers = [await _knock(port, "127.0.0.9") for _ in range(3)]
        writers += [await _knock(port) for _ in range(2)]
        await _until(house, 5)
        assert ["address", "all"] == house.turned
        assert ["127.0.0.9", "127.0.0.1"] == [facts["ip"] for _, facts in house.events]
        gone = house.guests[0]
        found.left(gone)
        found.left(gone)
        gone.close()
        writers.append(await _knock(port, "127.0.0.9"))
        await _until(house, 6)
        assert 2 == len(house.turned)
        for writer in writers:
            writer.close()


async def test_it_listens_on_either_kind_of_address() -> None:
    """IPv6 as well."""
    house = House()
    async with _open(house.porch(), "::1") as port:
        writer = await _knock(port, "::1")
        await _until(house, 1)
        writer.close()


async def test_without_file_descriptors_it_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection that could not be taken waits, and is taken afterwards."""
    house, accept, tried = House(), socket.socket.accept, list[object]()

    def poor(self: socket.socket) -> tuple[socket.socket, object]:
        tried.append(self)
        if len(tried) == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    monkeypatch.setattr(porch, "_BREATH", 0.01)
    async with _open(house.porch()) as port:
        monkeypatch.setattr(socket.socket, "accept", poor)
        writer = await _knock(port)
        await _until(house, 1)
        assert [("accept.failed", {"listener": "web", "error": "EMFILE"})] == house.events
        writer.close()


async def test_a_closed_porch_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if it was closed while it rested."""
    house = House()
    monkeypatch.setattr(porch, "_BREATH", 0.01)
    found = house.porch()
    port = found.open("127.0.0.1", 0)
    found._rest(OSError(errno.ENFILE, "Too many open files"))
    found.close()
    found._rest(OSError())
    found.close()
    found._accept()
    found._listen()
    with pytest.raises(OSError, match="Connect"):
        await _knock(port)
    assert [] == house.guests
