"""The queue of cases, page by page: what a reviewer looks through, however many there are.

What waits comes the longest first, what was decided the latest first. Only rows are read, in a
thread; nothing sealed is opened. A page is one walk along one index.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from quarantine.case import State, union
from vault.database import Database, Row


class Which(StrEnum):
    """Which cases."""

    HELD = "held"
    DECIDED = "decided"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Summary:
    """One case as a list shows it."""

    id: str
    message: str
    state: State
    opened: datetime
    expires: datetime
    decided: datetime | None
    preserved: bool
    reasons: tuple[str, ...]
    recipients: int  # copies that were held
    waiting: int
    delivery: str  # one of them


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases, and the last of them if more follow; else ""."""

    cases: tuple[Summary, ...]
    after: str


# What to walk along, and which way.
_WAYS = {
    Which.HELD: ("opened", "state = 'held'", ">", "ASC"),
    Which.DECIDED: ("decided", "state <> 'held'", "<", "DESC"),
    Which.ALL: ("opened", "1", "<", "DESC"),
}


@dataclass(frozen=True, slots=True)
class Queue:
    """Reads of the tables ``hold`` and ``held``."""

    database: Database

    async def page(
        self,
        which: Which = Which.HELD,
        *,
        after: str = "",
        limit: int = 50,
        state: State | None = None,
        reason: str = "",
    ) -> Page:
        """Return the cases that follow another; of one state, or held for one reason.

        One that is there no more is followed by the first.
        """
        column, where, beyond, order = _WAYS[which]
        clauses, args = [where], list[object]()
        for (at,) in self.database.read(f"SELECT {column} FROM hold WHERE id = ?", (after,)):  # noqa: S608 - constants only
            clauses.append(f"({column}, id) {beyond} (?, ?)")
            args += [at, after]
        if state is not None:
            clauses.append("state = ?")
            args.append(state.value)
        if reason:
            clauses.append(
                "EXISTS (SELECT 1 FROM held WHERE hold = hold.id"
                " AND instr(' ' || reasons || ' ', ' ' || ? || ' '))"
            )
            args.append(reason)
        rows = await self.database.query(
            "SELECT id, message, state, opened, expires, decided, preserved IS NOT NULL"  # noqa: S608 - constants only
            f" FROM hold WHERE {' AND '.join(clauses)} ORDER BY {column} {order}, id {order} LIMIT ?",
            (*args, limit + 1),
        )
        more = len(rows) > limit
        rows = rows[:limit]
        return Page(
            tuple([await self._summary(row) for row in rows]),
            rows[-1][0] if more else "",
        )

    async def _summary(self, row: Row) -> Summary:
        name, message, state, opened, expires, decided, preserved = row
        copies = await self.database.query(
            "SELECT reasons, state = 'held', count(*), min(delivery) FROM held WHERE hold = ?"
            " GROUP BY reasons, state ORDER BY 2 DESC, min(since)",
            (name,),
        )
        waiting = [copy for copy in copies if copy[1]]
        return Summary(
            id=name,
            message=message,
            state=State(state),
            opened=_time(opened),
            expires=_time(expires),
            decided=None if decided is None else _time(decided),
            preserved=bool(preserved),
            reasons=union(copy[0].split() for copy in waiting or copies),
            recipients=sum(copy[2] for copy in copies),
            waiting=sum(copy[2] for copy in waiting),
            delivery=copies[0][3],
        )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
