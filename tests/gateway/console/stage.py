"""What the console's pages have to show: a change that waits, messages that are held, mailboxes."""

from collections.abc import Sequence

from gateway.app import clock
from gateway.labs.unsent import Turned
from gateway.operations.rooms import Rooms
from gateway.relay.escalating import Escalating
from quarantine.policy import Finding
from smtp.address import Address
from tests.gateway.operations.conftest import held
from tests.gateway.web.account.browser import Place
from tests.world.lists import Lists
from trust import identifiers
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory
from trust.identity import Identity, Way
from trust.members import Member

OLD, NEW = (
    Identity(Way.DN, f"CN=mss.{name.lower()}.example,O={name},C=FR") for name in ("SISRA", "SARA")
)
MOVED = 40
HOUSE = identifiers.parse("finess:540002698")
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
LETTER = (
    b"From: Laboratoire <bio@labo.example>\r\n"
    b"To: dr@chu.example\r\n"
    b"Subject: R=?utf-8?q?=C3=A9?=sultats de Mme DESMAUX <script>alert(1)</script>\r\n"
    b"Message-ID: <1@labo>\r\n"
    b"X-Hostile: <img src=x onerror=alert(1)>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n'
    b"\r\n"
    b"--b\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n"
    b"<p>Bonjour, voici les <b>r\xc3\xa9sultats</b> de Mme DESMAUX.</p><script>alert(1)</script>"
    b'<p>Potassium : 4,1 mmol/l <a href="https://pirate.example/x">ici</a></p>\r\n'
    b"--b\r\n"
    b'Content-Type: application/pdf; name="CR DESMAUX.pdf"\r\n'
    b"Content-Disposition: attachment\r\n"
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"JVBERi0xLjQK\r\n"
    b"--b\r\n"
    b'Content-Type: application/zip; name="facture<img src=x onerror=alert(1)>.pdf.exe"\r\n'
    b"Content-Disposition: attachment\r\n"
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"TVqQAAMAAAA=\r\n"
    b"--b--\r\n"
)


async def suspicious(
    rooms: Rooms,
    to: Sequence[str] = ("dr@chu.example",),
    found: Sequence[tuple[str, str]] = (("executable", "facture.pdf.exe"), ("disguised", "")),
) -> str:
    """Hold a message with a program in it; return its case."""
    case, _ = await held(rooms, to, [Finding(*each) for each in found], body=LETTER)
    return case


def house(people: Sequence[str]) -> Directory:
    """Return a directory in which one number has all these mailboxes."""
    return Directory.of(
        [Entry(Address(each), Kind.ORG, organisation=str(HOUSE)) for each in people]
    )


async def pending(place: Place, lists: Lists) -> None:
    """Put a list in force, and let one wait that moves its members to another operator."""
    rooms = place.chu.rooms
    now = clock().replace(microsecond=0)
    lists.members |= {f"d{n:04}.example": Member(f"d{n:04}.example", (OLD,)) for n in range(MOVED)}
    await rooms.keeper.offer("list", lists.offer(now))
    for waiting in rooms.keeper.pending:
        await rooms.keeper.approve("operator:test", waiting.digest)
    lists.members |= {f"d{n:04}.example": Member(f"d{n:04}.example", (NEW,)) for n in range(MOVED)}
    lists.members["neuf.example"] = Member("neuf.example", (NEW,))
    await rooms.keeper.offer("list", lists.offer(now))


async def mailboxes(place: Place) -> None:
    """Make some mailboxes; one has a hostile name."""
    for local, kind, name in (
        ("accueil", "ORG", "Accueil des urgences"),
        ("dr.durand", "PER", "Dr Agnès Durand"),
        ("imagerie", "APP", HOSTILE),
    ):
        await place.chu.ask(
            "mailbox.add", address=Address(f"{local}@chu.example"), kind=kind, name=name
        )


async def escalated(rooms: Rooms) -> None:
    """Let a critical result fail, and a person be told."""
    now, criticals = rooms.clock(), rooms.desk.criticals
    turned = Turned(Address("bio@chu.example"), "CR DESMAUX.pdf", "", "550 5.1.1 No such mailbox")
    await rooms.database.commit([criticals.lost(turned, now)])
    await Escalating(rooms.desk, rooms.notices, criticals, "chu").round()
