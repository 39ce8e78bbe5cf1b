"""The verbs of ``sceau keys`` that need the open rooms."""

from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from vault.rotation import Rotation


async def list_(rooms: Rooms) -> object:
    """Return the ring's keys, and how much each still opens; one that opens nothing may go.

    With it the public key by which anybody can check the journal's head.
    """
    uses = await Rotation(rooms.database, rooms.ring).uses()
    keys = [
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
    return {"journal_key": rooms.ring.public_key.hex(), "keys": keys}


async def rotate(rooms: Rooms) -> object:
    """Make a new key and use it from now on."""
    return {"ring": rooms.ring.rotate(rooms.clock())}
