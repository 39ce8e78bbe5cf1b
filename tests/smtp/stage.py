"""A small PKI and a door to knock at, for the tests that need real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import uvloop

from gateway.demo.pki import Authority
from smtp import tls
from smtp.receive.door import Door
from smtp.receive.rules import Rules
from smtp.receive.server import Authenticator, Intake, Limits

NOW = datetime.now(UTC)  # noqa: TID251 - real handshakes compare with the real clock
T = TypeVar("T")

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run(loop: str, main: Coroutine[object, object, T]) -> T:
    """Run on the loop of that name."""
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(main)


@dataclass
class Pki:
    """The gateway's certificate, a peer's, and one of an authority that nobody knows."""

    folder: Path
    authority: Authority = field(default_factory=lambda: Authority.make(NOW))

    def __post_init__(self) -> None:
        self.anchors = self.folder / "anchors.pem"
        self.anchors.write_bytes(self.authority.anchors_pem)
        self.gateway = self.authority.issue("gw.example").write(self.folder, "gateway")
        issued = self.authority.issue("peer.example")
        self.peer, self.peer_der = issued.write(self.folder, "peer"), issued.der
        self.stranger = Authority.make(NOW).issue("stranger").write(self.folder, "stranger")

    def server(self, *, client_certificates: bool) -> ssl.SSLContext:
        """A listener's context."""
        return tls.server_context(
            *self.gateway, self.anchors, client_certificates=client_certificates
        )

    def client(self, *, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """A peer's context, with that certificate (the listed peer's, if None)."""
        return tls.client_context(*(certificate or self.peer), self.anchors)

    def anonymous(self) -> ssl.SSLContext:
        """A client's context, without a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.anchors)
        return context


@dataclass
class Open:
    """A door that is open."""

    door: Door
    port: int
    events: list[tuple[str, Mapping[str, object]]]

    async def settled(self) -> None:
        """Wait until nothing runs for any message."""
        while self.door._running:
            await asyncio.wait(self.door._running)

    async def emptied(self) -> None:
        """Wait until every connection is gone and nothing runs."""
        await self.door._emptied()


@asynccontextmanager
async def opened(
    rules: Rules,
    pki: Pki,
    intake: Intake,
    authenticator: Authenticator | None = None,
    limits: Limits | None = None,
) -> AsyncIterator[Open]:
    """Open a door on a free port; stop it at the end."""
    events: list[tuple[str, Mapping[str, object]]] = []
    door = Door(
        rules,
        pki.server(client_certificates=rules.certificate),
        intake,
        authenticator,
        limits or Limits(grace=2.0),
        lambda slug, facts: events.append((slug, facts)),
    )
    port = await door.open("127.0.0.1", 0)
    try:
        yield Open(door, port, events)
    finally:
        await door.stop()


@dataclass
class Wire:
    """A client that says exactly what it is told to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def dial(cls, port: int, context: ssl.SSLContext | None = None) -> "Wire":
        """Connect; with a context, TLS comes first."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context))

    async def say(self, block: bytes) -> None:
        """Send these bytes."""
        self.writer.write(block)
        await self.writer.drain()

    async def reply(self) -> str:
        """Read one whole reply, its lines joined by LF; ``""`` at the end."""
        lines = []
        while line := (await self.reader.readline()).decode():
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    async def ask(self, line: str) -> str:
        """Say one line and read the reply."""
        await self.say(line.encode() + b"\r\n")
        return await self.reply()

    async def starttls(self, context: ssl.SSLContext) -> None:
        """Take TLS, after the greeting."""
        await self.ask("EHLO peer.example")
        await self.ask("STARTTLS")
        await self.writer.start_tls(context)

    async def close(self) -> None:
        """Be gone, without a word."""
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()


async def turn() -> None:
    """Let whatever is ready have its turn."""
    loop = asyncio.get_running_loop()
    had = loop.create_future()
    loop.call_soon(had.set_result, None)
    await had
