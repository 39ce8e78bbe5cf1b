"""What came as a stub is fetched from its sender's gateway: the state FETCHING's loop.

From the hosts that the trust list names for the sender's domain, whose certificate it names too, and
from nowhere else. Each piece is sealed and committed before the next is asked for, so a broken
line, or a crash, costs one piece. What came whole must have the hash that was announced, and the
header that was judged at the door; only then it takes its stub's place, is looked into and filed.
Its sender hears *delivered* when it lies in the mailbox, and not before.
docs/large-documents.md; RFC 9110 §14.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import msgspec

from gateway.relay.books import GATEWAY
from gateway.relay.delivery import Event, holder, step
from gateway.relay.desk import Desk
from gateway.relay.large import fetches, stub
from gateway.relay.large.fetches import Turn, Wanted
from gateway.relay.large.large import Large
from gateway.relay.large.pieces import HEADER, Cursor, Whole
from gateway.relay.large.waiting import Waiting
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.resolver import Resolver
from gateway.relay.results import Result, chance
from gateway.relay.routes import Hosts, Lookup, route
from smtp.address import domain_of
from smtp.envelope import Body
from smtp.reply import Reply
from smtp.send.client import Entitled
from trust.decision import Action, next_hop
from trust.fetching import FetchError, FetchState
from vault.database import Statement
from vault.errors import Conflict, StorageFull, VaultError
from vault.store import Sealed

GONE = Reply(
    550, "5.4.7", "The large document lies no longer at its sender's gateway; it did not arrive"
)
LATE = Reply(
    550, "5.4.7", "The large document could not be fetched from its sender's gateway in time"
)
WRONG = Reply(
    554, "5.6.0", "What was fetched is not what was announced, again and again; it was not kept"
)
_POLL = 30.0  # seconds: the bell only shortens the wait
_MOST_WRONG = 3
_DUE = 1000  # of what is due, looked through at once
_SLOW = 10  # times the longest silence that a piece may take


class Draw(Protocol):
    """Who fetches from an address, from an octet on; ``FetchError`` if it ends before its end."""

    def __call__(
        self, url: str, start: int, size: int, entitled: Entitled, /
    ) -> AsyncGenerator[bytes, None]:
        """Yield the octets from there on; nothing is asked before the certificate was judged."""


@dataclass(slots=True)
class Collecting:
    """One a gateway; ``run`` is a task of its group."""

    desk: Desk
    large: Large
    notices: Notices
    draw: Draw
    resolver: Resolver
    wake: Callable[[], None]
    rested: asyncio.Event = field(default_factory=asyncio.Event)  # nothing due, nothing in hand
    _in_hand: dict[str, str] = field(default_factory=dict)  # messages, and their senders' domains

    async def run(self) -> None:
        """Fetch what is due, for ever."""
        self._in_hand.clear()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self.large.fetches.bell.clear()
                await self._forget()
                if await self._waiting.warn():
                    self.wake()
                self._round(tasks)
                await self._rest()

    @property
    def _waiting(self) -> Waiting:
        return Waiting(self.desk, self.large, self.notices)

    async def _forget(self) -> None:
        """Erase what came of messages that nobody is to have any more."""
        fetches = self.large.fetches
        for message in set(fetches.unwanted()) - set(self._in_hand):
            with suppress(VaultError):  # then the next time
                await self.desk.books.database.commit(fetches.dropping(message))

    def _round(self, tasks: asyncio.TaskGroup) -> None:
        """Take up what is due, as much as there is room for; a slow sender leaves others a place."""
        settings, now = self.large.settings, self.desk.clock()
        most = max(1, settings.at_once - 1)
        for one in self.large.fetches.due(now, _DUE):
            if len(self._in_hand) >= settings.at_once:
                return
            theirs = sum(domain == one.domain for domain in self._in_hand.values())
            if one.message not in self._in_hand and theirs < most:
                self._in_hand[one.message] = one.domain
                tasks.create_task(self._guarded(one))

    async def _rest(self) -> None:
        """Wait for the bell, or until something is due."""
        fetches, pause = self.large.fetches, _POLL
        if not self._in_hand and not fetches.bell.is_set():
            self.rested.set()
        due = fetches.next()
        if due is not None and not self._in_hand:
            pause = min(pause, max(0.0, (due - self.desk.clock()).total_seconds()))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await fetches.bell.wait()
        self.rested.clear()

    async def _guarded(self, one: Turn) -> None:
        """Work on one message; what is unexpected ends that try, and nothing else."""
        try:
            await self._one(one)
        except Exception as error:  # noqa: BLE001 - one message never stops the loop
            self.desk.on_event("large.crashed", {"exception": error, "message": one.message})
            with suppress(VaultError):
                await self._later(one, one.tries + 1)
        finally:
            self._in_hand.pop(one.message, None)
            self.large.fetches.bell.set()

    async def _one(self, turn: Turn) -> None:
        copies = self._waiting.copies(turn.message)
        if not copies:  # all of them were cancelled, or taken back
            await self.desk.books.database.commit(self.large.fetches.dropping(turn.message))
            return
        if self.desk.clock() >= max(copy.delivery.expires for copy in copies):
            await self._end(turn, Event.GAVE_UP, LATE, "large-late")
            return
        if not self._waiting.room(turn, copies):
            await self._put_off(turn, "mailbox-full", turn.tries + 1)
            return
        one = self.large.fetches.opened(turn)
        before = self._here(one)
        try:
            await self._drawn(one, copies[0], before)
            await self._whole(one)
        except FetchError as error:
            if error.state is FetchState.NOT_FOUND:
                await self._end(one, Event.REFUSED, GONE, "large-gone")
            else:
                came = self._here(one) > before
                await self._put_off(one, error.state, 1 if came else one.tries + 1)
        except StorageFull:
            await self._put_off(one, "storage-full", one.tries + 1)

    def _here(self, one: Wanted) -> int:
        return sum(size for _, size in self.large.fetches.had(one.message))

    async def _drawn(self, one: Wanted, copy: Copy, start: int) -> None:
        """Fetch what is not here yet, from the first host that gives it."""
        sender = copy.message.mail.mail_from
        assert sender is not None  # ``taking`` takes no other
        domain = domain_of(sender)
        faults = []
        for host in await self._hosts(domain):
            if start >= one.size:
                return
            named = f"[{host}]" if ":" in host else host
            url = f"https://{named}:{one.facts.port}/large/{one.facts.token}"
            try:
                blocks = self.draw(url, start, one.size, self._entitled(domain))
                async with aclosing(blocks):
                    await self._kept(one, start, blocks)
            except FetchError as error:
                faults.append(error)
                start = self._here(one)
            else:
                return
        if start < one.size:
            raise _gravest(faults, domain)

    async def _hosts(self, domain: str) -> list[str]:
        """Return the hosts at which a domain's gateway is, as the trust list says, else DNS."""
        desk, port = self.desk, 443
        found: object = route(domain, desk.domains, desk.keeper.current, port)
        if isinstance(found, Lookup):
            found = await self.resolver.find(domain, port)
        return [name for name, _ in found.places] if isinstance(found, Hosts) else []

    def _entitled(self, domain: str) -> Entitled:
        async def entitled(der: bytes, issuers: tuple[bytes, ...]) -> Reply | None:
            desk = self.desk
            await desk.watch.met(der, issuers, "next-hop")
            decision = next_hop(domain, der, desk.keeper.current, desk.clock())
            if decision.action is Action.ALLOW:
                return None
            desk.on_event("large.wrong_certificate", {"domain": domain, "reason": decision.reason})
            return decision.reply

        return entitled

    async def _kept(self, one: Wanted, start: int, blocks: AsyncIterator[bytes]) -> None:
        """Seal and commit what comes, a piece at a time."""
        cursor, vault = Cursor(blocks), self.desk.books.vault
        while start < one.size and self._waiting.copies(one.message):
            wanted = min(self.large.settings.piece, one.size - start)
            try:
                async with asyncio.timeout(_SLOW * self.large.settings.timeout):
                    sealed = await vault.put(cursor.take(wanted))
            except TimeoutError:
                raise FetchError(FetchState.TIMEOUT, "a piece took too long") from None
            if sealed.size == 0:
                await vault.discard(sealed)
                raise FetchError(FetchState.HTTP_ERROR, "it ended before its end")
            held = vault.holding(sealed, [fetches.holder(one.message, start)])
            adding = self.large.fetches.adding(one.message, start, sealed.size)
            await self._committed([adding, *held], sealed)
            start += sealed.size

    async def _committed(self, statements: Sequence[Statement], sealed: Sealed) -> None:
        try:
            await self.desk.books.database.commit(statements)
        except (Conflict, StorageFull):
            await self.desk.books.vault.discard(sealed)
            raise

    async def _whole(self, one: Wanted) -> None:
        """Put it in its stub's place, if it is what was announced."""
        books, found = self.desk.books, Whole()
        copies = self._waiting.copies(one.message)
        if not copies:
            return
        stood = await books.vault.read(holder(copies[0].delivery.id), 0, self._header(copies[0]))
        above, _ = stub.trace(stood)
        sealed = await books.vault.put(self._together(one, above, found))
        right = found.hash.hexdigest() == one.facts.sha256
        if not right or not stub.same(stood, bytes(found.head)):
            await books.vault.discard(sealed)
            await self._wrong(one)
            return
        await self._settle(one, sealed, ascii_only=found.ascii)

    def _header(self, copy: Copy) -> int:
        return min(self.desk.books.vault.size(holder(copy.delivery.id)), HEADER)

    async def _together(self, one: Wanted, above: bytes, found: Whole) -> AsyncIterator[bytes]:
        yield above
        for start, _ in self.large.fetches.had(one.message):
            piece = self.desk.books.vault.stream(fetches.holder(one.message, start))
            async with aclosing(piece):
                async for block in piece:
                    found.feed(block)
                    yield block

    async def _wrong(self, one: Wanted) -> None:
        """Begin anew, and tell operators; not for ever."""
        self.desk.on_event("large.corrupt", {"message": one.message})
        if one.wrong + 1 >= _MOST_WRONG:
            await self._end(one, Event.REFUSED, WRONG, "large-corrupt")
            return
        again = replace(one, wrong=one.wrong + 1)
        await self.desk.books.database.commit(self.large.fetches.clearing(one.message))
        await self._later(again, one.tries + 1)

    async def _settle(self, one: Wanted, sealed: Sealed, *, ascii_only: bool) -> None:
        """Make it the message, in one transaction: its body, its copies' step, what comes next."""
        books, now = self.desk.books, self.desk.clock()
        for last in (False, False, True):
            copies = self._waiting.copies(one.message)
            if not copies:
                await books.vault.discard(sealed)
                return
            try:
                await books.database.commit(
                    self._meaning(one, copies, sealed, now, ascii_only=ascii_only)
                )
            except Conflict:  # a copy was cancelled at this very moment
                if last:
                    await books.vault.discard(sealed)
                    raise
                continue
            break
        self.desk.metrics.large.labels("fetched").inc()
        self.desk.screening.ring()
        self.wake()

    def _meaning(
        self,
        one: Wanted,
        copies: Sequence[Copy],
        sealed: Sealed,
        now: datetime,
        *,
        ascii_only: bool,
    ) -> list[Statement]:
        books, message = self.desk.books, copies[0].message
        inspections = self.desk.screening.inspections
        looked = inspections is not None and bool(one.facts.looked or one.facts.findings)
        body = message.mail.body if ascii_only else Body.EIGHT_BIT
        whole = msgspec.structs.replace(
            message, size=sealed.size, mail=replace(message.mail, large=None, body=body)
        )
        holders = [holder(copy.delivery.id) for copy in copies]
        statements = [statement for each in holders for statement in books.vault.dropping(each)]
        statements += books.vault.holding(sealed, holders)
        statements.append(books.spool.rewriting(whole))
        for copy in copies:
            after = step(copy.delivery, Event.FETCHED, now)
            if not looked:
                after = step(after, Event.PASSED, now)
            statements.append(books.spool.recording(copy.delivery, after))
        if inspections is not None and looked:
            statements.append(inspections.entering(one.message, one.facts.findings, now))
        told = books.journal.entry(
            now, "large.fetched", GATEWAY, message=one.message, who=message.mail.mail_from
        )
        return [*statements, *self.large.fetches.dropping(one.message), told]

    async def _end(self, one: Turn, event: Event, said: Reply, reason: str) -> None:
        """Give up: each copy has its end, and its sender is told."""
        books, now = self.desk.books, self.desk.clock()
        copies = self._waiting.copies(one.message)
        results = [Result(copy, step(copy.delivery, event, now, said), reason) for copy in copies]
        statements = [
            s for each in results for s in books.moving(each.copy, each.after, reason=reason)
        ]
        if results:
            statements += await self.notices.reporting(copies[0].message, results)
        await books.database.commit([*statements, *self.large.fetches.dropping(one.message)])
        self.desk.metrics.large.labels("failed").inc()
        self.wake()

    async def _put_off(self, one: Turn, reason: str, tries: int) -> None:
        self.desk.on_event("large.put_off", {"message": one.message, "reason": str(reason)})
        await self._later(one, tries)

    async def _later(self, one: Turn, tries: int) -> None:
        """Try again later, and once more when the time is up."""
        now, copies = self.desk.clock(), self._waiting.copies(one.message)
        due = now + self.desk.schedule.pause(tries, chance())
        if copies:
            due = min(due, max(copy.delivery.expires for copy in copies))
        await self.desk.books.database.commit(
            [self.large.fetches.putting_off(one, max(due, now), tries, one.wrong)]
        )


def _gravest(faults: Sequence[FetchError], domain: str) -> FetchError:
    """Return why nothing came; that it is gone only if each host said so: another may have it."""
    others = [one for one in faults if one.state is not FetchState.NOT_FOUND]
    unreached = FetchError(FetchState.UNREACHABLE, f"no host of {domain} could be reached")
    return next(iter([*others, *faults]), unreached)
