"""Every version of every list that was verified here, and what became of it: the ``TrustStore``.

Sealed like everything else: a list says who works with whom. A version lies in the vault as mail
does, packed, and goes there piece by piece: a million addresses are a hundred MiB. Each entry of the history vouches for
itself by its seal, bound to its number, so that nobody who only writes to the database can put a
list in force, or approve one; together they are a chain. R-C4.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec

from trust import trail
from trust.signatures.verified import Content
from trust.trail import Entry, Kept
from trust.verification import Offer
from vault.database import Database, Statement
from vault.errors import VaultError
from vault.keys import KeyRing
from vault.store import Vault

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Versions:
    """The tables ``trust_edition`` and ``trust_trail``."""

    database: Database
    ring: KeyRing
    vault: Vault

    async def history(self) -> tuple[Kept, ...]:
        """Return all entries in order; one that no longer opens has its number and its hash."""
        rows = await self.database.query("SELECT seq, hash, entry FROM trust_trail ORDER BY seq")
        return await asyncio.to_thread(lambda: tuple(self._kept(*row) for row in rows))

    def _kept(self, number: int, link: bytes, sealed: bytes) -> Kept:
        try:
            opened = self.ring.open(sealed, _place("trail", number, "entry"))
            return Kept(number, link, trail.unpacked(opened))
        except (VaultError, ValueError):
            return Kept(number, link, None)

    async def offer(self, source: str, digest: str) -> Offer | None:
        """Return a version as it was offered; None if it is not kept, or no longer opens."""
        name = f"{source}/{digest}"
        rows = await self.database.query(
            "SELECT signatures FROM trust_edition WHERE id = ?", (name,)
        )
        if not rows:
            return None
        try:
            opened = self.ring.open(rows[0][0], _place("edition", name, "signatures"))
            signatures = msgspec.msgpack.decode(opened, type=tuple[bytes, ...])
            return Offer(await self._unpacked(name), signatures)
        except (VaultError, ValueError, zlib.error):
            return None

    async def _unpacked(self, name: str) -> bytes:
        inflating, parts = zlib.decompressobj(), list[bytes]()
        async for block in self.vault.stream(_holder(name)):
            parts.append(await asyncio.to_thread(inflating.decompress, block))
        if not inflating.eof:
            raise ValueError("it was cut off")
        return await asyncio.to_thread(b"".join, parts)

    async def keep(self, entries: Sequence[Entry], offer: Offer | None = None) -> None:
        """Go on with the history, and keep what was offered; return once it is durable."""
        statements = list[Statement]()
        for each in entries:
            if each.step is trail.Step.ERASED:
                statements += self._erasing(_name(each))
        if offer is not None:
            statements += await self._keeping(_name(entries[0]), offer)
        await self.database.commit([*statements, *self._following(entries)])

    async def _keeping(self, name: str, offer: Offer) -> list[Statement]:
        sealed = await self.vault.put(
            _packed(offer.content), own=True
        )  # who is revoked must be known
        signatures = msgspec.msgpack.encode(offer.signatures)
        return [
            *self._erasing(name),
            *self.vault.holding(sealed, [_holder(name)]),
            Statement(
                "INSERT INTO trust_edition (id, signatures) VALUES (?, ?)",
                (name, self.ring.seal(signatures, _place("edition", name, "signatures"))),
                expect=1,
            ),
        ]

    def _erasing(self, name: str) -> list[Statement]:
        row = Statement("DELETE FROM trust_edition WHERE id = ?", (name,))
        return [row, *self.vault.dropping(_holder(name))]

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


async def _packed(content: Content) -> AsyncIterator[bytes]:
    deflating, view = zlib.compressobj(), memoryview(content)
    for at in range(0, len(view), _BLOCK):
        yield await asyncio.to_thread(deflating.compress, view[at : at + _BLOCK])
    yield deflating.flush()


def _name(entry: Entry) -> str:
    return f"{entry.source}/{entry.digest}"


def _holder(name: str) -> str:
    return f"edition/{name}"


def _place(table: str, row: str | int, column: str) -> str:
    return f"trust_{table}/{row}/{column}"
