"""The journal: who did what to which message, append-only, each row chained to the one before.

An entry is a statement of the transaction that it tells of, so neither is there without the
other. What a person could be known by is sealed, and addresses can be looked up by a keyed hash
(R-G6); no content of a message ever comes here (R-I1). The
chain is computed inside the database's writer, and its head is signed, now and then, into a file
beside the key ring: who can only reach the data folder cannot rewrite what was signed.
docs/journal.md says how to verify it alone.
"""

import asyncio
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from smtp import address
from smtp.address import Address
from vault import chain, search, witness
from vault.chain import Head, Verdict
from vault.database import Database, Row, Statement
from vault.errors import SealError, VaultError
from vault.keys import KeyRing
from vault.search import Search
from vault.signed import Mark

SALT = 16
_PAGE = 1000  # rows that a long look takes at once
_DRAWN = 64  # salts drawn at once
_FEW = 200  # rows that are opened in one go: some milliseconds
_ENDLESS = 2**62  # above every number

_APPEND = """
INSERT INTO journal (seq, at, event, actor, message, who, whom, detail, proof, hash)
SELECT seq + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, chain(hash, seq + 1, ?1, ?2, ?3, ?4, ?9)
FROM (SELECT coalesce(max(seq), 0) AS seq,
             (SELECT hash FROM journal ORDER BY seq DESC LIMIT 1) AS hash FROM journal)
"""
_ROWS = "SELECT seq, at, event, actor, message, detail FROM journal"
_LATEST = "ORDER BY seq DESC LIMIT ?2"
_BY_MESSAGE = f"{_ROWS} WHERE message = ?1 {_LATEST}"
_KINDS = "event IN (SELECT value FROM json_each(?3))"
_ABOUT = f"{_ROWS} WHERE who = ?1 AND {_KINDS} {_LATEST}"
_UPON = f"{_ROWS} WHERE whom = ?1 AND {_KINDS} {_LATEST}"
_AFTER = f"{_ROWS} WHERE seq > ? ORDER BY seq LIMIT ?"
_THESE = "seq IN (SELECT value FROM json_each(?)) ORDER BY seq"
_NUMBERED = f"{_ROWS} WHERE {_THESE}"
_ERASED = b'{"erased":true}'
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, opened."""

    seq: int
    at: datetime
    event: str
    actor: str
    message: str | None
    who: str | None
    whom: str | None
    detail: dict[str, object]


@dataclass(frozen=True, slots=True)
class Found:
    """What a step of a search found, newest first, and from which number older rows follow."""

    entries: list[Entry]
    before: int | None  # None: all was looked at


class Journal:
    """The table ``journal`` and its signed head."""

    def __init__(self, database: Database, ring: KeyRing, head: Path) -> None:
        self._database, self._ring, self._head = database, ring, head
        # The same few write to each other again and again.
        self._index = lru_cache(maxsize=4096)(ring.index)
        self._salts: list[bytes] = []
        self._signed: Mark | None = None
        self._signing = asyncio.Lock()
        database.define("chain", 7, chain.link)

    def entry(
        self,
        at: datetime,
        event: str,
        actor: str,
        *,
        message: str | None = None,
        who: Address | None = None,
        whom: Address | None = None,
        **detail: object,
    ) -> Statement:
        """Return the statement that adds an entry to whatever transaction it tells of."""
        told: dict[str, object] = detail
        if who is not None:
            told = {"who": who, **told}
        if whom is not None:
            told = {"whom": whom, **told}
        moment, by, of = at.timestamp(), self.key(who), self.key(whom)
        plain = self._salt() + _ENCODER.encode(told)
        sealed = self._ring.seal(plain, _place(moment, event, actor, message))
        proof = hashlib.sha256(plain).digest()
        covered = chain.content(by, of, sealed, proof)
        args = (moment, event, actor, message, by, of, sealed, proof, covered)
        return Statement(_APPEND, args, expect=1)

    def _salt(self) -> bytes:
        """Return what hides an entry behind its proof, of those drawn together."""
        if not self._salts:
            drawn = os.urandom(SALT * _DRAWN)
            self._salts += (drawn[at : at + SALT] for at in range(0, len(drawn), SALT))
        return self._salts.pop()

    def key(self, who: Address | None) -> bytes | None:
        """Return the keyed index under which an address's rows are found."""
        return None if who is None else self._index(address.key(who), "address")

    async def by_message(self, message: str) -> list[Entry]:
        """All that was written of one message, oldest first."""
        return await self._latest(_BY_MESSAGE, message, -1)

    async def telling(self, messages: Sequence[str], events: Sequence[str]) -> set[str]:
        """Those of the messages of which a row of one of these kinds was written."""
        named = (_ENCODER.encode(messages).decode(), _ENCODER.encode(events).decode())
        return {message for (message,) in await self._database.query(search.TELLING, named)}

    async def by_address(self, who: Address, limit: int = _PAGE) -> list[Entry]:
        """The latest entries of one address, as the sender's or the recipient's, oldest first."""
        found = await self.find(Search(about=self.key(who)), limit)
        return found.entries[::-1]

    async def about(
        self, who: Address, events: Iterable[str], limit: int, *, upon: bool = False
    ) -> list[Entry]:
        """The latest of some kinds of entry that an address acted in, or (``upon``) was acted upon."""
        kinds = _ENCODER.encode(sorted(events)).decode()
        return await self._latest(_UPON if upon else _ABOUT, self.key(who), limit, kinds)

    async def since(self, at: datetime, limit: int = _PAGE) -> list[Entry]:
        """The latest entries that are not older than ``at``, oldest first."""
        found = await self.find(Search(since=at.timestamp()), limit)
        return found.entries[::-1]

    async def _latest(self, sql: str, arg: object, limit: int, *more: object) -> list[Entry]:
        rows = await self._database.query(sql, (arg, limit, *more))
        return await self._all(rows[::-1])

    async def _all(self, rows: Sequence[Row]) -> list[Entry]:
        """Open rows a few at a time: mail goes on meanwhile."""
        entries = []
        for start in range(0, len(rows), _FEW):
            entries += [self._opened(row) for row in rows[start : start + _FEW]]
            await asyncio.sleep(0)
        return entries

    async def find(self, what: Search, limit: int, before: int | None = None) -> Found:
        """The newest rows that fit, newest first; ``before`` a number, to go on from a page."""
        first, last = await self._bounds(what)
        before = last if before is None else min(before, last)
        most = max(what.examined or 0, limit)
        ways = search.walks(what, first, before, most)
        floors = [(await self._database.query(*search.floor(way, most)))[0][0] for way in ways]
        # Below where one of them ended there may be more than the others know of.
        lowest = max((number for number in floors if number is not None), default=None)
        fits, more = search.fitting(what)
        among = " AND ".join(f"seq IN ({walk})" for walk, _ in ways)
        rows = await self._database.query(
            f"{_ROWS} WHERE {among} AND seq >= ? AND {fits} ORDER BY seq DESC LIMIT ?",
            (*(arg for _, args in ways for arg in args), lowest or 0, *more, limit),
        )
        entries = await self._all(rows)
        return Found(entries, entries[-1].seq if len(entries) == limit else lowest)

    async def _bounds(self, what: Search) -> tuple[int, int]:
        """Return between which numbers the rows lie that were written in that time."""
        first, last = 0, _ENDLESS
        if what.since is not None:
            first = await self._number(what.since - search.SLACK)
        if what.until is not None:
            last = await self._number(what.until + search.SLACK)
        return first, last

    async def _number(self, at: float) -> int:
        """Return the number of the first row that was written about then, or later."""
        ((number,),) = await self._database.query(search.AT, (at,))
        return int(number)

    async def events(self) -> list[str]:
        """The names of the events there are."""
        rare = [event for (event,) in await self._database.query(search.EVENTS)]
        return sorted({*rare, *search.USUAL})

    async def numbered(self, numbers: Iterable[int]) -> list[Entry]:
        """The entries of those numbers, oldest first."""
        named = _ENCODER.encode(list(numbers)).decode()
        return [self._opened(row) for row in await self._database.query(_NUMBERED, (named,))]

    async def page(self, after: int, limit: int = _PAGE) -> list[Entry]:
        """The entries that follow a number, oldest first."""
        return [self._opened(row) for row in await self._database.query(_AFTER, (after, limit))]

    def _opened(self, row: Row) -> Entry:
        seq, at, event, actor, message, sealed = row
        try:
            detail = _DECODER.decode(self.plain(at, event, actor, message, sealed)[SALT:])
        except (SealError, msgspec.MsgspecError):
            detail = {"damaged": True}  # a story with a hole is better than no story
        who, whom = detail.pop("who", None), detail.pop("whom", None)
        moment = datetime.fromtimestamp(at, UTC)
        return Entry(seq, moment, event, actor, message, who, whom, detail)

    def plain(self, at: float, event: str, actor: str, message: str | None, sealed: Any) -> bytes:
        """Return what a row seals, after its salt; ``SealError``: it was not sealed for that row."""
        if sealed is None:
            return bytes(SALT) + _ERASED
        return self._ring.open(sealed, _place(at, event, actor, message))

    async def sign_head(self, now: datetime) -> bytes | None:
        """Sign how far the journal has come; what lies before that can no longer be rewritten.

        With the first of a day the one before it is put by, and returned: the head of its day.

        ``VaultError``: the journal does not lead to the head that was signed before this start. It
        was cut or replaced, and signing it as it is would hide that.
        """
        async with self._signing:
            if self._signed is None:
                self._signed = self._old_head()
            rows = self._database.read("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")
            head, before = Head(*rows[0]) if rows else Head(0, b""), self._signed
            if before is not None and head == before.head:
                return None
            ended = None
            if before is not None and before.head.seq and before.at.date() < now.date():
                ended = await asyncio.to_thread(witness.put_by, self._head, before)
            await asyncio.to_thread(witness.write, self._head, head, self._ring, now)
            self._signed = Mark(head, now)
            return ended

    def _old_head(self) -> Mark | None:
        old = witness.read(self._head, self._ring.public_key)
        if old is None or old.head.seq == 0:
            return old
        rows = self._database.read("SELECT hash FROM journal WHERE seq = ?", (old.head.seq,))
        if not rows or rows[0][0] != old.head.hash:
            raise VaultError(
                f"the journal does not lead to its head, signed at row {old.head.seq}: it was cut or"
                f" replaced; if a backup was restored, move {self._head} away"
            )
        return old

    @property
    def signed(self) -> int:
        """The row up to which this run knows the journal to be signed."""
        return self._signed.head.seq if self._signed else 0

    async def verify(self) -> Verdict:
        """Look at every row, in a thread, while entries go on being added."""
        return await asyncio.to_thread(
            witness.check, self._database.path, self._head, self._ring.public_key
        )


def _place(at: float, event: str, actor: str, message: str | None) -> str:
    return f"journal/{at}/{event}/{actor}/{message or ''}/detail"
