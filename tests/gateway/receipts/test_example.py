"""The example consumer, as docs/receipts.md shows it, against a real broker."""

import os
import sqlite3
import sys
from asyncio import create_subprocess_exec
from asyncio import timeout as within
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.receipts.mqtt import Answer, Publication
from gateway.receipts.receipt import Kind, Receipt, topic
from smtp.envelope import MessageId
from tests.gateway.receipts.test_mqtt import MINE, mosquitto
from tests.world.broker import Mosquitto
from tests.world.clock import START

__all__ = ["mosquitto"]
EXAMPLE = Path(__file__).parents[3] / "docs/examples/receipts_consumer.py"


@asynccontextmanager
async def consumer(broker: Mosquitto, database: Path) -> AsyncIterator[Process]:
    """Run it until the test is through with it, and then kill it as a crash does."""
    place = ["localhost", str(broker.port), str(broker.anchors)]
    process = await create_subprocess_exec(
        sys.executable,
        EXAMPLE,
        *place,
        MINE,
        topic("labo", MINE),
        database,
        stdout=PIPE,
        env={**os.environ, "MQTT_PASSWORD": broker.passwords[MINE]},
    )
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


async def lines(process: Process, count: int) -> list[str]:
    """Return what it says next; it says it once it is kept."""
    assert process.stdout is not None
    async with within(20):
        return [(await process.stdout.readline()).decode().strip() for _ in range(count)]


def receipt(kind: Kind, recipient: str, number: int) -> Publication:
    message = MessageId("01KJPN3R8G7Q2M4V6X8Z0A2C4E")
    made = Receipt(kind, START, message, "x", "<1@labo.example>", recipient, id=f"{number:032x}")
    return Publication(topic("labo", MINE), made.encode("labo"))


async def test_it_keeps_the_last_answer_about_each_recipient(
    mosquitto: Mosquitto,
    tmp_path: Path,
) -> None:
    """Once each, whatever is sent again; what came while it was away; and what is corrected."""
    database = tmp_path / "answers.db"
    relayed, unconfirmed = receipt(Kind.RELAYED, "a", 1), receipt(Kind.UNCONFIRMED, "a", 2)
    delivered, corrected = receipt(Kind.DELIVERED, "b", 3), receipt(Kind.CORRECTED, "a", 4)
    async with mosquitto.broker().connected() as gateway:
        async with consumer(mosquitto, database) as process:
            assert ["listening"] == await lines(process, 1)
            await gateway.send([relayed, unconfirmed])
            assert ["relayed a", "unconfirmed a"] == await lines(process, 2)
        assert [Answer.TAKEN] * 3 == await gateway.send([unconfirmed, delivered, corrected])
        async with consumer(mosquitto, database) as process:
            while "corrected a" not in await lines(process, 1):
                pass
    store = sqlite3.connect(database)
    kept = store.execute("SELECT whom, kind FROM answer ORDER BY whom").fetchall()
    store.close()
    assert [("a", "corrected"), ("b", "delivered")] == kept


def test_it_is_as_short_as_it_is_said_to_be() -> None:
    """Thirty lines of code: whoever writes their own sees that it is not much."""
    code = [each for each in EXAMPLE.read_text("utf-8").splitlines() if each.strip()]
    assert len(code[1:]) <= 30
