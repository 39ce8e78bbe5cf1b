"""Receipts on their way: written with the state change they report, read by whoever sends them.

``adding`` is a statement for somebody else's transaction, so a receipt exists exactly when its
event happened. Rows are read in the order of their ``seq``, which is the order of the commits;
nothing is removed before it was sent and has aged. Payloads lie sealed.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.receipts.receipt import Receipt, topic
from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Row:
    """One receipt as the outbox holds it, opened."""

    seq: int
    id: str
    mailbox: str  # the mailbox's opaque key
    message: str
    kind: str
    at: float
    sent: float | None
    payload: bytes | None  # the CloudEvents JSON; None: it no longer opens


@dataclass(frozen=True, slots=True)
class Outbox:
    """The table ``outbox``."""

    database: Database
    ring: KeyRing
    site: str
    bell: asyncio.Event  # rung after a commit that added receipts: it only shortens the wait

    def adding(self, receipt: Receipt, mailbox_key: str) -> Statement:
        """Return the statement that writes a receipt for the mailbox it concerns."""
        sealed = self.ring.seal(receipt.encode(self.site), _place(receipt.id))
        return Statement(
            "INSERT INTO outbox (id, mailbox, message, type, at, payload)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                receipt.id,
                mailbox_key,
                receipt.message,
                receipt.kind.value,
                receipt.at.timestamp(),
                sealed,
            ),
            expect=1,
        )

    def topic(self, row: Row) -> str:
        """Return the MQTT topic a row belongs on."""
        return topic(self.site, row.mailbox)

    def unsent(self, after: int = 0, limit: int = 500) -> list[Row]:
        """Return receipts not yet sent, oldest first, from beyond a ``seq``."""
        rows = self.database.read(
            _SELECT + " WHERE sent IS NULL AND seq > ? ORDER BY seq LIMIT ?",
            (after, limit),
        )
        return [self._opened(row) for row in rows]

    def waiting(self) -> int:
        """Return how many receipts are not yet sent."""
        ((count,),) = self.database.read("SELECT count(*) FROM outbox WHERE sent IS NULL")
        return int(count)

    async def sent(self, seqs: Sequence[int], now: datetime) -> None:
        """Mark a batch as taken by the broker."""
        if seqs:
            await self.database.commit([_marking(seqs, now.timestamp())])

    def tail(self, limit: int = 20, after: int | None = None) -> list[Row]:
        """Return the newest receipts, oldest first; or those beyond a ``seq``, to follow on."""
        if after is None:
            rows = self.database.read(_SELECT + " ORDER BY seq DESC LIMIT ?", (limit,))[::-1]
        else:
            rows = self.database.read(
                _SELECT + " WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
            )
        return [self._opened(row) for row in rows]

    async def of(self, mailbox: str, limit: int = 20) -> list[Row]:
        """Return a mailbox's newest receipts, oldest first; they may lie far apart."""
        rows = await self.database.query(
            _SELECT + " WHERE mailbox = ? ORDER BY seq DESC LIMIT ?", (mailbox, limit)
        )
        return [self._opened(row) for row in reversed(rows)]

    async def about(self, message: str, limit: int = 500) -> list[Row]:
        """Return the first receipts about one message, oldest first."""
        rows = await self.database.query(
            _SELECT + " WHERE message = ? ORDER BY seq LIMIT ?", (message, limit)
        )
        return [self._opened(row) for row in rows]

    def newest(self) -> int:
        """Return the number of the newest receipt, 0 if there never was one."""
        ((seq,),) = self.database.read("SELECT max(seq) FROM outbox")
        return int(seq or 0)

    def following(self, mailbox: str, after: int, message: str = "") -> tuple[list[Row], int]:
        """Return a mailbox's receipts from beyond a ``seq``, and as far as that has looked.

        A bounded look: who is far behind catches up in several.
        """
        upto = max(after, self.newest())
        args: tuple[object, ...]
        if message:
            where, args = "message = ? AND mailbox = ? AND seq > ?", (message, mailbox, after)
        else:
            upto = min(upto, after + _PIECE)
            where, args = "seq > ? AND seq <= ? AND mailbox = ?", (after, upto, mailbox)
        found = self.database.read(f"{_SELECT} WHERE {where} ORDER BY seq LIMIT {_PIECE}", args)
        rows = [self._opened(row) for row in found]
        return rows, rows[-1].seq if len(rows) == _PIECE else upto

    async def resend(
        self, *, message: str = "", mailbox: str = "", since: datetime | None = None
    ) -> int:
        """Send again what was sent before, by message or mailbox; return how many receipts.

        They keep their ids, so whoever has them already drops them.
        """
        if not message and not mailbox:
            return 0
        # Found in a thread and marked piece by piece: months of receipts must not hold up mail.
        found = await self.database.query(
            "SELECT seq FROM outbox WHERE sent IS NOT NULL"
            " AND (? = '' OR message = ?) AND (? = '' OR mailbox = ?) AND at >= ? ORDER BY seq",
            (message, message, mailbox, mailbox, since.timestamp() if since else 0.0),
        )
        seqs = [seq for (seq,) in found]
        for start in range(0, len(seqs), _PIECE):
            await self.database.commit([_marking(seqs[start : start + _PIECE], None)])
        self.bell.set()
        return len(seqs)

    def forgetting(self, now: datetime, keep: timedelta) -> Statement:
        """Return the statement that removes receipts sent longer ago than ``keep``."""
        return Statement("DELETE FROM outbox WHERE sent < ?", ((now - keep).timestamp(),))

    def _opened(self, row: Sequence[object]) -> Row:
        seq, event_id, mailbox, message, kind, at, sent, sealed = row
        assert isinstance(seq, int)
        assert isinstance(at, float)
        assert isinstance(sealed, bytes)
        assert sent is None or isinstance(sent, float)
        try:
            payload = self.ring.open(sealed, _place(str(event_id)))
        except SealError:
            payload = None  # one damaged row stops neither the others nor whoever reads them
        return Row(seq, str(event_id), str(mailbox), str(message), str(kind), at, sent, payload)


_SELECT = "SELECT seq, id, mailbox, message, type, at, sent, payload FROM outbox"


_PIECE = 1000


def _marking(seqs: Sequence[int], sent: float | None) -> Statement:
    return Statement(
        "UPDATE outbox SET sent = ? WHERE seq IN (SELECT value FROM json_each(?))",
        (sent, json.dumps(seqs)),
    )


def _place(event_id: str) -> str:
    return f"outbox/{event_id}/payload"
