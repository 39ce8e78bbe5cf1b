"""When the time promised to a sender's software is up: each recipient has its last answer now.

What is still here is cancelled and failed; what a peer took and did not confirm may have arrived. An
attempt that is under way ends first: it may succeed at this very moment. docs/receipts.md.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from gateway.relay.deadlines import Deadlines
from gateway.relay.delivery import State
from gateway.relay.desk import Desk
from gateway.relay.ends import REASON, concluded
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from vault.errors import Conflict

_POLL = 30.0  # seconds; no deadline is shorter
_SOON = timedelta(seconds=2)  # an attempt has it, or a neighbour moved it
_CRASHED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Concluding:
    """One a gateway; ``run`` is a task of its group."""

    desk: Desk
    notices: Notices
    wake: Callable[[], None] = lambda: None  # there is a report to carry

    async def run(self) -> None:
        """Look whenever the next promise falls due."""
        while True:
            await self.round()
            pause, due = _POLL, self._deadlines.next()
            if due is not None:
                pause = min(pause, max(0.1, (due - self.desk.clock()).total_seconds()))
            await asyncio.sleep(pause)

    @property
    def _deadlines(self) -> Deadlines:
        return Deadlines(self.desk.books.database)

    async def round(self) -> int:
        """Conclude what is due; return how many messages were looked at."""
        await self._deadlines.clear(self.desk.clock())
        looked = 0
        while found := self._deadlines.due(self.desk.clock()):
            for message in found:
                await self._one(message)
            looked += len(found)
        return looked

    async def _one(self, message: str) -> None:
        """The boundary of one message: whatever is wrong with it keeps no other from its answer."""
        try:
            await self._conclude(message)
        except Conflict:  # a neighbour moved it at this very moment
            pause = _SOON
        except Exception as error:  # noqa: BLE001 - one message stops no other
            self.desk.on_event("deadline.crashed", {"exception": error, "message": message})
            pause = _CRASHED
        else:
            return
        again = self._deadlines.later(message, self.desk.clock() + pause)
        await self.desk.books.database.commit([again])

    async def _conclude(self, message: str) -> None:
        """Give the last answers of a message in one transaction: rows, receipts, journal, report."""
        books, now = self.desk.books, self.desk.clock()
        copies = books.spool.copies(message)
        results = [
            Result(copy, after, REASON)
            for copy in copies
            if (after := concluded(copy.delivery, now)) is not None
        ]
        told = await self.notices.reporting(copies[0].message, results) if results else []
        if any(copy.delivery.state is State.SENDING for copy in copies):
            done = self._deadlines.later(message, now + _SOON)
        else:
            done = self._deadlines.kept(message)
        moving = [s for one in results for s in books.moving(one.copy, one.after, reason=REASON)]
        await books.database.commit([*moving, *told, done])
        if results:
            books.outbox.bell.set()
        if told:
            self.wake()
        for one in results:
            self.desk.metrics.deliveries.labels(one.after.state).inc()
