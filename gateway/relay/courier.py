"""The one door out: what is due is claimed, attempted, and what came of it recorded.

The order is the safety argument. A claim counts the attempt and stores when it ends before
anything is tried; the trust list is asked again, and the next hop shows its certificate, before
anything about a message is said; what the peer answered is committed in one transaction with the
receipts, the journal and the reports it calls for. A crash in between may send one message twice
(RFC 1047), and never loses one. Whatever one message does, the loop goes on.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from itertools import groupby

from msgspec.structs import replace

from gateway.relay.carrier import Carrier
from gateway.relay.delivery import Event, step
from gateway.relay.desk import Desk
from gateway.relay.lanes import NOTHING, AtHand, Attempt, Lane, Pause
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.recorder import Done, Recorder
from gateway.relay.results import Result
from gateway.relay.routes import Beside, Ours, Route, route
from gateway.settings.motion import Relay
from smtp.reply import Reply
from trust.sources import TrustList
from vault.database import Row
from vault.errors import VaultError

CUT_SHORT = Reply(
    451, "4.4.2", "The next hop took too long over the message; it will be tried again"
)

_POLL = 30.0  # seconds: the bell only shortens the wait
_BREATH = 1.0  # seconds without claiming when the database failed
_BATCH = 200  # copies claimed at once
_AT_HAND = 32 << 20  # octets of messages kept in memory till they go; the others are opened again
_LEAST_OF_LEASE = 0.8  # an attempt is cut off well before its claim ends


class Courier:
    """One a gateway; ``run`` is a task of its group."""

    def __init__(self, desk: Desk, notices: Notices, carrier: Carrier, settings: Relay) -> None:
        self._desk = desk
        self._books = desk.books
        self._recorder = Recorder(desk, notices, self)
        self._carrier = carrier
        self._settings = settings
        self._lease = timedelta(seconds=settings.lease)
        self._most = 4 * settings.concurrency  # copies in hand at once
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._lanes: dict[Route, Lane] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._bell = asyncio.Event()
        self._in_hand = 0  # copies claimed and not yet recorded
        self._at_hand = 0  # octets of their messages
        self._short = False  # something due was left in its row for want of room
        self._wake: set[str | None] = set()  # domains that are back; None: all, the list changed
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._resting = False
        self.rested = asyncio.Event()  # set while nothing is due and nothing in hand
        desk.keeper.subscribe(self._list_changed)

    def __repr__(self) -> str:
        return f"<Courier {self._in_hand} in hand, {len(self._lanes)} lanes>"

    def ring(self) -> None:
        """Look at the spool now: something may be due."""
        self.rested.clear()
        self._bell.set()

    def hasten(self) -> None:
        """Look at the spool now, and knock again at peers that are backed off: somebody asks."""
        for lane in self._lanes.values():
            lane.opens = None
        self.ring()

    def room(self, domains: Iterable[str], *, urgent: bool = False) -> datetime | None:
        """Return when a claim made now would end, if mail for these domains can go at once.

        A message may then enter the spool as claimed already, and come by ``carry`` once it is
        committed: nothing is asked of the database that intake has just written. None: let it be
        due, and it is claimed in its turn. What is ``urgent`` goes though the house is full.
        """
        if self._tasks is None or self._stop.is_set():
            return None
        lanes = [self._lanes.get(self._way(domain)) for domain in domains]
        if not urgent and self._in_hand >= self._most:
            return None
        if any(lane and ((lane.full and not urgent) or lane.failures) for lane in lanes):
            return None
        return self._desk.clock() + self._lease

    def pause(self, domain: str) -> Pause | None:
        """Return until when nobody knocks at a domain's peer, and why; None: it is not backed off.

        Mail for it may then enter the spool as put off until that time, and costs nothing more
        meanwhile.
        """
        lane = self._lanes.get(self._way(domain))
        return None if lane is None else lane.pause(self._desk.clock())

    def carry(self, copies: Sequence[Copy], at_hand: AtHand) -> None:
        """Attempt copies that entered the spool as claimed, with what is at hand of the message."""
        self.rested.clear()
        for one in self._grouped(copies, at_hand if self._at_hand < _AT_HAND else NOTHING):
            self._dispatch(one)

    def _list_changed(self, listed: TrustList, before: TrustList | None) -> None:
        del listed, before
        self._wake.add(None)
        self.hasten()  # it may name another certificate, and so end what kept us out

    async def run(self) -> None:
        """Carry for ever, until told to stop or cancelled."""
        self._ended.clear()
        self._lanes.clear()  # whatever a run before this one left is taken back from the rows
        self._in_hand = self._at_hand = 0
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._guarded(self._recover())
                while not self._stop.is_set():
                    self._bell.clear()
                    claimed = await self._guarded(self._round())
                    if claimed is None:
                        await self._breathe()
                    elif not claimed:
                        await self._rest()
            waiting = [one for lane in self._lanes.values() for one in lane.waiting]
            await self._give_back(copy for one in waiting for copy in one.copies)
        finally:
            await self._carrier.close(self._lanes.values())
            self._ended.set()

    async def stop(self, grace: float) -> None:
        """Take up nothing more; return when ``run`` has ended, with what was in hand, or time is up."""
        self._stop.set()
        self.ring()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._ended.wait()

    async def _recover(self) -> int:
        """Take back what a process now gone had claimed: SENDING, LOST, QUEUED."""
        await self._books.database.commit([self._books.spool.recovering(self._desk.clock())])
        return 0

    async def _guarded(self, work: Awaitable[int]) -> int | None:
        """Do one round of the loop; whatever goes wrong in it is told, and is not the end."""
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - the loop's one boundary
            self._crashed(error)
            return None

    async def _round(self) -> int:
        """Claim what is due, as much as there is room for; return how many copies."""
        now = self._desk.clock()
        await self._carrier.rest(self._lanes.values())
        wake = set(self._wake)
        statements = [self._books.spool.waking(now, domain) for domain in wake]
        room = min(_BATCH, self._most - self._in_hand)
        busy = self._busy()
        if urgent := self._books.spool.urgent(now):
            statements.append(self._books.spool.claiming_urgent(now, self._lease, _BATCH))
        if room > 0:
            statements.append(self._books.spool.claiming(now, self._lease, room, busy))
        found = await self._books.database.commit(statements) if statements else []
        claims = urgent + (room > 0)
        rows = [row for claimed in found[len(found) - claims :] for row in claimed]
        self._wake -= wake
        self._short = room <= 0 or len(rows) == room or bool(busy)
        for one in self._grouped(self._opened(rows)):
            self._dispatch(one)
        return len(rows)

    def _busy(self) -> list[str]:
        return sorted(
            {one.domain for lane in self._lanes.values() if lane.full for one in lane.waiting}
        )

    async def _rest(self) -> None:
        """Wait for the bell, or until something is due."""
        self._resting = True
        self._rest_assured()
        pause = _POLL
        due = self._books.spool.next_due()
        if due is not None and not self._short:
            pause = min(pause, max(0.0, (due - self._desk.clock()).total_seconds()))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._bell.wait()
        self._resting = False

    def _rest_assured(self) -> None:
        if self._resting and self._in_hand == 0 and not self._bell.is_set():
            self.rested.set()

    def _opened(self, rows: Sequence[Row]) -> list[Copy]:
        """Return the copies of claimed rows; one that does not open stays where it is."""
        try:
            return self._books.spool.claimed(rows)
        except Exception:  # noqa: BLE001 - then one by one: a broken row must not stop the others
            return [copy for row in rows for copy in self._opened_alone(row)]

    def _opened_alone(self, row: Row) -> list[Copy]:
        try:
            return self._books.spool.claimed([row])
        except Exception as error:  # noqa: BLE001 - its claim ends by itself, and it is told again
            self._crashed(error, delivery=row[0])
            return []

    def _way(self, domain: str) -> Route:
        """Return the way to a domain, as far as one is the same for all its addresses."""
        desk = self._desk
        way = route(domain, desk.domains, desk.keeper.current, self._settings.default_port)
        server = desk.servers.serving(domain) if isinstance(way, Ours) else None
        return Beside(server) if server is not None else way

    def _way_of(self, one: Attempt) -> Route:
        way = self._way(one.domain)
        if isinstance(way, Ours | Beside):  # ours lie where each of them lies
            server = self._desk.servers.holding(one.copies[0].recipient.address)
            return Ours() if server is None else Beside(server)
        return way

    def _grouped(self, copies: Sequence[Copy], at_hand: AtHand = NOTHING) -> Iterable[Attempt]:
        """Put together what goes to one domain, or to one server of ours, with one message."""
        if len(copies) == 1:
            yield Attempt(copies[0].message, copies[0].domain, (copies[0],), at_hand)
            return
        for _, group in groupby(sorted(copies, key=self._together), key=self._together):
            found = tuple(group)
            yield Attempt(found[0].message, found[0].domain, found, at_hand)

    def _together(self, copy: Copy) -> tuple[str, str, str]:
        server = self._desk.servers.holding(copy.recipient.address)
        return copy.message.id, copy.domain, server or ""

    def _dispatch(self, one: Attempt) -> None:
        """Put an attempt on its lane, and somebody to work on it."""
        way = self._way_of(one)
        lane = self._lanes.get(way)
        if lane is None:
            lane = self._lanes[way] = Lane(way, self._settings.connections_per_peer)
        lane.put(one)
        self._in_hand += len(one.copies)
        self._at_hand += one.at_hand.octets
        self._staff(lane)

    def _staff(self, lane: Lane) -> None:
        assert self._tasks is not None
        while lane.wants_worker and not self._stop.is_set() and (one := lane.take()) is not None:
            lane.workers += 1
            self._tasks.create_task(self._work(lane, one))

    async def _work(self, lane: Lane, first: Attempt) -> None:
        """Make one attempt after the other, each recorded before the next, while there are any.

        That leaves intake its share of the loop; what cannot go now waits in its row. While nobody
        may knock at the peer, all that waits for it is put off at once, in one transaction.
        """
        one: Attempt | None = first
        try:
            while one is not None:
                batch = [one]
                if lane.closed(self._desk.clock()):
                    batch += lane.drained()
                    await self._write_down([(each, self._waits(lane, each)) for each in batch])
                elif self._left(one) < self._lease / 2:
                    await self._give_back(one.copies)  # it waited too long for its turn
                    self.ring()
                else:
                    listed = self._desk.keeper.current
                    await self._write_down([(one, await self._carry(lane, one))])
                    if self._otherwise_since(listed):
                        self._wake.add(one.domain)  # it may have been put off after all was woken
                self._in_hand -= sum(len(each.copies) for each in batch)
                self._at_hand -= sum(each.at_hand.octets for each in batch)
                if self._short or self._wake:
                    self._bell.set()
                self._rest_assured()
                one = lane.take() if lane.keeps_worker and not self._stop.is_set() else None
        finally:
            lane.workers -= 1
            if lane.deserted:
                self._lanes.pop(lane.route, None)
        self._staff(lane)  # a peer that is back may have more than one at work again

    def _otherwise_since(self, before: TrustList | None) -> bool:
        """Whether other members are named or denied by now; certificates are looked up all the time."""
        now = self._desk.keeper.current
        return (now and (now.editions, now.overlay.denied)) != (
            before and (before.editions, before.overlay.denied)
        )

    async def _carry(self, lane: Lane, one: Attempt) -> list[Result]:
        """Make one attempt; what is unexpected ends it, and nothing else."""
        began = asyncio.get_running_loop().time()
        results: list[Result] = []  # as they come: what was sent stays sent, whatever comes after
        miss = self._too_slow
        try:
            async with (
                nullcontext() if one.urgent else self._slots,
                asyncio.timeout(self._left(one).total_seconds() * _LEAST_OF_LEASE),
            ):
                if await self._carrier.attempt(lane, one, results):
                    self._wake.add(one.domain)
        except TimeoutError:
            pass
        except Exception as error:  # noqa: BLE001 - one message never stops the loop
            self._crashed(error, message=one.message.id)
            miss = self._lost
        settled = {result.after.id for result in results}
        results += [miss(copy) for copy in one.copies if copy.delivery.id not in settled]
        seconds = asyncio.get_running_loop().time() - began
        self._desk.metrics.attempt_seconds.labels(results[0].after.state).observe(seconds)
        return results

    def _waits(self, lane: Lane, one: Attempt) -> list[Result]:
        try:
            return self._carrier.waits(lane, one)
        except Exception as error:  # noqa: BLE001 - one message never stops the loop
            self._crashed(error, message=one.message.id)
            return [self._lost(copy) for copy in one.copies]

    def _too_slow(self, copy: Copy) -> Result:
        return self._desk.scale().put_off(copy, CUT_SHORT, "too-slow")

    def _lost(self, copy: Copy) -> Result:
        return self._desk.scale().lost(copy)

    async def _write_down(self, done: Sequence[Done]) -> None:
        """Record what came of attempts, again and again if the disk will not have it.

        The peer may have the message by now: forgetting that would send it twice. But who is told
        to stop stops: the claim ends by itself, and the next start takes it back.
        """
        until = asyncio.get_running_loop().time() + self._settings.lease * (1 - _LEAST_OF_LEASE)
        while True:
            try:
                if await self._recorder.record(done):
                    self.ring()
            except Exception as error:  # noqa: BLE001 - one message never stops the loop
                self._crashed(error, message=done[0][0].message.id)
            else:
                return
            if self._stop.is_set() or asyncio.get_running_loop().time() >= until:
                return  # its claim ends, and it is tried anew (RFC 1047)
            await self._breathe()

    async def _breathe(self) -> None:
        """Leave a database that failed alone for a moment, unless we are to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_BREATH):
                await self._stop.wait()

    def _left(self, one: Attempt) -> timedelta:
        """Return how long our claim on it still holds."""
        due = one.copies[0].delivery.due
        return timedelta() if due is None else due - self._desk.clock()

    async def _give_back(self, copies: Iterable[Copy]) -> None:
        """Queue again what was claimed and not begun, uncounted as lost."""
        now = self._desk.clock()
        for copy in copies:
            queued = replace(step(copy.delivery, Event.LOST, now), lost=copy.delivery.lost)
            # If even this fails, the claim ends by itself.
            with suppress(VaultError):
                await self._books.database.commit(
                    [self._books.spool.recording(copy.delivery, queued)]
                )

    def _crashed(self, error: Exception, **ids: object) -> None:
        self._desk.on_event("courier.crashed", {"exception": error, **ids})
