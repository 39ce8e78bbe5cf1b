"""The SQL of what software handed in: each result once, by key, and what became of it.

A row is there if its message is: both are of one transaction. Names and answers lie sealed; keys and
bytes are known by keyed hashes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from gateway.relay.delivery import State
from gateway.relay.spool import OPEN
from smtp.address import Address, key
from smtp.envelope import MessageId
from vault.database import Database, Row, Statement
from vault.keys import KeyRing

COLUMNS = "id, digest, message, at, facts, told, corrected"
_OPEN = json.dumps(sorted(each.value for each in OPEN))


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What only we are to read."""

    name: str
    claim: str
    refused: tuple[tuple[str, str], ...] = ()  # recipients that were never taken, and why
    key: str = ""  # what the laboratory calls the result, if it told
    copies: tuple[str, ...] = ()  # whose last answers count, if not all its message's
    asked: str = ""  # the head of a message that asks for answers in HL7


@dataclass(frozen=True, slots=True)
class Offered:
    """One offer."""

    id: str
    digest: bytes
    message: MessageId
    at: datetime
    facts: Facts
    told: bool = False  # it has its last answer,
    corrected: int = 0  # which so many failures made wrong, and nobody has said so yet


@dataclass(frozen=True, slots=True)
class Offers:
    """The table ``offer``."""

    database: Database
    ring: KeyRing

    def mark(self, mailbox: Address, name: str) -> bytes:
        """Return under which mark a mailbox's result of that key is known."""
        return self.ring.index(f"{key(mailbox)}\0{name}", "offer")

    def digest(self, digest: str) -> bytes:
        """Return what its bytes are known by."""
        return self.ring.index(digest, "offer-digest")

    def find(self, mark: bytes) -> Offered | None:
        """Return what was offered under a mark, if anything was."""
        rows = self.database.read(f"SELECT {COLUMNS} FROM offer WHERE mark = ?", (mark,))  # noqa: S608
        return self.opened(rows[0]) if rows else None

    def became(self, messages: Sequence[str]) -> dict[str, Offered]:
        """Return the offers that became those messages."""
        rows = self.database.read(
            f"SELECT {COLUMNS} FROM offer WHERE message IN (SELECT value FROM json_each(?))",  # noqa: S608
            (json.dumps(messages),),
        )
        return {each.message: each for each in map(self.opened, rows)}

    def adding(self, row: Offered, door: str, mark: bytes) -> Statement:
        """Return the statement that makes an offer known; ``Conflict`` if its mark is."""
        return Statement(
            "INSERT INTO offer (id, door, mark, digest, message, at, facts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                row.id,
                door,
                mark,
                row.digest,
                row.message,
                row.at.timestamp(),
                self.ring.seal(msgspec.json.encode(row.facts), f"offer/{row.id}/facts"),
            ),
            expect=1,
        )

    def renaming(self, before: bytes, after: bytes) -> Statement:
        """Return the statement by which an offer is known under another mark."""
        return Statement("UPDATE offer SET mark = ? WHERE mark = ?", (after, before), expect=1)

    async def settled(self, door: str, unconfirmed: datetime, limit: int = 200) -> list[Offered]:
        """Return what has no last answer yet and will not change: nothing of it is on its way.

        What a peer took and did not confirm counts once it has lain so long, or where a time was
        promised for the last answers, once that is up.
        """
        rows = await self.database.query(
            f"SELECT {COLUMNS} FROM offer WHERE door = ? AND told IS NULL"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message = offer.message"
            " AND (state IN (SELECT value FROM json_each(?)) OR (state = ? AND (changed > ?"
            " OR EXISTS (SELECT 1 FROM deadline WHERE deadline.message = offer.message)))))"
            " LIMIT ?",
            (door, _OPEN, State.RELAYED.value, unconfirmed.timestamp(), limit),
        )
        return [self.opened(row) for row in rows]

    async def corrected(self, door: str, limit: int = 200) -> list[Offered]:
        """Return that of which the last answer was wrong: a failure was reported after it."""
        rows = await self.database.query(
            f"SELECT {COLUMNS} FROM offer"  # noqa: S608
            " WHERE door = ? AND corrected > 0 AND told IS NOT NULL LIMIT ?",
            (door, limit),
        )
        return [self.opened(row) for row in rows]

    def telling(self, id_: str, at: datetime, corrected: int = 0) -> Statement:
        """Return the statement that remembers that the last answer was written.

        ``corrected``: so many failures are in it. One that came meanwhile is told next.
        """
        return Statement(
            "UPDATE offer SET told = ?, corrected = corrected - ? WHERE id = ?",
            (at.timestamp(), corrected, id_),
            expect=1,
        )

    def forgetting(self, now: datetime, window: timedelta) -> Statement:
        """Return the statement that ends the time within which a result is known again."""
        before = (now - window).timestamp()
        return Statement("DELETE FROM offer WHERE at < ? AND told IS NOT NULL", (before,))

    def opened(self, row: Row) -> Offered:
        """Return an offer, of its ``COLUMNS``."""
        id_, digest, message, at, facts, told, corrected = row
        opened = self.ring.open(facts, f"offer/{id_}/facts")
        at = datetime.fromtimestamp(at, UTC)
        read = msgspec.json.decode(opened, type=Facts)
        return Offered(id_, digest, message, at, read, told is not None, corrected)
