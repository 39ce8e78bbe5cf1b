"""A next hop that does exactly what a test's script says, over a real socket."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MODERN = "PIPELINING,8BITMIME,SMTPUTF8,DSN"


@dataclass
class Talk:
    """The peer's side of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    context: ssl.SSLContext

    async def say(self, *lines: str) -> None:
        """Send these lines in one write."""
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()

    async def hear(self, count: int = 1) -> list[str]:
        """Read so many lines."""
        lines = [await self.reader.readline() for _ in range(count)]
        return [line.decode().rstrip("\r\n") for line in lines]

    async def tls(self) -> None:
        """Take STARTTLS, after the greeting and EHLO."""
        await self.say("220 hop.example")
        await self.hear()
        await self.say("250-hop.example", "250 STARTTLS")
        await self.hear()
        await self.say("220 go")
        await self.writer.start_tls(self.context)

    async def ready(self, keywords: str = MODERN) -> None:
        """Go on to where MAIL may come."""
        await self.tls()
        await self.hear()
        await self.say(
            "250-hop.example", *(f"250-{word}" for word in keywords.split(",")), "250 HELP"
        )

    async def body(self) -> bytes:
        """Read a DATA content, its final dot included."""
        return await self.reader.readuntil(b"\r\n.\r\n")

    async def end(self) -> bytes:
        """Read whatever comes until the connection is gone."""
        try:
            return await self.reader.read()
        except OSError:
            return b""

    async def take(self, recipients: int = 1) -> tuple[list[str], bytes]:
        """Accept one message by DATA, and return its commands and its content."""
        commands = await self.hear(recipients + 2)
        await self.say(*["250 ok"] * (recipients + 1), "354 go")
        content = await self.body()
        await self.say("250 2.0.0 queued")
        return commands, content


@dataclass
class Hop:
    """A next hop that listens."""

    port: int
    connections: int = 0
    errors: list[Exception] = field(default_factory=list)


@asynccontextmanager
async def hop(
    context: ssl.SSLContext, script: Callable[[Talk], Awaitable[None]]
) -> AsyncIterator[Hop]:
    """Listen on a free port, play the script for each connection; its failure is the test's."""
    listening = Hop(0)
    scripts: list[asyncio.Task[None] | None] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening.connections += 1
        scripts.append(asyncio.current_task())
        talk = Talk(reader, writer, context)
        try:
            await script(talk)
        except (OSError, asyncio.IncompleteReadError):
            pass  # a client may hang up when it will
        except Exception as error:  # noqa: BLE001 - told at the end of the test
            listening.errors.append(error)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    listening.port = server.sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.close()
        for task in filter(None, scripts):
            _, late = await asyncio.wait({task}, timeout=2)
            if late:
                task.cancel()
        await server.wait_closed()  # since Python 3.12 it waits for the connections, too
    assert [] == listening.errors
