import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from gateway.receipts import publisher as module
from gateway.receipts.mqtt import Answer, BrokerError, Publication
from gateway.receipts.outbox import Outbox
from gateway.receipts.publisher import Publisher, backoff
from gateway.receipts.receipt import Kind, Receipt
from smtp.envelope import MessageId
from tests.world.clock import START, Clock
from tests.world.rest import Rest
from vault.database import Statement
from vault.errors import VaultError


@dataclass(slots=True)
class FakeBroker:
    """A broker in memory that can be down, go down after some publications, or refuse some."""

    down: bool = False
    breaks_after: int | None = None
    answers: list[Answer] = field(default_factory=list)  # given first, whatever is asked
    refuses: Callable[[str], bool] = lambda _: False  # by message
    took: list[tuple[str, str]] = field(default_factory=list)  # message, type
    asked: int = 0
    connections: int = 0
    lost: bool = False
    hangs_up: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["FakeBroker"]:
        self.connections += 1
        if self.down:
            raise BrokerError("connection refused")
        self.lost = False
        yield self

    async def send(self, batch: Sequence[Publication]) -> list[Answer]:
        answers = [self._take(publication) for publication in batch]
        self.asked += len(batch)
        self.lost |= self.hangs_up
        self.changed.set()
        return answers

    def _take(self, publication: Publication) -> Answer:
        if self.answers:
            return self.answers.pop(0)
        if self.breaks_after is not None and len(self.took) >= self.breaks_after:
            self.lost = True
            return Answer.UNHEARD
        event = json.loads(publication.payload)
        if self.refuses(event["data"]["message"]):
            return Answer.REFUSED
        self.took.append((event["data"]["message"], event["type"].rpartition(".")[2]))
        return Answer.TAKEN


@dataclass(slots=True)
class Pauses:
    """Stands for waiting: tells that it began, and ends when the test says so."""

    taken: list[float] = field(default_factory=list)
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    over: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.begun.release()
        await self.over.acquire()


@dataclass(frozen=True, slots=True)
class WatchedOutbox(Outbox):
    """An outbox that tells when a batch was marked."""

    marked: asyncio.Event

    async def sent(self, seqs: Sequence[int], now: datetime) -> None:
        await super(WatchedOutbox, self).sent(seqs, now)
        self.marked.set()


@dataclass(slots=True)
class Scene:
    """An outbox, a broker, and the loop between them."""

    rest: Rest
    outbox: WatchedOutbox
    broker: FakeBroker
    clock: Clock
    pauses: Pauses
    publisher: Publisher
    events: list[tuple[str, Mapping[str, object]]]
    up: asyncio.Event = field(default_factory=asyncio.Event)

    async def add(self, *messages: str, kind: Kind = Kind.ACCEPTED) -> None:
        receipts = [Receipt(kind, START, MessageId(message), "queued") for message in messages]
        await self.rest.commit([self.outbox.adding(receipt, "k1") for receipt in receipts])
        self.outbox.bell.set()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not done():
                self.broker.changed.clear()
                await self.broker.changed.wait()

    async def drained(self) -> None:
        async with asyncio.timeout(5):
            while self.outbox.waiting():
                self.outbox.marked.clear()
                await self.outbox.marked.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.publisher.run())
            yield
            task.cancel()

    def told(self, event: str) -> list[Mapping[str, object]]:
        return [detail for name, detail in self.events if name == event]


@pytest.fixture
def scene(rest: Rest) -> Scene:
    outbox = WatchedOutbox(rest.database, rest.ring, "labo", asyncio.Event(), asyncio.Event())
    broker, clock, pauses = FakeBroker(), Clock(), Pauses()
    events: list[tuple[str, Mapping[str, object]]] = []
    up = asyncio.Event()

    def heard(event: str, detail: Mapping[str, object]) -> None:
        events.append((event, detail))
        if event == "broker.connected":
            up.set()

    publisher = Publisher(outbox, broker.connect, clock, heard, poll=60, pause=pauses)
    return Scene(rest, outbox, broker, clock, pauses, publisher, events, up)


