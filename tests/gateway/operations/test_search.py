"""The telephone call: a message is found by whatever the caller has, and nothing is read whole."""

from typing import Any

import pytest

from gateway.demo.pki import Authority
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.trace import spoken
from gateway.relay.delivery import State
from smtp.address import Address
from tests.gateway.operations.conftest import Ask, spooled
from tests.world.clock import Clock
from tests.world.lists import Lists
from trust.identity import Certificate


def ids(found: Any) -> list[str]:
    return [row["message"] for row in found["messages"]]


async def many(rooms: Rooms, clock: Clock, count: int = 5, to: str = "dr@chu.example") -> list[str]:
    """Spool messages a minute apart; return their ids, the newest first."""
    made: list[str] = []
    for _ in range(count):
        made.insert(0, (await spooled(rooms, to)).message.id)
        clock.advance(minutes=1)
    return made


async def test_by_every_name(rooms: Rooms, ask: Ask) -> None:
    """Reference however it was heard, id, Message-ID with and without brackets, delivery."""
    copy = await spooled(rooms)
    heard = copy.message.reference.replace("0", "O").replace("1", "l").replace("-", " ").lower()
    for name in (copy.message.reference, heard, copy.message.id, "1@labo", copy.delivery.id):
        found = await ask("trace.find", what=name)

        assert ("message", [copy.message.id], None) == (found["kind"], ids(found), found["before"])
    (row,) = found["messages"]
    assert ("bio@labo.example", "submission") == (row["sender"], row["door"])
    assert [("dr@chu.example", "deferred")] == [
        (one["address"], one["state"]) for one in row["recipients"]
    ]


def test_what_is_no_reference_is_left_alone() -> None:
    """Only eight letters can be one."""
    assert ("1@labo", "K3VD-90QT") == (spoken("1@labo"), spoken("k3vd 9oqt"))


async def test_by_domain_and_time_page_by_page(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """What a domain sent and was sent, the newest first; each message once, none left out."""
    made = await many(rooms, clock)
    other = (await spooled(rooms, "x@else.example")).message.id

    assert made == ids(await ask("trace.find", what="@CHU.example"))
    assert [other, *made] == ids(await ask("trace.find", what="labo.example"))
    assert [other, *made] == ids(await ask("trace.find"))
    assert made[1:3] == await between(ask, rooms, made)
    for what in ("chu.example", ""):
        seen: list[str] = []
        before: str | None = ""
        while before is not None:
            page = await ask("trace.find", what=what, before=before, limit=2)
            seen += ids(page)
            before = page["before"]
        assert (made if what else [other, *made]) == seen


async def between(ask: Ask, rooms: Rooms, made: list[str]) -> list[str]:
    """Return what came from the arrival of the third newest until that of the newest."""
    times = [rooms.spool.copies(one)[0].message.arrived for one in made]
    found = await ask(
        "trace.find", what="chu.example", since=times[2].isoformat(), until=times[0].isoformat()
    )
    return ids(found)


async def test_an_address_with_what_was_refused_and_tried(
    rooms: Rooms, ask: Ask, clock: Clock
) -> None:
    """Its messages; and what never became one: refusals, failed log-ins, its domain's handshakes."""
    made = await many(rooms, clock, 3)
    dr, now = Address("dr@chu.example"), rooms.clock()
    told = rooms.journal.entry
    await rooms.database.commit(
        [
            told(now, "recipient.refused", "peer:ab", who=dr, whom=Address("no@labo.example")),
            told(now, "login.failed", "gateway", who=dr, reason="password"),
            told(now, "peer.wrong_certificate", "peer:cd", domain="chu.example"),
            told(now, "peer.wrong_certificate", "peer:ef", domain="else.example"),
        ]
    )

    found = await ask("trace.find", what="Dr@CHU.example")
    assert ("address", made) == (found["kind"], ids(found))
    assert ["peer.wrong_certificate", "login.failed", "recipient.refused"] == [
        row["event"] for row in found["events"]
    ]
    found = await ask("trace.find", what="chu.example")
    assert ["peer.wrong_certificate", "login.failed", "recipient.refused"] == [
        row["event"] for row in found["events"]
    ]


async def test_pages_of_an_address(
    rooms: Rooms, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much it wrote, each page is short, and the last says so."""
    made = await many(rooms, clock, 5)
    monkeypatch.setattr("gateway.operations.search._STEP", 2)

    seen: list[str] = []
    before: str | None = ""
    while before is not None:
        page = await ask("trace.find", what="dr@chu.example", before=before, limit=2)
        seen += ids(page)
        before = page["before"]

    assert made == seen


async def test_what_the_spool_forgot_the_journal_knows(rooms: Rooms, ask: Ask) -> None:
    """A message whose rows went still has its line."""
    told = rooms.journal.entry(rooms.clock(), "delivery.delivered", "gateway", message="OLD")
    await rooms.database.commit([told])

    (row,) = (await ask("trace.find", what="old"))["messages"]
    assert ("OLD", None, []) == (row["message"], row["arrived"], row["recipients"])


@pytest.mark.parametrize("what", ["nothing", "no.domain..", "nobody@chu.example"])
async def test_nothing_is_said_plainly(ask: Ask, what: str) -> None:
    """Who finds nothing is told what to try."""
    with pytest.raises(OperationError) as caught:
        await ask("trace.find", what=what)
    assert caught.value.hint


async def test_citizens_are_not_named(rooms: Rooms, ask: Ask) -> None:
    """A list of messages shows nobody's number."""
    copy = await spooled(rooms, "279033512151834@patient.example", State.RELAYED)

    (row,) = (await ask("trace.find", what=copy.message.id))["messages"]
    assert "•••@patient.example" == row["recipients"][0]["address"]


async def test_a_handshake_is_its_members(
    rooms: Rooms, ask: Ask, lists: Lists, authority: Authority
) -> None:
    """Who was turned away at TLS is known by the certificate, once that was met."""
    chu = authority.issue("mx.chu.example")
    lists.add("chu.example", chu, [("mx.chu.example", 25)])
    await rooms.keeper.offer("list", lists.offer(rooms.clock()))
    await rooms.watch.met(chu.der, (), "peer")
    certificate = Certificate.parse(chu.der).fingerprint
    failed = rooms.journal.entry(rooms.clock(), "tls.failed", f"peer:{certificate}")
    other = rooms.journal.entry(rooms.clock(), "tls.failed", "peer:ab")
    await rooms.database.commit([failed, other])

    found = await ask("trace.find", what="chu.example")
    assert [f"peer:{certificate}"] == [row["actor"] for row in found["events"]]


async def test_no_time_is_too_early_or_too_late(rooms: Rooms, ask: Ask) -> None:
    """Whatever is typed there."""
    copy = await spooled(rooms)
    ever = {"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-12:00"}

    for what in ("", "chu.example", "dr@chu.example"):
        assert [copy.message.id] == ids(await ask("trace.find", what=what, **ever))
