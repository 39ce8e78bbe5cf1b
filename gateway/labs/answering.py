"""What became of a watched folder's results, written beside them while others are taken.

The last answer of each message that nothing more will become of, and what recipients' software made
of it. Nothing is said of a file before its first answer lies there; what was written and not yet noted is
written again. docs/laboratories.md. R-I4, R-J5.
"""

import asyncio
from dataclasses import dataclass, field

from gateway.labs import answers
from gateway.labs.names import Answer
from gateway.labs.offering import Offering
from gateway.labs.shelf import Beside, Shelf
from gateway.labs.telling import Telling
from gateway.labs.watched import Watched
from gateway.relay.applications import Applications
from gateway.relay.desk import Desk
from gateway.relay.spool import OPEN
from vault.database import Statement

_MOST = 500  # last answers of one look


@dataclass(slots=True)
class Answering:
    """One a watched folder; ``run`` is a task of the gateway's group."""

    watched: Watched
    desk: Desk
    offering: Offering
    _operators: Telling = field(init=False)

    def __post_init__(self) -> None:
        self._operators = Telling(self.desk, {"folder": self.watched.name})

    async def run(self) -> None:
        """Look for ever; a folder that is away, or full, is looked at again."""
        while True:
            written = 0
            try:
                written = await self.round()
            except OSError as error:
                self._operators.once("folder.put_off", type(error).__name__)
            if written < _MOST:
                await asyncio.sleep(self.watched.poll)

    async def round(self) -> int:
        """Write what can be said now; return how many last answers that were."""
        shelf = await asyncio.to_thread(Shelf.open, self.watched.path)
        try:
            unanswered = {each.mark for each in await asyncio.to_thread(shelf.claims)}
            written = await self._conclude(shelf, unanswered)
            await self._answer(shelf, unanswered)
        finally:
            shelf.close()
        return written

    async def _conclude(self, shelf: Shelf, unanswered: set[str]) -> int:
        """Write the last answer of each message that nothing more will become of."""
        now = self.desk.clock()
        offers = self.offering.offers
        settled = await offers.settled(self.watched.name, now - self.watched.unconfirmed, _MOST)
        last: list[tuple[Beside, Statement]] = []
        for row in [*settled, *await offers.corrected(self.watched.name)]:
            if row.facts.claim in unanswered:  # the first answer comes before the last
                continue
            copies = self.offering.copies(row)
            if any(copy.delivery.state in OPEN for copy in copies):
                continue  # one was taken before, with another message, and is still on its way
            which, content = answers.last(row, copies, now)
            telling = offers.telling(row.id, now, row.corrected)
            told = answers.ended(row, which, copies, now)
            last.append((Beside(row.facts.name, which, content, (), told), telling))
        if last:
            await asyncio.to_thread(shelf.answer_all, [beside for beside, _ in last])
            await offers.database.commit([telling for _, telling in last])
        return len(last)

    async def _answer(self, shelf: Shelf, unanswered: set[str]) -> None:
        """Write down what the recipients' software made of results, whenever it says so."""
        now, books = self.desk.clock(), self.desk.books
        applications = Applications(books.database)
        found = await applications.untold(self.watched.name)
        rows = self.offering.offers.became(found)
        for message in found:
            copies = books.spool.copies(message)
            said = applications.of(copy.delivery.id for copy in copies)
            upto = max(one.at for one in said.values() if one.at is not None)
            row = rows[message]
            if row.facts.claim in unanswered:  # whose first answer would take its place
                continue
            content = answers.answered(row, copies, said, now)
            beside = Beside(
                row.facts.name, Answer.ANSWERED, content, (), answers.applied(row, said, now)
            )
            await asyncio.to_thread(shelf.answer_all, [beside])
            await books.database.commit([applications.telling(message, upto)])