async def test_what_waits_is_sent_once(scene: Scene) -> None:
    """What lay in the outbox before the start is sent, in the order of its commits, and once."""
    await scene.add("M1", "M2")
    await scene.add("M1", kind=Kind.RELAYED)
    async with scene.running():
        await scene.drained()

    assert [("M1", "accepted"), ("M2", "accepted"), ("M1", "relayed")] == scene.broker.took
    assert [{"waiting": 3}] == scene.told("broker.connected")


async def test_bell(scene: Scene) -> None:
    """A rung bell wakes the loop at once: its poll is a minute away."""
    async with scene.running():
        for message in ("M1", "M2", "M3"):
            await scene.add(message)
            await scene.drained()

    assert 3 == len(scene.broker.took)


async def test_without_the_bell(scene: Scene) -> None:
    """A bell that was not rung only costs time: the loop looks by itself."""
    scene.publisher._poll = 0.01
    async with scene.running():
        await scene.add("M1")
        scene.outbox.bell.clear()
        await scene.drained()

    assert 1 == len(scene.broker.took)


async def test_many_batches(scene: Scene) -> None:
    """More than a batch goes out in order, none left out, none twice."""
    names = [f"M{n:03}" for n in range(500)]
    await scene.add(*names)
    async with scene.running():
        await scene.drained()

    assert names == [message for message, _ in scene.broker.took]


async def test_broker_down(scene: Scene) -> None:
    """While the broker is down, new receipts wake nothing; when it is back, nothing is missing."""
    scene.broker.down = True
    async with scene.running():
        for attempt in range(1, 6):
            await scene.pauses.begun.acquire()
            await scene.add(*(f"M{attempt}-{n}" for n in range(20)))
            assert attempt == scene.broker.connections
            assert not scene.publisher.connected
            scene.broker.down = attempt < 5
            scene.pauses.over.release()
        await scene.drained()

    assert 100 == len(scene.broker.took)
    assert "connection refused" == scene.told("broker.lost")[0]["reason"]


async def test_pauses_grow(scene: Scene) -> None:
    """A broker that is away is asked less and less often, up to a minute, spread by chance."""
    scene.broker.down = True
    async with scene.running():
        for _ in range(12):
            await scene.pauses.begun.acquire()
            scene.pauses.over.release()

    taken = scene.pauses.taken
    assert all(0.5 * 2**n <= taken[n] <= 2**n for n in range(6))
    assert all(30 <= pause <= 60 for pause in taken[7:])
    assert 1 < len({backoff(9) for _ in range(20)})


async def test_line_breaks(scene: Scene) -> None:
    """What a broken line left unanswered is sent again, and so is what followed it."""
    scene.broker.breaks_after = 2
    await scene.add("M1", "M2", "M3", "M4")
    async with scene.running():
        await scene.pauses.begun.acquire()
        assert [("M1", "accepted"), ("M2", "accepted")] == scene.broker.took
        assert 2 == scene.outbox.waiting()
        scene.broker.breaks_after = None
        scene.pauses.over.release()
        await scene.drained()

    assert ["M1", "M2", "M3", "M4"] == [message for message, _ in scene.broker.took]


async def test_order_within_a_message(scene: Scene) -> None:
    """A later receipt is not marked as sent before an earlier one of the same message."""
    scene.broker.answers = [Answer.UNHEARD, Answer.TAKEN, Answer.TAKEN]
    await scene.add("M1")
    await scene.add("M1", kind=Kind.RELAYED)
    await scene.add("M2")
    await scene.publisher._send(scene.broker, scene.outbox.unsent())

    assert ["M1", "M1"] == [row.message for row in scene.outbox.unsent()]


