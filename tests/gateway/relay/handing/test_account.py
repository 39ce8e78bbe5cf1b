"""A message in an account elsewhere is read whole or not at all, however its server says it."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.demo.pki import Authority
from gateway.relay.handing import account as accounts
from gateway.relay.handing import lines
from gateway.relay.handing.account import Account, Accounts, Refused
from gateway.settings.labs import Outbox
from smtp.address import parse
from smtp.send.client import UNREACHABLE
from tests.smtp.stage import turn
from tests.world.clock import START

LABO = parse("resultats@labo.example")
CONTENT = b"Subject: x\r\n\r\nabcdef"


@asynccontextmanager
async def opened(folder: Path, answers: Callable[[bytes], bytes]) -> AsyncIterator[Account]:
    """An IMAP server that answers as a test says, and our line to it."""
    pinned, key = Authority.make(START).issue("imap.labo.example").write(folder, "imap")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pinned, key)
    (folder / "credentials").write_text("* labo secret\n")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"* OK ready\r\n")
            while line := await reader.readline():
                tag, verb = line.split()[:2]
                said = b"* CAPABILITY IMAP4rev1\r\n" if verb == b"CAPABILITY" else answers(line)
                writer.write(said if said.startswith(tag) else said + tag + b" OK done\r\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        place = Outbox.model_validate(
            {
                "name": "sortie",
                "mailbox": LABO,
                "host": "127.0.0.1",
                "port": port,
                "certificate": pinned,
                "credentials_file": folder / "credentials",
                "timeout": 5,
            }
        )
        there = Accounts(place, lines.anchors(place), lines.pinned(place))
        async with there.within(LABO) as account:
            assert await account.select("Outbox")
            yield account


def piece(line: bytes, content: bytes, *, quotes: bool) -> bytes:
    """Answer a FETCH of a piece, as a literal, or as a string where that can be."""
    asked = re.search(rb"<(\d+)\.(\d+)>", line)
    if asked is None:
        return b""
    start, most = int(asked[1]), int(asked[2])
    part = content[start : start + most]
    said = b'"%s"' % part if quotes and b"\n" not in part else b"{%d}\r\n%s" % (len(part), part)
    return b"* 1 FETCH (UID 5 BODY[]<%d> %s)\r\n" % (start, said)


@pytest.mark.parametrize("quotes", [False, True])
@pytest.mark.parametrize("size", [4, 5, 10, 19, 20, 100])
async def test_a_message_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, *, quotes: bool
) -> None:
    """Whatever the pieces' length; an end without line ends may come as a string."""
    monkeypatch.setattr(accounts, "_PIECE", size)
    async with opened(tmp_path, lambda line: piece(line, CONTENT, quotes=quotes)) as account:
        assert CONTENT == b"".join([each async for each in account.blocks(5)])


async def test_what_goes_away_while_it_is_read_is_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody took it back: the first half of it is not sent."""
    monkeypatch.setattr(accounts, "_PIECE", 10)

    def vanishing(line: bytes) -> bytes:
        return b"" if b"<10." in line else piece(line, CONTENT, quotes=False)

    async with opened(tmp_path, vanishing) as account:
        with pytest.raises(Refused) as refused:
            async for _ in account.blocks(5):
                pass
    assert UNREACHABLE == refused.value.said


async def test_numbers_that_no_folder_has_are_not_read(tmp_path: Path) -> None:
    """RFC 9051 knows 32 bits: a server that says more is not a bug of ours."""
    many = b"9" * 5000

    def hostile(line: bytes) -> bytes:
        if b"SELECT" in line:
            return b"* OK [UIDVALIDITY " + many + b"] x\r\n"
        if b"SEARCH" in line:
            return b"* SEARCH 7 " + many + b"\r\n"
        return b"* 1 FETCH (UID 7 RFC822.SIZE " + many + b")\r\n" if b"FETCH" in line else b""

    async with opened(tmp_path, hostile) as account:
        assert None is await account.opened("Outbox")
        assert [7] == await account.ready()
        assert None is await account.size(7)


async def test_a_mail_that_cannot_be_taken_out_was_not_moved(tmp_path: Path) -> None:
    """A server without MOVE that copies and does not let it be deleted: that is told."""

    def keeps(line: bytes) -> bytes:
        return line.split()[0] + b" NO [NOPERM] no\r\n" if b"STORE" in line else b""

    async with opened(tmp_path, keeps) as account:
        with pytest.raises(Refused) as refused:
            await account.move(5, "Sent")
    assert accounts.NOT_MOVED == refused.value.said


async def test_who_must_end_does_not_stay_to_say_goodbye(tmp_path: Path) -> None:
    """A gateway that stops waits for no mailbox server."""
    lines: list[bytes] = []

    def heard(line: bytes) -> bytes:
        lines.append(line)
        return b""

    with pytest.raises(asyncio.CancelledError):
        async with opened(tmp_path, heard):
            raise asyncio.CancelledError
    assert not [line for line in lines if b"LOGOUT" in line]


async def test_who_is_told_to_end_while_it_leaves_ends(tmp_path: Path) -> None:
    """The end of what is left behind is not taken for our own: a loop would go on for ever."""
    loop = asyncio.get_running_loop()
    told, go = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.set()
            await go.wait()

    async with opened(tmp_path, lambda _: b"") as account:
        account._client._client_task = loop.create_task(slow())
        await turn()
        leaving = loop.create_task(account.leave())
        await told.wait()
        leaving.cancel()
        go.set()
        await asyncio.wait({leaving})
    assert leaving.cancelled()


async def test_what_a_server_says_out_of_turn_is_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be a piece of a mail: the line is let go of without a word."""

    def babbling(line: bytes) -> bytes:
        return b"LFAC99 OK Mme Desmaux\r\n" if b"SEARCH" in line else b""

    async with opened(tmp_path, babbling) as account:
        with pytest.raises(Refused) as refused:
            await account.ready()
    assert UNREACHABLE == refused.value.said
    assert "Desmaux" not in caplog.text
