"""What happened is counted once, by the hour, from the journal; a month is the sum of its hours."""

from collections import Counter
from datetime import timedelta

import pytest

from gateway.operations import tally
from gateway.operations.error import OperationError
from gateway.operations.indicators import INDICATORS, WHOLE, as_csv
from gateway.operations.rooms import Rooms
from gateway.operations.tally import Counted, Sum
from smtp.address import Address
from smtp.envelope import new_message_id
from tests.gateway.operations.conftest import Ask
from tests.world.clock import START, Clock

AT = START.timestamp()


def row(event: str, actor: str = "gateway", after: float = 0.0, **more: object) -> Counted:
    facts: dict[str, object] = {"message": new_message_id(START), "door": "", "mailbox": None}
    facts |= {"sender": None, "recipient": None, **more}
    return Counted(1, AT + after, event, actor, **facts)  # type: ignore[arg-type]


def summed(*rows: Counted) -> dict[str, int]:
    total = Sum()
    total.add(rows)
    found: Counter[str] = Counter()
    for (_, what, kind), many in total.counts.items():
        found[f"{what} {kind}".strip()] += many
    return dict(found)


def test_a_message_counts_once_whoever_gets_it() -> None:
    """A row a copy; sent is by a mailbox of ours, what came is by a peer."""
    copies = [row("message.accepted", "mailbox:k", message="M1", sender="APP", mailbox=7)] * 3

    assert {"sent APP": 1, "came": 1} == summed(*copies, row("message.accepted", "peer:ab"))


def test_arrivals_with_their_delay() -> None:
    """In a mailbox of ours, with a peer, confirmed by one; our own notices apart."""
    assert {
        "received PER": 1,
        "within-1": 1,
        "relayed": 2,
        "within-30": 1,
        "later": 1,
        "confirmed": 1,
        "told ORG": 1,
    } == summed(
        row("delivery.delivered", recipient="PER", after=0.5),
        row("delivery.relayed", after=12),
        row("delivery.relayed", after=4000),
        row("delivery.delivered", after=4100),
        row("delivery.delivered", recipient="ORG", door="report"),
    )


def test_what_did_not_arrive() -> None:
    """By what became of it; what else the journal holds is not counted."""
    assert {"refused": 2, "deferred": 1, "login-failed PER": 1, "tls-failed": 1} == summed(
        row("recipient.refused"),
        row("message.refused"),
        row("delivery.deferred"),
        row("login.failed", sender="PER"),
        row("tls.failed"),
        row("operation.trace"),
        row("login.accepted"),
    )


async def lived(rooms: Rooms, ask: Ask) -> None:
    """Let a mailbox log in twice, send once and be sent something."""
    await ask("mailbox.add", address="bio@labo.example", kind="APP")
    bio, dr, told = Address("bio@labo.example"), Address("dr@chu.example"), rooms.journal.entry
    sent, came = new_message_id(rooms.clock()), new_message_id(rooms.clock())
    now = rooms.clock()
    await rooms.database.commit(
        [
            told(now, "login.accepted", "gateway", who=bio),
            told(now, "login.accepted", "gateway", who=bio),
            told(now, "message.accepted", "mailbox:k", message=sent, who=bio, whom=dr),
            told(now, "message.accepted", "peer:ab", message=came, who=dr, whom=bio),
            told(now, "delivery.delivered", "gateway", message=came, who=dr, whom=bio),
        ]
    )


async def test_a_month_as_the_authority_wants_it(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """Mailboxes by kind, messages sent and received, connections; every row is there. R-I5."""
    await lived(rooms, ask)

    rows = await ask("indicators")
    found = {(one["indicator"], one["kind"]): one["count"] for one in rows}

    assert {"2026-03"} == {one["month"] for one in rows}
    assert len(INDICATORS) * 4 + len(WHOLE) == len(found)
    for what in ("mailboxes-active", "mailboxes-created", "mailboxes-used", "sent", "received"):
        assert (1, 0) == (found[what, "APP"], found[what, "PER"]), what
    assert (2, 1) == (found["connections", "APP"], found["came", ""])
    assert as_csv(rows).startswith("month,indicator,kind,count\r\n2026-03,mailboxes-active,PER,0")


async def test_counting_goes_on_where_it_stopped(
    rooms: Rooms, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted twice is counted once, in steps of any size, and the next month begins at nought."""
    await lived(rooms, ask)
    monkeypatch.setattr(tally, "_PAGE", 2)
    await tally.count(rooms)
    again = await tally.count(rooms)
    clock.advance(days=40)

    april, march = (
        {(one["indicator"], one["kind"]): one["count"] for one in rows}
        for rows in (await ask("indicators"), await ask("indicators", month="2026-03"))
    )
    assert (0, 0, 1) == (again, april["sent", "APP"], march["sent", "APP"])
    both = await ask("indicators", months=2)
    assert ["2026-03", "2026-04"] == sorted({one["month"] for one in both})
    with pytest.raises(OperationError, match="is no month"):
        await ask("indicators", month="11/2026")


async def test_hours_have_no_gap(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """An hour in which nothing happened is there too: a picture needs it."""
    await lived(rooms, ask)
    clock.advance(hours=2)

    rows = await ask("traffic.hours", hours=4)

    assert 4 == len(rows)
    assert [None, 1, None, None] == [one.get("sent") for one in rows]
    first = START.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    assert first.strftime("%Y-%m-%dT%H") == rows[0]["hour"][:13]
