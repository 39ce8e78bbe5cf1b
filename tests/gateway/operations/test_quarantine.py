"""A person decides about what is held; the sender is told, and the journal why."""

from datetime import timedelta

import pytest

from gateway.operations import quarantine
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
from tests.gateway.operations.conftest import Ask, held
from tests.world.clock import Clock
from vault.database import Statement


async def test_a_case_says_who_to_whom_and_why(rooms: Rooms, ask: Ask) -> None:
    """Everything a reviewer needs, never the content."""
    case, copy = await held(rooms)

    (row,) = await ask("quarantine.list")
    shown = await ask("quarantine.show", case=case)
    assert (case, ["sender-suspended"], copy.message.reference) == (
        row["id"],
        row["reasons"],
        row["reference"],
    )
    assert row.items() <= shown.items()
    assert ("Bilan", "submission") == (shown["subject"], shown["door"])


async def test_a_released_message_goes_on(rooms: Rooms, ask: Ask) -> None:
    """With the reviewer's words kept."""
    case, copy = await held(rooms)

    decided = await ask("quarantine.release", case=case, note="vu avec le labo")
    assert "released" == decided["state"]
    after = rooms.spool.find(copy.delivery.id)
    assert after is not None
    assert State.QUEUED is after.delivery.state
    assert [] == await ask("quarantine.list")
    assert ["released"] == [row["state"] for row in await ask("quarantine.list", everything=True)]
    assert "vu avec le labo" == (await ask("quarantine.show", case=case))["note"]


async def test_a_refused_message_ends_and_its_sender_is_told(rooms: Rooms, ask: Ask) -> None:
    """Silent loss is what such systems are hated for."""
    await ask("mailbox.add", address="bio@labo.example")
    case, copy = await held(rooms)

    assert "refused" == (await ask("quarantine.refuse", case=case, note="faux"))["state"]
    after = rooms.spool.find(copy.delivery.id)
    assert after is not None
    assert State.REFUSED is after.delivery.state
    assert ["bio@labo.example"] == [row["recipient"] for row in await ask("spool.list")]


async def test_a_decision_is_taken_once(rooms: Rooms, ask: Ask) -> None:
    """The second reviewer is told that there was a first."""
    case, _ = await held(rooms)
    await ask("quarantine.refuse", case=case, note="faux")
    with pytest.raises(OperationError, match="is refused already"):
        await ask("quarantine.release", case=case, note="non, vrai")


async def test_a_release_needs_a_reason(rooms: Rooms, ask: Ask) -> None:
    """It lets pass what a rule stopped."""
    case, _ = await held(rooms)
    with pytest.raises(OperationError, match="needs a note"):
        await ask("quarantine.release", case=case, note=" ")


async def test_an_unknown_case_is_refused(ask: Ask) -> None:
    """With the way to find the right one."""
    with pytest.raises(OperationError, match="there is no case 42"):
        await ask("quarantine.show", case="42")


async def test_a_case_nobody_decides_expires(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """A message is never held for ever without a word."""
    await ask("mailbox.add", address="bio@labo.example")
    _, copy = await held(rooms)

    assert 0 == await quarantine.expire(rooms)
    clock.now += timedelta(days=31)
    assert 1 == await quarantine.expire(rooms)
    after = rooms.spool.find(copy.delivery.id)
    assert after is not None
    assert State.EXPIRED is after.delivery.state
    assert ["bio@labo.example"] == [row["recipient"] for row in await ask("spool.list")]


async def test_a_case_ends_with_the_message_that_is_cancelled(rooms: Rooms, ask: Ask) -> None:
    """Nobody is asked to judge what will go nowhere."""
    _, copy = await held(rooms)
    await ask("spool.cancel", what=copy.message.id)

    assert [] == await ask("quarantine.list")
    assert ["refused"] == [row["state"] for row in await ask("quarantine.list", everything=True)]


async def test_a_case_that_cannot_end_stands_in_nobodys_way(
    rooms: Rooms, ask: Ask, clock: Clock
) -> None:
    """The others expire all the same."""
    _, stuck = await held(rooms)
    case, _ = await held(rooms)
    await rooms.database.commit(
        [Statement("UPDATE delivery SET state = 'cancelled' WHERE id = ?", (stuck.delivery.id,))]
    )
    clock.advance(days=31)

    assert 1 == await quarantine.expire(rooms)
    assert "expired" == (await ask("quarantine.show", case=case))["state"]
