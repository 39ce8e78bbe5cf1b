"""A database as it is after a month of much mail: made by the gateway's own statements, in order of time.

``python -m tests.bench.crowd CONFIG MESSAGES`` fills a site's database, which nothing else works on. What
lies there is what the doors and the courier would have written, sealed and chained, without the bodies.
"""

import asyncio
import gc
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from gateway.accounts.mailboxes import Mailbox
from gateway.app import clock, opened, settings_of
from gateway.observe.logs import open_log
from gateway.operations import tally
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import Delivery, State, delivery_id
from gateway.relay.message import Copy, Message, Summary
from smtp.address import Address, parse
from smtp.envelope import Mail, Recipient, new_message_id
from smtp.reply import Reply
from trust.addresses import Kind
from vault.database import Statement

DAYS = 30
HALF, HOUR = timedelta(days=DAYS / 2), timedelta(hours=1)
OURS, PEERS, WRITERS = 200, 400, 3000  # mailboxes, domains, people there
BUSY, RARE = "chu-0.example", f"chu-{PEERS - 1}.example"
WAITS = Reply(451, "4.4.1", "The next hop could not be reached; it will be tried again")
REFUSED = Reply(550, "5.7.1", "The recipient is not on the trust list of this network")
_TOGETHER = 400  # messages in one transaction
_FIRST = timedelta(milliseconds=350)
_STATES = {7: State.DEFERRED, 11: State.FAILED, 23: State.HELD, 24: State.HELD, 25: State.HELD}
LATELY = timedelta(days=10)  # within which what is held still waits


@dataclass(slots=True)
class Dice:
    """Numbers that are the same in every run: a xorshift, because the bench compares runs."""

    state: int = 0x9E3779B97F4A7C15

    def below(self, end: int) -> int:
        self.state ^= (self.state << 13) & 0xFFFFFFFFFFFFFFFF
        self.state ^= self.state >> 7
        self.state ^= (self.state << 17) & 0xFFFFFFFFFFFFFFFF
        return self.state % end


