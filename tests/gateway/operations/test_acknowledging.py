"""Critical results that wait for somebody: listed, alarmed, and noted as taken care of."""

from datetime import timedelta

import pytest

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.relay.criticals import Facts
from gateway.relay.escalating import Escalating
from gateway.running.conditions import conditions
from smtp.address import Address
from smtp.envelope import MessageId, reference
from tests.gateway.operations.conftest import Ask, spooled
from tests.world.clock import Clock
from vault.database import Statement

LIS = "lis@labo.example"


async def _late(rooms: Rooms, clock: Clock) -> Escalating:
    """Let a critical result not arrive."""
    copy, desk = await spooled(rooms), rooms.desk
    sender = copy.message.mail.mail_from
    assert sender is not None
    due = clock() + timedelta(minutes=10)
    await rooms.database.commit([desk.criticals.watching(copy.message, sender, due)])
    clock.advance(minutes=10)
    return Escalating(desk, rooms.notices, desk.criticals, "labo")


async def test_one_waits_until_an_operator_takes_care_of_it(
    rooms: Rooms, clock: Clock, ask: Ask
) -> None:
    """Its alarm stands meanwhile; afterwards it is in the list of all, with who and what."""
    escalating = await _late(rooms, clock)
    assert [] == await ask("lab.critical")
    assert 1 == await escalating.round()
    (row,) = await ask("lab.critical")
    assert ("escalated", ["dr@chu.example"]) == (row["state"], row["recipients"])
    assert all(each.startswith("4") for each in row["why"])
    names = [each.name for each in conditions(rooms, clock() + timedelta(days=300))]
    assert "critical-escalated" in names
    done = await ask("lab.acknowledge", reference=row["reference"].lower(), note="appelé")
    assert ("operator:anne", "appelé") == (done["by"], done["note"])
    assert [] == await ask("lab.critical")
    assert ["acknowledged"] == [
        each["state"] for each in await ask("lab.critical", everything=True)
    ]
    names = [each.name for each in conditions(rooms, clock() + timedelta(days=300))]
    assert "critical-escalated" not in names
    story = await ask("trace", what=row["message"])
    told = [each["event"] for each in story]
    assert ["critical.escalated", "critical.acknowledged"] == told[-2:]
    with pytest.raises(OperationError, match="waits for anybody"):
        await ask("lab.acknowledge", reference=row["reference"])


async def test_each_is_noted_however_many_wait(rooms: Rooms, ask: Ask) -> None:
    """A list ends somewhere; whoever reads a reference out of a letter is understood all the same."""
    ids = [f"{n:026}" for n in range(1, 302)]
    facts = [Facts(Address(LIS), reference(MessageId(id_)), 0.0) for id_ in ids]
    criticals = rooms.desk.criticals
    adding = [
        criticals.adding(id_, rooms.clock(), fact) for id_, fact in zip(ids, facts, strict=True)
    ]
    await rooms.database.commit([*adding, Statement("UPDATE critical SET escalated = due")])
    for one in (facts[0], facts[-1]):
        done = await ask("lab.acknowledge", reference=one.reference)
        assert one.reference == done["reference"]
    assert 299 == criticals.unattended()


async def test_nobody_forgets_what_waits(rooms: Rooms, clock: Clock) -> None:
    """However long ago it was; what is over goes with its time."""
    escalating = await _late(rooms, clock)
    await escalating.round()
    clock.advance(days=400)
    criticals = rooms.desk.criticals
    await rooms.database.commit([criticals.forgetting(clock(), timedelta(days=90))])
    assert 1 == len(criticals.latest(9))
