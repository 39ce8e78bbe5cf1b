"""A message that becomes ours: each recipient's copy as it was decided, in one transaction.

Allowed copies are queued, held ones wait in quarantine with their case, those that only time must
repair are put off and their sender is told, refused ones have ended and their sender is told. What is for a
peer that is backed off is put off until somebody may knock there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.receipts.receipt import Kind
from gateway.relay.books import Books
from gateway.relay.delivery import Delivery, Event, State, delivery_id, holder, step
from gateway.relay.desk import Desk
from gateway.relay.lanes import Pause
from gateway.relay.message import Copy, Message
from gateway.relay.placing import Placed
from gateway.relay.results import BACKED_OFF, OUR_FAULT, Result, chance
from gateway.relay.screening import Screened
from gateway.relay.verdict import RELAY, Verdict
from smtp.address import Address, domain_of
from smtp.envelope import Recipient
from trust.decision import Action
from vault.database import Statement
from vault.store import Sealed

_STATES = {
    Action.ALLOW: State.QUEUED,
    Action.HOLD: State.HELD,
    Action.DEFER: State.DEFERRED,
    Action.REFUSE: State.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Entrance:
    """What is about to be committed: the copies as they were decided, and where they go on from there.

    Those that are ``placed`` have ended in the mailboxes of which they tell.
    """

    message: Message
    results: tuple[Result, ...]
    screened: Screened
    placed: tuple[Placed, ...] = ()  # delivered at the door, all or none (``doorstep``)

    @property
    def taken(self) -> tuple[Address, ...]:
        """The recipients who are to have it."""
        return tuple(
            result.copy.recipient.address
            for result in self.results
            if result.after.state is not State.REFUSED
        )

    @property
    def due(self) -> bool:
        """Whether there is something that the courier must claim."""
        return any(result.copy.delivery.state is State.QUEUED for result in self.results)

    @property
    def claimed(self) -> list[Copy]:
        """The copies that an attempt takes at once."""
        copies = [result.copy for result in self.results]
        return [copy for copy in copies if copy.delivery.state is State.SENDING]

    def statements(
        self, books: Books, sealed: Sealed, actor: str, more: Sequence[str] = ()
    ) -> list[Statement]:
        """Return the transaction: body, keys (and those of ``more``), rows, cases, receipts, journal."""
        copies, holders = self._copies()
        return [
            *books.vault.holding(sealed, [*holders, *more]),
            *books.spool.entering(self.message, copies),
            *(s for result in self.results for s in _told(books, result, actor)),
            *(s for one in self.placed for s in _delivered(books, one)),
        ]

    def _copies(self) -> tuple[list[Copy], list[str]]:
        """Return the copies as their rows are to have them, and who holds the body for them."""
        if self.placed:
            ended = [(one.result.copy, one.result.after) for one in self.placed]
            copies = [replace(copy, delivery=after) for copy, after in ended]
            return copies, [one.holder for one in self.placed]
        taken = (one.after for one in self.results if one.after.state is not State.REFUSED)
        return [one.copy for one in self.results], [holder(each.id) for each in taken]


def entrance(
    desk: Desk,
    message: Message,
    screened: Screened,
    lease: datetime | None,
    pause: Callable[[str], Pause | None],
) -> Entrance:
    """Return each recipient's copy as the verdict has it.

    A message that is opened first waits for that, whatever else is to become of it. With ``lease``
    the courier takes the allowed ones at once: they enter as claimed until then. ``pause`` says of
    a domain whether its peer is backed off: they enter as put off.
    """
    results = []
    for number, (recipient, verdict) in enumerate(screened.decided, 1):
        result = _result(desk, message, number, recipient, verdict, lease)
        if screened.opened or message.mail.large is not None:
            result = _opened(result)
        elif result.copy.delivery.state is State.QUEUED and not message.summary.critical:
            backed_off = pause(domain_of(recipient.address))
            result = _waiting(desk, result, backed_off) if backed_off else result
        results.append(result)
    return Entrance(message, tuple(results), screened)


def _opened(result: Result) -> Result:
    """Return a copy that is fetched, or looked into, before anything else is done about it.

    Whom the trust list makes wait is told so at once, all the same; whom it holds, when it is held.
    """
    if result.after.state is State.REFUSED:
        return result
    whole = result.copy.message.mail.large is None
    state = State.INSPECTING if whole else State.FETCHING
    waiting = replace(result.after, state=state, due=None)
    told = result.after if result.after.state is State.DEFERRED else waiting
    return replace(result, copy=replace(result.copy, delivery=waiting), after=told)


def _waiting(desk: Desk, result: Result, pause: Pause) -> Result:
    """Return a copy that waits with the others for its peer; not later than its sender is told."""
    one = result.after
    notice = one.changed + desk.schedule.delay_notice_after
    due = min(pause.until, notice, one.expires)
    after = replace(one, state=State.DEFERRED, due=due, said=pause.said)
    return Result(replace(result.copy, delivery=after), after, BACKED_OFF)


def _result(  # noqa: PLR0917 - one recipient of one message
    desk: Desk,
    message: Message,
    number: int,
    recipient: Recipient,
    verdict: Verdict,
    lease: datetime | None,
) -> Result:
    now, schedule = message.arrived, desk.schedule
    expires = now + schedule.expire_after
    deferred = verdict.action is Action.DEFER
    pause = schedule.pause(1, chance()) if deferred else timedelta()
    if deferred and verdict.reason in OUR_FAULT:
        expires += pause
    # A person who submits is told of a delay at once; a gateway only when it has lasted.
    told = deferred and message.door != RELAY
    due = {Action.ALLOW: now, Action.DEFER: now + pause}.get(verdict.action)
    delivery = Delivery(
        delivery_id(message.id, number),
        _STATES[verdict.action],
        changed=now,
        expires=expires,
        due=due,
        warned=told,
        said=None if verdict.action is Action.ALLOW else verdict.reply,
    )
    claimed = delivery
    if lease is not None and delivery.state is State.QUEUED:
        claimed = step(delivery, Event.ATTEMPT, now, due=lease)
    copy = Copy(message, recipient, claimed)
    return Result(copy, delivery, verdict.reason, late=told, found=verdict.found)


def _told(books: Books, result: Result, actor: str) -> list[Statement]:
    copy, after, reason = result.copy, result.after, result.reason
    told = books.told(
        copy, after, "message.accepted", after.changed, actor, reason=reason, found=result.found
    )
    statements = [told]
    if after.state is not State.REFUSED:
        statements += books.receipt(copy, after, reason, Kind.ACCEPTED)
    statements += books.receipt(copy, after, reason)
    if result.late:
        statements += books.delayed(copy, after, reason)
    if after.state is State.HELD:
        # As it is told of a message that is held later: whoever counts cases reads one event.
        held = f"delivery.{after.state}"
        statements.append(books.told(copy, after, held, after.changed, reason=reason))
        statements += books.holding(after, reason, result.found)
    return statements


def _delivered(books: Books, placed: Placed) -> list[Statement]:
    result, after = placed.result, placed.result.after
    told = books.told(result.copy, after, f"delivery.{after.state}", after.changed)
    return [*result.also, told]
