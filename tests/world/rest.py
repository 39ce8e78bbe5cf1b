"""Everything at rest, opened in a temporary folder as a gateway opens it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.world.clock import START
from vault.blobs import Folder
from vault.database import Database, Statement
from vault.keys import KeyRing
from vault.store import Vault


@dataclass(frozen=True, slots=True)
class Rest:
    """A key ring, a database and a vault."""

    ring: KeyRing
    database: Database
    vault: Vault

    @classmethod
    def open(cls, folder: Path) -> Self:
        ring = KeyRing.create(folder / "keys.json", START)
        database = Database.open(folder / "sceau.db")
        blobs = folder / "blobs"
        blobs.mkdir()
        return cls(ring, database, Vault(database, ring, Folder(blobs), reserve=0))

    async def commit(self, statements: Sequence[Statement]) -> None:
        await self.database.commit(statements)

    async def keep(self, body: bytes, holder: str) -> None:
        """Put a body that one holder has."""
        sealed = await self.vault.put(blocks(body))
        await self.database.commit(self.vault.holding(sealed, [holder]))


def stored(folder: Path) -> bytes:
    """Return every byte that lies in the database's files, the log included."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("sceau.db*")))


async def blocks(body: bytes, size: int = 4096) -> AsyncIterator[bytes]:
    """Yield a body as a connection would bring it."""
    for start in range(0, len(body), size):
        yield body[start : start + size]
