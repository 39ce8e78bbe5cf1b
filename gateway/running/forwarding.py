"""Tells the SIEM what the journal says: in its order, at least once, and in nobody's way.

The journal itself is the queue: a number in the database says how far it was told, and moves only
when the other machine has acknowledged the octets. A SIEM that is down costs nothing but its own
delay: rows wait where they lie, no purge takes them, mail knows nothing of it. Syslog has no answers,
so a connection that broke has its last rows told again; ``event.id`` tells them apart. RFC 5425, R-I3.
"""

import asyncio
import fcntl
import ssl
import struct
import termios
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, Self

from gateway.observe import siem
from gateway.observe.siem import Observer, Told
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.running import checks
from gateway.running.housekeeping import told_upto
from gateway.settings import Settings
from smtp import tls
from smtp.address import Address
from vault.database import Statement
from vault.errors import VaultError
from vault.journal import Entry

BATCH = 100  # rows read together: a few milliseconds of the loop
_PAGES = 5  # of these told together, for one acknowledgement
_POLL = 1.0  # seconds between two looks at the journal
_BREATH = 0.005  # seconds for mail between two batches
_LONGEST = 60.0  # seconds between two tries to reach a SIEM that is down
_PATIENCE = 30.0  # seconds to connect, and for a batch to be acknowledged
_CHECK = 0.01  # seconds between two looks at what is not acknowledged yet
_MARK = "INSERT OR REPLACE INTO siem (id, seq) VALUES (1, ?)"


class Line(Protocol):
    """One connection to the SIEM."""

    async def send(self, octets: bytes) -> None:
        """Send, and return once the other machine has it; ``OSError``: it may not."""


Connect = Callable[[], AbstractAsyncContextManager[Line]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the SIEM listens, and whom to believe there."""

    host: str
    port: int
    context: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the place that the settings name; certificates are read anew each time."""
        found, ours = settings.siem, settings.tls

        def context() -> ssl.SSLContext:
            anchors = checks.readable(found.anchors or ours.anchors, "the anchor file")
            made = tls.asking_context(anchors)
            if found.client_certificate:
                made.load_cert_chain(ours.certificate, ours.key, password="")
            return made

        return cls(found.host, found.port, context)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Line]:
        """Open a connection, and close it; ``OSError``: it is not to be had."""
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(
                self.host, self.port, ssl=self.context(), server_hostname=self.host
            )
        try:
            yield Wire(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


class Wire:
    """A connection whose octets are known to have arrived."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._socket = writer.get_extra_info("socket")  # gone from there once it is closed

    async def send(self, octets: bytes) -> None:
        """Send, and wait until the other machine's TCP has acknowledged all of it."""
        self._still_there()
        async with asyncio.timeout(_PATIENCE):
            self._writer.write(octets)
            await self._writer.drain()
            # Twice in a row: what the loop still held has had its turn to be written in between.
            quiet = 0
            while quiet < 2:
                await asyncio.sleep(_CHECK)
                quiet = 0 if self._unacknowledged() else quiet + 1
        self._still_there()

    def _still_there(self) -> None:
        if self._reader.at_eof() or self._writer.is_closing():
            raise ConnectionResetError("the SIEM hung up")

    def _unacknowledged(self) -> int:
        handle = self._socket.fileno()
        if handle < 0:
            raise ConnectionResetError("the connection is gone")
        (left,) = struct.unpack("i", fcntl.ioctl(handle, termios.TIOCOUTQ, bytes(4)))
        return int(left) + self._writer.transport.get_write_buffer_size()


class Forwarding:
    """One a gateway, if the settings name a SIEM; ``run`` is a task of its group."""

    def __init__(self, rooms: Rooms, connect: Connect, *, pause: float = _POLL) -> None:
        self._rooms, self._connect, self._pause = rooms, connect, pause
        site = rooms.settings.site
        self._observer = Observer(site.host, site.name)
        self._write = siem.syslog if rooms.settings.siem.format == "syslog" else siem.line
        self._told = told_upto(rooms)
        self._doubtful = self._told  # from here on it is told again if the connection breaks
        self._down = False

    async def run(self) -> None:
        """Tell whatever comes, for ever."""
        wait = self._pause
        while True:
            await self._rows()
            try:
                async with self._connect() as line:
                    while True:
                        await self._tell(line)
                        wait = self._pause
                        await self._rows()
            except (OSError, tls.TlsError, OperationError, VaultError) as error:
                self._lost(error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST)

    async def _rows(self) -> None:
        """Wait until there is something to tell; between two batches let mail go first."""
        while self._last() <= self._told:  # noqa: ASYNC110 - rows come from every room
            await asyncio.sleep(self._pause)
        await asyncio.sleep(_BREATH)

    def _last(self) -> int:
        ((last,),) = self._rooms.database.read("SELECT coalesce(max(seq), 0) FROM journal")
        return int(last)

    async def _tell(self, line: Line) -> None:
        """Tell one batch, and write down that it was told."""
        last, pages = self._told, []
        for _ in range(_PAGES):
            entries = await self._rooms.journal.page(last, BATCH)
            if entries:
                last = entries[-1].seq
                pages.append(self._written(entries))
            if len(entries) < BATCH:
                break
        if not pages:
            return
        await line.send(b"".join(pages))
        if self._down:
            self._down = False
            self._rooms.notes.tell("siem.reached", {"host": self._rooms.settings.siem.host})
        await self._rooms.database.commit([Statement(_MARK, (last,))])
        self._doubtful, self._told = self._told, last

    def _written(self, entries: Sequence[Entry]) -> bytes:
        key = self._rooms.journal.key
        told = (Told(one, key(_address(one.who)), key(_address(one.whom))) for one in entries)
        return b"".join(self._write(each, self._observer) for each in told)

    def _lost(self, error: Exception) -> None:
        self._told = min(self._told, self._doubtful)
        if not self._down:
            self._down = True
            facts = {"host": self._rooms.settings.siem.host, "reason": type(error).__name__}
            self._rooms.notes.tell("siem.unreachable", facts)


def _address(text: str | None) -> Address | None:
    return Address(text) if text else None
