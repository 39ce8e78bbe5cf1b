"""A whole trusted space in one process: an authority, a signed list, two gateways, one clock.

The rooms are the real ones, put together as ``gateway.app`` does; relay goes over loopback TLS with
certificates that the list names. The clock stands still until a test moves it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from gateway.accounts.absences import Absences
from gateway.accounts.mailboxes import Accounts, Mailbox
from gateway.accounts.shares import Shares
from gateway.demo.pki import Authority, Issued
from gateway.documents.coherence import Citizens
from gateway.observe.metrics import Metrics
from gateway.receipts.outbox import Outbox
from gateway.relay.books import Books
from gateway.relay.carrier import Carrier, Dial, dialling
from gateway.relay.courier import Courier
from gateway.relay.delivery import Schedule, State
from gateway.relay.desk import Desk
from gateway.relay.exchanges import Exchanges
from gateway.relay.intake import Intake
from gateway.relay.lanes import Link
from gateway.relay.large.large import Large
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.once import Once
from gateway.relay.routes import Hosts
from gateway.relay.spool import Spool
from gateway.relay.threads import Rules as Citizenship
from gateway.settings.large import LargeSettings
from gateway.settings.motion import Limits, Relay
from gateway.settings.site import Site as SiteSettings
from imap.store import Mailboxes
from quarantine.register import Register
from quarantine.review import Review
from smtp import tls
from smtp.address import Address, parse
from smtp.envelope import Draft, Mail, Peer, Recipient, Refusal
from smtp.receive.door import Door
from smtp.receive.rules import Rules
from smtp.receive.server import Limits as DoorLimits
from smtp.reply import Reply
from smtp.send.client import Entitled
from tests.trust.simulator import MemoryStore
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from tests.world.peers import Peer as Played
from tests.world.rest import Rest
from trust.addresses import Kind
from trust.keeper import Keeper
from vault.journal import Journal

_DAYS = 3500  # the certificates must be good by the machine's clock too


@dataclass(slots=True)
class Gateway:
    """One gateway of the world."""

    domain: str
    folder: Path
    issued: Issued
    rest: Rest
    clock: Clock
    keeper: Keeper
    settings: Relay
    desk: Desk = field(init=False)
    courier: Courier = field(init=False)
    intake: Intake = field(init=False)
    notices: Notices = field(init=False)
    large: LargeSettings | None = None
    max_size: int = 35 << 20  # of what it takes from others
    port: int = 0
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    links: dict[tuple[str, int], Dial] = field(default_factory=dict)  # peers a test plays itself
    mx: dict[str, Hosts | Reply] = field(default_factory=dict)

    def open(self) -> None:
        """Put the rooms together."""
        rest, database = self.rest, self.rest.database
        mailboxes = Mailboxes(database, rest.vault, rest.ring, self.clock)
        outbox = Outbox(database, rest.ring, self.domain.split(".")[0], asyncio.Event())
        journal = Journal(database, rest.ring, self.folder / "head")
        review = Review(database, Register(database, rest.ring), timedelta(days=30))
        accounts = Accounts(database, rest.ring, mailboxes, self.clock)
        books = Books(
            database,
            rest.vault,
            Spool(database, rest.ring),
            accounts,
            Shares(database, rest.ring, accounts),
            Absences(database, rest.ring),
            mailboxes,
            outbox,
            journal,
            review,
        )
        site = SiteSettings(
            name=self.domain.split(".")[0], host=f"mx.{self.domain}", domains=(self.domain,)
        )
        r = self.settings
        rules = Citizenship(
            Citizens(),
            frozenset({f"pharmacie@{self.domain}"}),
            answer="En cas d'urgence, appelez le 15.",
        )
        self.desk = Desk.of(
            site,
            books,
            self.keeper,
            Schedule.of(r.retry, r.jitter, r.expire_after, r.delay_notice_after),
            self.clock,
            Metrics(),
            lambda event, facts: self.events.append((event, dict(facts))),
            large=Large.of(self.large, database, rest.ring) if self.large else None,
            exchanges=Exchanges(
                database,
                rest.ring,
                rules,
                lambda event, facts: self.events.append((event, dict(facts))),
            ),
        )
        notices = self.notices = Notices(self.desk)
        self.courier = Courier(self.desk, notices, Carrier(self.desk, self, r, self.dial), r)
        once = Once(self.rest.database, self.rest.ring)
        self.intake = Intake(self.desk, notices, Limits(), self.courier, once)

    def refit(self, desk: Desk) -> None:
        """Have another desk used by all that move mail."""
        self.desk = desk
        self.courier._desk = self.intake._desk = desk
        self.courier._carrier = replace(self.courier._carrier, desk=desk)
        self.courier._recorder = replace(self.courier._recorder, desk=desk)
        self.intake._doorstep = replace(self.intake._doorstep, desk=desk)

    @property
    def books(self) -> Books:
        return self.desk.books

    async def dial(self, name: str, port: int, entitled: Entitled) -> Link | Reply:
        """Reach a peer that a test plays itself, or a real one on loopback."""
        if (played := self.links.get((name, port))) is not None:
            return await played(name, port, entitled)
        crt, key = self.folder / "gateway.crt", self.folder / "gateway.key"
        context = tls.client_context(crt, key, self.folder / "anchors.pem")
        return await dialling(self.desk.host, context, self.settings)(name, port, entitled)

    async def find(self, domain: str, default_port: int) -> Hosts | Reply:
        """Answer for DNS."""
        return self.mx[domain]

    def relay_door(self) -> Door:
        crt, key = self.folder / "gateway.crt", self.folder / "gateway.key"
        context = tls.server_context(
            crt, key, self.folder / "anchors.pem", client_certificates=True
        )
        large = self.large.largest if self.large else 0
        rules = Rules.of("relay", self.desk.host, max_size=self.max_size, large=large)
        limits = DoorLimits(grace=1)
        return Door(rules, context, self.intake, None, limits, self.desk.on_event)

    async def add(self, name: str) -> Mailbox:
        return await self.books.accounts.add(parse(f"{name}@{self.domain}"), Kind.PER)

    async def inbox(self, name: str) -> list[bytes]:
        """Return every message in a mailbox, oldest first."""
        mailbox = self.books.accounts.find(parse(f"{name}@{self.domain}"))
        assert mailbox is not None
        entries = self.books.mailboxes.entries(mailbox.id)
        return [await self.books.mailboxes.read(entry) for entry in entries]

    def receipts(self) -> list[str]:
        """Return the kinds of all receipts, in order."""
        return [kind for (kind,) in self.rest.database.read("SELECT type FROM outbox ORDER BY seq")]

    def copies(self) -> list[Copy]:
        """Return every recipient's copy there is."""
        rows = self.rest.database.read("SELECT id FROM message ORDER BY id")
        return [copy for (one,) in rows for copy in self.books.spool.copies(one)]

    def states(self) -> list[State]:
        return [copy.delivery.state for copy in self.copies()]

    def bodies(self) -> int:
        """Return how many sealed bodies are still kept."""
        ((count,),) = self.rest.database.read("SELECT count(*) FROM body")
        return int(count)

    async def story(self) -> list[tuple[str, str]]:
        """Return the journal: events and whom they are about."""
        rows = self.rest.database.read("SELECT DISTINCT message FROM journal ORDER BY seq")
        entries = [e for (one,) in rows if one for e in await self.books.journal.by_message(one)]
        return [(e.event, e.whom or "") for e in sorted(entries, key=lambda e: e.seq)]

    async def submit(
        self, sender: str, to: Iterable[str], content: bytes | None = None, **how: Any
    ) -> Reply:
        """Hand in a message as a mail client does once it is logged in."""
        login = Address(how.pop("login", sender))
        peer = Peer("192.0.2.7", tls="TLSv1.3", login=login, listener="submission")
        return await self.take(peer, sender, to, content, **how)

    async def take(
        self,
        peer: Peer,
        sender: str,
        to: Iterable[str],
        content: bytes | None = None,
        **how: Any,
    ) -> Reply:
        """Walk a whole transaction through the intake, as ``smtp.receive.server`` does."""
        message = sending(self, peer, sender, to, **how)
        if not message.draft.recipients:
            if message.draft.refused:
                await self.intake.abandoned(message.draft)
                return message.draft.refused[-1].reply
            return message.said
        body = letter(sender, to) if content is None else content
        return await self.intake.accept(message.draft, pieces([body]))


