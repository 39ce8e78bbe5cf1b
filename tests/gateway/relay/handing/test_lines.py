"""Mail goes to the house's own server only if that is proven to be it, and is there if it says so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.demo.pki import Issued
from gateway.relay.delivery import State
from gateway.relay.handing.lines import Caller, Lines, Unusable, lines
from gateway.relay.handing.servers import Servers
from gateway.settings.boxes import MailboxServer
from gateway.settings.site import Tls
from smtp import tls
from tests.smtp.talk import Talk, hop
from tests.world.world import Gateway, World, letter

DR, IDE, FULL = "dr@labo.example", "ide@labo.example", "plein@labo.example"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(tmp_path) as made:
        await made.labo.add("ide")
        await made.labo.add("plein")
        yield made


def server(**said: object) -> MailboxServer:
    return MailboxServer.model_validate({"name": "house", "domains": ["labo.example"], **said})


def lines_of(gateway: Gateway, *servers: MailboxServer) -> Lines:
    """Return the ways to servers, as this gateway would make them."""
    files = (gateway.folder / "gateway.crt", gateway.folder / "gateway.key")
    own = Tls(certificate=files[0], key=files[1], anchors=gateway.folder / "anchors.pem")
    return lines(Caller(gateway.desk.host, own, 5), servers)


def house(gateway: Gateway, one: MailboxServer) -> None:
    """Have a gateway hand its mail to a server."""
    gateway.refit(replace(gateway.desk, servers=Servers.of([one])))
    carrier = replace(gateway.courier._carrier, desk=gateway.desk, lines=lines_of(gateway, one))
    gateway.courier._carrier = carrier


@asynccontextmanager
async def lmtp(
    path: Path, says: Callable[[list[bytes]], list[bytes]]
) -> AsyncIterator[list[bytes]]:
    """A server on a Unix socket that answers the content as a test says; what it was given."""
    given: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 house LMTP\r\n")
        await reader.readline()
        writer.write(b"250-house\r\n250 PIPELINING\r\n")
        recipients: list[bytes] = []
        while line := await reader.readline():
            if line.startswith(b"RCPT"):
                recipients.append(line)
            if line.startswith(b"DATA"):
                writer.write(b"354 go\r\n")
                given.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"".join(says(recipients)))
                recipients = []
            elif line.startswith(b"QUIT"):
                break
            else:
                writer.write(b"250 ok\r\n")
        writer.close()

    listening = await asyncio.start_unix_server(talk, path)
    async with listening:
        yield given


async def test_each_recipient_has_its_own_answer(world: World, tmp_path: Path) -> None:
    """Delivered is what the server kept; a full mailbox waits, and the others do not."""
    path = tmp_path / "lmtp"
    house(world.labo, server(kind="lmtp", socket=path))
    answers = {b"ide": b"250 2.0.0 kept\r\n", b"plein": b"452 4.2.2 full\r\n"}

    def says(recipients: list[bytes]) -> list[bytes]:
        return [next(answers[each] for each in answers if each in one) for one in recipients]

    async with lmtp(path, says) as given:
        await world.labo.submit(DR, [IDE, FULL], letter(DR, [IDE, FULL]))
        await world.settle()

        copies = world.labo.copies()
        states = {str(each.recipient.address): each.delivery.state for each in copies}
        assert (State.DELIVERED, State.DEFERRED) == (states[IDE], states[FULL])
        assert 1 == len(given)
        assert [] == await world.labo.inbox("ide")
        assert 2 == world.labo.receipts().count("delivered")  # the sender's, and the recipient's


async def test_a_server_that_is_away_is_waited_for(world: World, tmp_path: Path) -> None:
    """No socket, no delivery; nothing is lost, nothing is put anywhere else."""
    house(world.labo, server(kind="lmtp", socket=tmp_path / "nowhere"))
    await world.labo.submit(DR, [IDE])
    await world.settle()

    assert [State.DEFERRED] == world.labo.states()
    assert [] == await world.labo.inbox("ide")


def written(issued: Issued, folder: Path, name: str) -> Path:
    issued.write(folder, name)
    return folder / f"{name}.crt"


@pytest.mark.parametrize(("stores", "state"), [(False, State.RELAYED), (True, State.DELIVERED)])
async def test_an_internal_server_is_known_by_its_certificate(
    world: World,
    tmp_path: Path,
    stores: bool,  # noqa: FBT001 - pytest gives it
    state: State,
) -> None:
    """By SMTP, with the pinned certificate; only ``stores`` makes its 250 a delivery."""
    issued = world.authority.issue("mail.labo.example", hosts=("mail.labo.example",))
    pinned = written(issued, tmp_path, "mail")
    context = tls.server_context(
        pinned, tmp_path / "mail.key", world.labo.folder / "anchors.pem", client_certificates=True
    )
    heard: list[str] = []

    async def script(talk: Talk) -> None:
        await talk.ready()
        commands, _ = await talk.take()
        heard.extend(commands)
        await talk.end()

    async with hop(context, script) as listening:
        house(
            world.labo,
            server(
                kind="smtp",
                host="127.0.0.1",
                port=listening.port,
                certificate=pinned,
                stores=stores,
            ),
        )
        await world.labo.submit(DR, [IDE])
        await world.settle()
        assert state in world.labo.states()
    assert "NOTIFY=FAILURE" in heard[1]


async def test_another_certificate_is_told_nothing(world: World, tmp_path: Path) -> None:
    """One of the same authority is not the pinned one: the message waits, unsaid."""
    pinned = written(world.authority.issue("mail.labo.example"), tmp_path, "mail")
    other = written(world.authority.issue("other.labo.example"), tmp_path, "other")
    context = tls.server_context(
        other, tmp_path / "other.key", world.labo.folder / "anchors.pem", client_certificates=True
    )
    said: list[bytes] = []

    async def script(talk: Talk) -> None:
        await talk.tls()
        said.append(await talk.end())

    async with hop(context, script) as listening:
        house(
            world.labo,
            server(kind="lmtp", host="127.0.0.1", port=listening.port, certificate=pinned),
        )
        await world.labo.submit(DR, [IDE])
        await world.settle()
    assert [State.DEFERRED] == world.labo.states()
    assert [b""] == said


async def test_an_address_without_a_mailbox_is_refused_before(world: World, tmp_path: Path) -> None:
    """The server is asked about our mailboxes alone."""
    house(world.labo, server(kind="lmtp", socket=tmp_path / "nowhere"))
    said = await world.labo.submit(DR, ["nobody@labo.example"])

    assert 550 == said.code


async def test_what_cannot_be_used_is_said_at_the_start(world: World, tmp_path: Path) -> None:
    """A certificate that is not there stops the gateway, in words."""
    missing = tmp_path / "missing.pem"
    for kind, more in (("lmtp", {}), ("imap", {"credentials_file": tmp_path / "c"})):
        one = server(kind=kind, host="127.0.0.1", certificate=missing, **more)
        with pytest.raises(Unusable, match="house"):
            lines_of(world.labo, one)
