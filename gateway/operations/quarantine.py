"""The verbs of ``sceau quarantine`` that look at cases, and those that write beside them.

What decides about one is in ``ruling``, what opens its content in ``preview`` and ``escrow``. No
subject and no content here, and of citizens' addresses the domain alone: those are shown to who
says why.
"""

from collections.abc import Iterable
from typing import Any

from gateway.labs.recipients import mailboxes
from gateway.operations.consent import agreed, asked
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.veil import veiled
from gateway.operations.words import told
from gateway.relay import ambiguous
from gateway.relay.delivery import holder as delivery_holder
from gateway.relay.message import Copy
from quarantine.case import Case, Held, Ruling, State
from quarantine.queue import Queue, Summary, Which
from smtp.address import Address
from vault.database import Statement
from vault.errors import Conflict, Gone

RELEASE = "quarantine.release"
_LIFT = "quarantine.preserve"
_MOST = 1000  # cases in one answer
_SHOWN = 1000  # copies of one case


async def list_(
    rooms: Rooms,
    *,
    state: str = "held",
    reason: str = "",
    after: str = "",
    limit: int = 50,
) -> object:
    """Return a page of cases: those that wait, "decided" ones, "all", or of one state.

    ``next`` is what ``after`` must be for the next page; "" if there is none.
    """
    try:
        which = Which(state) if state in tuple(Which) else Which.DECIDED
        wanted = None if state in tuple(Which) else State(state)
    except ValueError:
        known = ", ".join(dict.fromkeys((*Which, *State)))
        raise OperationError(f"{state} is no state of a case", f"they are: {known}") from None
    page = await Queue(rooms.database).page(
        which,
        after=after,
        limit=max(1, min(limit, _MOST)),
        state=wanted,
        reason=reason,
    )
    copies = rooms.spool.several(one.delivery for one in page.cases)
    by_id: dict[str, Copy] = {copy.delivery.id: copy for copy in copies}
    return {
        "cases": [_row(rooms, one, by_id[one.delivery]) for one in page.cases],
        "next": page.after,
        "waiting": rooms.register.count(),
    }


def _row(rooms: Rooms, one: Summary, copy: Copy) -> dict[str, Any]:
    """Return a case as a line of a list."""
    message = copy.message
    row = {
        "id": one.id,
        "state": one.state.value,
        "opened": told(one.opened),
        "expires": told(one.expires),
        "decided": told(one.decided),
        "reasons": list(one.reasons),
        "message": message.id,
        "reference": message.reference,
        "size": message.size,
        "sender": message.mail.mail_from or "<>",
        "recipient": copy.recipient.address,
        "recipients": one.recipients,
        "waiting": one.waiting,
        "preserved": one.preserved,
    }
    found: dict[str, Any] = veiled(row, rooms.settings.journal.citizens)
    return found


async def show(rooms: Rooms, *, case: str) -> object:
    """Return one case with everything that is known of it, but for what its message says."""
    return whole(rooms, find(rooms, case))


def whole(rooms: Rooms, case: Case) -> dict[str, Any]:
    """Return all of a case that may be shown without a reason."""
    found: dict[str, Any] = veiled(facts(rooms, case, _SHOWN), rooms.settings.journal.citizens)
    return found


def facts(rooms: Rooms, case: Case, most: int | None = None) -> dict[str, Any]:
    """Return all of a case but for its content, citizens' addresses in full."""
    found = copies_of(rooms, case.copies[:most])
    copies: dict[str, Copy] = {copy.delivery.id: copy for copy in found}
    message = next(iter(copies.values())).message
    first = case.copies[0].delivery
    return {
        "id": case.id,
        "state": case.state.value,
        "opened": told(case.opened),
        "expires": told(case.expires),
        "reasons": list(case.reasons),
        "message": message.id,
        "reference": message.reference,
        "size": message.size,
        "door": message.door,
        "arrived": told(message.arrived),
        "message_id": message.summary.message_id,
        "sender": message.mail.mail_from or "<>",
        "recipient": copies[first].recipient.address,
        "recipients": len(case.copies),
        "waiting": len(case.waiting),
        "preserved": case.preserved is not None,
        "preserved_by": _ruling(case.preserved),
        "asked": asked(rooms, RELEASE, subject(case, case.waiting)),
        "two_operators": needs_two(rooms, case.waiting),
        "content": content_holder(rooms, case) is not None,
        "copies": [_copy(rooms, one, copies[one.delivery]) for one in case.copies[:most]],
        "notes": [_ruling(one) for one in rooms.register.remarks(case.id)],
    }