@dataclass(slots=True)
class Sending:
    """A transaction as far as RCPT."""

    draft: Draft
    said: Reply  # to MAIL


def sending(
    gateway: Gateway,
    peer: Peer,
    sender: str,
    to: Iterable[str],
    recipients: Sequence[Recipient] = (),
    **mail: Any,
) -> Sending:
    """Give MAIL and RCPT; refused recipients are kept in the draft, as the session does."""
    draft = Draft(peer, Mail(parse(sender) if sender else None, **mail))
    said = gateway.intake.mail(draft)
    if not said.positive:
        return Sending(draft, said)
    for recipient in recipients or [Recipient(parse(one)) for one in to]:
        answer = gateway.intake.rcpt(draft, recipient)
        if answer.positive:
            draft = replace(draft, recipients=(*draft.recipients, recipient))
        else:
            draft = replace(draft, refused=(*draft.refused, Refusal(recipient, answer)))
    return Sending(draft, said)


def letter(sender: str, to: Iterable[str], *lines: str, body: str = "Bonjour.\r\n") -> bytes:
    """Write a small message."""
    fields = (
        f"From: {sender}",
        f"To: {', '.join(to)}",
        "Subject: Compte rendu",
        "Date: Mon, 02 Mar 2026 09:30:00 +0100",
        "Message-ID: <1@test.example>",
        *lines,
    )
    return "".join(f"{one}\r\n" for one in (*fields, "")).encode() + body.encode()


