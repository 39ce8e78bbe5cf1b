import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.receipts.outbox import Outbox
from gateway.receipts.receipt import Kind, Receipt
from smtp.envelope import MessageId
from tests.world.clock import START
from tests.world.rest import Rest, stored
from vault.database import Statement
from vault.errors import Conflict

HOUR = timedelta(hours=1)


@pytest.fixture
def outbox(rest: Rest) -> Outbox:
    return Outbox(rest.database, rest.ring, "labo", asyncio.Event())


def receipt(message: str = "M1", kind: Kind = Kind.ACCEPTED, hours: int = 0) -> Receipt:
    return Receipt(
        kind, START + hours * HOUR, MessageId(message), "queued", f"<{message}@labo.example>"
    )


async def test_from_commit_to_sent(rest: Rest, outbox: Outbox) -> None:
    """A receipt waits from the commit that wrote it until it is marked as sent."""
    first, second = receipt(), receipt(kind=Kind.RELAYED)
    await rest.commit([outbox.adding(first, "k1"), outbox.adding(second, "k1")])

    rows = outbox.unsent()
    assert [first.id, second.id] == [row.id for row in rows]
    assert ("k1", "M1", "accepted", START.timestamp(), None) == (
        rows[0].mailbox,
        rows[0].message,
        rows[0].kind,
        rows[0].at,
        rows[0].sent,
    )
    assert first.encode("labo") == rows[0].payload
    assert "sceau/v1/receipts/labo/k1" == outbox.topic(rows[0])
    assert 2 == outbox.waiting()

    await outbox.sent([rows[0].seq], START)
    assert [second.id] == [row.id for row in outbox.unsent()]
    assert [second.id] == [row.id for row in outbox.unsent(after=rows[0].seq)]
    assert [] == outbox.unsent(after=rows[1].seq)
    await outbox.sent([], START)
    assert 1 == outbox.waiting()


async def test_with_its_event_or_not_at_all(rest: Rest, outbox: Outbox) -> None:
    """If what a receipt reports is not committed, neither is the receipt."""
    impossible = Statement("DELETE FROM doomed", (), expect=1)
    with pytest.raises(Conflict):
        await rest.commit([outbox.adding(receipt(), "k1"), impossible])

    assert 0 == outbox.waiting()


async def test_tail(rest: Rest, outbox: Outbox) -> None:
    """The tail shows the newest, oldest first, and can be followed."""
    made = [receipt(f"M{n}") for n in range(5)]
    await rest.commit([outbox.adding(one, f"k{n % 2}") for n, one in enumerate(made)])
    newest = outbox.tail(2)

    assert ["M3", "M4"] == [row.message for row in newest]
    assert [] == outbox.tail(after=newest[-1].seq)
    assert ["M4"] == [row.message for row in outbox.tail(after=newest[0].seq)]
    assert ["M1", "M3"] == [row.message for row in await outbox.of("k1")]
    assert ["M4"] == [row.message for row in await outbox.of("k0", 1)]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"message": "M1"}, ["M1", "M1"]),
        ({"mailbox": "k2"}, ["M1", "M2"]),
        ({"mailbox": "k2", "message": "M2"}, ["M2"]),
        ({"mailbox": "k2", "since": START + HOUR}, ["M2"]),
        ({}, []),
    ],
)
async def test_resend(
    rest: Rest, outbox: Outbox, which: dict[str, str], expected: list[str]
) -> None:
    """What was sent goes again under its old ids, by message, by mailbox, from a time on."""
    pairs = [(receipt("M1"), "k1"), (receipt("M1"), "k2"), (receipt("M2", hours=1), "k2")]
    await rest.commit([outbox.adding(one, mailbox) for one, mailbox in pairs])
    before = outbox.unsent()
    await outbox.sent([row.seq for row in before], START)
    outbox.bell.clear()

    assert len(expected) == await outbox.resend(**which)  # type: ignore[arg-type]
    again = outbox.unsent()
    assert expected == [row.message for row in again]
    assert {row.id for row in again} <= {row.id for row in before}
    assert bool(which) == outbox.bell.is_set()


async def test_forgetting(rest: Rest, outbox: Outbox) -> None:
    """What was sent long ago is forgotten; what was not sent never is."""
    await rest.commit([outbox.adding(receipt(f"M{n}"), "k1") for n in range(3)])
    first, second, _ = outbox.unsent()
    await outbox.sent([first.seq], START)
    await outbox.sent([second.seq], START + HOUR)
    await rest.commit([outbox.forgetting(START + timedelta(days=1, minutes=1), timedelta(days=1))])

    assert ["M1", "M2"] == [row.message for row in outbox.tail()]


async def test_damaged_row(rest: Rest, outbox: Outbox) -> None:
    """A row that no longer opens is shown without its payload and hides no other."""
    await rest.commit([outbox.adding(receipt(f"M{n}"), "k1") for n in range(2)])
    await rest.commit([Statement("UPDATE outbox SET payload = X'00' WHERE message = 'M0'")])

    damaged, whole = outbox.unsent()
    assert damaged.payload is None
    assert whole.payload is not None


async def test_payloads_do_not_change_places(rest: Rest, outbox: Outbox) -> None:
    """A payload opens in its own row only: receipts cannot be exchanged in a stolen database."""
    await rest.commit([outbox.adding(receipt(f"M{n}"), "k1") for n in range(2)])
    await rest.commit(
        [
            Statement(
                "UPDATE outbox SET payload = (SELECT payload FROM outbox WHERE message = 'M1')"
                " WHERE message = 'M0'"
            )
        ]
    )

    assert outbox.unsent()[0].payload is None


async def test_nothing_in_clear(rest: Rest, outbox: Outbox, tmp_path: Path) -> None:
    """The sender's Message-ID lies sealed while the receipt waits."""
    await rest.commit([outbox.adding(receipt("M1"), "k1")])
    (row,) = outbox.unsent()
    assert row.payload is not None
    assert "<M1@labo.example>" == json.loads(row.payload)["subject"]

    files = stored(tmp_path)
    assert row.id.encode() in files, "the search finds what is there"
    assert b"labo.example" not in files
