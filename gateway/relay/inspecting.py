"""Messages are looked into before anything else becomes of them: the state INSPECTING's loop.

The message is ours and sealed, and its sender has had the 250, so a slow scanner makes nobody wait
at the door; and nothing leaves before the verdict. One claim a message: it is counted as lost
before the look begins, and one that is lost three times goes to a person. What was found, what
becomes of each copy, its case, the journal and what its sender is told are one transaction. While a
scanner is away messages wait for it, for a bounded time; then the rules say what is done
(``not-scanned``). R-J2, R-J5; HAZARDS (d).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from gateway.relay.books import GATEWAY
from gateway.relay.delivery import Event, State, holder, step
from gateway.relay.desk import Desk
from gateway.relay.inspections import Claim, Inspections
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.results import ATTEMPTS_LOST, Result
from gateway.relay.screening import among, concerning
from gateway.relay.verdict import refusal
from quarantine.policy import About, Action, Finding, Judgement
from quarantine.scanner import Scanned, Silent
from vault.database import Row, Statement
from vault.errors import Conflict, StorageFull, VaultError
from vault.store import Sealed

INSPECTED = "inspected"  # the reason of what goes on after a look

_POLL = 30.0  # seconds: the bell only shortens the wait
_MOST_LOST = 3
_SPARE = timedelta(seconds=120)  # what a claim lasts beyond what a look may take


class Look(Protocol):
    """Who looks into a message (``gateway.relay.looking``)."""

    async def scan(self, copies: Sequence[Copy]) -> Scanned | Silent:
        """Return the scanner's verdict."""

    async def look(self, copies: Sequence[Copy]) -> tuple[Finding, ...]:
        """Return what is found in it."""

    def close(self) -> None:
        """End what is under way."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many messages at once, how long a look may take, how long a scanner is waited for."""

    at_once: int = 4
    longest: timedelta = timedelta(seconds=150)  # what a look may take, a scanner's time included
    patience: timedelta = timedelta(seconds=300)
    again: timedelta = timedelta(seconds=15)  # it is asked again so soon


