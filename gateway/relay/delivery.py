"""One recipient's copy of a message: its states, what moves it, and when it is tried again.

::

                ┌───────────── LOST (a crash) ◄───────────┐      ┌► DELIVERED   our mailbox has it
    QUEUED ─ATTEMPT─► SENDING ──┬─ PUT_OFF ─► DEFERRED ─DUE─► QUEUED
      ▲                         ├─ STORED ─────────────────────► DELIVERED
      │                         ├─ ACCEPTED ─► RELAYED ─CONFIRMED► DELIVERED, BOUNCED ► FAILED
      │                         ├─ REFUSED ────────────────────► FAILED      the peer said 5yz
      │                         ├─ GAVE_UP ────────────────────► EXPIRED     too old
      │                         ├─ DENIED ─────────────────────► REFUSED     the trust list says no
      │                         └─ HOLD ─┐
      ├── RELEASED ──── HELD ◄───────────┴─ HOLD ── INSPECTING ── PASSED ─► QUEUED
      │                  ├─ DENIED ────────────────────────────► REFUSED     a reviewer says no
      │                  └─ GAVE_UP ───────────────────────────► EXPIRED     nobody reviewed it
    FETCHING ─ FETCHED ─► INSPECTING     the whole of it came from its sender's gateway
       ├─ REFUSED ─► FAILED   it is not there, or is not what it should be
       └─ GAVE_UP ─► EXPIRED  it did not come in time
    QUEUED, DEFERRED, HELD, INSPECTING, FETCHING ── CANCEL, DEADLINE ─► CANCELLED   somebody, or time
    RELAYED ── DEADLINE ───────────────────────────────────────► UNCONFIRMED it may have arrived
    UNCONFIRMED ── CONFIRMED ──────────────────────────────────► DELIVERED   late, told to nobody
    UNCONFIRMED, DELIVERED ── BOUNCED ─────────────────────────► FAILED      late, told as corrected

Another Sceau's 250 may say that it arrived, and a peer's report may overtake our own record of its
250: CONFIRMED and BOUNCED settle a delivery that is SENDING, or that was put off or lost after a 250
nobody read. What is not in the table is a bug. RFC 5321 §4.5.4, §6.1; RFC 3464; RFC 1047 (better twice than never).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, Self

import msgspec
from msgspec.structs import replace

from smtp.envelope import MessageId
from smtp.reply import Reply

DeliveryId = NewType("DeliveryId", str)  # "<message id>.<n>", n counted from 1


def delivery_id(message: MessageId, number: int) -> DeliveryId:
    """Name the n-th recipient's copy of a message."""
    return DeliveryId(f"{message}.{number}")


def holder(delivery: DeliveryId) -> str:
    """Return the name under which this copy holds the message's sealed body."""
    return f"delivery/{delivery}"


class State(StrEnum):
    """Where a recipient's copy stands."""

    QUEUED = "queued"  # waiting to be sent, now
    SENDING = "sending"  # an attempt has it, under a lease
    DEFERRED = "deferred"  # waiting to be sent, later
    FETCHING = "fetching"  # a stub came; the whole is fetched from its sender's gateway
    INSPECTING = "inspecting"  # its content is being looked at
    HELD = "held"  # in quarantine: a person decides
    RELAYED = "relayed"  # the peer's 250: theirs now, not yet known to have arrived
    DELIVERED = "delivered"  # in the recipient's mailbox
    FAILED = "failed"  # the peer will not have it
    EXPIRED = "expired"  # too old to try again
    REFUSED = "refused"  # we will not send it: the trust list, or a reviewer
    CANCELLED = "cancelled"  # an operator stopped it, or its sender's time was up
    UNCONFIRMED = "unconfirmed"  # the peer took it, and said nothing more in time


