"""Deciding about cases: release, refuse, expire; and the purge of what was decided long ago.

A decision is one transaction: the copies' rulings, what each means for its delivery, the reports to
the sender, the journal. A crash before it has decided nothing, a crash after it everything. What is
refused stays readable in its case until the purge, which destroys the keys; the journal stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateway.operations.consent import agreed
from gateway.operations.error import OperationError
from gateway.operations.quarantine import (
    RELEASE,
    copies_of,
    find,
    holder,
    journalled,
    keeping,
    needs_two,
    subject,
    whole,
)
from gateway.operations.rooms import Rooms
from gateway.operations.words import address
from gateway.receipts.bounce import Why
from gateway.relay import ambiguous, delivery
from gateway.relay.delivery import IllegalTransition, State
from gateway.relay.message import Copy
from gateway.relay.results import Result
from quarantine import notice
from quarantine.case import Case, Event, Held, QuarantineError, Ruling, decide
from smtp.address import key
from smtp.reply import Reply
from vault.database import Statement
from vault.errors import Conflict

_TRIES = 3  # another copy of the same message may be decided at the same moment
_LONGEST = 1000  # characters to the sender
_PURGED = 100  # cases looked at in one go


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of decision: what it does to a delivery, and what is said of it."""

    event: Event
    moves: delivery.Event
    reason: str
    said: Reply | None
    ends: State | None = None  # and then the case keeps the content, for the delivery drops it


_RELEASE = Kind(Event.RELEASE, delivery.Event.RELEASED, "released", None)
_REFUSE = Kind(
    Event.REFUSE,
    delivery.Event.DENIED,
    "reviewer-refused",
    Reply(550, "5.7.1", "A reviewer at the gateway refused the message; ask its operator"),
    State.REFUSED,
)
_EXPIRE = Kind(
    Event.EXPIRE,
    delivery.Event.GAVE_UP,
    "not-reviewed",
    Reply(550, "5.4.7", "Nobody reviewed the message in time; ask the gateway's operator"),
    State.EXPIRED,
)


async def release(
    rooms: Rooms, *, case: str, note: str, to: list[str] | None = None, tell: str = ""
) -> object:
    """Let the message go on its way, to all for whom it waits or to some; its trust is asked again.

    ``tell`` is for its sender. Held for some reasons it is released by two operators, as set.
    """
    found = find(rooms, case)
    picked = _picked(rooms, found, to)
    ruling = _ruling(rooms, note, tell)
    _check(found, Event.RELEASE, ruling, picked)
    if any(ambiguous.number(copy.recipient.address) for copy in copies_of(rooms, picked)):
        raise OperationError(
            f"case {found.id} waits for who is meant by a number: nothing was sent",
            f"sceau quarantine choose {found.id} MAILBOX says it, and releases",
        )
    if needs_two(rooms, picked) and not await agreed(rooms, RELEASE, subject(found, picked)):
        return whole(rooms, found) | {"status": "waiting"}
    return await _done(rooms, found, _RELEASE, ruling, picked)


async def refuse(
    rooms: Rooms, *, case: str, note: str, to: list[str] | None = None, tell: str = ""
) -> object:
    """Refuse the message for good, to all for whom it waits or to some; its sender is told."""
    found = find(rooms, case)
    picked = _picked(rooms, found, to)
    return await _done(rooms, found, _REFUSE, _ruling(rooms, note, tell), picked)


async def expire(rooms: Rooms) -> int:
    """End the cases that nobody decided about in time; a chore, not a verb.

    One that cannot be ended stands in nobody's way, and is told.
    """
    ended, now = 0, rooms.clock()
    for case in rooms.register.overdue(now):
        try:
            await _decided(rooms, case, _EXPIRE, Ruling(rooms.actor, now), case.waiting)
        except OperationError as error:
            rooms.notes.tell("case.not_ended", {"case": case.id, "reason": str(error)})
        else:
            ended += 1
    return ended


async def purge(rooms: Rooms) -> int:
    """Remove the cases that were decided long ago, with the keys to what they kept; a chore.

    The journal keeps what was decided, by whom and why. A legal hold keeps all of it.
    """
    gone, last = 0, (0.0, "")
    before = rooms.clock() - timedelta(days=rooms.settings.quarantine.keep_days)
    while page := await rooms.register.past(before, last, _PURGED):
        for _, name in page:
            gone += await _purged(rooms, name)
        last = page[-1]
    return gone


async def _purged(rooms: Rooms, name: str) -> bool:
    case = rooms.register.find(name)
    if case is None or _wanted_by_law(rooms, case):
        return False
    entry = journalled(rooms, case, "purged", state=case.state, reasons=list(case.reasons))
    dropping = rooms.vault.dropping(holder(case))
    try:
        await rooms.database.commit([*rooms.register.removing(name), *dropping, entry])
    except Conflict:  # somebody preserves it at this very moment
        return False
    return True


