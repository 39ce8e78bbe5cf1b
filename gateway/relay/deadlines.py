"""The SQL of promised answers: until when each message's senders' software is to have its last one.

A row is written with the message, only where a time was promised, and goes once nothing of the
message is open. R-F1.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.relay.delivery import State
from gateway.relay.spool import OPEN
from vault.database import Database, Statement

_OPEN = json.dumps(sorted({*OPEN, State.RELAYED}))
_CLEAR = (
    "DELETE FROM deadline WHERE message IN (SELECT message FROM deadline WHERE due <= ?"
    " AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message = deadline.message"
    " AND state IN (SELECT value FROM json_each(?))) ORDER BY due LIMIT ?) RETURNING 1"
)
_FEW = 500  # rows of one transaction


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The table ``deadline``."""

    database: Database

    def adding(self, message: str, due: datetime) -> Statement:
        """Return the statement that promises a message's last answers."""
        return Statement(
            "INSERT INTO deadline (message, due) VALUES (?, ?)", (message, due.timestamp())
        )

    def later(self, message: str, due: datetime) -> Statement:
        """Return the statement by which a message is looked at again."""
        return Statement(
            "UPDATE deadline SET due = ? WHERE message = ?", (due.timestamp(), message)
        )

    def kept(self, message: str) -> Statement:
        """Return the statement by which nothing more is promised about a message."""
        return Statement("DELETE FROM deadline WHERE message = ?", (message,))

    async def clear(self, now: datetime) -> None:
        """Remove what is due and was kept: nothing of it is open."""
        removed = _FEW
        while removed == _FEW:
            (rows,) = await self.database.commit(
                [Statement(_CLEAR, (now.timestamp(), _OPEN, _FEW))]
            )
            removed = len(rows)

    def due(self, now: datetime, limit: int = 100) -> list[str]:
        """Return messages whose time is up, the longest first."""
        rows = self.database.read(
            "SELECT message FROM deadline WHERE due <= ? ORDER BY due LIMIT ?",
            (now.timestamp(), limit),
        )
        return [str(message) for (message,) in rows]

    def next(self) -> datetime | None:
        """Return when the next message's time is up."""
        ((due,),) = self.database.read("SELECT min(due) FROM deadline")
        return None if due is None else datetime.fromtimestamp(due, UTC)