def _copy(rooms: Rooms, one: Held, copy: Copy) -> dict[str, Any]:
    ruling, holder = one.ruling, ambiguous.number(copy.recipient.address)
    return {
        "delivery": one.delivery,
        "recipient": copy.recipient.address,
        "state": one.state.value,
        "stands": copy.delivery.state.value,
        "since": told(one.since),
        "reasons": list(one.reasons),
        "decided": told(ruling.at) if ruling else None,
        "by": ruling.by if ruling else None,
        "note": ruling.note if ruling else "",
        "words": ruling.words if ruling else "",
        "number": str(holder) if holder else "",
        "choices": choices(rooms, copy) if one.state is State.HELD else [],
    }


def choices(rooms: Rooms, copy: Copy) -> list[Address]:
    """Return the mailboxes that a held copy's number may stand for; of an address none."""
    holder, sender = ambiguous.number(copy.recipient.address), copy.message.mail.mail_from
    listed = rooms.keeper.current
    if holder is None or sender is None or listed is None:
        return []
    return mailboxes(holder, sender, listed, rooms.clock())


def _ruling(ruling: Ruling | None) -> dict[str, Any] | None:
    if ruling is None:
        return None
    return {"at": told(ruling.at), "by": ruling.by, "note": ruling.note}


async def note(rooms: Rooms, *, case: str, text: str) -> object:
    """Write something beside a case, for whoever looks at it next."""
    found = find(rooms, case)
    if not text.strip():
        raise OperationError("an empty note says nothing", "write what the next reviewer must know")
    ruling = Ruling(rooms.actor, rooms.clock(), text)
    entry = journalled(rooms, found, "noted", note=ruling.note)
    await rooms.database.commit([rooms.register.remarking(found.id, ruling), entry])
    return whole(rooms, found)


async def preserve(rooms: Rooms, *, case: str, note: str, lift: bool = False) -> object:
    """Put a legal hold on a case, or lift it: meanwhile its content and its record stay.

    Whatever is decided about it. Where a release needs two operators, lifting does too.
    """
    found = find(rooms, case)
    if not note.strip():
        raise OperationError("a legal hold needs a note", "say who asked for it, and why")
    if lift is (found.preserved is None):
        stands = "is under no" if lift else "is under a"
        raise OperationError(f"case {found.id} {stands} legal hold", "see sceau quarantine show")
    if lift and needs_two(rooms, found.copies) and not await agreed(rooms, _LIFT, found.id):
        return whole(rooms, found) | {"status": "waiting"}
    ruling = Ruling(rooms.actor, rooms.clock(), note)
    statements = [
        *([] if lift else keeping(rooms, found)),
        rooms.register.preserving(found, None if lift else ruling),
        journalled(rooms, found, "unpreserved" if lift else "preserved", note=ruling.note),
    ]
    try:
        await rooms.database.commit(statements)
    except Conflict:
        raise OperationError(
            f"case {found.id} changed at this very moment", "look at it again and repeat"
        ) from None
    return whole(rooms, find(rooms, case)) | {"status": "done"}


def find(rooms: Rooms, case: str) -> Case:
    """Return a case by its id."""
    found = rooms.register.find(case.strip().lower())
    if found is None:
        raise OperationError(f"there is no case {case}", "see sceau quarantine list")
    return found


def copies_of(rooms: Rooms, held: Iterable[Held]) -> list[Copy]:
    """Return the deliveries of a case's copies; the schema keeps them as long as the case."""
    return rooms.spool.several(dict.fromkeys(one.delivery for one in held))


def subject(case: Case, picked: Iterable[Held]) -> str:
    """Return all that two operators must agree on when they release copies of a case."""
    return "\0".join((case.id, *sorted(one.id for one in picked)))


def needs_two(rooms: Rooms, picked: Iterable[Held]) -> bool:
    """Whether the release of these copies must be asked by two operators."""
    strict = set(rooms.settings.quarantine.second_operator)
    return any(strict & set(one.reasons) for one in picked)


def journalled(rooms: Rooms, case: Case, what: str, **detail: Any) -> Statement:
    """Return the journal's line about a case; the message's story has it too."""
    return rooms.journal.entry(
        rooms.clock(), f"case.{what}", rooms.actor, message=case.message, case=case.id, **detail
    )


# The content of a case.


def holder(case: Case) -> str:
    """Return the name under which a case itself holds its message's content."""
    return f"hold/{case.id}"


def content_holder(rooms: Rooms, case: Case) -> str | None:
    """Return who holds the content of a case, or None: it is gone."""
    names = (delivery_holder(one.delivery) for one in case.copies)  # type: ignore[arg-type]
    return next((name for name in (holder(case), *names) if _holds(rooms, name)), None)


def keeping(rooms: Rooms, case: Case) -> list[Statement]:
    """Return the statements by which a case keeps the content when no delivery does any more."""
    found = content_holder(rooms, case)
    if found is None or found == holder(case):
        return []
    return rooms.vault.sharing(found, holder(case))


def _holds(rooms: Rooms, name: str) -> bool:
    try:
        rooms.vault.size(name)
    except Gone:
        return False
    return True
