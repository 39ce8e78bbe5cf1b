"""The verbs of ``sceau keys`` that need the open rooms."""

from gateway.operations.rooms import Rooms
from gateway.operations.words import told


async def list_(rooms: Rooms) -> object:
    """Return the ring's keys, and how many wraps each still holds."""
    rows = await rooms.database.query("SELECT ring, count(*) FROM wrap GROUP BY ring")
    wraps = dict(rows)
    return [
        {
            "ring": number,
            "created": told(rooms.ring.created(number)),
            "current": number == rooms.ring.current,
            "wraps": wraps.get(number, 0),
        }
        for number in rooms.ring.ids
    ]


async def rotate(rooms: Rooms) -> object:
    """Make a new key and use it from now on."""
    return {"ring": rooms.ring.rotate(rooms.clock())}
