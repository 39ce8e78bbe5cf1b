"""The two-person rule: what one operator asks is done when another asks the very same.

The first one's call is kept, sealed, for a while; nothing else happens. The second must be another
operator, and types the same command. Each call is in the journal like every other.
"""

from datetime import timedelta

from gateway.operations.rooms import Rooms
from vault.database import Statement
from vault.errors import SealError

LIFE = timedelta(hours=24)


async def agreed(rooms: Rooms, verb: str, subject: str, life: timedelta = LIFE) -> bool:
    """Whether another operator has asked this within ``life``; if not, this one's asking is kept.

    The subject says everything that both must agree on.
    """
    now = rooms.clock().timestamp()
    name = rooms.ring.index(f"{verb}\0{subject}", "proposal")
    place = f"proposal/{name.hex()}/facts"
    rows = rooms.database.read(
        "SELECT facts, asked FROM proposal WHERE id = ? AND asked > ?",
        (name, now - life.total_seconds()),
    )
    for sealed, asked in rows:
        try:
            first = rooms.ring.open(sealed, f"{place}/{asked}").decode()
        except SealError:
            continue  # written by another hand: it counts for nothing
        if first != rooms.actor:
            # Who is quickest of several: one of them does it.
            taking = Statement("DELETE FROM proposal WHERE id = ?", (name,), expect=1)
            await rooms.database.commit([taking])
            return True
    asking = Statement(
        "INSERT INTO proposal (id, facts, asked) VALUES (?, ?, ?)",
        (name, rooms.ring.seal(rooms.actor.encode(), f"{place}/{now}"), now),
        expect=1,
    )
    await rooms.database.commit([Statement("DELETE FROM proposal WHERE id = ?", (name,)), asking])
    return False
