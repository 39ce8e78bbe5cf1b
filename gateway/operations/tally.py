"""What happened, counted by the hour from the journal, so that no page and no report counts millions.

A chore reads the rows that were written since it last looked and adds them up; the road of a message
pays nothing for it. Only what stands there in clear is read: the event, who acted, and the keyed
indexes of addresses, which are also those of our mailboxes.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from gateway.relay.message import Door
from smtp.envelope import made_at
from vault.database import Statement
from vault.errors import Conflict

HOUR = 3600
_PAGE = 2000  # rows of the journal in one step: some milliseconds
_ROWS = """
SELECT j.seq, j.at, j.event, j.actor, coalesce(j.message, ''), coalesce(m.door, ''),
       f.id, f.kind, t.kind
FROM journal j
LEFT JOIN message m ON m.id = j.message
LEFT JOIN mailbox f ON f.address = j.who
LEFT JOIN mailbox t ON t.address = j.whom
WHERE j.seq > ? ORDER BY j.seq LIMIT ?
"""
_MARK = "UPDATE tallied SET seq = ?, message = ? WHERE seq = ?"
_ADD = """INSERT INTO tally (hour, what, kind, count) VALUES (?, ?, ?, ?)
    ON CONFLICT (hour, what, kind) DO UPDATE SET count = count + excluded.count"""
_USE = """INSERT INTO used (month, mailbox, times) VALUES (?, ?, ?)
    ON CONFLICT (month, mailbox) DO UPDATE SET times = times + excluded.times"""
_STOCK = """INSERT INTO tally (hour, what, kind, count) VALUES (?, ?, ?, ?)
    ON CONFLICT (hour, what, kind) DO UPDATE SET count = excluded.count"""
_MAILBOXES = "SELECT kind, status, count(*) FROM mailbox GROUP BY 1, 2"
_SINCE = """SELECT hour, what, sum(count) FROM tally
    WHERE hour >= ? AND what NOT LIKE 'mailboxes-%' GROUP BY 1, 2 ORDER BY 1"""
# By how long a copy took from our 250 to the next hop's, or to our mailbox.
DELAYS = ((1, "within-1"), (5, "within-5"), (30, "within-30"), (300, "within-300"))
LATER = "later"
_PLAIN = {
    "delivery.deferred": "deferred",
    "delivery.expired": "expired",
    "delivery.failed": "failed",
    "delivery.held": "held",
    "login.failed": "login-failed",
    "login.throttled": "login-failed",
    "message.refused": "refused",
    "recipient.refused": "refused",
    "tls.failed": "tls-failed",
}


class Counted(NamedTuple):
    """A row of the journal, with which of our mailboxes it concerns."""

    seq: int
    at: float
    event: str
    actor: str
    message: str
    door: str
    mailbox: int | None  # whose address acted, or sent
    sender: str | None  # its kind
    recipient: str | None  # the kind of the one it was for


@dataclass(slots=True)
class Sum:
    """What rows add up to."""

    message: str = ""  # the last one accepted: a row a copy, and they stand together
    counts: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    used: Counter[tuple[str, int]] = field(default_factory=Counter)

    def add(self, rows: Iterable[Counted]) -> None:
        """Add rows, in their order."""
        for row in rows:
            hour = int(row.at) // HOUR * HOUR
            if row.event == "message.accepted":
                self._accepted(row, hour)
            elif row.event in {"delivery.delivered", "delivery.relayed"}:
                self._arrived(row, hour)
            elif (plain := _PLAIN.get(row.event)) is not None:
                self.counts[hour, plain, row.sender or ""] += 1
            elif row.event == "login.accepted" and row.mailbox is not None:
                self.counts[hour, "login", row.sender or ""] += 1
                self.used[_month(row.at), row.mailbox] += 1

    def _accepted(self, row: Counted, hour: int) -> None:
        if row.message == self.message:
            return
        self.message = row.message
        if row.actor.startswith("mailbox:"):
            self.counts[hour, "sent", row.sender or ""] += 1
        else:
            self.counts[hour, "came", ""] += 1

    def _arrived(self, row: Counted, hour: int) -> None:
        if row.door == Door.REPORT:
            self.counts[hour, "told", row.recipient or ""] += 1
            return
        if row.event == "delivery.relayed":
            self.counts[hour, "relayed", ""] += 1
        elif row.recipient is None:
            self.counts[hour, "confirmed", ""] += 1
            return
        else:
            self.counts[hour, "received", row.recipient] += 1
        took = row.at - made_at(row.message)
        self.counts[hour, next((name for end, name in DELAYS if took < end), LATER), ""] += 1


async def count(rooms: Rooms, *, most: int = 1000) -> int:
    """Count what was written since the last time, at most so many steps; return how many rows."""
    rows = 0
    for _ in range(most):
        ((seq, message),) = rooms.database.read("SELECT seq, message FROM tallied")
        found = [Counted(*row) for row in await rooms.database.query(_ROWS, (seq, _PAGE))]
        if not found:
            break
        total = Sum(message)
        total.add(found)
        statements = [Statement(_MARK, (found[-1].seq, total.message, seq), expect=1)]
        statements += [Statement(_ADD, (*key, many)) for key, many in total.counts.items()]
        statements += [Statement(_USE, (*key, many)) for key, many in total.used.items()]
        try:
            await rooms.database.commit(statements)
        except Conflict:  # somebody else counts: what they did is done
            continue
        rows += len(found)
        if len(found) < _PAGE:
            break
    return rows


async def stock(rooms: Rooms) -> None:
    """Write down how many mailboxes there are: at a month's end that is what is told of it."""
    now = rooms.clock()
    counted = await rooms.database.query(_MAILBOXES)
    await rooms.database.commit(
        [
            Statement(_STOCK, (first_hour(month(now)), f"mailboxes-{status}", kind, many))
            for kind, status, many in counted
        ]
    )


async def keep(rooms: Rooms) -> None:
    """Do both: a chore."""
    await count(rooms)
    await stock(rooms)


async def hours(rooms: Rooms, *, hours: int = 24) -> object:
    """Return what happened in each of the last hours, the oldest first; an empty one is there too."""
    await count(rooms, most=5)
    now = int(rooms.clock().timestamp()) // HOUR * HOUR
    first = now - (max(1, min(hours, _LONGEST)) - 1) * HOUR
    found: dict[int, dict[str, Any]] = {
        hour: {"hour": told(float(hour))} for hour in range(first, now + 1, HOUR)
    }
    for hour, what, many in await rooms.database.query(_SINCE, (first,)):
        found.setdefault(hour, {"hour": told(float(hour))})[what] = many
    return [found[hour] for hour in sorted(found)]


_LONGEST = 24 * 31


def month(at: datetime) -> str:
    """Return the month of a time, as the house's clock has it."""
    return f"{at.astimezone():%Y-%m}"


def _month(at: float) -> str:
    return month(datetime.fromtimestamp(at, UTC))


def first_hour(name: str) -> int:
    """Return the hour with which a month begins, by the house's clock."""
    return int(datetime.fromisoformat(f"{name}-01T00:00:00").astimezone().timestamp())
