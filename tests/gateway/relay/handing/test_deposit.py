"""An account on another server: what it says is understood, and what it does cannot hurt us."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.demo.pki import Authority
from gateway.relay.handing import account as accounts
from gateway.relay.handing import lines
from gateway.relay.handing.account import Refused
from gateway.relay.handing.deposit import Deposits
from gateway.settings.boxes import MailboxServer
from smtp.address import parse
from smtp.send.client import UNREACHABLE
from tests.world.clock import START

IDE = parse("ide@labo.example")
Talk = Callable[[bytes], bytes]


@asynccontextmanager
async def account(
    folder: Path, answers: Talk, patience: float = 20
) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """An IMAP server that answers as a test says; what it yields opens INBOX there, by our client."""
    authority = Authority.make(START)
    pinned, key = authority.issue("imap.labo.example").write(folder, "imap")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pinned, key)
    (folder / "credentials").write_text("* ide secret\n")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"* OK ready\r\n")
            while line := await reader.readline():
                writer.write(answers(line))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    async def opened() -> str:
        one = MailboxServer.model_validate(
            {
                "name": "house",
                "kind": "imap",
                "host": "127.0.0.1",
                "port": listening.sockets[0].getsockname()[1],
                "certificate": pinned,
                "credentials_file": folder / "credentials",
                "domains": ["labo.example"],
                "timeout": patience,
            }
        )
        deposits = Deposits(one, lines.anchors(one), lines.pinned(one))
        try:
            async with deposits.within(IDE) as there:
                return str(await there.select("INBOX"))
        except Refused as refused:
            return str(refused.said.text)

    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield opened


def kind(line: bytes) -> bytes:
    """Say yes to everything."""
    tag = line.split()[0]
    return tag + b" OK done\r\n"


async def test_a_server_that_answers_is_understood(tmp_path: Path) -> None:
    """The control: a folder is opened."""
    async with account(tmp_path, kind) as opened:
        assert "True" == await opened()


@pytest.mark.parametrize("said", [b"x" * 1000, b"* 1 FETCH (BODY {9}\r\nabc\r\n", b"* OK \r\n"])
async def test_a_server_that_never_ends_is_let_go(
    tmp_path: Path, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it does that: lines, literals, one line without end."""
    monkeypatch.setattr(accounts, "_MOST_SAID", 10_000)

    def endless(line: bytes) -> bytes:
        return kind(line) if b"LOGIN" in line else said * 5000

    async with account(tmp_path, endless) as opened:
        assert UNREACHABLE.text == await opened()


@pytest.mark.parametrize("said", [b"", b"\x00\xff\r\n", b"* BYE no\r\n", b"+ go on\r\n"])
async def test_a_server_that_talks_nonsense_is_away(tmp_path: Path, said: bytes) -> None:
    """And is asked again another time."""

    def odd(line: bytes) -> bytes:
        return kind(line) if b"LOGIN" in line else said

    async with account(tmp_path, odd, 0.3) as opened:
        assert await opened() in {UNREACHABLE.text, "False"}
