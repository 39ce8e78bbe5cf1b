"""The journal forgets: old rows go, single rows lose their content, and the chain stays provable.

What goes is signed first: up to which row and hash all was purged, and which rows' content was
erased. Each step is one small transaction, with its own entry in the journal, so that mail never
waits for it and a crash leaves a journal that proves itself. What a legal hold names stays as it was
written; rows before it that were due lose their content, and go when the hold is lifted. Rows that
are not signed yet, or that somebody is still to be told, are never touched. R-I2, R-I3.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from vault import signed, witness
from vault.chain import Head, content
from vault.database import Database, Row, Statement
from vault.journal import Journal
from vault.keys import KeyRing

STEP = 100  # rows of one transaction: some milliseconds of the loop

_FROM = "SELECT seq, at, who, whom, message, detail IS NULL, hash FROM journal WHERE seq > ? AND"
_DUE = f"{_FROM} seq < ? ORDER BY seq LIMIT ?"
_TEXTS = "SELECT text FROM journal_purge"
_CONTENT = "SELECT who, whom, detail, proof FROM journal WHERE seq = ? AND detail IS NOT NULL"
_LAST = "SELECT hash FROM journal WHERE seq = ?"
_ERASE = """
UPDATE journal SET who = NULL, whom = NULL, detail = NULL, proof = ?
WHERE seq = ? AND detail IS NOT NULL
"""
_MESSAGES = (
    "SELECT DISTINCT message FROM journal WHERE (who = ?1 OR whom = ?1) AND message NOT NULL"
)
_ABOUT = "SELECT seq, at, who, whom, message, detail IS NULL, hash FROM journal WHERE who = ?1 OR whom = ?1"


class Kept(NamedTuple):
    """What legal holds name: keyed addresses, messages."""

    addresses: frozenset[bytes] = frozenset()
    messages: frozenset[str] = frozenset()
    everything: bool = False

    def holds(self, row: "Line") -> bool:
        """Whether a row must stay as it is."""
        named = self.addresses & {row.who, row.whom} or row.message in self.messages
        return self.everything or bool(named)


class Line(NamedTuple):
    """What is looked at of a row."""

    seq: int
    at: float
    who: bytes | None
    whom: bytes | None
    message: str | None
    gone: bool  # its content was erased before
    hash: bytes


@dataclass(frozen=True, slots=True)
class Forgot:
    """What one step did."""

    purged: int = 0
    erased: int = 0

    def __bool__(self) -> bool:
        return bool(self.purged or self.erased)


class Forgetting:
    """What the journal forgets, by the clock or because somebody asked."""

    def __init__(self, database: Database, journal: Journal, ring: KeyRing) -> None:
        self._database, self._journal, self._ring = database, journal, ring
        self._looked = 0  # rows up to this one were due, and are as they shall be
        self._under: Kept | None = None

    def purged(self) -> Head:
        """Return the last row that was purged; row 0 if none was."""
        texts = [text for (text,) in self._database.read(_TEXTS)]
        return witness.purged(texts, self._ring.public_key)

    async def step(self, before: datetime, upto: int, kept: Kept, now: datetime) -> Forgot:
        """Forget some of the rows that are older than ``before``; nothing: all is done.

        Rows from number ``upto`` on are never touched, nor the signed one and those after it.
        """
        upto = min(upto, self._journal.signed)
        if kept != self._under:
            self._looked, self._under = 0, kept
        while True:
            begin = self.purged()
            rows = await self._database.query(_DUE, (max(begin.seq, self._looked), upto, STEP))
            due = _older([Line(*row) for row in rows], before)
            if not due:
                return Forgot()
            first = next((n for n, line in enumerate(due) if kept.holds(line)), len(due))
            if first and due[0].seq == begin.seq + 1:
                await self._purge(due[:first], now)
                return Forgot(purged=first)
            rest = [line.seq for line in due if not kept.holds(line) and not line.gone]
            erased = await self.erase(rest, now, "retention")
            self._looked = due[-1].seq
            if erased:
                return Forgot(erased=erased)

    async def _purge(self, lines: Sequence[Line], now: datetime) -> None:
        last = Head(lines[-1].seq, lines[-1].hash)
        text = signed.mark(signed.PURGE, last, self._ring, now)
        told = self._journal.entry(now, "journal.purged", "gateway", rows=len(lines), upto=last.seq)
        await self._database.commit(
            [
                Statement("DELETE FROM journal WHERE seq <= ?", (last.seq,), expect=len(lines)),
                Statement("INSERT OR REPLACE INTO journal_purge (id, text) VALUES (1, ?)", (text,)),
                Statement("DELETE FROM journal_erasure WHERE last <= ?", (last.seq,)),
                told,
            ]
        )

    async def erase(
        self, rows: Sequence[int], now: datetime, reason: str, actor: str = "gateway"
    ) -> int:
        """Erase the content of rows; return of how many. What was written stays provable."""
        count = 0
        for start in range(0, len(rows), STEP):
            count += await self._erase(sorted(rows[start : start + STEP]), now, reason, actor)
        return count

    async def _erase(self, rows: Sequence[int], now: datetime, reason: str, actor: str) -> int:
        found: dict[int, Row] = {}
        for seq in rows:
            for row in self._database.read(_CONTENT, (seq,)):
                found[seq] = row
        if not found:
            return 0
        last = max(found)
        ((digest,),) = self._database.read(_LAST, (last,))
        text = signed.erasure(sorted(found), Head(last, digest), self._ring, now)
        statements = [
            Statement(_ERASE, (content(*row), seq), expect=1) for seq, row in found.items()
        ]
        noting = Statement("INSERT INTO journal_erasure (last, text) VALUES (?, ?)", (last, text))
        told = self._journal.entry(now, "journal.erased", actor, rows=len(found), reason=reason)
        await self._database.commit([*statements, noting, told])
        return len(found)

    async def about(self, who: bytes) -> list[Line]:
        """Return all rows that name a keyed address, oldest first."""
        return sorted(Line(*row) for row in await self._database.query(_ABOUT, (who,)))

    async def messages(self, addresses: Collection[bytes]) -> frozenset[str]:
        """Return the messages that keyed addresses had to do with: their whole story is held."""
        found: set[str] = set()
        for who in addresses:
            found |= {message for (message,) in await self._database.query(_MESSAGES, (who,))}
        return frozenset(found)


def _older(lines: list[Line], before: datetime) -> list[Line]:
    """Return the rows up to the first that is not old enough: a clock that jumped back waits."""
    limit = before.timestamp()
    first = next((n for n, line in enumerate(lines) if line.at >= limit), len(lines))
    return lines[:first]
