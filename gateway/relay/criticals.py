"""The SQL of critical results: until when each must have arrived, and who was told that it did not.

A row is written with its message; it is open as long as something of it may yet go wrong unsaid.
A failure that is reported after everything was well opens it again. R-F1.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from gateway.relay.delivery import State
from gateway.relay.message import Message
from smtp.address import Address, key
from smtp.envelope import new_message_id, reference
from smtp.reply import Reply
from vault.database import Database, Row, Statement
from vault.errors import Gone, SealError
from vault.keys import KeyRing

_BAD = json.dumps(
    sorted({State.FAILED, State.EXPIRED, State.REFUSED, State.CANCELLED, State.UNCONFIRMED})
)
_COLUMNS = "id, due, version, open, escalated, acknowledged, facts"
_LOOK = """SELECT id FROM critical WHERE open = 1 AND (due <= ?
    OR EXISTS (SELECT 1 FROM delivery WHERE message = critical.id
        AND state IN (SELECT value FROM json_each(?)))
    OR NOT EXISTS (SELECT 1 FROM delivery WHERE message = critical.id AND state <> 'delivered'))
    ORDER BY due LIMIT ?"""
_WAITING = "escalated IS NOT NULL AND acknowledged IS NULL"


class Lost(Protocol):
    """What we need of a result that was not sent (``gateway.labs.unsent``)."""

    @property
    def sender(self) -> Address:
        """In whose name it was to go."""

    @property
    def why(self) -> str:
        """What was wrong with it."""

    @property
    def refused(self) -> Sequence[tuple[str, str]]:
        """Who was refused, and why."""


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What only we are to read."""

    sender: Address
    reference: str
    arrived: float
    refused: tuple[tuple[str, str], ...] = ()  # recipients that were never taken, and why
    told: tuple[str, ...] = ()  # copies, and recipients refused, that somebody was told of
    person: str = ""  # who that was
    by: str = ""  # who noted that it is taken care of,
    note: str = ""  # in which words

    def __repr__(self) -> str:
        return "Facts(…)"


@dataclass(frozen=True, slots=True)
class Critical:
    """One critical result."""

    id: str  # its message's; of what never became one, ours
    due: datetime
    version: int
    watched: bool  # something of it may yet go wrong unsaid
    escalated: datetime | None
    acknowledged: datetime | None
    facts: Facts

    @property
    def state(self) -> str:
        """How it stands, in a word."""
        if self.acknowledged is not None:
            return "acknowledged"
        if self.escalated is not None:
            return "escalated"
        return "watched" if self.watched else "arrived"

    @property
    def arrived(self) -> datetime:
        """When it was handed in."""
        return datetime.fromtimestamp(self.facts.arrived, UTC)


