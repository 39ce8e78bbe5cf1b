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


async def agreed(rooms: Rooms, verb: str, subject: str, life: timedelta = LIFE) -> bool:
    """Whether another operator has asked this within ``life``; if not, this one's asking is kept.

    The subject says everything that both must agree on.
    """
    now = rooms.clock().timestamp()
    name = rooms.ring.index(f"{verb}\0{subject}", "proposal")
    place = f"proposal/{name.hex()}/facts"
    rows = rooms.database.read(
        "SELECT facts FROM proposal WHERE id = ?",
        (name,),
    )
    for (sealed,) in rows:
        try:
            first = _DECODER.decode(rooms.ring.open(sealed, place))
        except SealError:
            continue  # written by another hand: it counts for nothing
        if first.actor != rooms.actor and now < first.asked + life.total_seconds():
            # Who is quickest of several: one of them does it.
            taking = Statement("DELETE FROM proposal WHERE id = ?", (name,), expect=1)
            await rooms.database.commit([taking])
            return True
    asked = msgspec.json.encode(_Asked(rooms.actor, now))
    asking = Statement(
        "INSERT INTO proposal (id, facts, asked) VALUES (?, ?, ?)",
        (name, rooms.ring.seal(asked, place), now),
        expect=1,
    )
    await rooms.database.commit([Statement("DELETE FROM proposal WHERE id = ?", (name,)), asking])
    return False