async def pieces(blocks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


@dataclass(slots=True)
class World:
    """Two gateways that trust one list, and the time."""

    clock: Clock
    authority: Authority
    lists: Lists
    labo: Gateway
    chu: Gateway
    played: dict[str, Played] = field(default_factory=dict)

    @property
    def gateways(self) -> tuple[Gateway, Gateway]:
        return self.labo, self.chu

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path, **settings: Any) -> AsyncIterator[Self]:
        """Open two gateways with a mailbox each, listening and carrying."""
        clock, authority = Clock(), Authority.make(START)
        lists = Lists.make(authority)
        more = {name: settings.pop(name) for name in ("large", "max_size") if name in settings}
        relay = Relay(jitter=0, reply_timeout=5, connect_timeout=5, **settings)
        async with AsyncExitStack() as stack:
            made = [
                await _gateway(
                    folder / domain, f"{domain}.example", clock, authority, lists, relay, **more
                )
                for domain in ("labo", "chu")
            ]
            labo, chu = made
            world = cls(clock, authority, lists, labo, chu)
            for gateway in made:
                stack.push_async_callback(gateway.rest.database.close)
                stack.push_async_callback(gateway.rest.vault.close)
                door = gateway.relay_door()
                gateway.port = await door.open("127.0.0.1", 0)
                stack.push_async_callback(door.stop)
                lists.add(gateway.domain, gateway.issued, [("127.0.0.1", gateway.port)])
            await world.publish()
            await world.labo.add("dr")
            await world.chu.add("accueil")
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(gateway.courier.run()) for gateway in made]
                yield world
                for gateway in made:
                    await gateway.courier.stop(5)
                await asyncio.gather(*running)

    async def publish(self) -> None:
        """Sign the list as it now is, and bring it into force everywhere."""
        offer = self.lists.offer(self.clock())
        for gateway in self.gateways:
            arrival = await gateway.keeper.offer("list", offer)
            assert arrival.good, arrival

    async def settle(self) -> None:
        """Wait until neither gateway has anything due, nor in hand."""
        for _ in range(20):
            for gateway in self.gateways:
                gateway.courier.ring()
                await gateway.courier.rested.wait()
            if all(gateway.courier.rested.is_set() for gateway in self.gateways):
                return
        raise AssertionError("the world does not come to rest")

    async def later(self, **how_far: float) -> None:
        """Let time pass, and let happen what is due then."""
        self.clock.advance(**how_far)
        await self.settle()

    async def play(self, domain: str = "clinique.example", **how: Any) -> Played:
        """Make a listed member with no gateway of its own, whose part the test plays."""
        issued = self.authority.issue(f"mx.{domain}", organisation=domain, days=_DAYS)
        played = Played(issued.der, **how)
        self.lists.add(domain, issued, [(f"mx.{domain}", 25)])
        self.played[domain] = played
        for gateway in self.gateways:
            gateway.links[f"mx.{domain}", 25] = played.dial
        await self.publish()
        return played

    def relay_peer(self, gateway: Gateway) -> Peer:
        """Return another gateway as this one's relay door would see it."""
        return Peer(
            "192.0.2.1",
            helo=gateway.desk.host,
            tls="TLSv1.3",
            certificate=gateway.issued.der,
            listener="relay",
        )


async def _gateway(
    folder: Path,
    domain: str,
    clock: Clock,
    authority: Authority,
    lists: Lists,
    relay: Relay,
    **more: Any,
) -> Gateway:
    issued = authority.issue(f"mx.{domain}", organisation=domain, days=_DAYS)
    issued.write(folder, "gateway")
    (folder / "anchors.pem").write_bytes(authority.anchors_pem)
    keeper = Keeper([lists.source], MemoryStore(), clock, ours=frozenset({domain}))
    gateway = Gateway(domain, folder, issued, Rest.open(folder), clock, keeper, relay, **more)
    gateway.open()
    return gateway