def _wanted_by_law(rooms: Rooms, case: Case) -> bool:
    """Whether a legal hold names the message, or one of its people."""
    copies = copies_of(rooms, case.copies)
    people = {copy.recipient.address for copy in copies}
    people |= {who for copy in copies if (who := copy.message.mail.mail_from) is not None}
    return rooms.legal.held(message=case.message, addresses=people)


async def _done(
    rooms: Rooms, case: Case, kind: Kind, ruling: Ruling, picked: tuple[Held, ...]
) -> dict[str, Any]:
    decided = await _decided(rooms, case, kind, ruling, picked)
    return whole(rooms, decided) | {"status": "done"}


async def _decided(
    rooms: Rooms, case: Case, kind: Kind, ruling: Ruling, picked: tuple[Held, ...]
) -> Case:
    """Take a decision; again if another about other copies came in between."""
    deliveries = [one.delivery for one in picked]
    for left in reversed(range(_TRIES)):
        case = find(rooms, case.id)
        _check(case, kind.event, ruling, picked)
        try:
            then = await _consequences(rooms, case, kind, ruling, picked)
            decided = await rooms.review.decide(case, kind.event, ruling, then, deliveries)
        except QuarantineError as error:
            if not left:
                raise OperationError(str(error), "see sceau quarantine show") from None
        else:
            break
    if kind.ends is not None:
        rooms.metrics.deliveries.labels(kind.ends).inc(len(picked))
    rooms.wake()
    rooms.outbox.bell.set()
    return decided


async def _consequences(
    rooms: Rooms, case: Case, kind: Kind, ruling: Ruling, picked: tuple[Held, ...]
) -> list[Statement]:
    """Return what a decision means for the deliveries, their sender and the journal."""
    why = _why(kind, picked, ruling.words)
    results = [_result(rooms, case, copy, kind, why) for copy in copies_of(rooms, picked)]
    message = results[0].copy.message
    reports = await rooms.notices.reporting(message, results)
    moving = [
        statement
        for one in results
        for statement in rooms.books.moving(
            one.copy, one.after, actor=rooms.actor, reason=kind.reason
        )
    ]
    entry = journalled(
        rooms,
        case,
        kind.event.value + "d",
        note=ruling.note,
        reasons=list(case.reasons),
        recipients=len(picked),
        **({"words": ruling.words} if ruling.words else {}),
    )
    # The case's own key comes before the deliveries' are dropped.
    return [*(keeping(rooms, case) if kind.ends else []), *moving, *reports, entry]


def _result(rooms: Rooms, case: Case, copy: Copy, kind: Kind, why: Why | None) -> Result:
    try:
        after = delivery.step(copy.delivery, kind.moves, rooms.clock(), kind.said)
    except IllegalTransition:
        raise QuarantineError(
            f"the message of case {case.id} is {copy.delivery.state.value} already"
        ) from None
    return Result(copy, after, kind.reason, why=why)


def _why(kind: Kind, picked: Iterable[Held], words: str) -> Why | None:
    reasons = dict.fromkeys(reason for one in picked for reason in one.reasons)
    match kind.event:
        case Event.REFUSE:
            return Why(*notice.refused(reasons, words))
        case Event.EXPIRE:
            return Why(*notice.expired(reasons))
        case _:
            return Why(*notice.released(words)) if words else None


def _ruling(rooms: Rooms, note: str, tell: str) -> Ruling:
    """Return who decides, and in which words; those for the sender are a paragraph of a letter."""
    words = " ".join("".join(c if c.isprintable() else " " for c in tell).split())
    if len(words) > _LONGEST:
        raise OperationError(
            f"the words to the sender have {len(words)} characters",
            f"they may have {_LONGEST}: write the rest in a message of your own",
        )
    return Ruling(rooms.actor, rooms.clock(), note, words)


def _picked(rooms: Rooms, case: Case, to: list[str] | None) -> tuple[Held, ...]:
    """Return the copies that are meant: all that wait, or those for these recipients."""
    if not to:
        return case.waiting
    wanted = {key(address(each)): each for each in to}
    copies: dict[str, Copy] = {c.delivery.id: c for c in copies_of(rooms, case.waiting)}
    found = {key(copies[one.delivery].recipient.address): one for one in case.waiting}
    if missing := [each for name, each in wanted.items() if name not in found]:
        raise OperationError(
            f"case {case.id} does not wait for {', '.join(missing)}", "see sceau quarantine show"
        )
    return tuple(found[name] for name in wanted)


def _check(case: Case, event: Event, ruling: Ruling, picked: tuple[Held, ...]) -> None:
    """Say at once that a decision cannot be taken."""
    try:
        decide(case, event, ruling, [one.delivery for one in picked])
    except QuarantineError as error:
        raise OperationError(str(error), "see sceau quarantine show") from None
