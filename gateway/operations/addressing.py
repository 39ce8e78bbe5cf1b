"""Saying which mailbox a number stands for: what is held for it goes on its way there.

Only a mailbox that the number has, in a directory that is in force, may be put in its place; who picked
it and why is in the journal, and then the copy is released as any other. R-D6, R-J2.
"""

from gateway.operations import ruling
from gateway.operations.error import OperationError
from gateway.operations.quarantine import choices, copies_of, find, journalled
from gateway.operations.rooms import Rooms
from gateway.operations.words import address
from gateway.relay import ambiguous
from gateway.relay.message import Copy
from quarantine.case import Case
from smtp.address import key
from vault.errors import Conflict


async def choose(rooms: Rooms, *, case: str, to: str, note: str, number: str = "") -> object:
    """Send what waits for a number to this one of its mailboxes."""
    found = find(rooms, case)
    copy = _meant(rooms, found, number)
    if not note.strip():
        raise OperationError("nothing was sent: a note must say why it is this mailbox", "--note")
    wanted = address(to)
    there = choices(rooms, copy)
    chosen = next((each for each in there if key(each) == key(wanted)), None)
    if chosen is None:
        raise OperationError(
            f"{ambiguous.shown(copy.recipient.address)} has no mailbox {to} that may be written to",
            f"it has: {', '.join(there)}" if there else "see sceau directory show",
        )
    if key(chosen) in {key(each.recipient.address) for each in rooms.spool.copies(copy.message.id)}:
        raise OperationError(
            f"{chosen} has this message already, by its address: nothing was sent twice",
            f"sceau quarantine refuse {found.id} ends what waits",
        )
    entry = journalled(rooms, found, "addressed", note=note.strip(), mailbox=chosen)
    try:
        await rooms.database.commit([rooms.spool.readdressing(copy, chosen), entry])
    except Conflict:
        raise OperationError(
            f"case {found.id} changed at this very moment", "look at it again and repeat"
        ) from None
    return await ruling.release(rooms, case=case, note=note, to=[chosen])


def _meant(rooms: Rooms, case: Case, number: str) -> Copy:
    waiting = {
        ambiguous.shown(copy.recipient.address): copy
        for copy in copies_of(rooms, case.waiting)
        if ambiguous.number(copy.recipient.address) is not None
    }
    picked = {number: waiting[number]} if number in waiting else {} if number else waiting
    if not picked:
        raise OperationError(
            f"case {case.id} waits for nobody's mailbox to be picked", "see sceau quarantine show"
        )
    if len(picked) > 1:
        raise OperationError(
            f"case {case.id} waits for several numbers", f"say --for one of: {', '.join(picked)}"
        )
    return next(iter(picked.values()))
