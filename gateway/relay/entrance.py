"""A message that becomes ours: each recipient's copy as it was decided, in one transaction.

Allowed copies are queued, held ones wait in quarantine with their case, those that only time must
repair are put off and their sender is told, refused ones have ended and their sender is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.receipts.receipt import Kind
from gateway.relay.books import Books
from gateway.relay.delivery import Delivery, Event, State, delivery_id, holder, step
from gateway.relay.desk import Desk
from gateway.relay.message import Copy, Message
from gateway.relay.results import OUR_FAULT, Result, chance
from gateway.relay.verdict import RELAY, Verdict
from smtp.address import Address
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
    """What is about to be committed."""

    message: Message
    results: tuple[Result, ...]

    @property
    def taken(self) -> tuple[Address, ...]:
        """The recipients who are to have it."""
        return tuple(
            result.copy.recipient.address
            for result in self.results
            if result.after.state is not State.REFUSED
        )

    @property
    def claimed(self) -> list[Copy]:
        """The copies that the courier takes at once."""
        copies = [result.copy for result in self.results]
        return [copy for copy in copies if copy.delivery.state is State.SENDING]

    def statements(self, books: Books, sealed: Sealed, actor: str) -> list[Statement]:
        """Return the transaction: body, keys, rows, cases, receipts, journal."""
        holders = [
            holder(result.after.id)
            for result in self.results
            if result.after.state is not State.REFUSED
        ]
        return [
            *books.vault.holding(sealed, holders),
            *books.spool.entering(self.message, [result.copy for result in self.results]),
            *(s for result in self.results for s in _told(books, result, actor)),
        ]


def entrance(
    desk: Desk,
    message: Message,
    decided: Sequence[tuple[Recipient, Verdict]],
    lease: datetime | None,
) -> Entrance:
    """Return each recipient's copy as the verdict has it.

    With ``lease`` the courier takes the allowed ones at once: they enter as claimed until then.
    """
    return Entrance(
        message,
        tuple(
            _result(desk, message, number, recipient, verdict, lease)
            for number, (recipient, verdict) in enumerate(decided, 1)
        ),
    )


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
    return Result(Copy(message, recipient, claimed), delivery, verdict.reason, late=told)


def _told(books: Books, result: Result, actor: str) -> list[Statement]:
    copy, after, reason = result.copy, result.after, result.reason
    statements = [books.told(copy, after, "message.accepted", after.changed, actor, reason=reason)]
    if after.state is not State.REFUSED:
        statements += books.receipt(copy, after, reason, Kind.ACCEPTED)
    statements += books.receipt(copy, after, reason)
    if result.late:
        statements += books.delayed(copy, after, reason)
    if after.state is State.HELD:
        _, holding = books.review.holding(after.id, (reason,), after.changed)
        statements += holding
    return statements
