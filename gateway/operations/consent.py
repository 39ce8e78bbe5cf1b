"""The two-person rule: what one operator asks is done when another asks the very same.

The first one's call is kept, sealed, for a while; nothing else happens. The second must be another
operator, and types the same command. Each call is in the journal like every other.
"""

from datetime import timedelta

import msgspec

from gateway.operations.rooms import Rooms
from vault.database import Statement
from vault.errors import SealError

LIFE = timedelta(hours=24)


class _Asked(msgspec.Struct, frozen=True):
    actor: str
    asked: float


_DECODER = msgspec.json.Decoder(_Asked)


def asked(rooms: Rooms, verb: str, subject: str, life: timedelta = LIFE) -> str | None:
    """Return which operator has asked this, and waits for another to ask it too."""
    first = _first(rooms, *_named(rooms, verb, subject))
    if first is None or rooms.clock().timestamp() >= first.asked + life.total_seconds():
        return None
    return first.actor


async def agreed(rooms: Rooms, verb: str, subject: str, life: timedelta = LIFE) -> bool:
    """Whether another operator has asked this within ``life``; if not, this one's asking is kept.

    The subject says everything that both must agree on.
    """
    now = rooms.clock().timestamp()
    name, place = _named(rooms, verb, subject)
    first = asked(rooms, verb, subject, life)
    if first is not None and first != rooms.actor:
        # Who is quickest of several: one of them does it.
        taking = Statement("DELETE FROM proposal WHERE id = ?", (name,), expect=1)
        await rooms.database.commit([taking])
        return True
    facts = msgspec.json.encode(_Asked(rooms.actor, now))
    asking = Statement(
        "INSERT INTO proposal (id, facts, asked) VALUES (?, ?, ?)",
        (name, rooms.ring.seal(facts, place), now),
        expect=1,
    )
    await rooms.database.commit([Statement("DELETE FROM proposal WHERE id = ?", (name,)), asking])
    return False


def _named(rooms: Rooms, verb: str, subject: str) -> tuple[bytes, str]:
    name = rooms.ring.index(f"{verb}\0{subject}", "proposal")
    return name, f"proposal/{name.hex()}/facts"


def _first(rooms: Rooms, name: bytes, place: str) -> _Asked | None:
    for (sealed,) in rooms.database.read("SELECT facts FROM proposal WHERE id = ?", (name,)):
        try:
            return _DECODER.decode(rooms.ring.open(sealed, place))
        except SealError:
            return None  # written by another hand: it counts for nothing
    return None
