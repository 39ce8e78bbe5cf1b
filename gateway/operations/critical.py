"""Critical results that did not arrive: which they are, and that somebody takes care of one. R-F1."""

from dataclasses import replace
from typing import Any

from msgspec import structs

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.veil import veiled
from gateway.operations.words import told
from gateway.relay.critical import ACKNOWLEDGED
from gateway.relay.criticals import Critical
from gateway.relay.delivery import State
from vault.errors import Conflict

_MOST = 200


async def critical(rooms: Rooms, *, everything: bool = False) -> object:
    """Return those that wait for somebody; or the newest of all, whatever became of them."""
    found = rooms.desk.criticals.latest(_MOST) if everything else rooms.desk.criticals.waiting()
    return veiled([row(rooms, each) for each in found], rooms.settings.journal.citizens)


async def acknowledge(rooms: Rooms, *, reference: str, note: str = "") -> object:
    """Note that an operator takes care of one: its alert ends, and nobody is told again."""
    name, criticals = reference.strip().upper(), rooms.desk.criticals
    one = criticals.named(name)
    if one is None:
        raise OperationError(
            f"no critical result {reference} waits for anybody", "see sceau lab critical --all"
        )
    now = rooms.clock()
    facts = structs.replace(one.facts, by=rooms.actor, note=note)
    after = replace(one, acknowledged=now, facts=facts)
    entry = rooms.journal.entry(
        now, ACKNOWLEDGED, rooms.actor, message=one.id, who=facts.sender, note=note
    )
    try:
        moving = criticals.moving(one, after, watched=one.watched, owed=False)
        await rooms.database.commit([moving, entry])
    except Conflict:
        raise OperationError(
            f"more became known of {reference} at this very moment", "look again and repeat"
        ) from None
    return veiled(row(rooms, after), rooms.settings.journal.citizens)


def row(rooms: Rooms, one: Critical) -> dict[str, Any]:
    """Return one as every list shows it: who does not have it, since when, who was told."""
    facts = one.facts
    copies = rooms.spool.copies(one.id)
    missing = [copy for copy in copies if copy.delivery.state is not State.DELIVERED]
    said = [str(copy.delivery.said) for copy in missing if copy.delivery.said is not None]
    return {
        "reference": facts.reference,
        "message": one.id if copies else None,
        "state": one.state,
        "sender": facts.sender,
        "arrived": told(one.arrived),
        "due": told(one.due),
        "escalated": told(one.escalated),
        "person": facts.person,
        "recipients": [
            *(copy.recipient.address for copy in missing),
            *(whom for whom, _ in facts.refused),
        ],
        "why": list(dict.fromkeys([*said, *(why for _, why in facts.refused)])),
        "acknowledged": told(one.acknowledged),
        "by": facts.by,
        "note": facts.note,
    }
