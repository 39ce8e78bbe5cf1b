"""The SQL of application answers: what the recipient's software made of a copy, once it had it.

One row a copy, on either side: where the copy was handed to software it says whether its sender asked
to be told, where it was sent from it is what software at the other end said. Nothing here moves a
delivery: the last answer about arrival was given. R-F3, R-F5.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.documents.codes import Failure
from gateway.relay.message import Copy
from vault.database import Database, Statement

FOLDER = "folder"  # the door whose answers are files, to be written yet

_ASK = (
    "INSERT INTO application (delivery, message, asked) VALUES (?, ?, 1)"
    " ON CONFLICT (delivery) DO NOTHING"
)
_SAY = (
    "INSERT INTO application (delivery, message, asked, at, failure, told) VALUES (?, ?, 0, ?, ?, ?)"
    " ON CONFLICT (delivery) DO UPDATE"
    " SET at = excluded.at, failure = excluded.failure, told = excluded.told"
    " WHERE application.at IS ?"
)
_UNTOLD = (
    "SELECT DISTINCT application.message FROM application"
    " JOIN offer ON offer.message = application.message"
    " WHERE application.told = 0 AND offer.door = ? LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a copy's answer."""

    asked: bool  # its sender asked for one
    at: datetime | None  # None: there is none yet
    failure: Failure | None  # None: it was filed, if there is an answer

    @property
    def filed(self) -> bool:
        """Whether software has filed it."""
        return self.at is not None and self.failure is None


@dataclass(frozen=True, slots=True)
class Applications:
    """The table ``application``."""

    database: Database

    def asking(self, copy: Copy) -> Statement:
        """Return the statement that remembers that a copy's sender asked for an answer."""
        return Statement(_ASK, (copy.delivery.id, copy.message.id))

    def saying(
        self, copy: Copy, failure: Failure | None, at: datetime, known: Said | None
    ) -> Statement:
        """Return the statement that keeps what software said of a copy; the last word counts.

        ``Conflict`` if it said something else since that was known: two reports say it at once.
        """
        before = known.at.timestamp() if known is not None and known.at is not None else None
        told = copy.message.door != FOLDER
        number = 0 if failure is None else int(failure)
        return Statement(
            _SAY,
            (copy.delivery.id, copy.message.id, at.timestamp(), number, int(told), before),
            expect=1,
        )

    def find(self, delivery: str) -> Said | None:
        """Return what is known of a copy's answer."""
        return self.of([delivery]).get(delivery)

    def of(self, deliveries: Iterable[str]) -> dict[str, Said]:
        """Return what is known of the answers of copies, by their deliveries."""
        rows = self.database.read(
            "SELECT delivery, asked, at, failure FROM application"
            " WHERE delivery IN (SELECT value FROM json_each(?))",
            (json.dumps([*deliveries]),),
        )
        return {
            delivery: Said(
                bool(asked),
                None if at is None else datetime.fromtimestamp(at, UTC),
                Failure(number) if number else None,
            )
            for delivery, asked, at, number in rows
        }

    async def untold(self, door: str, limit: int = 200) -> list[str]:
        """Return messages that a folder has an answer about, and has not written down."""
        rows = await self.database.query(_UNTOLD, (door, limit))
        return [str(message) for (message,) in rows]

    def telling(self, message: str, upto: datetime) -> Statement:
        """Return the statement that remembers that the answers so far were written down."""
        return Statement(
            "UPDATE application SET told = 1 WHERE message = ? AND at <= ?",
            (message, upto.timestamp()),
        )