class Inspecting:
    """One a gateway; ``run`` is a task of its group."""

    def __init__(
        self,
        desk: Desk,
        notices: Notices,
        look: Look,
        pace: Pace,
        wake: Callable[[], None],
    ) -> None:
        assert desk.screening.inspections is not None
        self._desk, self._notices, self._look, self._pace = desk, notices, look, pace
        self._wake = wake
        self._books = desk.books
        self._rows: Inspections = desk.screening.inspections
        self._in_hand: dict[str, tuple[Claim, asyncio.Task[None]]] = {}
        self._asked = desk.clock()  # when the scanner was last asked
        self._stop, self._ended = asyncio.Event(), asyncio.Event()
        self._ended.set()
        self.rested = asyncio.Event()  # set while nothing is due and nothing in hand

    def __repr__(self) -> str:
        return f"<Inspecting {len(self._in_hand)} in hand>"

    async def run(self) -> None:
        """Look into what is due, for ever, until told to stop."""
        self._ended.clear()
        self._in_hand.clear()
        try:
            await self._books.database.commit([self._rows.recovering(self._desk.clock())])
            async with asyncio.TaskGroup() as tasks:
                while not self._stop.is_set():
                    self._rows.bell.clear()
                    if not await self._guarded(tasks):
                        await self._rest()
                for _, task in self._in_hand.values():
                    task.cancel()
        finally:
            self._ended.set()

    async def stop(self, grace: float) -> None:
        """Take up nothing more; what is in hand is given back, and looked into at the next start."""
        self._stop.set()
        self._rows.bell.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._ended.wait()
        self._look.close()

    async def _guarded(self, tasks: asyncio.TaskGroup) -> int:
        """Do one round; whatever goes wrong in it is told, and ends nothing that is in hand."""
        try:
            return await self._round(tasks)
        except Exception as error:  # noqa: BLE001 - the loop's one boundary
            self._desk.on_event("inspection.crashed", {"exception": error})
            return 0

    async def _round(self, tasks: asyncio.TaskGroup) -> int:
        """Claim what is due, as much as there is room for; return how many messages."""
        room = self._pace.at_once - len(self._in_hand)
        if room <= 0:
            return 0
        now, lease = self._desk.clock(), self._pace.longest + _SPARE
        claiming = self._rows.claiming(now, lease, room, self._in_hand)
        (rows,) = await self._books.database.commit([claiming])
        for row in rows:
            if (claim := self._claimed(row)) is not None:
                self._in_hand[claim.message] = claim, tasks.create_task(self._one(claim))
        return len(rows)

    def _claimed(self, row: Row) -> Claim | None:
        """Return a claim; a row that does not open is told of again when that claim ends."""
        try:
            return self._rows.claimed(row)
        except Exception as error:  # noqa: BLE001 - a broken row must not stop the others
            told = {"exception": error, "message": row[0]}
            self._desk.on_event("inspection.crashed", told)
            return None

    async def _rest(self) -> None:
        """Wait for the bell, or until something is due."""
        if not self._in_hand and not self._rows.bell.is_set():
            self.rested.set()
        pause = _POLL
        due = self._rows.next_due()
        if due is not None and not self._in_hand:
            pause = min(pause, max(0.0, (due - self._desk.clock()).total_seconds()))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._rows.bell.wait()
        self.rested.clear()

    async def _one(self, claim: Claim) -> None:
        """Look into one message; what is unexpected ends that look, and nothing else."""
        try:
            await self._inspect(claim)
        except asyncio.CancelledError:
            with suppress(VaultError):
                await self._put_off(claim, timedelta())
            raise
        except Exception as error:  # noqa: BLE001 - one message never stops the loop
            self._desk.on_event(
                "inspection.crashed", {"exception": error, "message": claim.message}
            )
            counted = claim.lost + (not isinstance(error, StorageFull))
            with suppress(VaultError):  # if even this fails, the claim ends by itself
                await self._put_off(replace(claim, lost=counted), self._pace.again)
        finally:
            self._in_hand.pop(claim.message, None)
            self._rows.bell.set()

    async def _inspect(self, claim: Claim) -> None:
        copies = self._copies(claim)
        if not copies:
            found: tuple[Finding, ...] = ()  # all of them were taken back, or cancelled
        elif claim.lost >= _MOST_LOST:
            found = (Finding(ATTEMPTS_LOST),)
        else:
            said = await self._scanned(copies)
            if self._waits(claim, said):
                await self._all_wait(claim)
                return
            found = (*_verdict(said), *await self._look.look(copies))
        await self._settle(claim, (*claim.findings, *found))

    async def _scanned(self, copies: Sequence[Copy]) -> Scanned | Silent:
        """Ask the scanner, unless it was silent a moment ago: each question may take minutes."""
        if self._rows.silent and self._desk.clock() < self._asked + self._pace.again:
            return Silent(self._rows.silent)
        said = await self._look.scan(copies)
        self._asked = self._desk.clock()
        return said

    def _waits(self, claim: Claim, said: Scanned | Silent) -> bool:
        """Whether the message waits for a scanner that gives no verdict; tell when that begins."""
        silent = said.why if isinstance(said, Silent) and not said.lasting else ""
        if bool(silent) != bool(self._rows.silent):
            event = "scanner.silent" if silent else "scanner.back"
            self._desk.on_event(event, {"reason": silent} if silent else {})
        self._rows.silent = silent
        now = self._desk.clock()
        return bool(silent) and now < (claim.since or now) + self._pace.patience

    async def _all_wait(self, claim: Claim) -> None:
        """Put a message off for a silent scanner, and with it all that would only find the same."""
        now, pace = self._desk.clock(), self._pace
        waiting = self._rows.waiting(replace(claim, since=claim.since or now), now + pace.again)
        others = self._rows.all_waiting(now, now + pace.again, pace.patience)
        await self._books.database.commit([waiting, others])

    async def _put_off(self, claim: Claim, pause: timedelta) -> None:
        due = self._desk.clock() + pause
        await self._books.database.commit([self._rows.waiting(claim, due)])

    async def _settle(self, claim: Claim, findings: tuple[Finding, ...]) -> None:
        """Write down what was found, and what it means for each copy: one transaction."""
        for last in (False, False, True):
            copies = self._copies(claim)
            judged = [(copy, self._judged(copy, findings)) for copy in copies]
            results = [self._result(copy, found, findings) for copy, found in judged]
            tags = _tags(judged, results)
            sealed = await self._tagged(copies[0], tags) if tags else None
            try:
                await self._books.database.commit(
                    await self._meaning(claim, findings, results, sealed)
                )
            except (Conflict, StorageFull) as error:
                if sealed is not None:
                    await self._books.vault.discard(sealed)
                if last or isinstance(error, StorageFull):
                    raise
                continue  # a copy was cancelled at this very moment
            self._tally(findings, results)
            return

    def _copies(self, claim: Claim) -> list[Copy]:
        found = self._books.spool.copies(claim.message)
        return [copy for copy in found if copy.delivery.state is State.INSPECTING]

    def _judged(self, copy: Copy, findings: Sequence[Finding]) -> Judgement:
        message = copy.message
        about = About(message.mail.mail_from, copy.recipient.address, message.door)
        own = concerning(findings, copy.recipient.address)
        return self._desk.screening.policy.judge(own, about)

    def _result(self, copy: Copy, judgement: Judgement, findings: Sequence[Finding]) -> Result:
        now = self._desk.clock()
        if judgement.action is Action.REFUSE:
            reason = judgement.reasons[0]
            after = step(copy.delivery, Event.DENIED, now, refusal(reason))
            return Result(copy, after, reason)
        if judgement.action is Action.HOLD:
            after = step(copy.delivery, Event.HOLD, now)
            return Result(copy, after, judgement.reasons[0], found=among(findings, judgement))
        return Result(copy, step(copy.delivery, Event.PASSED, now), INSPECTED)

    async def _meaning(
        self,
        claim: Claim,
        findings: Sequence[Finding],
        results: Sequence[Result],
        sealed: Sealed | None,
    ) -> list[Statement]:
        """Return the transaction: the verdict, each copy's step and case, its sender's notices."""
        books = self._books
        statements = [self._rows.judged(claim, findings)]
        for one in results:
            moving = books.moving(one.copy, one.after, reason=one.reason, found=one.found)
            statements += moving
        if findings:
            statements.append(self._entry(claim, findings, results))
        if sealed is not None:
            statements += self._resealed(claim, sealed, results)
        if results:
            statements += await self._notices.reporting(results[0].copy.message, results)
        return statements

    def _entry(
        self, claim: Claim, findings: Sequence[Finding], results: Sequence[Result]
    ) -> Statement:
        """Return the journal's line; of what was found, the reasons alone: details name files."""
        sender = results[0].copy.message.mail.mail_from if results else None
        reasons = list(dict.fromkeys(one.reason for one in findings))
        now = self._desk.clock()
        return self._books.journal.entry(
            now, "message.inspected", GATEWAY, message=claim.message, who=sender, reasons=reasons
        )

    async def _tagged(self, copy: Copy, tags: Sequence[str]) -> Sealed:
        """Seal the message anew, with what was found on top, as a trace field is put there."""
        line = f"X-Sceau-Tag: {', '.join(tags)} ({self._desk.host})\r\n".encode()

        async def blocks() -> AsyncIterator[bytes]:
            yield line
            async with aclosing(self._books.vault.stream(holder(copy.delivery.id))) as body:
                async for block in body:
                    yield block

        return await self._books.vault.put(blocks())

    def _resealed(self, claim: Claim, sealed: Sealed, results: Sequence[Result]) -> list[Statement]:
        """Return what lets those copies that go on hold the new body instead of the old one."""
        vault = self._books.vault
        holders = [holder(one.after.id) for one in results if _goes_on(one)]
        dropped = [statement for each in holders for statement in vault.dropping(each)]
        resized = self._books.spool.resizing(claim.message, sealed.size)
        return [*dropped, *vault.holding(sealed, holders), resized]

    def _tally(self, findings: Sequence[Finding], results: Sequence[Result]) -> None:
        metrics = self._desk.metrics
        for reason in {one.reason for one in findings}:
            metrics.findings.labels(reason).inc()
        for one in results:
            state = "passed" if one.reason == INSPECTED else one.after.state
            metrics.inspected.labels(state).inc()
        self._books.outbox.bell.set()
        self._wake()


def _verdict(said: Scanned | Silent) -> tuple[Finding, ...]:
    if isinstance(said, Silent):
        return (Finding("not-scanned", said.why),)
    return (Finding("malware", said.malware),) if said.malware else ()


def _goes_on(one: Result) -> bool:
    return one.after.state is not State.REFUSED


def _tags(judged: Sequence[tuple[Copy, Judgement]], results: Sequence[Result]) -> tuple[str, ...]:
    """Return what the header is to say, if any copy is left to say it on."""
    if not any(map(_goes_on, results)):
        return ()
    return tuple(dict.fromkeys(tag for _, found in judged for tag in found.tags))
