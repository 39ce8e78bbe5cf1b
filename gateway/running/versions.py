"""Every trust list that was ever in force, kept as it was signed: the keeper's ``TrustStore``.

Sealed like everything else: a list says who works with whom. R-C4.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from trust.keeper import Stored
from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Versions:
    """The table ``trust_version``."""

    database: Database
    ring: KeyRing

    def load(self) -> Stored | None:
        """Return the highest version ever saved.

        One that no longer opens comes back empty, so that nobody believes it; its number and its
        hash still count, so that no older list takes its place.
        """
        rows = self.database.read(
            "SELECT version, digest, imported, list, signatures FROM trust_version"
            " ORDER BY version DESC LIMIT 1"
        )
        if not rows:
            return None
        version, digest, imported, content, signatures = rows[0]
        try:
            opened = self.ring.open(content, _place(version, "list"))
            packed = self.ring.open(signatures, _place(version, "signatures"))
            signed = msgspec.msgpack.decode(packed, type=tuple[bytes, ...])
        except SealError:
            opened, signed = b"", ()
        return Stored(version, digest.hex(), datetime.fromtimestamp(imported, UTC), opened, signed)

    async def save(self, stored: Stored) -> None:
        """Keep a version; return once it is durable."""
        version = stored.version
        signatures = msgspec.msgpack.encode(stored.signatures)
        await self.database.commit(
            [
                Statement(
                    "INSERT INTO trust_version (version, digest, imported, list, signatures)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (
                        version,
                        bytes.fromhex(stored.digest),
                        stored.imported.timestamp(),
                        self.ring.seal(stored.content, _place(version, "list")),
                        self.ring.seal(signatures, _place(version, "signatures")),
                    ),
                    expect=1,
                )
            ]
        )


def _place(version: int, column: str) -> str:
    return f"trust_version/{version}/{column}"
