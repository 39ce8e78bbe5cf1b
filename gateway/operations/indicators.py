"""``indicators``: the monthly counts that an operator hands to the authority. R-I5.

The authority's own file format could not be had, so these are plain rows: month, indicator, kind of
mailbox, count. Months are those of the house's clock.
"""

import csv
import io
import re
from collections import Counter
from typing import Any

from gateway.operations import tally
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from trust.addresses import Kind

_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
_MOST = 36  # months in one answer
_SUM = """SELECT what, kind, sum(count) FROM tally WHERE hour >= ? AND hour < ? GROUP BY 1, 2"""
_CREATED = "SELECT kind, count(*) FROM mailbox WHERE created >= ? AND created < ? GROUP BY 1"
_USED = """SELECT m.kind, count(*), sum(u.times) FROM used u JOIN mailbox m ON m.id = u.mailbox
    WHERE u.month = ? GROUP BY 1"""
# Every one has its row, nought included: what is missing from a file is not nought.
INDICATORS = (
    "mailboxes-active",
    "mailboxes-suspended",
    "mailboxes-closed",
    "mailboxes-created",
    "mailboxes-used",
    "connections",
    "sent",
    "received",
)
WHOLE = ("came", "relayed", "confirmed", "refused", "failed", "expired", "held", "login-failed")
COLUMNS = ("month", "indicator", "kind", "count")


async def indicators(rooms: Rooms, *, month: str | None = None, months: int = 1) -> object:
    """Return the counts of a month, this one if none is named, and of those before it."""
    last = month or tally.month(rooms.clock())
    if _MONTH.fullmatch(last) is None:
        raise OperationError(f"{last} is no month", "write it like 2026-11")
    await tally.keep(rooms)
    rows: list[dict[str, Any]] = []
    for name in _before(last, max(1, min(months, _MOST))):
        rows += await _of(rooms, name)
    return rows


def as_csv(rows: Any) -> str:
    """Return the rows as a file for a spreadsheet. RFC 4180."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


async def _of(rooms: Rooms, name: str) -> list[dict[str, Any]]:
    first, end = tally.first_hour(name), tally.first_hour(_after(name))
    found: Counter[tuple[str, str]] = Counter()
    for what, kind, many in await rooms.database.query(_SUM, (first, end)):
        found[what, kind] += many
        found[what, ""] += many if kind else 0
    for kind, many in await rooms.database.query(_CREATED, (first, end)):
        found["mailboxes-created", kind] = many
    for kind, many, times in await rooms.database.query(_USED, (name,)):
        found["mailboxes-used", kind], found["connections", kind] = many, times
    by_kind = [(what, kind.value) for what in INDICATORS for kind in Kind]
    return [
        {"month": name, "indicator": what, "kind": kind, "count": found[what, kind]}
        for what, kind in [*by_kind, *((what, "") for what in WHOLE)]
    ]


def _after(name: str) -> str:
    year, month = map(int, name.split("-"))
    return f"{year + month // 12:04}-{month % 12 + 1:02}"


def _before(name: str, count: int) -> list[str]:
    year, month = map(int, name.split("-"))
    number = year * 12 + month - 1
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(number - count + 1, number + 1)]
