"""The table of quarantine cases, as statements and short reads.

One case a held delivery. The delivery keeps its own key to the sealed body while it is held, so a
case adds no copy and no second key. The reviewer's note lies sealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from quarantine.case import Case, State
from vault.database import Database, Statement
from vault.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Register:
    """The table ``hold``."""

    database: Database
    ring: KeyRing

    def holding(self, case: Case) -> Statement:
        """Return the statement that opens a case, for the transaction that holds its delivery."""
        return Statement(
            "INSERT INTO hold (id, delivery, state, reasons, opened, expires)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                case.id,
                case.delivery,
                case.state.value,
                " ".join(case.reasons),
                case.opened.timestamp(),
                case.expires.timestamp(),
            ),
            expect=1,
        )

    def deciding(self, case: Case) -> Statement:
        """Return the statement that records a decision; it fails if another was taken first."""
        assert case.decided is not None
        sealed = self.ring.seal(case.note.encode(), _place(case.id)) if case.note else None
        return Statement(
            "UPDATE hold SET state = ?, decided = ?, note = ? WHERE id = ? AND state = 'held'",
            (case.state.value, case.decided.timestamp(), sealed, case.id),
            expect=1,
        )

    def forgetting(self, before: datetime) -> Statement:
        """Return the statement that removes the cases that were decided before a time."""
        return Statement("DELETE FROM hold WHERE decided < ?", (before.timestamp(),))

    def find(self, case_id: str) -> Case | None:
        """Return a case by its id, or None."""
        rows = self.database.read(_SELECT + " WHERE id = ?", (case_id,))
        return self._case(rows[0]) if rows else None

    def of_delivery(self, delivery_id: str) -> Case | None:
        """Return the case of a delivery, or None if it was never held."""
        rows = self.database.read(
            _SELECT + " WHERE delivery = ?",
            (delivery_id,),
        )
        return self._case(rows[0]) if rows else None

    def cases(self, state: State = State.HELD, limit: int = 100) -> list[Case]:
        """Return the cases in a state, the longest open first."""
        rows = self.database.read(
            _SELECT + " WHERE state = ? ORDER BY opened LIMIT ?",
            (state.value, limit),
        )
        return [self._case(row) for row in rows]

    def overdue(self, now: datetime, limit: int = 100) -> list[Case]:
        """Return the held cases whose time is up."""
        rows = self.database.read(
            _SELECT + " WHERE state = 'held' AND expires <= ? ORDER BY opened LIMIT ?",
            (now.timestamp(), limit),
        )
        return [self._case(row) for row in rows]

    def _case(self, row: Sequence[object]) -> Case:
        case_id, delivery, state, reasons, opened, expires, decided, note = row
        assert note is None or isinstance(note, bytes)
        return Case(
            id=str(case_id),
            delivery=str(delivery),
            reasons=tuple(str(reasons).split()),
            opened=_time(opened),
            expires=_time(expires),
            state=State(str(state)),
            decided=None if decided is None else _time(decided),
            note=self.ring.open(note, _place(str(case_id))).decode() if note else "",
        )


_SELECT = "SELECT id, delivery, state, reasons, opened, expires, decided, note FROM hold"


def _place(case_id: str) -> str:
    return f"hold/{case_id}/note"


def _time(seconds: object) -> datetime:
    assert isinstance(seconds, float)
    return datetime.fromtimestamp(seconds, UTC)
