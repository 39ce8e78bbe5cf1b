"""The verbs of ``sceau mailbox`` about who uses whose mailbox, and about leaving."""

from collections.abc import Iterator

from gateway.accounts import rights
from gateway.accounts.absences import Absence
from gateway.accounts.mailboxes import AccountError, Mailbox, Status
from gateway.accounts.rights import RightsError
from gateway.accounts.shares import Share
from gateway.operations.consent import agreed
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import mailbox as find
from gateway.operations.words import moment, told
from imap.errors import MailboxError
from imap.store import Folder
from smtp.address import local_of

HANDED_OVER = "Reprise"  # the folder below which a mailbox's content is handed over


async def share(rooms: Rooms, *, address: str, person: str, rights: str = "member") -> object:
    """Let a person, known by their own mailbox, use another one."""
    return await _give(rooms, address, person, rights)


async def unshare(rooms: Rooms, *, address: str, person: str) -> object:
    """Take a person's rights on a mailbox away, and end their connections."""
    return await _give(rooms, address, person, "")


async def people(rooms: Rooms, *, address: str) -> object:
    """Return who uses the mailbox, and which others its own person uses."""
    owner = find(rooms, address)
    return {
        "address": owner.address,
        "used_by": [_row(each, each.person) for each in rooms.shares.on(owner)],
        "uses": [_row(each, each.mailbox) for each in rooms.shares.of(owner)],
    }


async def absence(
    rooms: Rooms,
    *,
    address: str,
    text: str | None = None,
    since: str | None = None,
    until: str | None = None,
    end: bool = False,
) -> object:
    """Say, set or end what is answered for a mailbox whose owner is away."""
    owner, absences = find(rooms, address), rooms.books.absences
    if end:
        await absences.end(owner)
    elif text is not None:
        begin = moment(since) or rooms.clock()
        if (ends := moment(until)) is not None and ends <= begin:
            raise OperationError("that absence ends before it begins", "look at --since, --until")
        await absences.begin(owner, Absence(text, begin, ends))
    found = absences.of(owner)
    return {
        "address": owner.address,
        "away": found is not None and found.holds(rooms.clock()),
        "since": told(found.since) if found else None,
        "until": told(found.until) if found else None,
        "text": found.text if found else None,
    }


async def handover(rooms: Rooms, *, address: str, to: str) -> object:
    """Hand the content of a closed mailbox over to another, when two operators ask for it."""
    left, heir = find(rooms, address), find(rooms, to)
    if left.status is not Status.CLOSED:
        raise OperationError(
            f"{address} is {left.status}: its content is its own person's",
            f"sceau mailbox close {address} first",
        )
    if heir.status is Status.CLOSED or heir.id == left.id:
        raise OperationError(f"{to} cannot take it", "name an open mailbox")
    row = {"from": left.address, "to": heir.address}
    if not await agreed(rooms, "mailbox.handover", f"{left.key}>{heir.key}"):
        return row | {"status": "waiting", "messages": 0}
    try:
        count = sum([await _moved(rooms, folder, heir, name) for folder, name in _all(rooms, left)])
    except MailboxError as error:
        raise OperationError(
            f"not all was handed over: {error}", "what is missing is still there: ask again, both"
        ) from None
    return row | {"status": "done", "messages": count}


def _all(rooms: Rooms, left: Mailbox) -> Iterator[tuple[Folder, str]]:
    for folder in rooms.mailboxes.folders(left.id):
        yield folder, f"{HANDED_OVER}/{local_of(left.address).replace('/', '_')}/{folder.name}"


async def _moved(rooms: Rooms, folder: Folder, heir: Mailbox, name: str) -> int:
    selected = await rooms.mailboxes.select(folder.id)
    if not selected.uids:
        return 0
    if rooms.mailboxes.find(heir.id, name) is None:
        await rooms.mailboxes.create(heir.id, name)
    target = rooms.mailboxes.find(heir.id, name)
    assert target is not None
    await rooms.mailboxes.move(folder.id, selected.uids, target.id)
    return len(selected.uids)


async def _give(rooms: Rooms, address: str, person: str, words: str) -> object:
    mailbox, user = find(rooms, address), find(rooms, person)
    try:
        given = await rooms.shares.give(mailbox, user, rights.parse(words), rooms.clock())
    except (AccountError, RightsError) as error:
        raise OperationError(str(error), f"see sceau mailbox people {address}") from None
    return {"address": mailbox.address, "person": user.address, "rights": str(given.rights)}


def _row(share: Share, other: Mailbox) -> dict[str, object]:
    return {
        "address": other.address,
        "name": other.name,
        "rights": str(share.rights),
        "posts": share.rights.posts,
    }
