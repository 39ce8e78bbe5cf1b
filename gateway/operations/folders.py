"""The folders of a mailbox, for operators: how much lies in each, never what."""

from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import mailbox as find
from imap.store import Folder


async def list_(rooms: Rooms, *, address: str) -> object:
    """Return a mailbox's folders, and how full it is."""
    owner = find(rooms, address)
    quota = rooms.mailboxes.quota(owner.id)
    return {
        "address": owner.address,
        "used": quota.used,
        "quota": quota.limit,
        "folders": [_row(folder) for folder in rooms.mailboxes.folders(owner.id)],
    }


def named(rooms: Rooms, address: str, name: str) -> Folder:
    """Return a folder of a mailbox, or say which there are."""
    owner = find(rooms, address)
    if (found := rooms.mailboxes.find(owner.id, name)) is None:
        raise OperationError(
            f"{owner.address} has no folder of that name", f"see sceau mailbox folders {address}"
        )
    return found


def _row(folder: Folder) -> dict[str, Any]:
    return {
        "folder": folder.name,
        "messages": folder.exists,
        "unseen": folder.unseen,
        "size": folder.size,
        "special": folder.special or "",
        "subscribed": folder.subscribed,
    }
