"""clamd, the ClamAV daemon, asked about one message while it streams (INSTREAM).

Over its Unix socket alone: what is scanned is in clear. A scanner that is slow, silent or strange
is a value, not an error: whoever asks decides what that means.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 256 << 10
_LONGEST = 4096  # octets of an answer
_FOUND, _OK, _ERROR = " FOUND", "OK", " ERROR"
_TOO_LARGE = "INSTREAM size limit exceeded"


@dataclass(frozen=True, slots=True)
class Scanned:
    """A verdict."""

    malware: str = ""  # the signature's name; empty: nothing was found


@dataclass(frozen=True, slots=True)
class Silent:
    """No verdict, and why; ``lasting``: asking again about this message would change nothing."""

    why: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Scanner:
    """A clamd behind its socket."""

    socket: Path
    timeout: float = 120

    async def scan(self, blocks: AsyncIterator[bytes]) -> Scanned | Silent:
        """Send a message and return the verdict."""
        try:
            async with asyncio.timeout(self.timeout):
                return await self._scan(blocks)
        except TimeoutError:
            return Silent(f"no answer within {self.timeout:.0f} seconds")

    async def version(self) -> str | None:
        """Return what the scanner says of itself and its signatures; None: nobody answers."""
        try:
            async with asyncio.timeout(self.timeout):
                return await self._asked(b"zVERSION\x00")
        except (OSError, TimeoutError):
            return None

    async def _scan(self, blocks: AsyncIterator[bytes]) -> Scanned | Silent:
        try:
            reader, writer = await asyncio.open_unix_connection(self.socket)
        except OSError as error:
            return Silent(f"it is not reached: {error.strerror or type(error).__name__}")
        try:
            try:
                await _pour(blocks, writer)
            except OSError:  # it hung up: perhaps it said why
                said = _verdict(await _line(reader))
                # What it did not see to the end it cannot have found to be clean.
                return Silent("it hung up") if said == Scanned() else said
            return _verdict(await _line(reader))
        finally:
            await _close(writer)

    async def _asked(self, command: bytes) -> str:
        reader, writer = await asyncio.open_unix_connection(self.socket)
        try:
            writer.write(command)
            return await _line(reader)
        finally:
            await _close(writer)


async def _pour(blocks: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
    """Send a message as so many octets and the octets, and at the end none."""
    writer.write(b"zINSTREAM\x00")
    async for block in blocks:
        for at in range(0, len(block), _BLOCK):
            piece = block[at : at + _BLOCK]
            writer.write(len(piece).to_bytes(4, "big") + piece)
            await writer.drain()
    writer.write(bytes(4))
    await writer.drain()


async def _line(reader: asyncio.StreamReader) -> str:
    """Return the answer, which ends with NUL or with the connection; not more than a line of it."""
    try:
        answer = await reader.readuntil(b"\x00")
    except asyncio.IncompleteReadError as error:
        answer = error.partial
    except asyncio.LimitOverrunError:
        answer = b""
    except OSError:
        answer = b""
    return answer[:_LONGEST].rstrip(b"\x00\r\n").decode("utf-8", "replace")


def _verdict(line: str) -> Scanned | Silent:
    said = line.removeprefix("stream: ")
    if said == _OK:
        return Scanned()
    if said.endswith(_FOUND):
        return Scanned(said.removesuffix(_FOUND) or "unnamed")
    if said.startswith(_TOO_LARGE):
        return Silent("the message is larger than it takes", lasting=True)
    return Silent("it answered with an error" if said.endswith(_ERROR) else "it hung up")


async def _close(writer: asyncio.StreamWriter) -> None:
    """Hang up, without waiting for it to take what was not taken."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
