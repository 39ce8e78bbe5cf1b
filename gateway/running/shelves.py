"""Directories over restarts: each a sealed body in the vault, which its row alone holds.

A directory says who works where, and who may not be shown: it is sealed as mail is. R-D3.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from trust.book import Buffer
from trust.directories import Kept
from vault.database import Database, Statement
from vault.store import Vault

_BLOCK = 256 << 10


@dataclass(frozen=True, slots=True)
class Shelves:
    """The table ``directory``: the trust floor's ``DirectoryStore``."""

    database: Database
    vault: Vault

    async def load(self, name: str) -> Kept | None:
        """Return the directory of that name that was kept last."""
        rows = await self.database.query(
            "SELECT number, taken FROM directory WHERE name = ?", (name,)
        )
        if not rows:
            return None
        number, taken = rows[0]
        holder = _holder(name, number)
        packed, at = bytearray(self.vault.size(holder)), 0  # in one place: it is a hundred MiB
        async for block in self.vault.stream(holder):
            packed[at : at + len(block)] = block
            at += len(block)
        return Kept(datetime.fromtimestamp(taken, UTC), memoryview(packed).toreadonly())

    async def save(self, name: str, kept: Kept) -> None:
        """Keep it in the place of the one before, which nobody can open afterwards."""
        rows = await self.database.query("SELECT number FROM directory WHERE name = ?", (name,))
        before = rows[0][0] if rows else 0
        sealed = await self.vault.put(_blocks(kept.packed))
        row = Statement(
            "INSERT INTO directory (name, number, taken) VALUES (?, ?, ?) ON CONFLICT (name)"
            " DO UPDATE SET number = excluded.number, taken = excluded.taken",
            (name, before + 1, kept.taken.timestamp()),
            expect=1,
        )
        await self.database.commit(
            [
                *self.vault.holding(sealed, [_holder(name, before + 1)]),
                row,
                *self.vault.dropping(_holder(name, before)),
            ]
        )


async def _blocks(packed: Buffer) -> AsyncIterator[bytes]:
    view = memoryview(packed)
    for at in range(0, len(view), _BLOCK):
        yield bytes(view[at : at + _BLOCK])


def _holder(name: str, number: int) -> str:
    return f"directory/{name}/{number}"
