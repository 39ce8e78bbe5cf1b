"""What clamd may answer, and what it may do instead."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quarantine.scanner import Scanned, Scanner, Silent
from tests.world.rest import blocks

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def played(folder: Path, play: Play, patience: float = 5) -> AsyncIterator[Scanner]:
    """Play a scanner behind a socket."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await play(reader, writer)
        finally:
            writer.close()

    socket = folder / "clamd.ctl"
    server = await asyncio.start_unix_server(met, socket)
    async with server:
        yield Scanner(socket, patience)


async def taken(reader: asyncio.StreamReader) -> bytes:
    """Take a message as clamd does."""
    assert b"zINSTREAM\x00" == await reader.readexactly(10)
    found = b""
    while size := int.from_bytes(await reader.readexactly(4), "big"):
        found += await reader.readexactly(size)
    return found


def answering(line: bytes, heard: list[bytes] | None = None) -> Play:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        content = await taken(reader)
        if heard is not None:
            heard.append(content)
        writer.write(line)
        await writer.drain()

    return play


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (b"stream: OK\x00", Scanned()),
        (b"stream: Sceau.Test.UNOFFICIAL FOUND\x00", Scanned("Sceau.Test.UNOFFICIAL")),
        (b"stream:  FOUND\x00", Scanned("unnamed")),
        (
            b"INSTREAM size limit exceeded. ERROR\x00",
            Silent("the message is larger than it takes", lasting=True),
        ),
        (b"stream: Can't allocate memory ERROR\x00", Silent("it answered with an error")),
        (b"", Silent("it hung up")),
        (b"stream: OK but not really\x00", Silent("it hung up")),
        (b"\xff\xfe\x00", Silent("it hung up")),
        (b"x" * 200_000 + b"\x00", Silent("it hung up")),
    ],
)
async def test_answers(tmp_path: Path, line: bytes, verdict: Scanned | Silent) -> None:
    """Only OK is OK: whatever else is said is no verdict."""
    async with played(tmp_path, answering(line)) as scanner:
        assert verdict == await scanner.scan(blocks(b"bonjour"))


async def test_the_whole_message_is_sent(tmp_path: Path) -> None:
    """Octet by octet, in pieces that it takes."""
    heard: list[bytes] = []
    body = bytes(range(256)) * 4000
    async with played(tmp_path, answering(b"stream: OK\x00", heard)) as scanner:
        assert Scanned() == await scanner.scan(blocks(body, 700_000))
    assert [body] == heard


async def test_one_that_never_answers(tmp_path: Path) -> None:
    """A scanner without end is cut off."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with played(tmp_path, play, patience=0.05) as scanner:
        assert Silent("no answer within 0 seconds") == await scanner.scan(blocks(b"bonjour"))


async def test_one_that_never_reads(tmp_path: Path) -> None:
    """What it does not take is not kept for it in memory."""
    stop = asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stop.wait()

    async with played(tmp_path, play, patience=0.05) as scanner:
        said = await scanner.scan(blocks(bytes(8 << 20), 1 << 20))
        assert isinstance(said, Silent)
        stop.set()


async def test_one_that_hangs_up_in_the_middle(tmp_path: Path) -> None:
    """It may have said why before."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(10)
        writer.write(b"INSTREAM size limit exceeded. ERROR\x00")
        await writer.drain()

    async with played(tmp_path, play) as scanner:
        said = await scanner.scan(blocks(bytes(16 << 20), 1 << 20))
    assert isinstance(said, Silent)


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (b"stream: OK\x00", Silent("it hung up")),
        (b"stream: Eicar FOUND\x00", Scanned("Eicar")),
    ],
)
async def test_a_verdict_before_the_end(
    tmp_path: Path, line: bytes, verdict: Scanned | Silent
) -> None:
    """What was not seen to its end may be found to be malware, and never to be clean."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line)
        await reader.read()

    async def cut() -> AsyncIterator[bytes]:
        yield b"bonjour"
        raise ConnectionResetError

    async with played(tmp_path, play) as scanner:
        assert verdict == await scanner.scan(cut())


async def test_nobody_there(tmp_path: Path) -> None:
    """A socket that is not there, and one behind which nobody listens."""
    scanner = Scanner(tmp_path / "clamd.ctl", 5)
    said = await scanner.scan(blocks(b"bonjour"))
    assert isinstance(said, Silent)
    assert "it is not reached" in said.why
    assert await scanner.version() is None


async def test_who_it_is(tmp_path: Path) -> None:
    """An operator is told which signatures it has."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"zVERSION\x00" == await reader.readexactly(9)
        writer.write(b"ClamAV 1.4.3/27000/Mon Mar  2 09:00:00 2026\x00")

    async with played(tmp_path, play) as scanner:
        assert "ClamAV 1.4.3/27000/Mon Mar  2 09:00:00 2026" == await scanner.version()
