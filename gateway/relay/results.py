"""What the answers to an attempt mean for each copy, and who is then told.

Facts in, the delivery's next state out; ``courier`` has the sockets. RFC 5321 §4.2.1, §6.1.
"""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from gateway.receipts.bounce import Why
from gateway.relay.critical import RETRY
from gateway.relay.delivery import Delivery, Event, Schedule, State, step
from gateway.relay.lanes import Attempt
from gateway.relay.message import Copy
from gateway.relay.verdict import refusal
from quarantine.case import union
from quarantine.policy import About, Finding, Policy
from quarantine.policy import Action as Ruled
from smtp import reply
from smtp.envelope import Notify, Recipient, Ret
from smtp.reply import Reply
from smtp.send.outgoing import Outgoing
from trust.decision import Action, Decision, Reason
from vault.database import Statement

GIVEN_UP_ON = Reply(
    451, "4.3.0", "The attempt was cut off several times; an operator must look at the message"
)

ATTEMPTS_LOST = "attempts-lost"
BACKED_OFF = "peer-backed-off"  # the reason of what waits because others could not reach its peer
# What only our own side must repair: the time that takes is not the message's (R-C5).
OUR_FAULT = frozenset(
    {
        Reason.LIST_STALE,
        Reason.LIST_MISSING,
        Reason.SENDER_AWAITS_APPROVAL,
        Reason.RECIPIENT_AWAITS_APPROVAL,
    }
)
_MOST_LOST = 3
_ALL = frozenset({Notify.SUCCESS, Notify.FAILURE, Notify.DELAY})
_NEVER = frozenset({Notify.NEVER})


class Notice(StrEnum):
    """What a sender is told by mail (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"
    DELIVERED = "delivered"
    HELD = "held"
    RELEASED = "released"
    UNCONFIRMED = "unconfirmed"


_ASKED = {
    Notice.FAILED: Notify.FAILURE,
    Notice.DELAYED: Notify.DELAY,
    Notice.RELAYED: Notify.SUCCESS,
    Notice.DELIVERED: Notify.SUCCESS,
    Notice.HELD: Notify.DELAY,
    Notice.RELEASED: Notify.DELAY,
    Notice.UNCONFIRMED: Notify.FAILURE,
}
_BAD_ENDS = frozenset({State.FAILED, State.EXPIRED, State.REFUSED, State.CANCELLED})


class Result(msgspec.Struct, frozen=True):
    """A copy, where it stands now, why, and what its sender is to be told."""

    copy: Copy
    after: Delivery
    reason: str = ""
    late: bool = False  # the delay has now lasted long enough to be told
    final: bool = True  # no report of the peer will follow
    also: Sequence[Statement] = ()  # what must happen with it
    sends: bool = False  # which puts something into the spool
    found: tuple[Finding, ...] = ()  # all of why it is held, where the reason is not all
    why: Why | None = None  # what its sender is told of a reviewer's decision
    answered: bool = False  # its sender reads why in a report of the recipient's program

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is so, each reason once."""
        return union([one.reason] for one in self.found) or (self.reason,)

    @property
    def notice(self) -> Notice | None:
        """What its sender is told by mail, if it asked for that."""
        match self.after.state:
            case State.DELIVERED:
                notice = Notice.DELIVERED
            case State.RELAYED if self.final:
                notice = Notice.RELAYED
            case State.DEFERRED | State.FETCHING if self.late:
                notice = Notice.DELAYED
            case State.HELD:
                notice = Notice.HELD
            case State.UNCONFIRMED:
                notice = Notice.UNCONFIRMED
            case State.QUEUED if self.copy.delivery.state is State.HELD:
                notice = Notice.RELEASED
            case state if state in _BAD_ENDS:
                notice = Notice.FAILED
            case _:
                return None
        return notice if self.copy.wants(_ASKED[notice]) else None


def chance() -> float:
    """Throw the dice: a number from 0 up to, not including, 1."""
    return int.from_bytes(os.urandom(4)) / (1 << 32)


