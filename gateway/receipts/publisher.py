"""The loop that pushes receipts: outbox → broker, at least once, in order for each message.

It wakes by the outbox's bell, and by itself every few seconds; it starts from what the table says,
so a restart or a broker that was away for an hour needs nothing special. Batches are small so that
mail never waits for receipts, and a batch is marked as sent in one transaction.

Order: publications leave in the order of their commits on one connection, and a broker
acknowledges in the order it received (MQTT 5 §4.6), so what must be repeated after a broken line is
always a tail. A receipt that the broker refuses holds back the later ones of its own message only.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from gateway.receipts.mqtt import Answer, BrokerError, Publication
from gateway.receipts.outbox import Outbox, Row

_BATCH = 64  # 3 to 4 ms of the loop's time
_POLL = 5.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_STEADY = timedelta(minutes=1)
_MANY = 1000  # messages kept back: it is not the messages, it is the broker


class Line(Protocol):
    """What the loop needs of a connection."""

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""

    async def send(self, batch: Sequence[Publication]) -> list[Answer]:
        """Publish in order; return what became of each."""


Connect = Callable[[], AbstractAsyncContextManager[Line]]
Event = Callable[[str, Mapping[str, object]], None]


class Publisher:
    """One per process; ``run`` is a task of the gateway's group."""

    def __init__(
        self,
        outbox: Outbox,
        connect: Connect,
        clock: Callable[[], datetime],
        on_event: Event,
        *,
        poll: float = _POLL,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._outbox = outbox
        self._connect = connect
        self._clock = clock
        self._on_event = on_event
        self._poll = poll
        self._pause = pause
        self.connected = False
        self._failures = 0  # in a row: a receipt taken, or a steady line, ends the row
        self._after = 0  # rows up to here were tried since the last refusal
        self._kept_back: set[str] = set()  # messages with a receipt that was refused
        self._again: datetime | None = None  # when those are tried again
        self._refusals = 0

    def __repr__(self) -> str:
        return f"<Publisher {'connected' if self.connected else 'not connected'}>"

    async def run(self) -> None:
        """Push for ever; a broker that is away is asked again, less and less often."""
        while True:
            since = self._clock()
            try:
                async with self._connect() as line:
                    self.connected = True
                    self._on_event("broker.connected", {"waiting": self._outbox.waiting()})
                    await self._push(line)
                reason = "line lost"
            except BrokerError as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001 - the loop's one boundary
                reason = type(error).__name__
            self.connected = False
            if self._clock() - since > _STEADY:
                self._failures = 0
            self._failures += 1
            pause = backoff(self._failures)
            self._on_event("broker.lost", {"reason": reason, "pause": round(pause, 1)})
            await self._pause(pause)

    async def _push(self, line: Line) -> None:
        while not line.lost:
            self._outbox.bell.clear()  # before reading: a ring after it is not missed
            if not await self._pass(line):
                await self._wait()

    async def _pass(self, line: Line) -> bool:
        """Push one batch; return whether there was any."""
        if self._again is not None and self._clock() >= self._again:
            self._after, self._again = 0, None
            self._kept_back.clear()
        elif self._again is None:
            self._refusals = 0
        found = self._outbox.unsent(self._after, _BATCH)
        rows = [row for row in found if row.message not in self._kept_back]
        unheard = await self._send(line, rows) if rows else None
        if self._kept_back and found:
            # Go on behind what was refused; but never past what was not answered at all.
            self._after = found[-1].seq if unheard is None else unheard - 1
        return bool(found)

    async def _send(self, line: Line, rows: list[Row]) -> int | None:
        """Push rows and mark what was taken; return the first that got no answer, if any."""
        sendable = [row for row in rows if row.payload is not None]
        answers = await line.send(
            [Publication(self._outbox.topic(row), row.payload or b"") for row in sendable]
        )
        heard = dict(zip((row.seq for row in sendable), answers, strict=True))
        taken: list[int] = []
        unheard: dict[str, int] = {}
        refused: set[str] = set()
        for row in rows:
            answer = heard.get(row.seq, Answer.REFUSED)  # what does not open cannot go
            if answer is Answer.UNHEARD:
                unheard.setdefault(row.message, row.seq)
            elif answer is Answer.REFUSED:
                refused.add(row.message)
            elif row.message not in unheard and row.message not in refused:
                taken.append(row.seq)
        await self._outbox.sent(taken, self._clock())
        if taken:
            self._failures = 0
        if refused:
            self._keep_back(refused)
        return min(unheard.values(), default=None)

    def _keep_back(self, messages: set[str]) -> None:
        self._kept_back |= messages
        self._on_event("receipts.refused", {"messages": len(messages)})
        if len(self._kept_back) > _MANY:
            self._kept_back.clear()
            self._after, self._again = 0, None
            raise BrokerError("the broker refuses our receipts; check what its ACL lets us write")
        if self._again is None:
            self._refusals += 1
            self._again = self._clock() + timedelta(seconds=backoff(self._refusals))

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._poll):
                await self._outbox.bell.wait()
        except TimeoutError:
            pass


def backoff(failures: int) -> float:
    """Return how many seconds to wait after the n-th failure in a row, spread by chance."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
    return longest * (0.5 + secrets.randbelow(1001) / 2000)
