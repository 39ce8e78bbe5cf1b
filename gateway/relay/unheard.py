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
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from smtp.envelope import Draft
from vault.database import Statement
from vault.errors import Conflict

_PAUSE = 1.0  # seconds in which what is heard is gathered, to be forgotten together
_ALL = "SELECT delivery FROM unheard ORDER BY delivery"
_ADD = "INSERT INTO unheard (delivery) VALUES (?)"
_FORGET = "DELETE FROM unheard WHERE delivery IN (SELECT value FROM json_each(?))"
_TAKE = "DELETE FROM unheard WHERE delivery = ?"


@dataclass(slots=True)
class Unheard:
    """The table ``unheard``; one a gateway, ``run`` is a task of its group."""

    desk: Desk
    notices: Notices
    wake: Callable[[], None]
    _said: dict[Draft, Sequence[DeliveryId]] = field(default_factory=dict, repr=False)
    _heard: list[DeliveryId] = field(default_factory=list, repr=False)
    _lost: list[DeliveryId] = field(default_factory=list, repr=False)
    _bell: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def adding(self, deliveries: Iterable[DeliveryId]) -> list[Statement]:
        """Return the statements that note of which deliveries a reply is about to tell."""
        return [Statement(_ADD, (one,)) for one in deliveries]

    def said(self, draft: Draft, deliveries: Sequence[DeliveryId]) -> None:
        """The reply to this transaction tells that these are delivered."""
        self._said[draft] = deliveries

    def heard(self, draft: Draft, *, certain: bool) -> None:
        """Their gateway has read that reply, or left and may not have."""
        found = self._said.pop(draft, ())
        if found:
            (self._heard if certain else self._lost).extend(found)
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
        spoken = {one for found in self._said.values() for one in found}
        waits = {*spoken, *self._heard, *self._lost}
        rows = self.desk.books.database.read(_ALL)
        self._lost += [DeliveryId(one) for (one,) in rows if one not in waits]

    async def settle(self) -> None:
        """Write down what is known by now."""
        self._bell.clear()
        heard, self._heard = self._heard, []
        if heard:
            await self.desk.books.database.commit([Statement(_FORGET, (json.dumps(heard),))])
        lost, self._lost = self._lost, []
        copies = self.desk.books.spool.several(lost) if lost else []
        for _, group in groupby(copies, key=lambda copy: copy.message.id):
            await self._report([*group])

    async def _report(self, copies: Sequence[Copy]) -> None:
        """Tell one message's sender by mail what its gateway may not have heard."""
        results = [Result(copy, copy.delivery) for copy in copies]
        reports = await self.notices.reporting(copies[0].message, results)
        taking = [Statement(_TAKE, (copy.delivery.id,), expect=1) for copy in copies]
        try:
            await self.desk.books.database.commit([*taking, *reports])
        except Conflict:  # it was heard after all: they asked again meanwhile
            return
        self.wake()
