"""The verbs of ``sceau keys`` that need the open rooms."""

from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from vault.rotation import Rotation


async def list_(rooms: Rooms) -> object:
    """Return the ring's keys, and how much each still opens; one that opens nothing may go."""
    uses = await Rotation(rooms.database, rooms.ring).uses()
    return [
        {
            "ring": number,
            "created": told(rooms.ring.created(number)),
            "current": number == rooms.ring.current,
            "wraps": use.wraps,
            "values": use.values,
            "journal": use.entries,
        }
        for number, use in uses.items()
    ]


async def rotate(rooms: Rooms) -> object:
    """Make a new key and use it from now on."""
    return {"ring": rooms.ring.rotate(rooms.clock())}
