"""The verbs of ``sceau keys`` that need the open rooms."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.operations.error import OperationError
from gateway.operations.escrow import handed_out, keys_named
from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from vault.rotation import Rotation

_REASON = 5  # letters of a reason, at least


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


async def escrow(rooms: Rooms, *, reason: str, keys: list[str] | None = None) -> object:
    """Write the key ring as it is, encrypted for the named OpenPGP keys, or all of the settings.

    Whoever reads it, and has a copy of the data, reads everything: the journal knows why.
    """
    if len(reason.strip()) < _REASON:
        raise OperationError("say why it leaves the house", "a sentence that an audit understands")
    wanted, path = keys_named(rooms, keys), rooms.settings.paths.keys
    entry = rooms.journal.entry(
        rooms.clock(), "keys.exported", rooms.actor, reason=reason.strip(), keys=sorted(wanted)
    )
    await rooms.database.commit([entry])
    made = await handed_out(rooms, f"{path.name}.gpg", _once(path), wanted)
    locked = rooms.settings.paths.passphrase_file is not None
    return {"ring": rooms.ring.current, "locked": locked, "status": "done", **made}


async def _once(path: Path) -> AsyncIterator[bytes]:
    yield await asyncio.to_thread(path.read_bytes)