class Scale(msgspec.Struct, frozen=True):
    """What results are measured by: the schedule, the time, and the dice."""

    schedule: Schedule
    now: datetime
    chance: Callable[[], float]
    patience: frozenset[str] = frozenset()  # domains whose mail does not grow old: spool hold
    policy: Policy = msgspec.field(default_factory=Policy)

    def checked(self, copy: Copy, decision: Decision) -> Result | None:
        """Return what stops a copy before the attempt, or None: it may go."""
        if copy.delivery.lost >= _MOST_LOST:
            # Whatever it is that kills us, a person must see it: the gateway always starts.
            return self._stopped(copy, GIVEN_UP_ON, ATTEMPTS_LOST)
        match decision.action:
            case Action.ALLOW:
                return None
            case Action.REFUSE:
                after = step(copy.delivery, Event.DENIED, self.now, decision.reply)
                return Result(copy, after, decision.reason)
            case Action.HOLD:
                return self._stopped(copy, decision.reply, decision.reason)
        our_fault = decision.reason in OUR_FAULT
        return self.put_off(copy, decision.reply, decision.reason, our_fault=our_fault)

    def _stopped(self, copy: Copy, said: Reply, reason: str) -> Result:
        """Return what becomes of a copy that a person must see, unless a rule refuses it."""
        about = About(copy.message.mail.mail_from, copy.recipient.address, copy.message.door)
        refused = self.policy.judge([Finding(reason)], about).action is Ruled.REFUSE
        event = Event.DENIED if refused else Event.HOLD
        after = step(copy.delivery, event, self.now, refusal(reason) if refused else said)
        return Result(copy, replace(after, lost=0), reason)

    def answered(self, copy: Copy, said: Reply, *, dsn: bool) -> Result:
        """Return what a peer's reply makes of a copy."""
        if said.positive:
            after = step(copy.delivery, Event.ACCEPTED, self.now, said)
            return Result(copy, after, final=not dsn)
        if said.permanent:
            return Result(copy, step(copy.delivery, Event.REFUSED, self.now, said), "peer-refused")
        return self.put_off(copy, said, "peer-deferred")

    def confirmed(self, copy: Copy, said: Reply) -> Result:
        """Return what it makes of a copy that a peer's reply says it is in its mailbox."""
        return Result(copy, step(copy.delivery, Event.CONFIRMED, self.now, said), "reported")

    def stored(self, copy: Copy, said: Reply | None = None) -> Result:
        """Return what it makes of a copy that it is put into its mailbox."""
        return Result(copy, step(copy.delivery, Event.STORED, self.now, said))

    def refused(self, copy: Copy, said: Reply, reason: str) -> Result:
        """Return what it makes of a copy that it cannot be delivered, ever."""
        return Result(copy, step(copy.delivery, Event.REFUSED, self.now, said), reason)

    def lost(self, copy: Copy) -> Result:
        """Return what becomes of a copy whose attempt an error of ours cut off.

        It counts: a message that does this again and again goes to a person.
        """
        lost = replace(copy.delivery, lost=copy.delivery.lost + 1)
        return self.put_off(replace(copy, delivery=lost), reply.LOCAL_ERROR, "gateway-error")

    def put_off(
        self,
        copy: Copy,
        said: Reply,
        reason: str,
        *,
        not_before: datetime | None = None,
        our_fault: bool = False,
    ) -> Result:
        """Return what becomes of a copy that may yet be delivered: later, or too late.

        For a peer that an operator has patience with it is never too late.
        """
        arrived = copy.message.arrived
        our_fault = our_fault or copy.domain in self.patience
        after = self.schedule.put_off(
            copy.delivery,
            arrived,
            self.now,
            said,
            chance=self.chance(),
            not_before=not_before,
            our_fault=our_fault,
        )
        if copy.message.summary.critical and after.state is State.DEFERRED and after.due:
            after = replace(after, due=min(after.due, self.now + RETRY))
        if self.schedule.late(after, arrived, self.now):
            return Result(copy, replace(after, warned=True), reason, late=True)
        return Result(copy, after, reason)


def outgoing(attempt: Attempt, copies: tuple[Copy, ...]) -> Outgoing:
    """Return a message as its MAIL and RCPT commands will say it.

    We ask for reports whatever the sender asked, for the receipts' sake, and pass on or consume
    them as it did; never about a report (RFC 3461 §4.1, §5.2).
    """
    mail = attempt.message.mail
    report = mail.mail_from is None
    return Outgoing(
        mail_from=mail.mail_from,
        recipients=tuple(
            Recipient(
                copy.recipient.address,
                _NEVER if report else _ALL,
                None if report else original(copy.recipient),
            )
            for copy in copies
        ),
        size=attempt.message.size,
        body=mail.body,
        smtputf8=mail.smtputf8,
        envid=None if report else attempt.message.envid,
        ret=None if report else (mail.ret or Ret.HDRS),
        transfer=attempt.message.id,
        again=any(copy.delivery.attempts > 1 or copy.delivery.lost for copy in copies),
    )


def original(recipient: Recipient) -> str:
    """Return the original recipient that reports will quote (RFC 3461 §4.2)."""
    if recipient.orcpt is not None:
        return recipient.orcpt
    return f"{'rfc822' if recipient.address.isascii() else 'utf-8'};{recipient.address}"
