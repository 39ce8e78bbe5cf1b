"""The tables of quarantine cases: statements for a transaction, and reads.

A case is opened by the first copy of a message that is held, and joined by the others while it is
open: in SQL, so that two of them at once make one case. What was found, who decided and what they
wrote lie sealed; of the rows alone nobody learns more than the reasons, and a row that another hand
wrote releases nothing.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from quarantine.case import Case, Held, Ruling, State
from quarantine.policy import Finding
from vault.database import Database, Row, Statement
from vault.errors import SealError
from vault.keys import KeyRing

_OPEN = (
    "INSERT INTO hold (id, message, opened, expires) SELECT ?, message, ?, ? FROM delivery"
    " WHERE id = ? AND NOT EXISTS (SELECT 1 FROM hold"
    " WHERE hold.message = delivery.message AND hold.state = 'held')"
)
_JOIN = (
    "INSERT INTO held (id, hold, delivery, state, reasons, since, found)"
    " SELECT ?, hold.id, delivery.id, 'held', ?, ?, ? FROM delivery"
    " JOIN hold ON hold.message = delivery.message AND hold.state = 'held' WHERE delivery.id = ?"
)
_EXTEND = (
    "UPDATE hold SET expires = ? WHERE state = 'held'"
    " AND message = (SELECT message FROM delivery WHERE id = ?)"
)
_DECIDE = "UPDATE held SET state = ?, decided = ?, ruling = ? WHERE id = ? AND state = 'held'"
_CASE = "SELECT id, message, opened, expires, preserved FROM hold"
_COPIES = "SELECT id, delivery, state, reasons, since, found, ruling FROM held"
_OVERDUE = "SELECT id FROM hold WHERE state = 'held' AND expires <= ? ORDER BY expires LIMIT ?"
_PAST = (
    "SELECT decided, id FROM hold WHERE state <> 'held' AND decided < ?"
    " AND (decided, id) > (?, ?) AND preserved IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM held JOIN delivery ON delivery.id = held.delivery"
    " WHERE held.hold = hold.id AND delivery.state IN ('queued', 'sending', 'deferred',"
    " 'inspecting', 'held')) ORDER BY decided, id LIMIT ?"
)
_PRESERVE = "UPDATE hold SET preserved = ? WHERE id = ? AND preserved IS NULL"
_LIFT = "UPDATE hold SET preserved = ? WHERE id = ? AND preserved IS NOT NULL"
_REMOVE = (
    "DELETE FROM remark WHERE hold = ?",
    "DELETE FROM held WHERE hold = ?",
)
_REMOVE_CASE = "DELETE FROM hold WHERE id = ? AND state <> 'held' AND preserved IS NULL"


class _Words(msgspec.Struct, frozen=True):
    """A ruling, or a remark, as it is sealed: with the state that it led to."""

    by: str
    at: float
    note: str
    words: str = ""
    state: str = ""
    reasons: tuple[str, ...] = ()


_ENCODER = msgspec.json.Encoder()
_WORDS = msgspec.json.Decoder(_Words)
_FOUND = msgspec.json.Decoder(tuple[Finding, ...])


@dataclass(frozen=True, slots=True)
class Register:
    """The tables ``hold``, ``held`` and ``remark``."""

    database: Database
    ring: KeyRing

    def opening(
        self,
        delivery: str,
        reasons: tuple[str, ...],
        now: datetime,
        expires: datetime,
        found: Sequence[Finding] = (),
    ) -> list[Statement]:
        """Return the statements that open the case of a copy, or join it to its message's.

        Its time is then that of the copy that came last: each has as long as its sender was told.
        """
        one, case = _name(), _name()
        detail = self.ring.seal(_ENCODER.encode(tuple(found)), _place("held", one, "found"))
        return [
            Statement(_OPEN, (case, now.timestamp(), expires.timestamp(), delivery)),
            Statement(_EXTEND, (expires.timestamp(), delivery), expect=1),
            Statement(
                _JOIN,
                (one, " ".join(reasons), now.timestamp(), detail if found else None, delivery),
                expect=1,
            ),
        ]

    def deciding(self, one: Held) -> Statement:
        """Return the statement that records a decision; it fails if another was taken first."""
        assert one.ruling is not None
        return Statement(
            _DECIDE,
            (
                one.state.value,
                one.ruling.at.timestamp(),
                self._sealed(one.ruling, _place("held", one.id, "ruling"), one),
                one.id,
            ),
            expect=1,
        )

    def preserving(self, case: Case, ruling: Ruling | None) -> Statement:
        """Return the statement that puts a legal hold on a case, or lifts it."""
        sealed = self._sealed(ruling, _place("hold", case.id, "preserved")) if ruling else None
        return Statement(_LIFT if case.preserved else _PRESERVE, (sealed, case.id), expect=1)

    def remarking(self, case: str, ruling: Ruling) -> Statement:
        """Return the statement that adds a reviewer's words to a case."""
        name = _name()
        sealed = self._sealed(ruling, _place("remark", name, "facts"))
        return Statement(
            "INSERT INTO remark (id, hold, facts) VALUES (?, ?, ?)", (name, case, sealed), expect=1
        )

    def removing(self, case: str) -> list[Statement]:
        """Return the statements that remove a case that was decided and that nothing preserves."""
        return [
            *(Statement(sql, (case,)) for sql in _REMOVE),
            Statement(_REMOVE_CASE, (case,), expect=1),
        ]

    def find(self, case: str) -> Case | None:
        """Return a case by its id, or None."""
        rows = self.database.read(f"{_CASE} WHERE id = ?", (case,))
        return self._case(rows[0]) if rows else None

    def of_message(self, message: str) -> Case | None:
        """Return the case of a message that is open, or None."""
        rows = self.database.read(f"{_CASE} WHERE message = ? AND state = 'held'", (message,))
        return self._case(rows[0]) if rows else None

    def of_delivery(self, delivery: str) -> Case | None:
        """Return the newest case that a copy is or was in, or None if it was never held."""
        rows = self.database.read(
            "SELECT hold FROM held WHERE delivery = ? ORDER BY state = 'held' DESC, since DESC LIMIT 1",
            (delivery,),
        )
        return self.find(rows[0][0]) if rows else None

    def waiting(self, delivery: str) -> Held | None:
        """Return a copy as it waits for a decision, or None."""
        rows = self.database.read(f"{_COPIES} WHERE delivery = ? AND state = 'held'", (delivery,))
        return self._held(rows[0]) if rows else None

    def waived(self, delivery: str) -> frozenset[str]:
        """Return the reasons for which a copy was held and then released: they hold it no more."""
        rows = self.database.read(
            "SELECT id, ruling FROM held WHERE delivery = ? AND state = 'released'", (delivery,)
        )
        rulings = (self._words(sealed, _place("held", name, "ruling")) for name, sealed in rows)
        return frozenset(
            reason
            for ruling in rulings
            if ruling is not None and ruling.state == State.RELEASED
            for reason in ruling.reasons
        )

    def remarks(self, case: str) -> list[Ruling]:
        """Return what reviewers wrote beside a case, in the order in which they did."""
        rows = self.database.read("SELECT id, facts FROM remark WHERE hold = ?", (case,))
        found = (self._ruling(sealed, _place("remark", name, "facts")) for name, sealed in rows)
        return sorted((one for one in found if one is not None), key=lambda one: one.at)

    def overdue(self, now: datetime, limit: int = 100) -> list[Case]:
        """Return the cases whose time is up, and of which copies still wait."""
        rows = self.database.read(_OVERDUE, (now.timestamp(), limit))
        found = [self.find(name) for (name,) in rows]
        return [case for case in found if case is not None]

    def urgency(self) -> tuple[datetime, datetime] | None:
        """Return since when a case waits, and when the next one's time is up; None: none waits."""
        rows = self.database.read(
            "SELECT min(opened), (SELECT min(expires) FROM hold WHERE state = 'held') FROM hold"
            " WHERE state = 'held'"
        )
        ((opened, expires),) = rows
        return None if opened is None else (_time(opened), _time(expires))

    async def past(
        self, before: datetime, after: tuple[float, str] = (0.0, ""), limit: int = 100
    ) -> list[tuple[float, str]]:
        """Return when and which cases were decided before a time, and that nothing preserves.

        Oldest first; those that follow another. While a copy is still on its way its case stays,
        for what was released must not be held again for the same reason.
        """
        rows = await self.database.query(_PAST, (before.timestamp(), *after, limit))
        return [(decided, name) for decided, name in rows]

    def count(self, limit: int = 10_000) -> int:
        """Return how many cases wait, as far as that many."""
        ((found,),) = self.database.read(
            "SELECT count(*) FROM (SELECT 1 FROM hold WHERE state = 'held' LIMIT ?)", (limit,)
        )
        return int(found)

    def _case(self, row: Row) -> Case:
        name, message, opened, expires, preserved = row
        copies = self.database.read(
            f"{_COPIES} WHERE hold = ? ORDER BY since, length(delivery), delivery", (name,)
        )
        return Case(
            id=name,
            message=message,
            opened=_time(opened),
            expires=_time(expires),
            copies=tuple(self._held(copy) for copy in copies),
            preserved=self._preserved(preserved, name),
        )

    def _preserved(self, sealed: bytes | None, case: str) -> Ruling | None:
        if sealed is None:
            return None
        found = self._ruling(sealed, _place("hold", case, "preserved"))
        return found or Ruling("?", _time(0.0))  # damaged: what may be evidence stays

    def _held(self, row: Row) -> Held:
        name, delivery, state, reasons, since, found, ruling = row
        return Held(
            id=name,
            delivery=delivery,
            reasons=tuple(reasons.split()),
            since=_time(since),
            found=self._found(found, name),
            state=State(state),
            ruling=self._ruling(ruling, _place("held", name, "ruling")) if ruling else None,
        )

    def _found(self, sealed: bytes | None, name: str) -> tuple[Finding, ...]:
        if sealed is None:
            return ()
        try:
            return _FOUND.decode(self.ring.open(sealed, _place("held", name, "found")))
        except SealError:
            return ()  # the reasons beside it still say why

    def _sealed(self, ruling: Ruling, place: str, one: Held | None = None) -> bytes:
        words = _Words(ruling.by, ruling.at.timestamp(), ruling.note, ruling.words)
        if one is not None:
            words = msgspec.structs.replace(words, state=one.state.value, reasons=one.reasons)
        return self.ring.seal(_ENCODER.encode(words), place)

    def _ruling(self, sealed: bytes, place: str) -> Ruling | None:
        words = self._words(sealed, place)
        return None if words is None else Ruling(words.by, _time(words.at), words.note, words.words)

    def _words(self, sealed: bytes | None, place: str) -> _Words | None:
        if sealed is None:
            return None
        try:
            return _WORDS.decode(self.ring.open(sealed, place))
        except SealError:
            return None  # written by another hand, or damaged: it says nothing


def _name() -> str:
    return secrets.token_hex(6)


def _place(table: str, name: str, column: str) -> str:
    return f"{table}/{name}/{column}"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
