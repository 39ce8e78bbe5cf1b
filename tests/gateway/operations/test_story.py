"""One message's story: all that happened in order, and nothing of the patient without a reason."""

import msgspec
import pytest

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.story import mood
from gateway.receipts.receipt import Kind
from smtp.address import Address
from tests.gateway.operations.conftest import Ask, held, spooled
from tests.world.clock import Clock


async def test_journal_and_receipts_are_one_story(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """What was done and what software was told of it, oldest first."""
    await ask("mailbox.add", address="bio@labo.example")
    copy = await spooled(rooms)
    await rooms.database.commit(
        rooms.books.receipt(copy, copy.delivery, "peer-unreachable", Kind.DELAYED)
    )
    clock.advance(minutes=1)
    await ask("spool.retry", what=copy.message.id)

    told = await ask("trace.story", what=copy.message.reference)

    assert [
        ("message.accepted", "good"),
        ("receipt.delayed", "told"),
        ("delivery.hastened", "person"),
    ] == [(step["event"], step["mood"]) for step in told["steps"]]
    assert ("bio@labo.example", "<1@labo>") == (
        told["facts"]["sender"],
        told["facts"]["message_id"],
    )
    assert [(copy.delivery.id, "queued", None)] == [
        (one["delivery"], one["state"], one["case"]) for one in told["deliveries"]
    ]
    assert "Bilan" not in msgspec.json.encode(told).decode()


async def test_a_held_one_leads_to_its_case(rooms: Rooms, ask: Ask) -> None:
    """From the telephone to the desk in one step."""
    case, copy = await held(rooms)

    (one,) = (await ask("trace.story", what=copy.message.id))["deliveries"]
    assert case == one["case"]


@pytest.mark.parametrize(
    ("event", "reason", "gone"),
    [
        ("recall.proved", "withdrawn", True),
        ("recall.proved", "opened", False),
        ("recall.unproven", "withdrawn", False),
        ("delivery.withdrawn", "recalled", True),
    ],
)
async def test_what_was_taken_back_is_not_said_to_lie_there(
    rooms: Rooms, ask: Ask, clock: Clock, event: str, reason: str, *, gone: bool
) -> None:
    """Here, or in the mailbox of another operator who proves it; of that recipient alone."""
    copy = await spooled(rooms)
    for whom in ("other@chu.example", copy.recipient.address):
        (one,) = (await ask("trace.story", what=copy.message.id))["deliveries"]
        assert one["withdrawn"] is None
        entry = rooms.journal.entry(
            clock.now, event, "peer:ab", message=copy.message.id, whom=Address(whom), reason=reason
        )
        await rooms.database.commit([entry])
    (one,) = (await ask("trace.story", what=copy.message.id))["deliveries"]
    (row,) = (await ask("trace.find", what=copy.message.id))["messages"]
    (listed,) = row["recipients"]
    assert gone is (one["withdrawn"] is not None)
    assert one["withdrawn"] == listed["withdrawn"]


async def test_a_subject_is_shown_for_a_reason_that_is_kept(rooms: Rooms, ask: Ask) -> None:
    """Who looked, at what, and why."""
    copy = await spooled(rooms, "279033512151834@patient.example")

    with pytest.raises(OperationError, match="say why"):
        await ask("trace.reveal", what=copy.message.id, why="  ok ")
    shown = await ask("trace.reveal", what=copy.message.id, why="the caller asks which one it was")

    assert ("Bilan", ["279033512151834@patient.example"]) == (shown["subject"], shown["recipients"])
    *_, looked = await ask("trace", what=copy.message.id)
    assert ("content.viewed", "operator:anne", "the caller asks which one it was") == (
        looked["event"],
        looked["actor"],
        looked["detail"]["reason"],
    )


async def test_of_what_is_gone_the_journal_tells(rooms: Rooms, ask: Ask) -> None:
    """The story is left, the subject is not; of nothing there is no story."""
    told = rooms.journal.entry(rooms.clock(), "delivery.delivered", "gateway", message="OLD")
    await rooms.database.commit([told])

    found = await ask("trace.story", what="old")
    assert (None, [], 1) == (found["facts"], found["deliveries"], len(found["steps"]))
    with pytest.raises(OperationError, match="only the journal"):
        await ask("trace.reveal", what="old", why="somebody called")
    with pytest.raises(OperationError, match="nothing here"):
        await ask("trace.story", what="nothing")


def test_each_step_has_its_mood() -> None:
    """What the eye sees first."""
    moods = ("good", "bad", "waits", "person", "person", "told", "plain")
    events = (
        "delivery.delivered",
        "recipient.refused",
        "delivery.deferred",
        "operation.spool.retry",
        "delivery.cancelled",
        "notice.spooled",
        "delivery.queued",
    )
    assert moods == tuple(mood(event) for event in events)
