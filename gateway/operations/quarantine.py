"""The verbs of ``sceau quarantine``."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.operations import spool
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from gateway.relay.delivery import Event, IllegalTransition, step
from gateway.relay.message import Copy
from gateway.relay.results import Result
from quarantine.case import Case, QuarantineError, State
from quarantine.review import Consequence, Review
from smtp.reply import Reply
from vault.database import Statement

Take = Callable[[Review, Case, str, datetime, Consequence], Awaitable[Case]]


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision about a case: what it does to the delivery, and what is said of it."""

    event: Event
    reason: str
    said: Reply | None
    take: Take


RELEASE = Ruling(
    Event.RELEASED,
    "released",
    None,
    lambda review, case, note, now, then: review.release(case.id, note, now, then),
)
REFUSE = Ruling(
    Event.DENIED,
    "reviewer-refused",
    Reply(550, "5.7.1", "A reviewer at the gateway refused the message; ask its operator"),
    lambda review, case, note, now, then: review.refuse(case.id, note, now, then),
)
EXPIRE = Ruling(
    Event.GAVE_UP,
    "not-reviewed",
    Reply(550, "5.4.7", "Nobody reviewed the message in time; ask the gateway's operator"),
    lambda review, case, _, now, then: review.expire(case, now, then),
)


async def list_(rooms: Rooms, *, everything: bool = False) -> object:
    """Return the cases that wait; with ``everything``, those that were decided too."""
    states = tuple(State) if everything else (State.HELD,)
    cases = [case for state in states for case in rooms.register.cases(state, 10_000)]
    return [_row(rooms, case) for case in sorted(cases, key=lambda case: case.opened)]


async def show(rooms: Rooms, *, case: str) -> object:
    """Return one case with what is known of its message; never the content."""
    found = _find(rooms, case)
    copy = _copy(rooms, found)
    return {
        **_row(rooms, found),
        "expires": told(found.expires),
        "decided": told(found.decided),
        "note": found.note,
        "door": copy.message.door,
        "size": copy.message.size,
        "subject": copy.message.summary.subject,
        "message_id": copy.message.summary.message_id,
    }


async def release(rooms: Rooms, *, case: str, note: str) -> object:
    """Let the message go on its way."""
    return _row(rooms, await _decide(rooms, _find(rooms, case), RELEASE, note))


async def refuse(rooms: Rooms, *, case: str, note: str) -> object:
    """Refuse the message for good; its sender is told."""
    return _row(rooms, await _decide(rooms, _find(rooms, case), REFUSE, note))


async def expire(rooms: Rooms) -> int:
    """End the cases that nobody decided about in time; a chore, not a verb.

    One that cannot be ended stands in nobody's way, and is told.
    """
    ended = 0
    for case in rooms.register.overdue(rooms.clock()):
        try:
            await _decide(rooms, case, EXPIRE, "")
        except OperationError as error:
            rooms.notes.tell("case.not_ended", {"case": case.id, "reason": str(error)})
        else:
            ended += 1
    return ended


async def _decide(rooms: Rooms, case: Case, ruling: Ruling, note: str) -> Case:
    now = rooms.clock()
    copy = _copy(rooms, case)
    try:
        after = step(copy.delivery, ruling.event, now, ruling.said)
    except IllegalTransition:
        raise OperationError(
            f"the message of case {case.id} is {copy.delivery.state.value} already",
            "see sceau quarantine show",
        ) from None
    reports = await rooms.notices.reporting(copy.message, [Result(copy, after, ruling.reason)])

    def consequence(_: Case) -> Sequence[Statement]:
        moving = rooms.books.moving(copy, after, actor=rooms.actor, reason=ruling.reason)
        return [*moving, *reports]

    try:
        decided = await ruling.take(rooms.review, case, note, now, consequence)
    except QuarantineError as error:
        raise OperationError(str(error), "see sceau quarantine show") from None
    rooms.wake()
    rooms.outbox.bell.set()
    return decided


def _find(rooms: Rooms, case_id: str) -> Case:
    found = rooms.register.find(case_id)
    if found is None:
        raise OperationError(f"there is no case {case_id}", "see sceau quarantine list")
    return found


def _copy(rooms: Rooms, case: Case) -> Copy:
    copy = rooms.spool.find(case.delivery)
    assert copy is not None  # the schema keeps a case's delivery
    return copy


def _row(rooms: Rooms, case: Case) -> dict[str, Any]:
    row = spool.row(_copy(rooms, case))
    return {
        "id": case.id,
        "state": case.state.value,
        "opened": told(case.opened),
        "reasons": list(case.reasons),
        "delivery": case.delivery,
        **{name: row[name] for name in ("message", "reference", "sender", "recipient")},
    }
