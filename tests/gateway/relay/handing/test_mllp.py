"""Documents reach hospital software by MLLP, and are delivered when it says that it has filed them."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server
from pydantic import ValidationError

from gateway.demo.pki import Authority
from gateway.documents import packing, xdm
from gateway.documents.codes import Failure
from gateway.relay.delivery import State
from gateway.relay.handing import oru
from gateway.relay.handing.account import UNPROVEN
from gateway.relay.handing.lines import UNUSABLE
from gateway.relay.handing.mllp import LOST, NO_DOCUMENT
from gateway.relay.handing.oru import FILED, UNSOUND
from gateway.settings.boxes import MailboxesSettings, MailboxServer
from imap.errors import OverQuota
from imap.store import Mailboxes
from smtp.address import parse
from smtp.envelope import Recipient
from smtp.reply import Reply
from smtp.send.client import UNREACHABLE
from smtp.send.outgoing import Outcome, Outgoing
from tests.gateway.documents.made import parcel
from tests.gateway.relay.handing.test_lines import DR, house, lines_of, server
from tests.world.clock import START
from tests.world.world import World
from vault.database import Statement

APP, ID = parse("logiciel@labo.example"), "01JD5F5R00ABCDEFGHJKMNPQRS"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(tmp_path) as made:
        await made.labo.add("logiciel")
        yield made


@dataclass(slots=True)
class Program:
    """Hospital software, as another library speaks for it."""

    code: str = "AA"
    error: str = ""
    filed: list[hl7.Message] = field(default_factory=list)
    met: int = 0

    async def talk(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        self.met += 1
        try:
            while True:
                message = await reader.readmessage()
                self.filed.append(message)
                answer = message.create_ack(self.code)
                if self.error:
                    answer.append(hl7.parse(f"MSH|^~\\&|\rERR||PID^1^3|{self.error}|E\r")[1])
                writer.writemessage(answer)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        there = await start_hl7_server(self.talk, "127.0.0.1", 0, ssl=context, encoding="utf-8")
        async with there:
            yield there.sockets[0].getsockname()[1]


def software(port: int, **more: Any) -> MailboxServer:
    told = {"kind": "mllp", "host": "127.0.0.1", "port": port, "domains": [], "mailboxes": [APP]}
    return server(**(told | more))


def result(text: bytes = b"") -> bytes:
    made = parcel(sender=parse(DR), recipients=(APP,), message_id="<1@labo.example>")
    return text + packing.pack(made, xdm.Sender("Labo", DR))


async def test_a_document_is_filed(world: World) -> None:
    """AA is delivered; the connection serves the next message too."""
    program = Program()
    async with program.listening() as port:
        house(world.labo, software(port, application="DPI"))
        for _ in range(2):
            await world.labo.submit(DR, [APP], result())
            await world.settle()
        await world.labo.courier._carrier.close(world.labo.courier._lanes.values())

    assert [State.DELIVERED] * 2 == world.labo.states()
    assert ["DPI", "DPI"] == [str(each.segment("MSH")[5]) for each in program.filed]
    assert 1 == program.met
    assert 4 == world.labo.receipts().count("delivered")


@pytest.mark.parametrize(
    ("code", "error", "state"),
    [
        ("AE", "902^Patient inconnu", State.FAILED),
        ("AR", "", State.DEFERRED),
        ("AR", "200^type", State.FAILED),
    ],
)
async def test_what_software_cannot_file_comes_back(
    world: World, code: str, error: str, state: State
) -> None:
    """Its sender is told with the number; what may pass is tried again."""
    async with Program(code, error).listening() as port:
        house(world.labo, software(port))
        await world.labo.submit(DR, [APP], result())
        await world.settle()
        await world.labo.courier._carrier.close(world.labo.courier._lanes.values())

    assert state in world.labo.states()
    reports = b"".join(await world.labo.inbox("dr"))
    assert (state is State.FAILED) == (error[:3].encode() in reports if error else False)


async def test_what_software_refuses_lies_before_a_person(world: World) -> None:
    """The mail lies whole in the error mailbox, and why; its sender is told, the journal knows."""
    await world.labo.add("erreurs")
    sent = result()
    async with Program("AE", "904^x").listening() as port:
        house(world.labo, software(port, errors="erreurs@labo.example"))
        await world.labo.submit(DR, [APP], sent)
        await world.settle()
        await world.labo.courier._carrier.close(world.labo.courier._lanes.values())

    assert State.FAILED in world.labo.states()
    why, aside = sorted(await world.labo.inbox("erreurs"), key=lambda each: each.endswith(sent))
    assert aside.endswith(sent)
    assert b"Error: 904^" in why
    assert ("delivery.set_aside", APP) in await world.labo.story()
    assert b"904" in b"".join(await world.labo.inbox("dr"))
    assert 0 == world.labo.receipts().count("read")


async def test_what_software_never_took_lies_before_a_person(world: World) -> None:
    """It is down until the mail is too old: the mail whole, and a notice; no answer in its name."""
    await world.labo.add("erreurs")
    sent = result()
    async with raw(is_silent) as port:
        pass
    house(world.labo, software(port, errors="erreurs@labo.example"))
    await world.labo.submit(DR, [APP], sent)
    await world.settle()
    assert [] == await world.labo.inbox("erreurs")
    await world.later(days=3)
    await world.settle()

    assert State.EXPIRED in world.labo.states()
    notice, aside = sorted(await world.labo.inbox("erreurs"), key=lambda each: each.endswith(sent))
    assert aside.endswith(sent)
    text = base64.b64decode(notice.partition(b"\r\n\r\n")[2]).decode()
    assert f"Le logiciel de {APP} n'a pas pris le document" in text
    assert "Its sender is told" in text
    assert not [one for one in world.labo.receipts() if one.startswith("application")]
    assert b"report-type=delivery-status" in (await world.labo.inbox("dr"))[-1]


async def test_what_is_damaged_expires_all_the_same(world: World) -> None:
    """Nobody can file it by hand either; its sender hears that it was not delivered."""
    await world.labo.add("erreurs")
    async with raw(is_silent) as port:
        pass
    house(world.labo, software(port, errors="erreurs@labo.example"))
    await world.labo.submit(DR, [APP], result())
    await world.settle()
    damage = Statement("UPDATE body SET sealed = substr(sealed, 1, length(sealed) - 1)")
    await world.labo.rest.commit([damage])
    await world.later(days=3)
    await world.settle()

    assert State.EXPIRED in world.labo.states()
    assert "notice.crashed" in [event for event, _ in world.labo.events]
    assert b"report-type=delivery-status" in (await world.labo.inbox("dr"))[-1]
    assert [] == await world.labo.inbox("erreurs")


@pytest.mark.parametrize("reason", ["no-such-mailbox", "mailbox-full"])
async def test_without_room_in_the_error_mailbox_the_sender_is_told(
    world: World, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error mailbox that is missing or full stops nothing, and operators hear of it."""
    if reason == "mailbox-full":
        await world.labo.add("erreurs")

        def full(*_: object) -> None:
            raise OverQuota("full")

        monkeypatch.setattr(Mailboxes, "check_room", full)
    async with Program("AE").listening() as port:
        house(world.labo, software(port, errors="erreurs@labo.example"))
        await world.labo.submit(DR, [APP], result())
        await world.settle()
        await world.labo.courier._carrier.close(world.labo.courier._lanes.values())

    assert State.FAILED in world.labo.states()
    assert ("handing.not_set_aside", {"reason": reason}) in world.labo.events


