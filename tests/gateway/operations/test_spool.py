"""The queue is seen and moved by its operator: list, show, retry, cancel."""

from typing import Any

import pytest

from gateway.operations import spool as verbs
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import Event, State, step
from gateway.relay.message import Copy
from tests.gateway.operations.conftest import Ask, spooled
from tests.world.clock import Clock


async def test_what_waits_is_listed_and_what_ended_only_if_asked_for(
    rooms: Rooms, ask: Ask
) -> None:
    """An operator sees first what may need a hand."""
    waits = await spooled(rooms)
    ended = await spooled(rooms, "x@labo.example", State.DELIVERED)

    assert [waits.delivery.id] == [row["delivery"] for row in await ask("spool.list")]
    everything = await ask("spool.list", everything=True)
    assert {waits.delivery.id, ended.delivery.id} == {row["delivery"] for row in everything}
    assert [] == await ask("spool.list", domain="labo.example")
    (found,) = await ask("spool.list", domain="CHU.example", state="DEFERRED")
    assert ("dr@chu.example", "bio@labo.example") == (found["recipient"], found["sender"])


async def test_an_unknown_state_is_refused_with_those_that_are(ask: Ask) -> None:
    """No guessing."""
    with pytest.raises(OperationError, match="lost is no state") as caught:
        await ask("spool.list", state="lost")

    assert "deferred" in caught.value.hint


async def test_a_message_is_known_by_all_its_names(rooms: Rooms, ask: Ask) -> None:
    """The caller has the reference, the software the Message-ID, the log our id."""
    copy = await spooled(rooms)
    for name in (
        copy.message.id,
        copy.message.reference.lower(),
        "<1@labo>",
        "1@labo",
        copy.delivery.id,
    ):
        shown = await ask("spool.show", what=name)

        assert copy.message.id == shown["message"]
        assert [copy.delivery.id] == [row["delivery"] for row in shown["deliveries"]]


async def test_what_was_put_off_is_tried_now(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """Once the peer is known to be back, nobody waits for the schedule."""
    copy = await spooled(rooms)
    clock.advance(minutes=5)

    assert {"deliveries": 0} == await ask("spool.retry", domain="labo.example")
    assert {"deliveries": 1} == await ask("spool.retry", domain="chu.example")
    again = rooms.spool.find(copy.delivery.id)
    assert again is not None
    assert (State.QUEUED, clock()) == (again.delivery.state, again.delivery.due)
    assert {"deliveries": 0} == await ask("spool.retry", what="<1@labo>")


async def test_all_that_waits_for_a_domain_is_tried_now_a_few_at_a_time(
    rooms: Rooms, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are; what moved on at this very moment is left alone."""
    copies = [await spooled(rooms) for _ in range(5)]
    other = await spooled(rooms, "x@labo.example")
    monkeypatch.setattr(verbs, "_FEW", 2)
    honest, moved = rooms.spool.standing, iter([copies[0]])

    async def standing(*states: Any, **how: Any) -> list[Copy]:
        found = await honest(*states, **how)
        for copy in moved:
            queued = step(copy.delivery, Event.DUE, rooms.clock())
            await rooms.database.commit([rooms.spool.recording(copy.delivery, queued)])
        return found

    monkeypatch.setattr(rooms.spool, "standing", standing)

    assert {"deliveries": 4} == await ask("spool.retry", domain="CHU.example")
    found = {copy.delivery.state for one in copies for copy in rooms.spool.copies(one.message.id)}
    assert {State.QUEUED} == found
    assert [other.delivery.id] == [c.delivery.id for c in await honest({State.DEFERRED})]


async def test_the_newest_are_listed_the_newest_last(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """As many as asked for."""
    made = []
    for _ in range(4):
        made.append((await spooled(rooms)).delivery.id)
        clock.advance(seconds=1)

    listed = [row["delivery"] for row in await ask("spool.list", limit=2)]
    of_domain = [row["delivery"] for row in await ask("spool.list", domain="chu.example", limit=3)]

    assert made[2:] == listed
    assert made[1:] == of_domain


async def test_a_cancelled_message_ends_and_its_sender_is_told(rooms: Rooms, ask: Ask) -> None:
    """Giving up is never silent."""
    await ask("mailbox.add", address="bio@labo.example")
    copy = await spooled(rooms)

    assert {"deliveries": 1} == await ask("spool.cancel", what=copy.delivery.id)
    after = rooms.spool.find(copy.delivery.id)
    assert after is not None
    assert State.CANCELLED is after.delivery.state
    (notice,) = await ask("spool.list")
    assert ("<>", "bio@labo.example") == (notice["sender"], notice["recipient"])
    (receipt,) = await ask("receipts.tail")
    assert ("failed", "cancelled") == (receipt["type"], receipt["event"]["data"]["state"])
    story = await ask("trace", what=copy.message.reference)
    assert ("delivery.cancelled", "operator:anne") in {(s["event"], s["actor"]) for s in story}


async def test_what_has_ended_cannot_be_cancelled(rooms: Rooms, ask: Ask) -> None:
    """The operator is not told a comfortable untruth."""
    copy = await spooled(rooms, state=State.DELIVERED)
    with pytest.raises(OperationError, match="can be stopped any more"):
        await ask("spool.cancel", what=copy.message.id)
