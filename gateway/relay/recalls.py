"""What a sender of ours wants back, wherever it is: stopped, withdrawn here, asked of a peer.

An operator asks by ``sceau recall``, the sender by the keyword ``$Recall`` on the message in Sent. A
peer that cannot be reached is asked again for a day. What a peer did, it reports by mail, with
its proof (``answers``). docs/recall.md.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.relay.delivery import State
from gateway.relay.desk import Desk
from gateway.relay.large.ending import Ending
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from gateway.relay.withdrawing import CANCELLED, ON_ITS_WAY, Withdrawing, cancelled
from imap.folder import UidSet
from smtp.reply import Reply
from vault.database import Statement
from vault.errors import Conflict, SealError, VaultError

Ask = Callable[[Copy], Awaitable[Reply]]

NOT_RUNNING = Reply(451, "4.3.2", "The gateway is not running; it asks when it is")
ENDED = Reply(550, "5.5.0", "It never arrived: there is nothing to take back")
ELSEWHERE = Reply(550, "5.3.3", "It lies on a mailbox server that gives nothing back")

_ENDED = {
    State.SENDING: ON_ITS_WAY,
    State.CANCELLED: CANCELLED,
    State.FAILED: ENDED,
    State.EXPIRED: ENDED,
    State.REFUSED: ENDED,
}
_POLL = 30.0
_AGAIN = timedelta(minutes=5)
_FOR = timedelta(days=1)
_PUT = (
    "INSERT INTO recall (delivery, actor, due, until) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (delivery) DO UPDATE SET due = excluded.due"
)
_UNTIL = "SELECT until FROM recall WHERE delivery = ?"
_DUE = "SELECT delivery, actor FROM recall WHERE due <= ? ORDER BY due LIMIT 100"
_DONE = "DELETE FROM recall WHERE delivery = ?"


async def nobody(_copy: Copy) -> Reply:
    """Ask nobody: no gateway runs."""
    return NOT_RUNNING


@dataclass(frozen=True, slots=True)
class Recalls:
    """One a gateway; ``run`` is a task of its group."""

    desk: Desk
    notices: Notices
    ask: Ask = nobody
    wake: Callable[[], None] = lambda: None
    bell: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    async def recall(self, copy: Copy, actor: str) -> Reply:
        """Take one copy back, as far as can be; what could not be asked is asked again."""
        said = await self._recall(copy, actor)
        await self.desk.books.database.commit(self._noted(copy, said, actor))
        self.wake()
        self.desk.books.outbox.bell.set()
        return said

    async def _recall(self, copy: Copy, actor: str) -> Reply:
        now, books = self.desk.clock(), self.desk.books
        withdrawing = Withdrawing(self.desk, self.notices)
        after = cancelled(copy, now)
        if after is not None:
            told = await self.notices.reporting(copy.message, [Result(copy, after, "recalled")])
            try:
                await books.database.commit([*withdrawing.cancelling(copy, after, actor), *told])
            except Conflict:  # it left at this very moment
                return ON_ITS_WAY
            return CANCELLED
        if (ended := _ENDED.get(copy.delivery.state)) is not None:
            return ended
        if copy.domain not in self.desk.domains:
            return await self._elsewhere(copy, actor)
        if self.desk.servers.holding(copy.recipient.address) is not None:
            return ELSEWHERE
        return await withdrawing.withdraw(copy, actor)

    async def _elsewhere(self, copy: Copy, actor: str) -> Reply:
        """Take back what went to another operator: by its gateway, or here, if it went as a link."""
        large = self.desk.large
        link = None if large is None else large.links.of(copy.message.id, copy.domain)
        if large is None or link is None or not link.reader:
            return await self.ask(copy)
        return await Ending(self.desk, large.links, self.notices).recalled(link, copy, actor)

    def _noted(self, copy: Copy, said: Reply, actor: str) -> list[Statement]:
        """Return what the journal keeps of it, and the row by which it is asked again."""
        now, books = self.desk.clock(), self.desk.books
        entry = books.journal.entry(
            now,
            "recall.asked",
            actor,
            message=copy.message.id,
            who=copy.message.mail.mail_from,
            whom=copy.recipient.address,
            said=str(said),
        )
        if said.transient and now < self._until(copy, now):
            return [entry, self.asking(copy, actor, now + _AGAIN)]
        return [entry, Statement(_DONE, (copy.delivery.id,))]

    def asking(self, copy: Copy, actor: str, due: datetime) -> Statement:
        """Return the statement that has a copy recalled then."""
        until = self._until(copy, due)
        return Statement(_PUT, (copy.delivery.id, actor, due.timestamp(), until.timestamp()))

    def _until(self, copy: Copy, now: datetime) -> datetime:
        """Return how long a recall is tried: for a day from when it was first asked."""
        rows = self.desk.books.database.read(_UNTIL, (copy.delivery.id,))
        return datetime.fromtimestamp(rows[0][0], UTC) if rows else now + _FOR

    async def flagged(self, folder: int, uids: UidSet, by: int) -> None:
        """Have those messages recalled that a person marked, if we sent them for the folder's owner."""
        books, now = self.desk.books, self.desk.clock()
        found = books.mailboxes.folder(folder)
        owner = None if found is None else books.accounts.by_id(found.mailbox)
        person = books.accounts.by_id(by)
        if owner is None or person is None:
            return
        async for entries in books.mailboxes.listed(folder, uids):
            copies = [
                copy
                for name in {entry.summary.message_id for entry in entries} - {""}
                for copy in books.spool.sent_by(owner.address, message_id=name)
            ]
            if copies:
                asking = [self.asking(copy, person.actor, now) for copy in copies]
                await books.database.commit(asking)
                self.bell.set()

    async def run(self) -> None:
        """Recall what was asked, for ever."""
        self.desk.books.mailboxes.on_recall(self.flagged)
        while True:
            self.bell.clear()
            await self.round()
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL):
                    await self.bell.wait()

    async def round(self) -> int:
        """Recall what is due; return how many copies."""
        books = self.desk.books
        rows = books.database.read(_DUE, (self.desk.clock().timestamp(),))
        for delivery, actor in rows:
            try:
                copy = books.spool.find(delivery)
            except SealError as error:  # another hand changed it: that stops no other
                self.desk.on_event("recall.crashed", {"exception": error, "message": delivery})
                continue
            if copy is None:
                await books.database.commit([Statement(_DONE, (delivery,))])
                continue
            try:
                await self.recall(copy, actor)
            except VaultError:
                raise  # the machine's fault: it is asked later
            except Exception as error:  # noqa: BLE001 - one message stops no other
                self.desk.on_event("recall.crashed", {"exception": error, "message": delivery})
                later = self.desk.clock() + _AGAIN
                await books.database.commit([self.asking(copy, actor, later)])
        return len(rows)
