"""The journal: who did what to which message, append-only, each row chained to the one before.

An entry is a statement of the transaction that it tells of, so neither is there without the
other. What a person could be known by is sealed, and addresses can be looked up by a keyed hash
(R-G6); no content of a message ever comes here (R-I1). The
chain is computed inside the database's writer, and its head is signed, now and then, into a file
beside the key ring: who can only reach the data folder cannot rewrite what was signed.
docs/journal.md says how to verify it alone.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from smtp import address
from smtp.address import Address
from vault import chain, witness
from vault.chain import Head, Verdict
from vault.database import Database, Row, Statement
from vault.errors import SealError, VaultError
from vault.keys import KeyRing

_PAGE = 1000  # rows that a long look takes at once

_APPEND = """
INSERT INTO journal (seq, at, event, actor, message, who, whom, detail, hash)
SELECT seq + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, chain(hash, seq + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
FROM (SELECT coalesce(max(seq), 0) AS seq,
             (SELECT hash FROM journal ORDER BY seq DESC LIMIT 1) AS hash FROM journal)
"""
_ROWS = "SELECT seq, at, event, actor, message, detail FROM journal"
_LATEST = "ORDER BY seq DESC LIMIT ?2"
_BY_MESSAGE = f"{_ROWS} WHERE message = ?1 {_LATEST}"
_BY_ADDRESS = f"{_ROWS} WHERE who = ?1 OR whom = ?1 {_LATEST}"
_KINDS = "event IN (SELECT value FROM json_each(?3))"
_ABOUT = f"{_ROWS} WHERE who = ?1 AND {_KINDS} {_LATEST}"
_UPON = f"{_ROWS} WHERE whom = ?1 AND {_KINDS} {_LATEST}"
_SINCE = f"{_ROWS} WHERE at >= ?1 {_LATEST}"
_AFTER = f"{_ROWS} WHERE seq > ? ORDER BY seq LIMIT ?"
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


class Journal:
    """The table ``journal`` and its signed head."""

    def __init__(self, database: Database, ring: KeyRing, head: Path) -> None:
        self._database, self._ring, self._head = database, ring, head
        # The same few write to each other again and again.
        self._index = lru_cache(maxsize=4096)(ring.index)
        self._signed: Head | None = None
        self._signing = asyncio.Lock()
        database.define("chain", 9, chain.link)

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
        moment = at.timestamp()
        sealed = self._ring.seal(_ENCODER.encode(told), _place(moment, event, actor, message))
        args = (moment, event, actor, message, self._key(who), self._key(whom), sealed)
        return Statement(_APPEND, args, expect=1)

    def _key(self, who: Address | None) -> bytes | None:
        return None if who is None else self._index(address.key(who), "address")

    async def by_message(self, message: str) -> list[Entry]:
        """All that was written of one message, oldest first."""
        return await self._latest(_BY_MESSAGE, message, -1)

    async def by_address(self, who: Address, limit: int = _PAGE) -> list[Entry]:
        """The latest entries of one address, as the sender's or the recipient's, oldest first."""
        return await self._latest(_BY_ADDRESS, self._key(who), limit)

    async def about(
        self, who: Address, events: Iterable[str], limit: int, *, upon: bool = False
    ) -> list[Entry]:
        """The latest of some kinds of entry that an address acted in, or (``upon``) was acted upon."""
        kinds = _ENCODER.encode(sorted(events)).decode()
        return await self._latest(_UPON if upon else _ABOUT, self._key(who), limit, kinds)

    async def since(self, at: datetime, limit: int = _PAGE) -> list[Entry]:
        """The latest entries that are not older than ``at``, oldest first."""
        return await self._latest(_SINCE, at.timestamp(), limit)

    async def _latest(self, sql: str, arg: object, limit: int, *more: object) -> list[Entry]:
        rows = await self._database.query(sql, (arg, limit, *more))
        return [self._opened(row) for row in reversed(rows)]

    async def page(self, after: int, limit: int = _PAGE) -> list[Entry]:
        """The entries that follow a number, oldest first."""
        return [self._opened(row) for row in await self._database.query(_AFTER, (after, limit))]

    async def export(self) -> AsyncIterator[bytes]:
        """Yield every entry, opened, as a line of JSON."""
        seq = 0
        while entries := await self.page(seq):
            seq = entries[-1].seq
            yield b"".join(_ENCODER.encode(entry) + b"\n" for entry in entries)

    def _opened(self, row: Row) -> Entry:
        seq, at, event, actor, message, sealed = row
        try:
            detail = _DECODER.decode(self._ring.open(sealed, _place(at, event, actor, message)))
        except (SealError, msgspec.MsgspecError):
            detail = {"damaged": True}  # a story with a hole is better than no story
        who, whom = detail.pop("who", None), detail.pop("whom", None)
        moment = datetime.fromtimestamp(at, UTC)
        return Entry(seq, moment, event, actor, message, who, whom, detail)

    async def sign_head(self, now: datetime) -> None:
        """Sign how far the journal has come; what lies before that can no longer be rewritten.

        ``VaultError``: the journal does not lead to the head that was signed before this start. It
        was cut or replaced, and signing it as it is would hide that.
        """
        async with self._signing:
            if self._signed is None:
                self._check_old_head()
            rows = self._database.read("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")
            head = Head(*rows[0]) if rows else Head(0, b"")
            if head != self._signed:
                await asyncio.to_thread(witness.write, self._head, head, self._ring, now)
                self._signed = head

    def _check_old_head(self) -> None:
        old = witness.read(self._head, self._ring.public_key)
        if old is None or old.seq == 0:
            return
        rows = self._database.read("SELECT hash FROM journal WHERE seq = ?", (old.seq,))
        if not rows or rows[0][0] != old.hash:
            raise VaultError(
                f"the journal does not lead to its head, signed at row {old.seq}: it was cut or"
                f" replaced; if a backup was restored, move {self._head} away"
            )

    async def verify(self) -> Verdict:
        """Look at every row, in a thread, while entries go on being added."""
        return await asyncio.to_thread(
            witness.check, self._database.path, self._head, self._ring.public_key
        )


def _place(at: float, event: str, actor: str, message: str | None) -> str:
    return f"journal/{at}/{event}/{actor}/{message or ''}/detail"
