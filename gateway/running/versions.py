"""Every version of every list that was verified here, and what became of it: the ``TrustStore``.

Sealed like everything else: a list says who works with whom. Each entry of the history vouches for
itself by its seal, bound to its number, so that nobody who only writes to the database can put a
list in force, or approve one; together they are a chain. R-C4.
"""

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from trust import trail
from trust.trail import Entry, Kept
from trust.verification import Offer
from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

_LONGEST = 1 << 30  # octets that a kept offer may have unpacked


@dataclass(frozen=True, slots=True)
class Versions:
    """The tables ``trust_edition`` and ``trust_trail``."""

    database: Database
    ring: KeyRing

    async def history(self) -> tuple[Kept, ...]:
        """Return all entries in order; one that no longer opens has its number and its hash."""
        rows = await self.database.query("SELECT seq, hash, entry FROM trust_trail ORDER BY seq")
        return await asyncio.to_thread(lambda: tuple(self._kept(*row) for row in rows))

    def _kept(self, number: int, link: bytes, sealed: bytes) -> Kept:
        try:
            opened = self.ring.open(sealed, _place("trail", number, "entry"))
            return Kept(number, link, trail.unpacked(opened))
        except (SealError, ValueError):
            return Kept(number, link, None)

    async def offer(self, source: str, digest: str) -> Offer | None:
        """Return a version as it was offered; None if it is not kept, or no longer opens."""
        name = f"{source}/{digest}"
        rows = await self.database.query("SELECT offer FROM trust_edition WHERE id = ?", (name,))
        if not rows:
            return None
        return await asyncio.to_thread(self._opened, name, rows[0][0])

    def _opened(self, name: str, sealed: bytes) -> Offer | None:
        try:
            opened = self.ring.open(sealed, _place("edition", name, "offer"))
            packed = zlib.decompressobj().decompress(opened, _LONGEST)
            return Offer(*msgspec.msgpack.decode(packed, type=tuple[bytes, tuple[bytes, ...]]))
        except (SealError, ValueError, zlib.error):
            return None

    async def keep(self, entries: Sequence[Entry], offer: Offer | None = None) -> None:
        """Go on with the history, and keep what was offered; return once it is durable."""
        statements = [
            Statement("DELETE FROM trust_edition WHERE id = ?", (f"{each.source}/{each.digest}",))
            for each in entries
            if each.step is trail.Step.ERASED
        ]
        if offer is not None:
            name = f"{entries[0].source}/{entries[0].digest}"
            statements.append(
                Statement(
                    "INSERT OR REPLACE INTO trust_edition (id, offer) VALUES (?, ?)",
                    (name, await asyncio.to_thread(self._sealed, name, offer)),
                )
            )
        await self.database.commit([*statements, *self._following(entries)])

    def _sealed(self, name: str, offer: Offer) -> bytes:
        packed = msgspec.msgpack.encode((offer.content, offer.signatures))
        return self.ring.seal(zlib.compress(packed, 6), _place("edition", name, "offer"))

    def _following(self, entries: Sequence[Entry]) -> list[Statement]:
        rows = self.database.read("SELECT seq, hash FROM trust_trail ORDER BY seq DESC LIMIT 1")
        number, before = rows[0] if rows else (0, trail.FIRST)
        statements = []
        for number, entry in enumerate(entries, number + 1):  # noqa: B020 - goes on from the last
            before = trail.link(before, entry)
            sealed = self.ring.seal(trail.packed(entry), _place("trail", number, "entry"))
            statements.append(
                Statement(
                    "INSERT INTO trust_trail (seq, hash, entry) VALUES (?, ?, ?)",
                    (number, before, sealed),
                    expect=1,
                )
            )
        return statements


def _place(table: str, row: str | int, column: str) -> str:
    return f"trust_{table}/{row}/{column}"