async def test_refused_receipt(scene: Scene) -> None:
    """A receipt the broker refuses holds back its own message only, and is tried again later."""
    refused = {"M1"}
    scene.broker.refuses = lambda message: message in refused
    await scene.add("M1", "M2")
    await scene.add("M1", kind=Kind.RELAYED)
    async with scene.running():
        await scene.until(lambda: len(scene.broker.took) == 1)
        await scene.add("M1", kind=Kind.DELIVERED)
        await scene.add("M3")
        await scene.until(lambda: len(scene.broker.took) == 2)
        assert [("M2", "accepted"), ("M3", "accepted")] == scene.broker.took
        refused.clear()
        scene.clock.advance(seconds=2)
        await scene.add("M4")
        await scene.drained()
        await scene.add("M5")
        await scene.drained()

    mine = [kind for message, kind in scene.broker.took if message == "M1"]
    assert ["accepted", "relayed", "delivered"] == mine
    assert 1 == scene.told("receipts.refused")[0]["messages"]
    assert 0 == scene.publisher._refusals


async def test_refusal_breaks_the_line(scene: Scene) -> None:
    """Some brokers hang up after a refusal: what was not answered goes on the next line."""
    scene.broker.answers = [Answer.REFUSED, Answer.UNHEARD, Answer.UNHEARD]
    scene.broker.hangs_up = True
    await scene.add("M1", "M2", "M3")
    async with scene.running():
        await scene.pauses.begun.acquire()
        scene.broker.hangs_up = False
        scene.pauses.over.release()
        await scene.until(lambda: len(scene.broker.took) == 2)
        assert [("M2", "accepted"), ("M3", "accepted")] == scene.broker.took
        scene.clock.advance(seconds=2)
        scene.outbox.bell.set()
        await scene.drained()

    assert ("M1", "accepted") == scene.broker.took[-1]


async def test_broker_refuses_everything(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """If very many are refused it is the broker: pause, say so, keep everything."""
    monkeypatch.setattr(module, "_MANY", 100)
    scene.broker.refuses = lambda _: True
    await scene.add(*(f"M{n}" for n in range(300)))
    async with scene.running():
        await scene.pauses.begun.acquire()

    assert 300 == scene.outbox.waiting()
    assert "ACL" in str(scene.told("broker.lost")[0]["reason"])
    assert scene.broker.asked < 300


async def test_damaged_receipt(scene: Scene) -> None:
    """A receipt that no longer opens stops no other."""
    await scene.add("M1", "M2")
    await scene.rest.commit([Statement("UPDATE outbox SET payload = X'00' WHERE message = 'M1'")])
    async with scene.running():
        await scene.until(lambda: bool(scene.broker.took))

    assert [("M2", "accepted")] == scene.broker.took


async def test_surprise(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in one round, the loop goes on after a pause."""

    def broken(*_: object) -> int:
        raise VaultError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "unsent", broken)
        async with scene.running():
            await scene.pauses.begun.acquire()
            patched.undo()
            await scene.add("M1")
            scene.pauses.over.release()
            await scene.drained()

    assert "VaultError" == scene.told("broker.lost")[0]["reason"]
    assert [("M1", "accepted")] == scene.broker.took


async def test_steady_line_forgives(scene: Scene) -> None:
    """A line that held for more than a minute before it broke is asked again soon."""
    scene.broker.breaks_after = 0
    scene.publisher._failures = 9
    async with scene.running():
        await scene.up.wait()
        scene.clock.advance(minutes=2)
        await scene.add("M1")
        await scene.pauses.begun.acquire()

    assert scene.pauses.taken[0] <= 1


async def test_repr(scene: Scene) -> None:
    """An operator sees at a glance whether the line is up."""
    assert "<Publisher not connected>" == repr(scene.publisher)
    async with scene.running():
        await scene.add("M1")
        await scene.drained()
        assert "<Publisher connected>" == repr(scene.publisher)
