"""What software is told when a copy moves: at most one last answer, and a word if that was wrong.

A laboratory's software acts on the last answer: it prints and posts what did not arrive. So one
comes within the time it was promised, a failure after it is told as *corrected*, and a success after
it is told to nobody: whoever acted on the answer has done what was to be done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.receipts.receipt import Kind
from gateway.relay.delivery import TRANSITIONS, Delivery, Event, State, step
from smtp.message.header import Header
from smtp.reply import DEADLINE_UNREADABLE, TOO_LATE, Reply
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


def asked(header: Header) -> timedelta | Reply | None:
    """Return the time that a message asks for its own last answers, or why it cannot be read.

    Software that wrote it relies on it: what we cannot read we refuse, rather than promise less.
    """
    said = header.all(HEADER)
    if not said:
        return None
    if len(said) > 1 or not said[0].isdigit() or len(said[0]) > _DIGITS:
        return DEADLINE_UNREADABLE
    return max(timedelta(seconds=int(said[0])), _LEAST)


@dataclass(frozen=True, slots=True)
class Terms:
    """Within which time senders are promised a last answer."""

    software: timedelta | None = None  # those whose mailbox is an application's; None: nobody

    def deadline(
        self, mailbox: Mailbox, own: timedelta | None, arrived: datetime
    ) -> datetime | None:
        """Return until when a message's last answers must be given; None: no time was promised.

        ``own`` is the time that it asks for itself.
        """
        within = self.software if own is None and mailbox is Mailbox.APP else own
        return None if within is None else arrived + within


def concluded(delivery: Delivery, now: datetime) -> Delivery | None:
    """Return where a copy stands once its time is up; None: an attempt has it, or it has ended."""
    if (delivery.state, Event.DEADLINE) not in TRANSITIONS:
        return None
    said = delivery.said if delivery.state is State.RELAYED else TOO_LATE
    return step(delivery, Event.DEADLINE, now, said)
