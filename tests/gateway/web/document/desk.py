"""A gateway that holds a large document for a clinic, the issuer beside it, and a reader's browser."""

import ssl
from base64 import encodebytes
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from gateway.app import clock
from gateway.demo.connect import Connect
from gateway.demo.pki import Authority
from gateway.operations.error import OperationError
from gateway.relay.delivery import Delivery, State, delivery_id
from gateway.relay.large.links import Facts, Link, Links, new_link_id, new_token
from gateway.relay.large.stub import Cut
from gateway.relay.message import Copy, Message, Summary
from smtp.address import Address, parse
from smtp.envelope import Mail, Notify, Recipient, new_message_id
from smtp.message.mime import PartIndex
from tests.gateway.web.account.browser import DR, Browser, Place, placed
from trust.addresses import Kind, Listed

MARTIN, OTHER = parse("martin@clinique.example"), parse("autre@clinique.example")
NUMBERS = {MARTIN: "10001234565", OTHER: "10001234573"}
PEOPLE = {
    "martin": {"SubjectNameID": f"8{NUMBERS[MARTIN]}"},
    "stranger": {"SubjectNameID": "899700218896"},
}
IMAGES = bytes(range(256)) * 1000
ORIGIN = "https://courrier.chu.example"
_SECRET = "s3cret"
_SECTION = """
[large.reader]
url = "{url}"
audience = "sceau-chu"
client_secret_file = "../client"
anchors = "../issuer.pem"
origin = "{origin}"
looks = 4
"""


@dataclass(slots=True)
class Desk:
    """One house, and what lies in it."""

    place: Place
    connect: Connect
    link: Link
    copies: list[Copy]
    browser: Browser

    @property
    def path(self) -> str:
        return f"/document/{self.link.facts.token}"

    async def log_in(self, who: str = "martin", browser: Browser | None = None) -> httpx.Response:
        """Go to the issuer, click there, and follow where that leads."""
        mine = browser or self.browser
        sent = await mine.client.get(f"{self.path}/login")
        there = urlsplit(sent.headers["location"])
        back = self.connect.answer("POST", f"{there.path}?{there.query}", {}, f"who={who}").place
        assert back.startswith(f"{ORIGIN}/document/back?")
        return await mine.open(back.removeprefix(ORIGIN))

    async def publish(self) -> None:
        """Bring the list, as it now is, into force."""
        offer = self.place.lists.offer(clock().replace(microsecond=0))
        arrival = await self.place.chu.rooms.keeper.offer("list", offer)
        assert arrival.good, arrival

    def found_at(self, origin: str) -> None:
        """Let the issuer lead back to where this test's gateway listens."""
        documents = self.place.chu.gateway._webs._documents
        assert documents is not None
        documents.entering._home = f"{origin}/document/back"

    async def get(self, path: str = "", **headers: str) -> httpx.Response:
        """Ask for something of the document."""
        return await self.browser.client.get(self.path + path, headers=headers)

    async def story(self) -> list[dict[str, Any]]:
        """Return what the journal has of the message, but for what every message has."""
        await self.place.chu.rooms.notes.write()
        try:
            rows = await self.place.chu.ask("trace", what=self.link.message)
        except OperationError:  # nothing happened
            return []
        return [row for row in rows if row["event"].startswith(("document", "delivery"))]

    async def events(self) -> list[str]:
        return [row["event"] for row in await self.story()]

    def state(self, address: Address = MARTIN) -> State:
        rooms = self.place.chu.rooms
        copies = rooms.spool.copies(self.link.message)
        return next(c.delivery.state for c in copies if c.recipient.address == address)


@asynccontextmanager
async def waiting(folder: Path) -> AsyncIterator[Desk]:
    """Run it all."""
    connect = Connect("sceau-chu", _SECRET, PEOPLE)
    with _issuer(connect, folder):
        section = _SECTION.format(url=connect.url, origin=ORIGIN)
        async with placed(folder, section) as place:
            chu = place.chu
            place.lists.add("clinique.example", place.authority.issue("mx.clinique.example"))
            place.lists.addresses = [
                Listed(one, Kind.PER, f"rpps:{number}") for one, number in NUMBERS.items()
            ]
            await chu.rooms.keeper.offer("list", place.lists.offer(clock().replace(microsecond=0)))
            await chu.ask("mailbox.add", address=DR)
            link, copies = await _kept(place)
            yield Desk(place, connect, link, copies, place.browser())


def letter() -> bytes:
    """Return the message: a text, and images that are too large for the clinic's server."""
    encoded = encodebytes(IMAGES).replace(b"\n", b"\r\n")
    return (
        b"From: Dr <dr@chu.example>\r\nTo: martin@clinique.example\r\nSubject: IRM\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nBonjour\r\n"
        b'--b\r\nContent-Type: application/zip; name="irm.zip"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded + b"\r\n--b--\r\n"
    )


@contextmanager
def _issuer(connect: Connect, folder: Path) -> Iterator[None]:
    authority = Authority.make(clock().replace(microsecond=0))
    (folder / "issuer.pem").write_bytes(authority.anchors_pem)
    secret = folder / "client"
    secret.touch(mode=0o600)
    secret.write_text(_SECRET)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue("connect", hosts=("127.0.0.1",))
    context.load_cert_chain(*issued.write(folder, "connect"))
    with connect.serving(context):
        yield


async def _kept(place: Place) -> tuple[Link, list[Copy]]:
    """Keep the message for the clinic, as the courier leaves it when its stub is theirs."""
    rooms, now, content = place.chu.rooms, clock(), letter()
    summary = Summary(parse(DR), f"Dr <{DR}>", "IRM", "", "<irm@chu.example>")
    mail = Mail(parse(DR))
    message = Message(new_message_id(now), now, len(content), "submission", mail, summary)
    copies = [
        Copy(
            message,
            Recipient(one, frozenset({Notify.SUCCESS})),
            Delivery(delivery_id(message.id, n), State.RELAYED, now, now + timedelta(days=1)),
        )
        for n, one in enumerate((MARTIN, OTHER), 1)
    ]
    facts = Facts(new_token(), sha256(content).hexdigest(), (_cut(content),))
    link = Link(
        new_link_id(),
        message.id,
        "clinique.example",
        len(content),
        now,
        now + timedelta(days=30),
        facts,
        reader=True,
    )
    sealed = await rooms.vault.put(_one(content))
    await rooms.database.commit(
        [
            *rooms.vault.holding(sealed, [link.holder]),
            *rooms.spool.entering(message, copies),
            Links(rooms.database, rooms.ring).adding(link, parse(DR)),
        ]
    )
    return link, copies


def _cut(content: bytes) -> Cut:
    index = PartIndex()
    index.feed(content)
    part = next(part for part in index.finish() if part.name)
    digest = sha256(IMAGES).hexdigest()
    return Cut(
        part.header, part.body, part.end, part.type, part.name, part.encoding, len(IMAGES), digest
    )


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