@dataclass(frozen=True, slots=True)
class Criticals:
    """The table ``critical``."""

    database: Database
    ring: KeyRing

    def adding(self, id_: str, due: datetime, facts: Facts) -> Statement:
        """Return the statement that keeps watch over a critical result."""
        return Statement(
            "INSERT INTO critical (id, due, sender, facts) VALUES (?, ?, ?, ?)",
            (
                id_,
                due.timestamp(),
                self._mark(facts.sender),
                self._sealed(id_, facts),
            ),
            expect=1,
        )

    def watching(
        self,
        message: Message,
        sender: Address,
        due: datetime,
        refused: Iterable[tuple[Address, Reply]] = (),
    ) -> Statement:
        """Return the statement that keeps watch over a message of ours."""
        never = tuple((whom, str(said)) for whom, said in refused)
        facts = Facts(sender, message.reference, message.arrived.timestamp(), never)
        return self.adding(message.id, due, facts)

    def lost(self, turned: Lost, now: datetime) -> Statement:
        """Return the statement that keeps watch over a result of which no message came."""
        id_ = new_message_id(now)
        never = turned.refused or (("-", turned.why),)
        return self.adding(
            id_, now, Facts(turned.sender, reference(id_), now.timestamp(), tuple(never))
        )

    def moving(
        self, before: Critical, after: Critical, *, watched: bool, owed: bool | None = None
    ) -> Statement:
        """Return the statement by which one moved on; ``Conflict`` if it moved meanwhile.

        ``owed``: the person named is to be written to, or need not be any more; None: as before.
        """
        return Statement(
            "UPDATE critical SET open = ?, owed = coalesce(?, owed), version = version + 1,"
            " escalated = ?, acknowledged = ?, facts = ? WHERE id = ? AND version = ?",
            (
                int(watched),
                owed,
                after.escalated and after.escalated.timestamp(),
                after.acknowledged and after.acknowledged.timestamp(),
                self._sealed(after.id, after.facts),
                before.id,
                before.version,
            ),
            expect=1,
        )

    def look(self, now: datetime, limit: int = 50) -> list[str]:
        """Return the ids of those of which something is to be told, or nothing more will come."""
        rows = self.database.read(_LOOK, (now.timestamp(), _BAD, limit))
        return [str(id_) for (id_,) in rows]

    def opened(self, id_: str) -> Critical:
        """Return one; ``SealError`` if another hand changed its row."""
        sql = f"SELECT {_COLUMNS} FROM critical WHERE id = ?"  # noqa: S608 - constants only
        rows = self.database.read(sql, (id_,))
        if not rows:
            raise Gone(f"{id_} is watched no longer")
        return self._row(rows[0])

    def open(self) -> int:
        """Return how many are watched."""
        ((many,),) = self.database.read("SELECT count(*) FROM critical WHERE open = 1")
        return int(many)

    def waiting(self, limit: int = 200) -> list[Critical]:
        """Return those that did not arrive and of which nobody takes care yet, the oldest first."""
        rows = self.database.read(
            f"SELECT {_COLUMNS} FROM critical WHERE {_WAITING} ORDER BY escalated LIMIT ?",  # noqa: S608
            (limit,),
        )
        return self._rows(rows)

    def named(self, name: str) -> Critical | None:
        """Return one that waits, by its id or the reference that is read out of it."""
        rows = self.database.read(
            f"SELECT {_COLUMNS} FROM critical WHERE {_WAITING}"  # noqa: S608 - constants only
            " AND (id = ? OR substr(id, -8) = ?) LIMIT 1",
            (name, name.replace("-", "")),
        )
        return self._row(rows[0]) if rows else None

    def unattended(self) -> int:
        """Return how many of them there are."""
        ((many,),) = self.database.read(f"SELECT count(*) FROM critical WHERE {_WAITING}")  # noqa: S608
        return int(many)

    def owed(self) -> list[tuple[bytes, int]]:
        """Return whose persons are to be written to, and about how many; the longest wait first."""
        rows = self.database.read(
            "SELECT sender, count(*) FROM critical WHERE owed = 1 GROUP BY sender"
            " ORDER BY min(escalated)"
        )
        return [(sender, int(many)) for sender, many in rows]

    def owing(self, sender: bytes, limit: int) -> list[Critical]:
        """Return the first of a sender's of which its person is to be written to."""
        rows = self.database.read(
            f"SELECT {_COLUMNS} FROM critical WHERE owed = 1 AND sender = ?"  # noqa: S608
            " ORDER BY escalated LIMIT ?",
            (sender, limit),
        )
        # Its person is found by the seal, never by the column.
        return [one for one in self._rows(rows) if self._mark(one.facts.sender) == sender]

    def written(self, sender: bytes, many: int) -> Statement:
        """Return the statement by which a person was written to about so many of a sender's."""
        return Statement(
            "UPDATE critical SET owed = 0 WHERE owed = 1 AND sender = ?", (sender,), expect=many
        )

    def latest(self, limit: int) -> list[Critical]:
        """Return the newest, whatever became of them, the newest first."""
        rows = self.database.read(
            f"SELECT {_COLUMNS} FROM critical ORDER BY due DESC LIMIT ?",  # noqa: S608 - constants only
            (limit,),
        )
        return self._rows(rows)

    def find(self, ids: Sequence[str]) -> list[Critical]:
        """Return those of these ids."""
        rows = self.database.read(
            f"SELECT {_COLUMNS} FROM critical WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
            (json.dumps([*ids]),),
        )
        return self._rows(rows)

    def forgetting(self, now: datetime, keep: timedelta) -> Statement:
        """Return the statement that removes what was over so long ago; never what waits."""
        return Statement(
            f"DELETE FROM critical WHERE due < ? AND open = 0 AND NOT ({_WAITING})",  # noqa: S608
            ((now - keep).timestamp(),),
        )

    def _sealed(self, id_: str, facts: Facts) -> bytes:
        return self.ring.seal(_ENCODER.encode(facts), _place(id_))

    def _mark(self, sender: Address) -> bytes:
        return self.ring.index(key(sender), "address")

    def _rows(self, rows: Iterable[Row]) -> list[Critical]:
        """Return them, but for what another hand changed: it hides none of the others."""
        found = []
        for row in rows:
            with suppress(SealError):
                found.append(self._row(row))
        return found

    def _row(self, row: Row) -> Critical:
        id_, due, version, watched, escalated, acknowledged, facts = row
        opened = _FACTS.decode(self.ring.open(facts, _place(id_)))
        at = _moment(due)
        assert at is not None
        return Critical(
            id_, at, version, bool(watched), _moment(escalated), _moment(acknowledged), opened
        )


def reopening(message: str) -> Statement:
    """Return the statement by which a critical result is watched again: its answer was wrong."""
    return Statement("UPDATE critical SET open = 1, version = version + 1 WHERE id = ?", (message,))


_ENCODER = msgspec.json.Encoder()
_FACTS = msgspec.json.Decoder(Facts)


def _place(id_: str) -> str:
    return f"critical/{id_}/facts"


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
