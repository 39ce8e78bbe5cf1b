import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest

from gateway import settings
from gateway.demo.pki import Authority
from gateway.receipts import mqtt
from gateway.receipts.mqtt import Answer, Broker, BrokerError, Publication
from gateway.receipts.outbox import Outbox
from gateway.receipts.publisher import Publisher
from gateway.receipts.receipt import Kind, Receipt, topic
from smtp.envelope import MessageId
from tests.world.broker import GATEWAY, Mosquitto
from tests.world.clock import START, Clock
from tests.world.rest import Rest

AUTHORITY = Authority.make(datetime.now(UTC))  # noqa: TID251 - TLS asks the real clock
MINE, THEIRS = "4bf92f3577b34da6a3ce", "9a3d0c51e2874b6fb1f0"


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    broker = Mosquitto.make(tmp_path / "broker", AUTHORITY, (GATEWAY, MINE, THEIRS))
    await broker.start()
    yield broker
    await broker.stop()


def receipts(count: int, key: str = MINE) -> list[Publication]:
    return [Publication(topic("labo", key), b"%d" % n) for n in range(count)]


async def read(client: aiomqtt.Client, count: int) -> list[bytes]:
    async with asyncio.timeout(10):
        return [bytes(str(m.payload, "utf-8"), "utf-8") async for m in _first(client, count)]


async def _first(client: aiomqtt.Client, count: int) -> AsyncIterator[aiomqtt.Message]:
    messages = client.messages
    for _ in range(count):
        yield await anext(messages)


async def test_two_laboratories(mosquitto: Mosquitto) -> None:
    """Under the example ACL each laboratory reads its own mailbox's receipts, and not the other's,
    however it asks.
    """
    async with AsyncExitStack() as stack:
        mine = await stack.enter_async_context(mosquitto.reader(MINE))
        theirs = await stack.enter_async_context(mosquitto.reader(THEIRS))
        line = await stack.enter_async_context(mosquitto.broker().connected())
        for client in (mine, theirs):
            for wanted in ("sceau/v1/receipts/#", topic("labo", MINE), topic("labo", THEIRS), "#"):
                await client.subscribe(wanted, qos=1)
        await line.send([Publication(topic("labo", key), key.encode()) for key in (MINE, THEIRS)])
        await line.send([Publication(topic("labo", key), b"last") for key in (MINE, THEIRS)])

        assert {MINE.encode(), b"last"} == set(await _until_last(mine))
        assert {THEIRS.encode(), b"last"} == set(await _until_last(theirs))


async def _until_last(client: aiomqtt.Client) -> list[bytes]:
    seen: list[bytes] = []
    async with asyncio.timeout(10):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            seen.append(message.payload)
            if message.payload == b"last":
                break
    return seen


@pytest.mark.parametrize("key", [MINE, THEIRS])
async def test_laboratories_cannot_publish(mosquitto: Mosquitto, key: str) -> None:
    """Software that reads receipts cannot invent one, not even its own."""
    async with mosquitto.broker(MINE).connected() as line:
        assert [Answer.REFUSED] == await line.send(receipts(1, key))


async def test_gateway_writes_its_site_only(mosquitto: Mosquitto) -> None:
    """A gateway publishes below its own site; elsewhere the broker's refusal is heard."""
    async with mosquitto.broker().connected() as line:
        answers = await line.send(
            [Publication(topic(site, MINE), b"x") for site in ("labo", "chu")]
        )

    assert [Answer.TAKEN, Answer.REFUSED] == answers


async def test_software_that_was_away(mosquitto: Mosquitto) -> None:
    """With a lasting session nothing published meanwhile is missing, in its order."""
    async with mosquitto.reader(MINE, session="lis") as client:
        await client.subscribe(topic("labo", MINE), qos=1)
    async with mosquitto.broker().connected() as line:
        await line.send(receipts(1200))
    async with mosquitto.reader(MINE, session="lis") as client:
        seen = await read(client, 1200)

    assert [b"%d" % n for n in range(1200)] == seen


async def test_line_lost(mosquitto: Mosquitto) -> None:
    """A batch on a line that is gone is unheard, and the line says so."""
    async with mosquitto.broker().connected() as line:
        assert [Answer.TAKEN] * 3 == await line.send(receipts(3))
        await mosquitto.stop()
        assert [Answer.UNHEARD] * 3 == await line.send(receipts(3))
        assert line.lost
        assert [Answer.UNHEARD] == await line.send(receipts(1))