class Event(StrEnum):
    """What happens to a recipient's copy."""

    ATTEMPT = "attempt"
    STORED = "stored"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    BOUNCED = "bounced"
    PUT_OFF = "put-off"
    REFUSED = "refused"
    DENIED = "denied"
    GAVE_UP = "gave-up"
    LOST = "lost"
    DUE = "due"
    HOLD = "hold"
    FETCHED = "fetched"
    PASSED = "passed"
    RELEASED = "released"
    CANCEL = "cancel"
    DEADLINE = "deadline"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.ATTEMPT): State.SENDING,
    (State.QUEUED, Event.CONFIRMED): State.DELIVERED,
    (State.QUEUED, Event.BOUNCED): State.FAILED,
    (State.QUEUED, Event.CANCEL): State.CANCELLED,
    (State.SENDING, Event.STORED): State.DELIVERED,  # our own mailbox has it, durably
    (State.SENDING, Event.ACCEPTED): State.RELAYED,
    (State.SENDING, Event.CONFIRMED): State.DELIVERED,
    (State.SENDING, Event.BOUNCED): State.FAILED,
    (State.SENDING, Event.PUT_OFF): State.DEFERRED,  # 4yz, or no reply at all
    (State.SENDING, Event.REFUSED): State.FAILED,
    (State.SENDING, Event.DENIED): State.REFUSED,
    (State.SENDING, Event.HOLD): State.HELD,
    (State.SENDING, Event.GAVE_UP): State.EXPIRED,
    (State.SENDING, Event.LOST): State.QUEUED,
    (State.DEFERRED, Event.DUE): State.QUEUED,
    (State.DEFERRED, Event.CONFIRMED): State.DELIVERED,
    (State.DEFERRED, Event.BOUNCED): State.FAILED,
    (State.DEFERRED, Event.CANCEL): State.CANCELLED,
    (State.FETCHING, Event.FETCHED): State.INSPECTING,
    (State.FETCHING, Event.REFUSED): State.FAILED,
    (State.FETCHING, Event.GAVE_UP): State.EXPIRED,
    (State.FETCHING, Event.CANCEL): State.CANCELLED,
    (State.FETCHING, Event.DEADLINE): State.CANCELLED,
    (State.INSPECTING, Event.PASSED): State.QUEUED,
    (State.INSPECTING, Event.HOLD): State.HELD,
    (State.INSPECTING, Event.DENIED): State.REFUSED,
    (State.INSPECTING, Event.CANCEL): State.CANCELLED,
    (State.HELD, Event.RELEASED): State.QUEUED,
    (State.HELD, Event.DENIED): State.REFUSED,
    (State.HELD, Event.GAVE_UP): State.EXPIRED,
    (State.HELD, Event.CANCEL): State.CANCELLED,
    (State.RELAYED, Event.CONFIRMED): State.DELIVERED,  # the peer's DSN, by ENVID and ORCPT
    (State.RELAYED, Event.BOUNCED): State.FAILED,
    (State.QUEUED, Event.DEADLINE): State.CANCELLED,
    (State.DEFERRED, Event.DEADLINE): State.CANCELLED,
    (State.INSPECTING, Event.DEADLINE): State.CANCELLED,
    (State.HELD, Event.DEADLINE): State.CANCELLED,
    (State.RELAYED, Event.DEADLINE): State.UNCONFIRMED,
    (State.UNCONFIRMED, Event.CONFIRMED): State.DELIVERED,
    (State.UNCONFIRMED, Event.BOUNCED): State.FAILED,
    (State.DELIVERED, Event.BOUNCED): State.FAILED,
}

_IN_HAND = frozenset({Event.RELEASED, Event.PASSED})
_NO_TIME = timedelta()

_REPORTED = frozenset({Event.CONFIRMED, Event.BOUNCED})

# Nothing leaves these but what a peer reports after all.
FINAL = frozenset(State) - {state for state, event in TRANSITIONS if event not in _REPORTED}


