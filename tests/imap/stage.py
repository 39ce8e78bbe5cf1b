"""A mailbox with known letters, people who may read it, and two ways in: with and without sockets."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from imap.attending import Attendant
from imap.errors import Forbidden
from imap.events import Closed, TlsAsked
from imap.folder import UidSet
from imap.principal import OWNER, Act, Grant, Principal, Shared
from imap.rules import Rules
from imap.server import Door, Limits
from imap.session import Session
from imap.store import INBOX, Folder, Mailboxes
from imap.visit import House
from smtp import reply
from smtp.address import Address, parse
from smtp.envelope import Peer
from smtp.reply import Reply
from tests.smtp.stage import Pki
from tests.world.clock import START
from tests.world.rest import Rest, blocks
from vault.database import Statement

HOST = "gw.chu-nord.example"
USER = parse("dr@chu-nord.example")
COLLEAGUE = parse("accueil@chu-nord.example")

PLAIN = (
    b"From: Labo <resultats@labo.example>\r\nTo: dr@chu-nord.example\r\n"
    b"Subject: Potassium\r\nDate: Mon, 02 Mar 2026 09:30:00 +0100\r\n"
    b"Message-ID: <1@labo.example>\r\n\r\npotassium 4.1 mmol/l\r\n"
)
MIXED = (
    b"From: Labo <resultats@labo.example>\r\nTo: dr@chu-nord.example\r\n"
    b"Subject: =?utf-8?q?R=C3=A9sultat?=\r\nDate: Tue, 03 Mar 2026 10:00:00 +0100\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nVoir ci-joint.\r\n"
    b'--b\r\nContent-Type: application/octet-stream; name="a.bin"\r\n'
    b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n"
    b"AAECAwQF\r\n--b--\r\n"
)
WRECK = b"\xff\xfe no header at all\r\n\r\nContent-Type: multipart/mixed\r\nbytes \x80\x81\r\n"
LETTERS = (PLAIN, MIXED, WRECK)


@dataclass
class People:
    """Who may come in: one user and what is shared with them."""

    shared: tuple[Shared, ...] = ()
    known: bool = True
    reading: bool = False  # their password is for reading alone

    bells: list[Callable[[], None]] = field(default_factory=list)
    given: list[tuple[Address, int, Grant]] = field(default_factory=list)

    def of(self, address: Address) -> Principal | None:
        return Principal(address, 1, self.shared) if self.known else None

    def on(self, mailbox: int) -> Sequence[Grant]:
        owner = Grant(USER if mailbox == 1 else COLLEAGUE, OWNER)
        shares = [Grant(USER, each.rights) for each in self.shared if each.mailbox == mailbox]
        return [owner, *shares, *[grant for _, to, grant in self.given if to == mailbox]]

    async def give(self, by: Principal, mailbox: int, grant: Grant) -> None:
        if "@" not in grant.who:
            raise Forbidden("There is no such mailbox here")
        self.given.append((by.login, mailbox, grant))

    def listen(self, who: Principal, bell: Callable[[], None]) -> Callable[[], None]:
        self.bells.append(bell)
        return lambda: self.bells.remove(bell)

    def share(self, *shared: Shared) -> None:
        """Change what is shared, for those who are in as well."""
        self.shared = shared
        for bell in tuple(self.bells):
            bell()

    async def password(self, login: str, password: str, peer: Peer) -> Address | Reply:
        if (login, password) == ("broken", "broken"):
            raise RuntimeError("a secret of ours")
        return USER if (login, password) == (USER, "right") else reply.BAD_CREDENTIALS

    def is_whole(self, login: str, password: str) -> bool:
        return not self.reading

    async def certificate(self, authzid: str, peer: Peer) -> Address | Reply:
        return USER if peer.certificate and authzid in ("", USER) else reply.BAD_CREDENTIALS

    async def token(self, login: str, token: str, peer: Peer) -> Address | Reply:
        return USER if token == "right" else reply.BAD_CREDENTIALS


@dataclass
class Scene:
    """A store with two mailboxes, the second shared, and what was noted."""

    rest: Rest
    mailboxes: Mailboxes
    people: People
    notes: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    max_size: int = 1 << 20
    zone: tzinfo = UTC

    @classmethod
    async def make(cls, rest: Rest, *, shared: bool = False, max_size: int = 1 << 20) -> "Scene":
        mailboxes = Mailboxes(rest.database, rest.vault, rest.ring, lambda: START)
        await rest.commit(
            [
                *map(_mailbox, (1, 2)),
                *(one for n in (1, 2) for one in mailboxes.opening(f"k{n}", INBOX, START)),
            ]
        )
        people = People((Shared(COLLEAGUE, 2, "lrswit"),) if shared else ())
        return cls(rest, mailboxes, people, max_size=max_size)

    @property
    def house(self) -> House:
        return House(
            self.mailboxes, lambda: START, self.people, self, self.max_size, zone=self.zone
        )

    async def read(self, who: Principal, peer: Peer, folder: Folder, uids: UidSet) -> None:
        self.opened.extend(uids)

    async def acted(self, who: Principal, peer: Peer, act: Act) -> None:
        self.acts.append(act)

    async def deliver(self, *letters: bytes, mailbox: int = 1, folder: str = INBOX) -> None:
        """Put letters into a mailbox."""
        for letter in letters:
            found = self.mailboxes.find(mailbox, folder)
            assert found is not None
            batch = self.mailboxes.batch(found.id)
            await batch.add((), START.timestamp(), blocks(letter), len(letter))
            await batch.commit()

    def on_event(self, event: str, facts: Mapping[str, object]) -> None:
        self.notes.append((event, facts))


def _mailbox(number: int) -> Statement:
    return Statement(
        "INSERT INTO mailbox VALUES (?, ?, 'chu.example', ?, X'00', 'PER', 'active', 0)",
        (number, f"k{number}", bytes([number])),
    )


class Core:
    """A session and who attends to it, with a buffer for a socket."""

    def __init__(self, scene: Scene, rules: Rules) -> None:
        self.scene, self.rules = scene, rules
        clear = Peer("192.0.2.1", listener=rules.listener)
        self.secure = Peer(
            "192.0.2.1",
            tls="TLSv1.3",
            certificate=b"der" if rules.certificate else None,
            listener=rules.listener,
        )
        self.machine = Session(rules, self.secure if rules.implicit_tls else clear)
        self.attendant = Attendant(self, self.machine, self)
        self.out = b""
        self.closed = False
        self._running: set[asyncio.Task[None]] = set()
        self._said = asyncio.Event()
        self.machine.greet()
        self.pump()

    # The room.

    @property
    def house(self) -> House:
        return self.scene.house

    @property
    def authenticator(self) -> People:
        return self.scene.people

    def run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def on_event(self, event: str, facts: Mapping[str, object], /) -> None:
        self.scene.on_event(event, facts)

    # The line.

    def pump(self) -> None:
        while (event := self.machine.next_event()) is not None:
            if isinstance(event, Closed):
                self.closed = True
            elif not isinstance(event, TlsAsked):
                self.attendant.act(event)
        self.write()

    def write(self) -> None:
        self.out += self.machine.outgoing()
        self._said.set()

    async def flow(self) -> None:
        self.write()
        await asyncio.sleep(0)

    def regulate(self) -> None:
        pass

    def retire(self, said: Reply) -> None:
        self.machine.retire(said)
        self.pump()

    def abort(self) -> None:
        self.lost()

    # The client.

    def receive(self, block: bytes) -> None:
        self.machine.receive(block)
        self.pump()

    async def response(self) -> bytes:
        """Wait for a whole response; nothing when the session is over."""
        while (said := whole(self.out)) is None:
            if self.closed:
                return b""
            self._said.clear()
            await self._said.wait()
        self.out = self.out[len(said) :]
        return said

    def lost(self) -> None:
        """The client is gone."""
        self.machine.close()
        self.pump()
        self.attendant.leave()

    async def ended(self) -> None:
        """Wait until nothing runs any more."""
        while self._running:
            await asyncio.wait(set(self._running))
            await asyncio.sleep(0)


_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


def whole(octets: bytes) -> bytes | None:
    """Return the first whole response of what was said, or None."""
    at = 0
    while (end := octets.find(b"\r\n", at)) >= 0:
        at = end + 2
        literal = _LITERAL.search(octets[:at])
        if literal is None:
            return octets[:at]
        at += int(literal[1])
    return None


@dataclass
class Open:
    """A door that is open."""

    door: Door
    port: int
    scene: Scene


@asynccontextmanager
async def opened(
    rules: Rules, pki: Pki, scene: Scene, limits: Limits | None = None
) -> AsyncIterator[Open]:
    """Open a door on a free port; stop it at the end."""
    door = Door(
        rules,
        pki.server(client_certificates=rules.certificate),
        scene.house,
        scene.people,
        limits or Limits(grace=2.0),
        scene.on_event,
    )
    port = await door.open("127.0.0.1", 0)
    try:
        yield Open(door, port, scene)
    finally:
        await door.stop()