def test_the_error_mailbox_lies_with_us() -> None:
    """What a program refused cannot be handed to a program."""
    own = software(1, errors=APP)
    with pytest.raises(ValidationError, match="errors"):
        MailboxesSettings(server=(own,))


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw(talk: Talk) -> AsyncIterator[int]:
    """A program that speaks as a test says."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    there = await asyncio.start_server(one, "127.0.0.1", 0, limit=1 << 20)
    async with there:
        yield there.sockets[0].getsockname()[1]


async def handed(
    world: World, one: MailboxServer, content: bytes | None = None, times: int = 1
) -> list[Reply]:
    """Hand a message over as the courier does, over one connection; what is said each time."""
    link = await lines_of(world.labo, one)["house"].open()
    if isinstance(link, Reply):
        return [link]
    said: list[Outcome] = []
    for again in range(times):

        async def body() -> AsyncIterator[bytes]:
            yield result() if content is None else content

        sent = Outgoing(parse(DR), (Recipient(APP),), 2, transfer=ID, again=again > 0)
        said.append(await link.send(sent, body()))
    await link.close()
    assert not link.usable
    return [each.replies[0][1] for each in said]


async def hangs_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\x1c\r")


async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\x1c\r")
    writer.write(b"\x0b" + b"MSA|AA|" * 20_000 + b"\x1c\r")
    await writer.drain()
    await reader.read()


async def is_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("talk", [hangs_up, babbles, is_silent])
async def test_what_is_not_acknowledged_is_not_filed(world: World, talk: Talk) -> None:
    """No answer, too much of one, none in time: it is sent again, under the same number."""
    async with raw(talk) as port:
        assert [LOST] == await handed(world, software(port, timeout=0.5))


@pytest.mark.parametrize(
    ("asked", "then", "said"),
    [
        ("two", ["AA"], FILED),
        ("two", ["AE"], oru.failed(Failure.OTHER)),
        ("two", [], LOST),
        ("one", ["AE"], FILED),
    ],
)
async def test_a_program_that_acknowledges_twice(
    world: World, asked: str, then: list[str], said: Reply
) -> None:
    """That it has the message is not that it filed it, where its own answer was asked for."""
    fields: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got = await reader.readuntil(b"\x1c\r")
        fields[:] = got.decode().partition("\r")[0].split("|")
        for code in ["CA", *then]:
            told = f"MSH|^~\\&|x|x|x|x|2026||ACK|1|P|2.5\rMSA|{code}|{fields[9]}\r"
            writer.write(b"\x0b" + told.encode() + b"\x1c\r")
            await writer.drain()
        await reader.read()

    async with raw(talk) as port:
        one = software(port, acknowledgements=asked, timeout=5 if then else 0.3)
        assert [said] == await handed(world, one)
    assert (["AL", "AL"] if asked == "two" else ["", ""]) == fields[14:16]


async def test_the_answer_to_another_message_is_none(world: World) -> None:
    """A program that is out of step is not believed, and the connection given up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x1c\r")
        writer.write(b"\x0bMSH|^~\\&|\rMSA|AA|1\r\x1c\r")
        await writer.drain()

    async with raw(talk) as port:
        (said,) = await handed(world, software(port))

    assert UNSOUND == said