async def test_silent_broker(mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that takes a batch and never answers is as good as lost."""
    monkeypatch.setattr(mqtt, "_ANSWER_TIMEOUT", 0.05)
    async with mosquitto.broker().connected() as line:
        monkeypatch.setattr(line, "_on_publish", lambda *_: None)
        line._client.on_publish = line._on_publish
        assert [Answer.UNHEARD] == await line.send(receipts(1))
        assert line.lost


async def test_a_broker_that_does_not_answer_a_goodbye_is_left(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands still: a gateway that stops does not."""
    monkeypatch.setattr(mqtt, "_GOODBYE", 0.01)
    async with asyncio.timeout(5), mosquitto.broker().connected():
        mosquitto.stand_still()


def wrong_password(broker: Broker, folder: Path) -> Broker:
    file = folder / "wrong"
    file.write_text("guess")
    return replace(broker, password_file=file)


def other_authority(broker: Broker, folder: Path) -> Broker:
    file = folder / "other.pem"
    file.write_bytes(Authority.make(AUTHORITY.now, "Other").anchors_pem)
    return replace(broker, anchors=file)


def other_name(broker: Broker, folder: Path) -> Broker:
    return replace(broker, host="127.0.0.1")  # not in the certificate


def nobody_there(broker: Broker, folder: Path) -> Broker:
    return replace(broker, port=1)


def no_password_file(broker: Broker, folder: Path) -> Broker:
    return replace(broker, password_file=folder / "absent")


def anonymous(broker: Broker, folder: Path) -> Broker:
    return replace(broker, username="", password_file=None)


@pytest.mark.parametrize(
    "wrong",
    [wrong_password, other_authority, other_name, nobody_there, no_password_file, anonymous],
)
async def test_not_connected(
    mosquitto: Mosquitto, tmp_path: Path, wrong: Callable[[Broker, Path], Broker]
) -> None:
    """A broker that is not ours, not there, or will not have us is an error in words, before any
    receipt; the system's authorities are never asked.
    """
    with pytest.raises(BrokerError, match=r"^[a-z0-9.]+:\d+: ") as raised:
        async with wrong(mosquitto.broker(), tmp_path).connected():
            pass

    assert "secret" not in str(raised.value)


async def test_settings(tmp_path: Path) -> None:
    """The settings name the broker; its anchors are ours unless it has its own."""
    text = """
        [site]
        name = "labo"
        host = "mx.labo.example"
        domains = ["labo.example"]
        [paths]
        data = "data"
        keys = "keys.json"
        [tls]
        certificate = "a"
        key = "b"
        anchors = "c"
        [receipts]
        host = "broker.example"
        username = "gateway-labo"
        password_file = "p"
    """
    file = tmp_path / "gateway.toml"
    file.write_text(text)

    assert Broker(
        "broker.example", 8883, tmp_path / "c", "gateway-labo", tmp_path / "p", "sceau-labo"
    ) == Broker.of(settings.load(file))
    file.write_text(text + 'anchors = "own"')
    assert tmp_path / "own" == Broker.of(settings.load(file)).anchors


@dataclass(slots=True)
class Pushing:
    """The loop at work between an outbox and a real broker; its pauses end when a test says so."""

    outbox: Outbox
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def pause(self, _: float) -> None:
        self.paused.set()
        await self.go_on.wait()
        self.go_on.clear()


@asynccontextmanager
async def publishing(rest: Rest, mosquitto: Mosquitto) -> AsyncIterator[Pushing]:
    pushing = Pushing(Outbox(rest.database, rest.ring, "labo", asyncio.Event()))
    loop = Publisher(
        pushing.outbox,
        mosquitto.broker().connected,
        Clock(),
        lambda *_: None,
        pause=pushing.pause,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run())
        yield pushing
        task.cancel()


async def add(rest: Rest, outbox: Outbox, count: int) -> list[str]:
    made = [Receipt(Kind.ACCEPTED, START, MessageId(f"M{n}"), "queued") for n in range(count)]
    await rest.commit([outbox.adding(receipt, MINE) for receipt in made])
    outbox.bell.set()
    return [receipt.id for receipt in made]


async def test_whole_way(rest: Rest, mosquitto: Mosquitto) -> None:
    """What a transaction put into the outbox reaches the laboratory in order.

    A thousand cost half a second of our own CPU at most, reader and all: 2,000 a second.
    """
    took: list[float] = []
    async with mosquitto.reader(MINE) as client, publishing(rest, mosquitto) as pushing:
        await client.subscribe(topic("labo", MINE), qos=1)
        while len(took) < 3 and min(took, default=9) > 0.5:  # other work slows the CPU too
            begun = time.process_time()
            made = await add(rest, pushing.outbox, 1000)
            seen = [json.loads(payload)["id"] for payload in await read(client, 1000)]
            took.append(time.process_time() - begun)
            assert made == seen

    assert min(took) <= 0.5


async def test_broker_away(rest: Rest, mosquitto: Mosquitto) -> None:
    """What happens while the broker is away arrives when it is back, after what came before."""
    async with publishing(rest, mosquitto) as pushing:
        async with mosquitto.reader(MINE) as client:
            await client.subscribe(topic("labo", MINE), qos=1)
            before = await add(rest, pushing.outbox, 5)
            first = [json.loads(payload)["id"] for payload in await read(client, 5)]
        await mosquitto.stop()
        after = await add(rest, pushing.outbox, 500)
        await pushing.paused.wait()
        await mosquitto.start()
        async with mosquitto.reader(MINE) as client:
            await client.subscribe(topic("labo", MINE), qos=1)
            pushing.go_on.set()
            seen = [json.loads(payload)["id"] for payload in await read(client, 500)]

    assert before == first
    assert after == [one for one in seen if one not in before][: len(after)]
