"""What is done to messages without opening them: marked, moved, thrown away."""

from collections.abc import Mapping

from starlette.requests import Request

from gateway.web.account.session import Visitor
from gateway.web.problem import Problem
from gateway.web.reading.places import Place
from gateway.web.reading.room import Room
from imap.folder import UidSet
from imap.principal import Act
from imap.store import Mode

_FLAGS = {
    "read": (Mode.ADD, "\\Seen", "s"),
    "unread": (Mode.REMOVE, "\\Seen", "s"),
    "flag": (Mode.ADD, "\\Flagged", "w"),
    "unflag": (Mode.REMOVE, "\\Flagged", "w"),
}


async def act(  # noqa: PLR0917 - who does what to which, and where
    room: Room,
    request: Request,
    visitor: Visitor,
    place: Place,
    uids: UidSet,
    fields: Mapping[str, str],
) -> None:
    """Do to messages what a form says; ``Problem``: nothing was done."""
    what = fields.get("act", "")
    if what in _FLAGS:
        mode, flag, need = _FLAGS[what]
        _need(place, need)
        await mark(room, request, visitor, place, uids, mode, flag)
        return
    _need(place, "te")
    if what == "move":
        target = room.places.folder(request, visitor, fields.get("to", ""), "li")
        await move(room, request, visitor, place, uids, target)
    elif what == "delete":
        await throw_away(room, request, visitor, place, uids)
    else:
        raise Problem("bad-request")


async def mark(  # noqa: PLR0917 - who does what to which, and where
    room: Room,
    request: Request,
    visitor: Visitor,
    place: Place,
    uids: UidSet,
    mode: Mode,
    flag: str,
) -> None:
    """Change a flag of messages."""
    flagged = await room.rooms.mailboxes.flag(place.folder.id, uids, mode, [flag])
    marked = UidSet.of(row.uid for row in flagged.rows)
    sign = "+" if mode is Mode.ADD else "-"
    await room.places.acted(request, visitor, Act("marked", place.folder, marked, f"{sign}{flag}"))


async def move(  # noqa: PLR0917 - who does what to which, and where
    room: Room, request: Request, visitor: Visitor, place: Place, uids: UidSet, target: Place
) -> UidSet:
    """Move messages; return what they are there."""
    if target.folder.mailbox != place.folder.mailbox:  # what is read there was given out here
        await room.places.opened(request, visitor, place, uids)
    copied = await room.rooms.mailboxes.move(place.folder.id, uids, target.folder.id)
    detail = f"to {target.folder.name}"
    gone = Act("moved", place.folder, copied.source, detail)
    await room.places.acted(request, visitor, gone)
    if target.folder.mailbox != place.folder.mailbox:
        await room.places.acted(request, visitor, Act("filed", target.folder, copied.target))
    return copied.target


async def throw_away(
    room: Room, request: Request, visitor: Visitor, place: Place, uids: UidSet
) -> None:
    """Move messages to their mailbox's trash; what lies there already is erased."""
    if place.folder.special != "\\Trash":
        trash = await room.places.for_use(place.box, "Trash")
        await move(room, request, visitor, place, uids, trash)
        return
    store = room.rooms.mailboxes
    await store.flag(place.folder.id, uids, Mode.ADD, ["\\Deleted"])
    erased = await store.expunge(place.folder.id, uids)
    await room.places.acted(request, visitor, Act("erased", place.folder, erased))


def _need(place: Place, letters: str) -> None:
    if not place.may(letters):
        raise Problem("no-right")
