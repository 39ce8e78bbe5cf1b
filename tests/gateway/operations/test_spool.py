"""The queue is seen and moved by its operator: list, show, retry, cancel."""

import pytest

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
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
