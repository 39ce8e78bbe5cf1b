"""What operators put on record and may lift again, and never remove: denials, legal holds.

Each row is sealed and bound to its number, and the numbers have no gap: who can write to the database
alone can neither change a row, nor take one away, unseen. R-C6, R-I2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

import msgspec

from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

K = TypeVar("K", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Noted(Generic[K]):
    """Who put what on record, when and why; and who lifted it."""

    id: int
    kind: K
    what: str  # in its one form
    reason: str
    actor: str
    at: datetime
    lifted: datetime | None = None
    lifted_by: str = ""


class _Facts(msgspec.Struct, frozen=True):
    kind: str
    what: str
    reason: str
    actor: str
    at: float
    lifted: float | None
    lifted_by: str


class Row(NamedTuple, Generic[K]):
    """One row by its number; None: it does not open."""

    id: int
    noted: Noted[K] | None


@dataclass(frozen=True, slots=True)
class Register(Generic[K]):
    """One table of these: short, so it is read whole."""

    database: Database
    ring: KeyRing
    table: str
    kinds: type[K]

    def rows(self) -> list[Row[K]]:
        """Return every row, those that were lifted too, oldest first."""
        rows = self.database.read(f"SELECT id, facts FROM {self.table} ORDER BY id")  # noqa: S608
        return [Row(number, self._opened(number, facts)) for number, facts in rows]

    def _opened(self, number: int, facts: bytes) -> Noted[K] | None:
        try:
            found = msgspec.json.decode(self.ring.open(facts, self._place(number)), type=_Facts)
            kind = self.kinds(found.kind)
        except (SealError, msgspec.MsgspecError, ValueError):
            return None
        lifted = None if found.lifted is None else datetime.fromtimestamp(found.lifted, UTC)
        at = datetime.fromtimestamp(found.at, UTC)
        return Noted(
            number, kind, found.what, found.reason, found.actor, at, lifted, found.lifted_by
        )

    async def add(  # noqa: PLR0917 - a row's own facts
        self,
        kind: K,
        what: str,
        reason: str,
        actor: str,
        now: datetime,
        also: Sequence[Statement],
    ) -> Noted[K]:
        """Put it on record; return once that is durable. ``Conflict``: somebody else was quicker."""
        ((last,),) = self.database.read(f"SELECT coalesce(max(id), 0) FROM {self.table}")  # noqa: S608
        made = Noted(int(last) + 1, kind, what, reason, actor, now)
        adding = f"INSERT INTO {self.table} (id, facts) VALUES (?, ?)"  # noqa: S608
        statement = Statement(adding, (made.id, self._sealed(made)), expect=1)
        await self.database.commit([statement, *also])
        return made

    async def lift(
        self, noted: Noted[K], actor: str, now: datetime, also: Sequence[Statement]
    ) -> Noted[K]:
        """Note that it no longer counts; return once that is durable."""
        ended = replace(noted, lifted=now, lifted_by=actor)
        lifting = f"UPDATE {self.table} SET facts = ? WHERE id = ?"  # noqa: S608
        statement = Statement(lifting, (self._sealed(ended), ended.id), expect=1)
        await self.database.commit([statement, *also])
        return ended

    def _sealed(self, noted: Noted[K]) -> bytes:
        facts = _Facts(
            noted.kind.value,
            noted.what,
            noted.reason,
            noted.actor,
            noted.at.timestamp(),
            noted.lifted.timestamp() if noted.lifted else None,
            noted.lifted_by,
        )
        return self.ring.seal(msgspec.json.encode(facts), self._place(noted.id))

    def _place(self, number: int) -> str:
        return f"{self.table}/{number}/facts"


def whole(rows: Sequence[Row[K]]) -> bool:
    """Whether no row is missing between the first and the last of them."""
    return [row.id for row in rows] == list(range(1, len(rows) + 1))
