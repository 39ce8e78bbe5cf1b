"""The ways out, one lane a peer: its connections, what waits for them, and its back-off.

A peer that cannot be reached is asked again by one message at a time, and everybody else's mail
for it waits without knocking: it is backed off once, not once a message, and what waits is put off
together. Connections are kept for
the next message, because a mutual TLS handshake costs more than the message.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from gateway.relay.delivery import Schedule
from gateway.relay.message import Copy, Message
from gateway.relay.routes import Route
from imap.index import Index
from smtp.envelope import Ret
from smtp.message.header import Header
from smtp.reply import Reply
from smtp.send.client import UNREACHABLE
from smtp.send.outgoing import Offer, Outcome, Outgoing

_DEEP = 16  # attempts in hand for each connection, so that none waits for the database
_READ = 8  # octets of memory for one of a header, or of a structure
_LONGEST = 3  # the step of the retry schedule that a peer's back-off stays at


class Link(Protocol):
    """What we need of an open connection (``smtp.send.client.Connection``)."""

    certificate: bytes
    idle_since: float

    @property
    def usable(self) -> bool:
        """Another message may be sent over it."""

    @property
    def offer(self) -> Offer:
        """What the peer said of itself at EHLO."""

    @property
    def recipients_max(self) -> int | None:
        """How many recipients the peer takes at once, if it told."""

    async def send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        """Send one message."""

    async def close(self) -> None:
        """Say goodbye."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What mail programs will ask of a message, and what it asks itself."""

    header: Header
    index: Index


@dataclass(frozen=True, slots=True)
class AtHand:
    """What intake has just had in hand of a message, so that it is not opened again."""

    content: bytes | None = field(default=None, repr=False)  # all of it, if it is short
    letter: Letter | None = field(default=None, repr=False)  # if a mailbox of ours is to have it

    @property
    def octets(self) -> int:
        """About what it costs to keep: what was read of a header, or of a part, several times it."""
        read = 0
        if self.letter is not None:
            read = len(self.letter.header.raw) + len(self.letter.index.bodystructure)
        return len(self.content or b"") + _READ * read


NOTHING = AtHand()


@dataclass(frozen=True, slots=True)
class Attempt:
    """The copies of one message for one domain: they travel together."""

    message: Message
    domain: str
    copies: tuple[Copy, ...]
    at_hand: AtHand = NOTHING

    @property
    def content(self) -> bytes | None:
        """The whole message, if it is at hand."""
        return self.at_hand.content

    @property
    def returned(self) -> bytes | None:
        """As much of the message as a report gives back, if that is at hand."""
        letter = self.at_hand.letter
        if self.content is None and letter and self.message.mail.ret is not Ret.FULL:
            return letter.header.raw
        return self.content

    @property
    def urgent(self) -> bool:
        """Whether it goes before the others."""
        return self.message.summary.critical


@dataclass(frozen=True, slots=True)
class Pause:
    """A peer that is backed off: until when nobody knocks, and why."""

    until: datetime
    said: Reply


@dataclass(slots=True)
class Lane:
    """One peer, or our own mailboxes."""

    route: Route
    width: int  # connections at once
    waiting: deque[Attempt] = field(default_factory=deque)
    idle: list[Link] = field(default_factory=list)
    workers: int = 0
    failures: int = 0  # times in a row that it could not be reached
    opens: datetime | None = None  # it is backed off until then
    said: Reply = UNREACHABLE  # why

    def __repr__(self) -> str:
        state = f"backed off until {self.opens}" if self.opens else "open"
        return f"<Lane {self.route} {state}, {len(self.waiting)} waiting, {self.workers} at work>"

    @property
    def wants_worker(self) -> bool:
        """There is work that nobody does, and room: a peer in doubt is probed by one alone."""
        return bool(self.waiting) and self.workers < self._most

    @property
    def keeps_worker(self) -> bool:
        """None of those at work is too many."""
        return self.workers <= self._most

    @property
    def _most(self) -> int:
        return 1 if self.failures else self.width

    @property
    def full(self) -> bool:
        """As much is in hand for it as will keep its connections busy; the rest stays in rows."""
        return len(self.waiting) >= _DEEP * self.width

    @property
    def deserted(self) -> bool:
        """Nothing about it needs remembering."""
        return not (self.waiting or self.idle or self.workers or self.failures)

    def put(self, one: Attempt) -> None:
        """Let an attempt wait its turn; an urgent one before all that are not, and nobody pauses."""
        if not one.urgent:
            self.waiting.append(one)
            return
        before = sum(1 for _ in takewhile(lambda each: each.urgent, self.waiting))
        self.waiting.insert(before, one)
        self.opens = None

    def take(self) -> Attempt | None:
        """Return the next attempt."""
        return self.waiting.popleft() if self.waiting else None

    def drained(self) -> list[Attempt]:
        """Return all attempts that wait."""
        found = list(self.waiting)
        self.waiting.clear()
        return found

    def closed(self, now: datetime) -> bool:
        """Whether nobody may knock now."""
        return self.opens is not None and now < self.opens

    def pause(self, now: datetime) -> Pause | None:
        """Return until when nobody may knock, and why; None: one may."""
        if self.opens is None or now >= self.opens:
            return None
        return Pause(self.opens, self.said)

    def reached(self) -> bool:
        """Note that the peer answered; return whether it had been away."""
        was_away = self.failures > 0
        self.failures, self.opens = 0, None
        return was_away

    def failed(self, said: Reply, schedule: Schedule, now: datetime, chance: float) -> None:
        """Note that the peer could not be reached, and back off a little longer each time."""
        if self.closed(now):
            return  # several knocked at once: one failure
        self.failures += 1
        self.said = said
        self.opens = now + schedule.pause(min(self.failures, _LONGEST), chance)

    def reusable(self, fit: Callable[[Link], bool]) -> Link | None:
        """Return an open connection, the most recently used one, that is fit for the next message."""
        for place in range(len(self.idle) - 1, -1, -1):
            if self.idle[place].usable and fit(self.idle[place]):
                return self.idle.pop(place)
        return None

    def tired(self, before: float) -> list[Link]:
        """Take out the connections that were last used before a time, or are closed."""
        gone = [link for link in self.idle if link.idle_since < before or not link.usable]
        self.idle = [link for link in self.idle if link not in gone]
        return gone
