"""Looking for rows of the journal, newest first, at a cost that does not grow with the journal.

What is asked becomes SQL that walks one index backwards and examines so many rows at most; who wants
older ones goes on from where it stopped. Three events make nine rows in ten and stand in no index:
they are so frequent that walking back meets them at once.
"""

from dataclasses import dataclass

USUAL = ("delivery.delivered", "delivery.relayed", "message.accepted")  # as journal_event has it
EXAMINED = 20_000  # rows that one step passes over, at most
_RARE = f"event NOT IN {USUAL!r}"
_OPERATORS = "actor >= 'operator:' AND actor < 'operator;'"
_WITHIN = "seq >= ? AND seq < ?"
_NEWEST = "ORDER BY seq DESC LIMIT ?"

Args = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: all that is given must fit."""

    events: tuple[str, ...] = ()
    actor: str = ""
    about: bytes | None = None  # the keyed index of an address, as who or whom
    message: str = ""
    since: float | None = None
    until: float | None = None

    @property
    def examined(self) -> int | None:
        """How many rows one step passes over; None: what its index leads to is what is looked for."""
        rare = not set(self.events) & set(USUAL)
        asked = [self.about is not None, *map(bool, (self.events, self.actor, self.message))]
        indexed = self.about or self.message or (self.events and rare)
        exact = indexed and sum(asked) == 1 and self.since is self.until is None
        return None if exact else EXAMINED


def walks(search: Search, first: int, before: int, limit: int) -> list[tuple[str, Args]]:
    """Return the SQL of the numbers worth a look, from ``first`` on and below ``before``.

    One walk for each index that fits; what is looked for is in all of them. Each is read from its index
    alone, and ends after so many.
    """
    within = (first, before)
    found: list[tuple[str, Args]] = []
    if search.message:
        found.append(_walked(f"message = ? AND {_WITHIN}", (search.message, *within), limit))
    if search.about is not None:
        about: Args = (search.about, *within)
        ends = [(f"{end} = ? AND {_WITHIN}", about) for end in ("who", "whom")]
        found.append(_either(ends, limit))
    if search.actor.startswith("operator:"):
        where = f"actor = ? AND {_OPERATORS} AND {_WITHIN}"
        found.append(_walked(where, (search.actor, *within), limit))
    if search.events and not set(search.events) & set(USUAL):
        where = f"event = ? AND {_RARE} AND {_WITHIN}"
        found.append(_either([(where, (event, *within)) for event in search.events], limit))
    return found or [_walked(_WITHIN, within, limit)]


def floor(walk: tuple[str, Args], limit: int) -> tuple[str, Args]:
    """Return the SQL of the lowest number that a walk came to, if it ended before its index did."""
    sql, args = walk
    lowest = f"SELECT iif(count(*) < ?, NULL, min(seq)) FROM ({sql})"  # noqa: S608 - constants only
    return lowest, (limit, *args)


def fitting(search: Search) -> tuple[str, Args]:
    """Return the SQL that a candidate's row must meet."""
    terms: list[str] = ["1"]
    args: list[object] = []
    if search.events:
        terms.append(f"event IN ({', '.join('?' * len(search.events))})")
        args += [*search.events]
    for term, value in (
        ("actor = ?", search.actor or None),
        ("message = ?", search.message or None),
        ("at >= ?", search.since),
        ("at < ?", search.until),
    ):
        if value is not None:
            terms.append(term)
            args.append(value)
    if search.about is not None:
        terms.append("(who = ? OR whom = ?)")
        args += [search.about] * 2
    return " AND ".join(terms), tuple(args)


def _walked(where: str, args: Args, limit: int) -> tuple[str, Args]:
    return f"SELECT seq FROM journal WHERE {where} {_NEWEST}", (*args, limit)  # noqa: S608 - constants only


def _either(ways: list[tuple[str, Args]], limit: int) -> tuple[str, Args]:
    """Walk each way as far, and keep what is newest of all together."""
    walks = [_walked(where, args, limit) for where, args in ways]
    every = " UNION ".join(f"SELECT seq FROM ({sql})" for sql, _ in walks)  # noqa: S608 - constants only
    return f"SELECT seq FROM ({every}) {_NEWEST}", (*(a for _, args in walks for a in args), limit)  # noqa: S608


# Where a moment lies in the journal, by halves: rows are written in the order of time, nearly.
_MIDDLE = "(low + high) / 2"
_EARLIER = f"(SELECT at FROM journal WHERE seq >= {_MIDDLE} ORDER BY seq LIMIT 1) < ?1"  # noqa: S608
AT = f"""
WITH RECURSIVE half (low, high) AS (
    SELECT coalesce((SELECT min(seq) FROM journal), 1), coalesce((SELECT max(seq) FROM journal), 0) + 1
    UNION ALL
    SELECT iif({_EARLIER}, {_MIDDLE} + 1, low), iif({_EARLIER}, high, {_MIDDLE})
    FROM half WHERE low < high)
SELECT max(low) FROM half WHERE low >= high
"""  # noqa: S608 - constants only
TELLING = (
    "SELECT DISTINCT message FROM journal WHERE message IN (SELECT value FROM json_each(?))"
    " AND event IN (SELECT value FROM json_each(?))"
)
SLACK = 900.0  # seconds by which a row may be written later than what it tells of
EVENTS = f"""
WITH RECURSIVE each (event) AS (
    SELECT min(event) FROM journal WHERE {_RARE}
    UNION ALL
    SELECT (SELECT min(event) FROM journal WHERE event > each.event AND {_RARE})
    FROM each WHERE each.event IS NOT NULL)
SELECT event FROM each WHERE event IS NOT NULL
"""  # noqa: S608 - constants only
