"""The table of messages that are looked into: which are due, and what was found in them.

One row, and one claim, a message, however many recipients it has. A claim is stored with its end
before the look begins, and counts it as lost until it ends well: a crash needs no other recovery.
What was found stays, sealed, for whoever decides about the message, as long as
the message does; a message in which nothing was found leaves no row.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from quarantine.policy import Finding
from vault.database import Database, Row, Statement
from vault.keys import KeyRing

_CLAIM = (
    "UPDATE inspection SET due = ?, lost = lost + 1 WHERE message IN (SELECT message FROM inspection"
    " WHERE due <= ? AND message NOT IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT ?)"
    " RETURNING message, lost, since, facts"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is to be looked into, and what is known of it already."""

    message: str
    lost: int  # looks before this one that a crash cut off
    since: datetime | None  # since when a scanner gives no answer
    findings: tuple[Finding, ...]  # what was found at the door


@dataclass(slots=True)
class Inspections:
    """The table ``inspection``."""

    database: Database
    ring: KeyRing
    bell: asyncio.Event = field(default_factory=asyncio.Event)  # something may be due
    silent: str = ""  # why the scanner gives no verdict now; empty: it does

    def entering(self, message: str, findings: Sequence[Finding], now: datetime) -> Statement:
        """Return the statement by which a message is to be looked into, now."""
        return Statement(
            "INSERT INTO inspection (message, due, facts) VALUES (?, ?, ?)",
            (message, now.timestamp(), self._sealed(message, findings)),
            expect=1,
        )

    def claiming(
        self, now: datetime, lease: timedelta, limit: int, in_hand: Iterable[str] = ()
    ) -> Statement:
        """Return the statement that claims what is due; what is in hand stays, however long."""
        until, at = (now + lease).timestamp(), now.timestamp()
        return Statement(_CLAIM, (until, at, json.dumps(list(in_hand)), limit))

    def claimed(self, row: Row) -> Claim:
        """Return what a claim took."""
        message, lost, since, facts = row
        return Claim(message, lost - 1, _time(since), self._opened(message, facts))

    def recovering(self, now: datetime) -> Statement:
        """Return the statement that takes back, at the start, the claims of a process now gone."""
        return Statement(
            "UPDATE inspection SET due = ? WHERE due IS NOT NULL AND due > ?",
            (now.timestamp(), now.timestamp()),
        )

    def waiting(self, claim: Claim, due: datetime) -> Statement:
        """Return the statement that puts a look off, with what the claim says of it."""
        since = claim.since and claim.since.timestamp()
        return Statement(
            "UPDATE inspection SET due = ?, lost = ?, since = ?"
            " WHERE message = ? AND due IS NOT NULL",
            (due.timestamp(), claim.lost, since, claim.message),
        )

    def all_waiting(self, now: datetime, due: datetime, patience: timedelta) -> Statement:
        """Return the statement that puts off together what waits for a silent scanner.

        What has waited too long already is left alone: that is to be judged without it.
        """
        return Statement(
            "UPDATE inspection SET due = ?, since = coalesce(since, ?)"
            " WHERE due <= ? AND (since IS NULL OR since > ?)",
            (due.timestamp(), now.timestamp(), now.timestamp(), (now - patience).timestamp()),
        )

    def judged(self, claim: Claim, findings: Sequence[Finding]) -> Statement:
        """Return the statement that keeps what was found; ``Conflict`` if another judged it."""
        if not findings:
            return Statement(
                "DELETE FROM inspection WHERE message = ? AND due IS NOT NULL",
                (claim.message,),
                expect=1,
            )
        return Statement(
            "UPDATE inspection SET due = NULL, lost = 0, facts = ?"
            " WHERE message = ? AND due IS NOT NULL",
            (self._sealed(claim.message, findings), claim.message),
            expect=1,
        )

    def findings(self, message: str) -> tuple[Finding, ...]:
        """Return what was found in a message, in detail; it may name files."""
        rows = self.database.read("SELECT facts FROM inspection WHERE message = ?", (message,))
        return self._opened(message, rows[0][0]) if rows else ()

    def next_due(self) -> datetime | None:
        """Return when there will next be something to do."""
        sql = "SELECT min(due) FROM inspection WHERE due IS NOT NULL"
        ((due,),) = self.database.read(sql)
        return _time(due)

    def _sealed(self, message: str, findings: Sequence[Finding]) -> bytes:
        return self.ring.seal(_ENCODER.encode(list(findings)), _place(message))

    def _opened(self, message: str, facts: bytes) -> tuple[Finding, ...]:
        return _DECODER.decode(self.ring.open(facts, _place(message)))


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(tuple[Finding, ...])


def _place(message: str) -> str:
    return f"inspection/{message}/facts"


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
