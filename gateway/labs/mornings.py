"""In the morning a watched folder has one file more: what of the night must go another way.

At a set hour by the house's clock, once a day, from where the last one ended: a gateway that was away
at that hour writes it as soon as it is back, and nothing falls between two of them. R-F1.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from gateway.labs.morning import as_csv
from gateway.labs.night import Night
from gateway.labs.shelf import Shelf
from gateway.labs.telling import Telling
from gateway.relay.desk import Desk
from smtp.address import Address
from vault.database import Database, Statement

_POLL = 30.0


def last(now: datetime, at: time) -> datetime:
    """Return when it was that hour for the last time, by the house's clock."""
    here = now.astimezone()
    day = here.date() if here.time() >= at else here.date() - timedelta(days=1)
    return datetime.combine(day, at).astimezone().astimezone(UTC)


@dataclass(slots=True)
class Mornings:
    """One a watched folder that has an hour; ``run`` is a task of the gateway's group."""

    name: str
    path: Path
    mailbox: Address
    at: time
    unconfirmed: timedelta
    desk: Desk
    night: Night
    _operators: Telling = field(init=False)

    def __post_init__(self) -> None:
        self._operators = Telling(self.desk, {"folder": self.name})

    async def run(self) -> None:
        """Look for ever; a folder that is away is looked for again."""
        while True:
            await self.look()
            await asyncio.sleep(_POLL)

    async def look(self) -> bool:
        """Do a round; that the folder is away is told."""
        try:
            return await self.round()
        except OSError as error:
            self._operators.once("morning.unwritten", type(error).__name__)
            return False

    async def round(self) -> bool:
        """Write the file if it is time; return whether it was."""
        database, upto = self.desk.books.database, last(self.desk.clock(), self.at)
        since = self._upto(database)
        if since is not None and since >= upto:
            return False
        if since is not None:
            found = await self.night.of([self.mailbox], since, upto, self.unconfirmed)
            name = f"{upto.astimezone():%Y-%m-%d}.csv"
            await asyncio.to_thread(self._write, name, as_csv(found.told()).encode())
            account = found.account
            facts = {"results": account.results, "another_way": account.another_way}
            self.desk.on_event(
                "morning.written", {"folder": self.name, **facts, "earlier": account.earlier}
            )
        # After the file: a crash in between writes it once more, under the same name.
        keeping = Statement(
            "INSERT INTO morning (door, upto) VALUES (?, ?)"
            " ON CONFLICT (door) DO UPDATE SET upto = excluded.upto",
            (self.name, upto.timestamp()),
            expect=1,
        )
        await database.commit([keeping])
        return since is not None

    def _upto(self, database: Database) -> datetime | None:
        """Return where the last one ended; None: there was none, and this folder begins today."""
        rows = database.read("SELECT upto FROM morning WHERE door = ?", (self.name,))
        return datetime.fromtimestamp(rows[0][0], UTC) if rows else None

    def _write(self, name: str, content: bytes) -> None:
        shelf = Shelf.open(self.path)
        try:
            shelf.tell_morning(name, content)
        finally:
            shelf.close()
