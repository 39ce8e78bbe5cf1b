"""Critical results that do not arrive: somebody is told, by name, before anybody looks.

At the time agreed whatever has not arrived counts as lost, and so does a failure before it. The
sender's software is told by a receipt, operators by an alert that stands until one of them notes that
it is taken care of, and that the named person is owed a letter is noted: all in one transaction, once
for each copy. A letter is written at once, and in a night where everything fails one a minute, of all
that came meanwhile: who is on call must be able to read it. R-F1, R-C5.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from msgspec import structs

from gateway.receipts.bounce import Why, why
from gateway.receipts.receipt import Kind
from gateway.relay import ambiguous
from gateway.relay.critical import ESCALATED, Missing, words
from gateway.relay.criticals import Critical, Criticals
from gateway.relay.delivery import State
from gateway.relay.desk import Desk
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from smtp.address import Address
from smtp.reply import spoken
from vault.database import Statement
from vault.errors import Conflict

_POLL = 2.0  # seconds; a look at nothing is one indexed read
_FEW = 50  # results of one look
_LISTED = 20  # of those that one letter is about, named in it
_PAUSE = timedelta(minutes=1)  # between two letters to one person
_LATE = Why(
    "aucune réponse définitive dans le délai ; il peut encore arriver",
    "no final answer in time; it may still arrive",
)
_SINCE = Why("arrivé entre-temps", "arrived meanwhile")
_BAD = frozenset({State.FAILED, State.EXPIRED, State.REFUSED, State.CANCELLED, State.UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class Escalating:
    """One a gateway; ``run`` is a task of its group."""

    desk: Desk
    notices: Notices
    criticals: Criticals
    site: str
    wake: Callable[[], None] = lambda: None  # there is mail to carry
    shown: Callable[[str], str] = str  # an address as it may leave the house
    _wrote: dict[Address, datetime] = field(default_factory=dict)  # to whom, when last

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if await self.round() < _FEW:
                await asyncio.sleep(_POLL)

    async def round(self) -> int:
        """Tell of what did not arrive, and let go of what did; return how many were told of."""
        told = 0
        for id_ in self.criticals.look(self.desk.clock(), _FEW):
            try:
                told += await self._one(self.criticals.opened(id_))
            except Conflict:
                continue  # it moved at this very moment: the next look sees how
            except Exception as error:  # noqa: BLE001 - one message stops no other
                self.desk.on_event("critical.crashed", {"exception": error, "message": id_})
        if told < _FEW:  # else there are more, for the same letter
            await self._write()
        return told

    async def _one(self, one: Critical) -> bool:
        copies = self.desk.books.spool.copies(one.id)
        late = self.desk.clock() >= one.due
        fresh = [c for c in copies if c.delivery.id not in one.facts.told and _lost(c, late=late)]
        refused = [each for each in one.facts.refused if each[0] not in one.facts.told]
        after = one
        statements: list[Statement] = []
        if fresh or refused:
            after, statements = self._escalated(one, fresh, refused)
        watched = any(
            copy.delivery.state is not State.DELIVERED and copy.delivery.id not in after.facts.told
            for copy in copies
        )
        if after is one and watched:
            return False
        moving = self.criticals.moving(one, after, watched=watched, owed=bool(statements) or None)
        await self.desk.books.database.commit([moving, *statements])
        if not statements:
            return False
        self.desk.metrics.events.labels("critical.escalated").inc()
        self.desk.books.outbox.bell.set()
        return True

    def _escalated(
        self, one: Critical, copies: Sequence[Copy], refused: Sequence[tuple[str, str]]
    ) -> tuple[Critical, list[Statement]]:
        """Return it as told of, with all that tells it."""
        books, now, facts = self.desk.books, self.desk.clock(), one.facts
        care = self.desk.urgency.of(facts.sender)
        told = (*facts.told, *(copy.delivery.id for copy in copies), *(each[0] for each in refused))
        facts = structs.replace(facts, told=told, person=care.person, by="", note="")
        after = replace(one, escalated=one.escalated or now, acknowledged=None, facts=facts)
        statements = [
            statement
            for copy in copies
            for statement in books.receipt(copy, copy.delivery, ESCALATED, Kind.ESCALATED)
        ]
        statements.append(
            books.journal.entry(
                now,
                "critical.escalated",
                "gateway",
                message=one.id,
                who=facts.sender,
                person=care.person,
                recipients=len(copies) + len(refused),
            )
        )
        return after, statements

    async def _write(self) -> None:
        """Write to the persons: at once, then once a minute, of all that came meanwhile."""
        for sender, many in self.criticals.owed():
            try:
                await self._written(sender, many)
            except Conflict:
                continue  # one was taken care of at this very moment
            except Exception as error:  # noqa: BLE001 - one sender's stop no other's
                self.desk.on_event("critical.crashed", {"exception": error})

    async def _written(self, sender: bytes, many: int) -> None:
        found, now = self.criticals.owing(sender, _LISTED), self.desk.clock()
        if not found:  # somebody takes care of all of them by now, or they do not open
            return
        care = self.desk.urgency.of(found[0].facts.sender)
        # A clock that was set back silences nobody.
        if any(abs(now - self._wrote[to]) < _PAUSE for to in care.mail if to in self._wrote):
            return
        subject, text = words(care.person, [*map(self._missing, found)], many, self.site)
        statements = [self.criticals.written(sender, many)]
        for to in care.mail:
            statements += await self.notices.alerting(to, subject, text)
        await self.desk.books.database.commit(statements)
        self._wrote.update(dict.fromkeys(care.mail, now))
        self.wake()

    def _missing(self, one: Critical) -> Missing:
        """Return who does not have a result, as its person reads it."""
        facts = one.facts
        copies = self.desk.books.spool.copies(one.id)
        left = (
            *((c.recipient.address, _why(c)) for c in copies if c.delivery.id in facts.told),
            *((whom, _said(said)) for whom, said in facts.refused),
        )
        return Missing(
            facts.sender,
            facts.reference,
            one.arrived,
            tuple((self.shown(ambiguous.shown(Address(whom))), *because) for whom, because in left),
        )


def _lost(copy: Copy, *, late: bool) -> bool:
    state = copy.delivery.state
    return state in _BAD or (late and state is not State.DELIVERED)


def _said(words: str) -> Why:
    """Return what somebody was refused for; of a file, what was wrong with it."""
    said = spoken(words)
    return Why(words, words) if said is None else why(said)


def _why(copy: Copy) -> Why:
    if copy.delivery.state is State.DELIVERED:
        return _SINCE
    return why(copy.delivery.said) if copy.delivery.state in _BAD else _LATE