class IllegalTransition(Exception):  # noqa: N818 - says it in full
    """An event met a state that the table does not give it: a bug, never a mail failure."""


class Delivery(msgspec.Struct, frozen=True):
    """One recipient's copy, as far as its state goes."""

    id: DeliveryId
    state: State
    changed: datetime
    expires: datetime
    due: datetime | None = None  # when the courier may take it; None: nothing to do
    attempts: int = 0
    lost: int = 0  # of these, how many a crash cut off
    warned: bool = False  # the sender was told of the delay
    said: Reply | None = None  # the last reply, theirs or ours


def step(
    delivery: Delivery,
    event: Event,
    now: datetime,
    said: Reply | None = None,
    due: datetime | None = None,
) -> Delivery:
    """Return the delivery after the event; ``due`` is for PUT_OFF and ATTEMPT (the lease's end).

    While a person, or a scanner, had it in hand its expiry clock stood still.
    """
    try:
        state = TRANSITIONS[delivery.state, event]
    except KeyError:
        raise IllegalTransition(f"{event} in {delivery.state}") from None
    return Delivery(
        id=delivery.id,
        state=state,
        changed=now,
        expires=delivery.expires + (now - delivery.changed if event in _IN_HAND else _NO_TIME),
        due=now if state is State.QUEUED else due,
        attempts=delivery.attempts + (event is Event.ATTEMPT),
        lost=delivery.lost + (event is Event.LOST),
        warned=delivery.warned,
        said=said or delivery.said,
    )


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to try again, when to tell the sender, when to give up (RFC 5321 §4.5.4.1)."""

    retry: tuple[timedelta, ...]
    jitter: float
    expire_after: timedelta
    delay_notice_after: timedelta

    @classmethod
    def of(
        cls, retry: Sequence[float], jitter: float, expire_after: float, delay_notice_after: float
    ) -> Self:
        """Make a schedule of seconds, as the settings have them."""
        return cls(
            tuple(timedelta(seconds=pause) for pause in retry),
            jitter,
            timedelta(seconds=expire_after),
            timedelta(seconds=delay_notice_after),
        )

    def pause(self, attempts: int, chance: float) -> timedelta:
        """Return how long to wait after the n-th attempt; ``chance`` in [0, 1) spreads it."""
        pause = self.retry[min(max(attempts, 1), len(self.retry)) - 1]
        return pause * (1 + self.jitter * (2 * chance - 1))

    def put_off(
        self,
        delivery: Delivery,
        arrived: datetime,
        now: datetime,
        said: Reply,
        *,
        chance: float,
        not_before: datetime | None = None,
        our_fault: bool = False,
    ) -> Delivery:
        """Return the delivery after an attempt that may succeed later: DEFERRED, or EXPIRED.

        ``not_before``: nobody knocked, because the peer is backed off until then; that does not
        count as an attempt. ``our_fault``: our own trust list is stale, and nothing else is wrong;
        the expiry clock stands still meanwhile.
        """
        if now >= delivery.expires and not our_fault:
            return step(delivery, Event.GAVE_UP, now, said)
        due = now + self.pause(delivery.attempts, chance)
        if not_before is not None:
            due = not_before
            delivery = replace(delivery, attempts=delivery.attempts - 1)
        notice = arrived + self.delay_notice_after
        if not delivery.warned and now < notice:
            due = min(due, notice)  # be there in time to tell the sender
        if our_fault:
            delivery = replace(delivery, expires=max(delivery.expires, now) + (due - now))
        # One last attempt falls on the expiry itself.
        return step(delivery, Event.PUT_OFF, now, said, due=min(due, delivery.expires))

    def late(self, delivery: Delivery, arrived: datetime, now: datetime) -> bool:
        """Say whether the sender must now be told of the delay: once, and only while it waits."""
        return (
            delivery.state is State.DEFERRED
            and not delivery.warned
            and now >= arrived + self.delay_notice_after
        )
