"""The verbs of ``sceau spool``."""

from collections.abc import Iterable
from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from gateway.relay.delivery import Event, IllegalTransition, State, step
from gateway.relay.message import Copy
from gateway.relay.results import Result
from gateway.relay.spool import OPEN
from smtp.address import domain_of
from smtp.message import fields
from smtp.reply import Reply
from vault.database import Statement
from vault.errors import Conflict

_MANY = 10_000  # deliveries in one answer
_FEW = 200  # deliveries moved in one transaction
_CANCELLED = Reply(550, "5.7.0", "An operator of the sender's gateway stopped the message")


async def list_(
    rooms: Rooms,
    *,
    state: str | None = None,
    domain: str | None = None,
    everything: bool = False,
    limit: int = 100,
) -> object:
    """Return the newest deliveries, oldest first; those that ended only if asked for."""
    try:
        wanted = State(state.lower()) if state else None
    except ValueError:
        raise OperationError(
            f"{state} is no state", f"the states are: {', '.join(State)}"
        ) from None
    states: Iterable[State] = State if everything else OPEN
    found = await rooms.spool.standing(
        states if wanted is None else (wanted,),
        domain=domain.lower() if domain else None,
        limit=min(limit, _MANY),
    )
    return [row(copy) for copy in found]


async def show(rooms: Rooms, *, what: str) -> object:
    """Return a message with its deliveries."""
    copies = copies_of(rooms, what)
    message = copies[0].message
    return {
        "message": message.id,
        "reference": message.reference,
        "message_id": message.summary.message_id,
        "arrived": told(message.arrived),
        "door": message.door,
        "size": message.size,
        "sender": message.mail.mail_from or "<>",
        "subject": fields.words(message.summary.subject),
        "deliveries": [row(copy) for copy in copies],
    }


async def retry(rooms: Rooms, *, what: str | None = None, domain: str | None = None) -> object:
    """Make due now what was put off: one message or delivery, or all that waits for a domain."""
    if what is None:
        done = await _hasten_domain(rooms, (domain or "").lower())
    else:
        copies = [c for c in copies_of(rooms, what) if c.delivery.state is State.DEFERRED]
        for copy in copies:
            await _commit(rooms, copy, _hastening(rooms, copy))
        done = len(copies)
    rooms.wake()
    return {"deliveries": done}


async def _hasten_domain(rooms: Rooms, domain: str) -> int:
    """Make due now what waits for a domain, a page in a transaction; return how many."""
    done, after = 0, ""
    while copies := await rooms.spool.standing(
        (State.DEFERRED,), domain=domain, after=after, limit=_FEW
    ):
        after = max(copy.delivery.id for copy in copies)
        statements = [s for copy in copies for s in _hastening(rooms, copy)]
        try:
            await rooms.database.commit(statements)
        except Conflict:  # one of them moved on at this very moment: then each by itself
            done += sum([await _hastened(rooms, copy) for copy in copies])
        else:
            done += len(copies)
    return done


async def _hastened(rooms: Rooms, copy: Copy) -> bool:
    try:
        await rooms.database.commit(_hastening(rooms, copy))
    except Conflict:
        return False
    return True


def _hastening(rooms: Rooms, copy: Copy) -> list[Statement]:
    now = rooms.clock()
    after = step(copy.delivery, Event.DUE, now)
    entry = rooms.books.told(copy, after, "delivery.hastened", now, rooms.actor)
    return [rooms.spool.recording(copy.delivery, after), entry]


async def cancel(rooms: Rooms, *, what: str) -> object:
    """Give up what has not ended; the sender's software and the sender are told."""
    now = rooms.clock()
    done = 0
    for copy in copies_of(rooms, what):
        try:
            after = step(copy.delivery, Event.CANCEL, now, _CANCELLED)
        except IllegalTransition:
            continue  # it is on its way this very moment, or it has ended
        reports = await rooms.notices.reporting(copy.message, [Result(copy, after, "cancelled")])
        moving = rooms.books.moving(copy, after, actor=rooms.actor, reason="cancelled")
        await _commit(rooms, copy, [*moving, *reports])
        done += 1
    if not done:
        raise OperationError(
            f"nothing of {what} can be stopped any more", "see sceau spool show for how it stands"
        )
    rooms.wake()
    rooms.outbox.bell.set()
    return {"deliveries": done}


def row(copy: Copy) -> dict[str, Any]:
    """Return a delivery as every list shows it."""
    one, message = copy.delivery, copy.message
    return {
        "delivery": one.id,
        "message": message.id,
        "reference": message.reference,
        "state": one.state.value,
        "arrived": told(message.arrived),
        "sender": message.mail.mail_from or "<>",
        "recipient": copy.recipient.address,
        "domain": domain_of(copy.recipient.address),
        "attempts": one.attempts,
        "due": told(one.due),
        "expires": told(one.expires),
        "changed": told(one.changed),
        "said": str(one.said) if one.said else None,
    }


async def _commit(rooms: Rooms, copy: Copy, statements: list[Any]) -> None:
    try:
        await rooms.database.commit(statements)
    except Conflict:
        raise OperationError(
            f"{copy.delivery.id} moved on at this very moment", "look again and repeat"
        ) from None


def copies_of(rooms: Rooms, what: str) -> list[Copy]:
    """Return the copies meant by a delivery's or message's id, a reference, a Message-ID."""
    if (one := rooms.spool.find(what.upper())) is not None:
        return [one]
    names = [what] if what.startswith("<") else [what, f"<{what}>"]
    copies = [c for name in names for m in rooms.spool.named(name) for c in rooms.spool.copies(m)]
    if not copies:
        raise OperationError(
            f"no message here is known as {what}",
            "give a reference, an id or a Message-ID; sceau trace also finds what was refused",
        )
    return copies