@dataclass(slots=True)
class Crowd:
    """Who writes to whom here."""

    rooms: Rooms
    ours: Sequence[Mailbox]
    theirs: Sequence[Address]
    dice: Dice

    @classmethod
    async def gathered(cls, rooms: Rooms) -> "Crowd":
        """Make the mailboxes that are not there yet, and know the people of other houses."""
        domain = rooms.settings.site.domains[0]
        kinds = (Kind.PER, Kind.PER, Kind.ORG, Kind.APP)
        for number in range(OURS):
            address = parse(f"boite{number}@{domain}")
            if rooms.accounts.find(address) is None:
                await rooms.accounts.add(address, kinds[number % 4], name=f"Boîte {number}")
        # Few write much, and to the same few houses: half of all of it is for a tenth of them.
        peers = [number * number // PEERS for number in range(PEERS)]
        theirs = [
            parse(f"dr{number}@chu-{peers[number % PEERS]}.example") for number in range(WRITERS)
        ]
        theirs.append(parse(f"seul@{RARE}"))
        ours = [box for box in rooms.accounts.mailboxes() if box.address.startswith("boite")]
        return cls(rooms, ours, theirs, Dice())

    def life(self, count: int, begin: datetime, end: datetime) -> Iterator[list[Statement]]:
        """Yield what so many messages wrote, in the order of time, and what happened beside them."""
        step = (end - begin) / count
        for number in range(count):
            yield self._one(number, begin + step * number)

    def _one(self, number: int, at: datetime) -> list[Statement]:
        ours = self.ours[self.dice.below(self.dice.below(OURS) + 1)]
        theirs = self.theirs[self.dice.below(WRITERS)]
        if number % 50_000 == 499:
            theirs = self.theirs[-1]
        beside = self._beside(number, at, ours.address, theirs)
        if number % 2:
            return self._came(at, theirs, ours) + beside
        return self._sent(number, at, ours, theirs) + beside

    def _sent(self, number: int, at: datetime, by: Mailbox, to: Address) -> list[Statement]:
        state = _STATES.get(number // 2 % 100, State.RELAYED)
        if state is State.HELD and at < self.rooms.clock() - LATELY:
            state = State.RELAYED  # somebody has decided meanwhile
        copy = _copy(at, by.address, to, "submission", state)
        books = self.rooms.books
        reason = {State.DEFERRED: "peer-unreachable", State.HELD: "macros"}.get(state, "")
        return [
            *self.rooms.spool.entering(copy.message, [copy]),
            books.told(copy, copy.delivery, "message.accepted", at, f"mailbox:{by.key}"),
            books.told(copy, copy.delivery, f"delivery.{state}", at + _FIRST, reason=reason),
            *books.receipt(copy, copy.delivery, reason),
            *(books.holding(copy.delivery, reason) if state is State.HELD else []),
        ]

    def _came(self, at: datetime, by: Address, to: Mailbox) -> list[Statement]:
        copy = _copy(at, by, to.address, "relay", State.DELIVERED)
        books, peer = self.rooms.books, "peer:" + "ab" * 32
        return [
            *self.rooms.spool.entering(copy.message, [copy]),
            books.told(copy, copy.delivery, "message.accepted", at, peer, reason="listed"),
            books.told(copy, copy.delivery, "delivery.delivered", at + _FIRST),
            books.arrived(copy, copy.delivery, to),
        ]

    def _beside(self, number: int, at: datetime, ours: Address, theirs: Address) -> list[Statement]:
        told, domain = self.rooms.journal.entry, theirs.rpartition("@")[2]
        match number % 200:
            case 0 | 50 | 100 | 150:
                return [told(at, "login.accepted", "gateway", who=ours, ip="192.0.2.7")]
            case 30:
                return [told(at, "login.failed", "gateway", who=ours, reason="password")]
            case 60:
                said = str(REFUSED)
                return [told(at, "recipient.refused", "peer:cd", who=theirs, whom=ours, said=said)]
            case 90:
                return [told(at, "peer.wrong_certificate", "peer:ef", domain=domain)]
            case 120 if number % 2000 == 120:
                return [told(at, "operation.spool.retry", "operator:anne", arguments={})]
        return []


def _copy(at: datetime, by: Address, to: Address, door: str, state: State) -> Copy:
    name = f"<{secrets.token_hex(8)}@{by.rpartition('@')[2]}>"
    message = Message(
        new_message_id(at), at, 5000, door, Mail(by), Summary(by, by, "Bilan de Madame X", "", name)
    )
    waits = state is State.DEFERRED
    one = Delivery(
        delivery_id(message.id, 1),
        state,
        at + _FIRST,
        at + timedelta(days=60),
        at + timedelta(days=60) if waits else None,
        attempts=1,
        said=WAITS if waits else REFUSED if state is State.FAILED else None,
    )
    return Copy(message, Recipient(to), one)


async def fill(rooms: Rooms, count: int, days: float = DAYS) -> int:
    """Write a life of so many messages that ends now; return how many rows the journal has."""
    crowd, now = await Crowd.gathered(rooms), rooms.clock()
    life = crowd.life(count, now - timedelta(days=days), now)
    while together := list(islice(life, _TOGETHER)):
        await rooms.database.commit([statement for each in together for statement in each])
    await rooms.database.commit([Statement("UPDATE outbox SET sent = at")])
    await tally.keep(rooms)
    await rooms.journal.sign_head(now)
    ((rows,),) = rooms.database.read("SELECT max(seq) FROM journal")
    return int(rows)


async def _main(config: Path, count: int) -> None:
    gc.freeze()
    async with opened(settings_of(config), open_log(sys.stderr, "error"), clock) as rooms:
        print(await fill(rooms, count))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