async def test_only_documents_are_for_software(world: World) -> None:
    """A letter is refused in words, and a broken archive with a number."""
    program = Program()
    broken = b"Content-Type: application/zip; name=IHE_XDM.zip\r\n\r\nPK nothing"
    async with program.listening() as port:
        assert [NO_DOCUMENT] == await handed(
            world, software(port), b"Subject: x\r\n\r\nBonjour\r\n"
        )
        (said,) = await handed(world, software(port), broken)

    assert "906" in said.text
    assert [] == program.filed


async def test_software_that_is_not_there(world: World) -> None:
    """A program that is down is waited for."""
    async with raw(is_silent) as port:
        pass

    assert [UNREACHABLE] == await handed(world, software(port))


async def test_software_elsewhere_is_proven(world: World, tmp_path: Path) -> None:
    """Over a network it shows the very certificate that is pinned, and no other gets a word."""
    authority = Authority.make(START)
    pinned, key = authority.issue("dpi.labo.example").write(tmp_path, "dpi")
    other, other_key = authority.issue("dpi.labo.example").write(tmp_path, "other")
    program = Program()
    said = []
    for shown, secret in ((pinned, key), (other, other_key)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown, secret)
        async with program.listening(context) as port:
            said += await handed(world, software(port, certificate=pinned), times=2)

    assert [FILED, FILED, UNPROVEN] == said
    assert 2 == len(program.filed)


async def test_a_certificate_that_went_away(world: World, tmp_path: Path) -> None:
    """What was usable at the start and is not now: the operator is told, the mail waits."""
    pinned, _ = Authority.make(START).issue("dpi.labo.example").write(tmp_path, "dpi")
    ways = lines_of(world.labo, software(1, certificate=pinned))
    pinned.unlink()

    assert UNUSABLE == await ways["house"].open()


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "dpi.chu.example"},
        {"domains": ["labo.example"]},
        {"host": ""},
        {"kind": "smtp", "application": "DPI"},
        {"path": "/srv/x"},
        {"certificate": "a.crt", "anchors": "b.pem"},
    ],
)
def test_software_elsewhere_needs_a_certificate(wrong: dict[str, object]) -> None:
    """Only this very machine is spoken to without TLS, and only for named mailboxes."""
    assert software(1).beside
    with pytest.raises(ValidationError):
        software(1, **wrong)
