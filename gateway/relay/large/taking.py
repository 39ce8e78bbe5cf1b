"""A stub at the door: what it stands for is noted with it, and fetched before anything else is done.

It is taken from another Sceau alone, which says so in MAIL and on top of the message; the two must
agree. Where the whole lies is never read from it: the trust list says which hosts are its sender's.
"""

from gateway.relay.arrival import Arrival
from gateway.relay.desk import Desk
from gateway.relay.large import stub
from gateway.relay.large.stub import Mark, StubError
from gateway.relay.message import Message
from gateway.relay.screening import Screened
from gateway.relay.verdict import RELAY
from smtp import reply
from smtp.reply import Reply
from vault.database import Statement

UNREADABLE = Reply(554, "5.6.0", "What it says of the message that it stands for makes no sense")


def announced(arrival: Arrival, desk: Desk) -> Mark | Reply | None:
    """Return what a message stands for, or why that cannot be; None: it is what it is."""
    size, peer = arrival.draft.mail.large, arrival.draft.peer
    if size is None:
        return None
    if desk.large is None or peer.listener != RELAY or arrival.draft.mail.mail_from is None:
        return UNREADABLE
    try:
        above, mark = stub.trace(arrival.top + arrival.block)
    except StubError:
        return UNREADABLE
    if mark.size != size or above != arrival.top:  # what is above is compared with nothing
        return UNREADABLE
    most = desk.large.settings.largest
    return mark if size <= most else reply.too_big(most)


def entering(arrival: Arrival, desk: Desk, message: Message, screened: Screened) -> list[Statement]:
    """Return the statement by which a message is first fetched, or looked into, if it is to be."""
    mark = announced(arrival, desk)
    if not isinstance(mark, Mark) or desk.large is None:
        return desk.screening.entering(message, screened)
    return [
        desk.large.fetches.entering(
            message.id,
            mark,
            message.arrived,
            findings=screened.findings,
            looked=screened.opened,
        )
    ]


def ring(desk: Desk, message: Message) -> None:
    """A message was committed that is fetched, or looked into."""
    if message.mail.large is not None and desk.large is not None:
        desk.large.fetches.bell.set()
    else:
        desk.screening.ring()
