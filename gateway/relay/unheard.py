"""Who was told at the door that a message arrived, and may not have heard it, has a report after all.

A 250 is lost with its connection; then their gateway asks again, but it may also give up before. So
each delivery of which the reply alone tells has a row, from the transaction that makes it until their
next command on that connection: they wait for a reply before they say more. If they leave without
another word, or this process dies, what the row stands for is reported by mail. docs/transfers.md.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from gateway.relay.delivery import DeliveryId
from gateway.relay.desk import Desk
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from smtp.envelope import Draft
from vault.database import Statement
from vault.errors import Conflict, Gone, SealError, VaultError

_PAUSE = 1.0  # seconds in which what is heard is gathered, to be forgotten together
_ALL = "SELECT delivery FROM unheard ORDER BY delivery"
_STANDING = "SELECT delivery FROM unheard WHERE delivery IN (SELECT value FROM json_each(?))"
_ADD = "INSERT INTO unheard (delivery) VALUES (?) ON CONFLICT DO NOTHING"
_FORGET = "DELETE FROM unheard WHERE delivery IN (SELECT value FROM json_each(?))"


@dataclass(slots=True)
class Unheard:
    """The table ``unheard``; one a gateway, ``run`` is a task of its group."""

    desk: Desk
    notices: Notices
    wake: Callable[[], None]
    # By the draft: of two that are the same, one has a report too many.
    _told: dict[Draft, Sequence[DeliveryId]] = field(default_factory=dict, repr=False)
    _heard: list[DeliveryId] = field(default_factory=list, repr=False)
    _lost: list[DeliveryId] = field(default_factory=list, repr=False)
    _bell: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def adding(self, deliveries: Iterable[DeliveryId]) -> list[Statement]:
        """Return the statements that note of which deliveries a reply is about to tell."""
        return [Statement(_ADD, (one,)) for one in deliveries]

    def told(self, draft: Draft, deliveries: Sequence[DeliveryId]) -> None:
        """The reply to this message tells that these are delivered."""
        self._told[draft] = deliveries

    def heard(self, draft: Draft, *, certain: bool) -> None:
        """Their gateway has read that reply, or left and may not have."""
        found = self._told.pop(draft, ())
        if not certain:
            self.missed(found)
        elif found:
            self._heard += found
            self._bell.set()

    def missed(self, deliveries: Iterable[DeliveryId]) -> None:
        """Nobody may have been told of these; of which of them there is a row is seen later."""
        self._lost += deliveries
        self._bell.set()

    async def run(self) -> None:
        """Forget what was heard, and report what was not, for ever; first, what an earlier run left."""
        self.resume()
        while True:
            await self.settle()
            await self._bell.wait()
            await asyncio.sleep(_PAUSE)

    def resume(self) -> None:
        """Take up what an earlier run left: whoever it spoke to may not have heard it."""
        spoken = {one for found in self._told.values() for one in found}
        waits = {*spoken, *self._heard, *self._lost}
        rows = self.desk.books.database.read(_ALL)
        self._lost += [DeliveryId(one) for (one,) in rows if one not in waits]

    async def settle(self) -> None:
        """Write down what is known by now; what cannot be written down stays known."""
        self._bell.clear()
        if heard := self._heard[:]:
            await self.desk.books.database.commit([Statement(_FORGET, (json.dumps(heard),))])
            del self._heard[: len(heard)]
        for message, group in groupby(sorted(set(self._lost)), key=_message):
            deliveries, done = [*group], True
            try:
                done = await self._report(deliveries)
            except Exception as error:  # one message stops no other
                if isinstance(error, VaultError) and not isinstance(error, Gone | SealError):
                    raise  # the machine's fault: the loop begins again, and takes all of it up
                self.desk.on_event("unheard.crashed", {"exception": error, "message": message})
            if done:
                self._lost = [one for one in self._lost if one not in deliveries]

    async def _report(self, deliveries: Sequence[DeliveryId]) -> bool:
        """Tell one message's sender by mail what its gateway may not have heard; say if that is done."""
        books = self.desk.books
        standing = [one for (one,) in books.database.read(_STANDING, (json.dumps(deliveries),))]
        if not standing:  # they asked again meanwhile, and heard
            return True
        copies = books.spool.several(standing)
        results = [Result(copy, copy.delivery) for copy in copies]
        reports = await self.notices.reporting(copies[0].message, results) if copies else []
        taking = Statement(_FORGET, (json.dumps(standing),), expect=len(standing))
        try:
            await books.database.commit([taking, *reports])
        except Conflict:  # another ``settle``, at the stop, was quicker: the next look has the rest
            self._bell.set()
            return False
        self.wake()
        return True


def _message(delivery: DeliveryId) -> str:
    return delivery.rpartition(".")[0]
