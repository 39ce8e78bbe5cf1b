"""What software is told when a copy moves: at most one last answer, and a word if that was wrong.

A laboratory's software acts on the last answer: it prints and posts what did not arrive. So one
comes within the time it was promised, a failure after it is told as *corrected*, and a success after
it is told to nobody: whoever acted on the answer has done what was to be done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.receipts.receipt import Kind
from gateway.relay.delivery import TRANSITIONS, Delivery, Event, State, step
from smtp.reply import TOO_LATE
from trust.addresses import Kind as Mailbox

HEADER = "x-sceau-deadline"  # seconds, of this message alone
REASON = "deadline"

LAST = frozenset({Kind.DELIVERED, Kind.FAILED, Kind.EXPIRED, Kind.REFUSED, Kind.UNCONFIRMED})

_KINDS = {
    State.RELAYED: Kind.RELAYED,
    State.DELIVERED: Kind.DELIVERED,
    State.FAILED: Kind.FAILED,
    State.EXPIRED: Kind.EXPIRED,
    State.REFUSED: Kind.REFUSED,
    State.HELD: Kind.HELD,
    State.CANCELLED: Kind.FAILED,
    State.UNCONFIRMED: Kind.UNCONFIRMED,
}
_ANSWERED = frozenset({State.UNCONFIRMED, State.DELIVERED})
_LEAST = timedelta(minutes=1)
_DIGITS = 7  # of a deadline: 115 days


def kind(before: State, after: State) -> Kind | None:
    """Return which receipt it calls for that a copy moved, if any."""
    if before in _ANSWERED:
        return Kind.CORRECTED if after is State.FAILED else None
    if before is State.HELD and after is State.QUEUED:
        return Kind.RELEASED
    return _KINDS.get(after)


@dataclass(frozen=True, slots=True)
class Terms:
    """Within which time senders are promised a last answer."""

    software: timedelta | None = None  # those whose mailbox is an application's; None: nobody

    def deadline(self, mailbox: Mailbox, asked: bytes | None, arrived: datetime) -> datetime | None:
        """Return until when a message's last answers must be given; None: no time was promised.

        ``asked`` is what its header says. What cannot be read there asks for nothing.
        """
        within = self.software if mailbox is Mailbox.APP else None
        digits = (asked or b"").strip()
        if digits.isdigit() and len(digits) <= _DIGITS:
            within = max(timedelta(seconds=int(digits)), _LEAST)
        return None if within is None else arrived + within


def concluded(delivery: Delivery, now: datetime) -> Delivery | None:
    """Return where a copy stands once its time is up; None: an attempt has it, or it has ended."""
    if (delivery.state, Event.DEADLINE) not in TRANSITIONS:
        return None
    said = delivery.said if delivery.state is State.RELAYED else TOO_LATE
    return step(delivery, Event.DEADLINE, now, said)
