"""Mail of our own, claimed as it enters the spool: the courier need not look for it, nor open it.

A report that is written when an attempt is recorded can go at once if there is room, as a message can
that comes in by a door. Its row says from the first that an attempt has it, until when; a crash in
between needs no other recovery than that time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from gateway.relay.delivery import Event, step
from gateway.relay.lanes import AtHand
from gateway.relay.message import Copy


class Onward(Protocol):
    """Who takes messages on from here (``courier``)."""

    def room(self, domains: Iterable[str]) -> datetime | None:
        """Until when mail for these may be claimed at once, or None: not now."""

    def carry(self, copies: Sequence[Copy], at_hand: AtHand) -> None:
        """These were committed as claimed; of the message, what need not be opened again."""


@dataclass(slots=True)
class Claims:
    """What one transaction puts into the spool, to be carried once it is committed."""

    onward: Onward
    waits: bool = False  # some of it must be claimed in its turn
    _taken: list[tuple[Copy, bytes]] = field(default_factory=list)

    def claimed(self, queued: Copy, content: bytes) -> Copy:
        """Return a copy as it enters the spool: claimed, if it can go at once."""
        lease = self.onward.room((queued.domain,))
        if lease is None:
            self.waits = True
            return queued
        one = queued.delivery
        copy = replace(queued, delivery=step(one, Event.ATTEMPT, one.changed, due=lease))
        self._taken.append((copy, content))
        return copy

    def hand_over(self) -> None:
        """Have carried what was claimed: it is committed now."""
        for copy, content in self._taken:
            self.onward.carry((copy,), AtHand(content))
