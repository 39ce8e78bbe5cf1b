"""What authorities said, kept across restarts: the ``Shelf`` of ``trust.authorities``.

Sealed like everything else, and bound to its name: who can write to the database, and has not the
key ring, can make us forget an answer, and so ask again, but not believe another one. R-A5.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

_KEEP = (
    "INSERT INTO authority (name, facts) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET facts = excluded.facts"
)


class _Said(msgspec.Struct, frozen=True, array_like=True):
    name: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Answers:
    """The table ``authority``."""

    database: Database
    ring: KeyRing

    def load(self) -> Mapping[str, bytes]:
        """Return all that is kept and still opens."""
        found = {}
        for name, facts in self.database.read("SELECT name, facts FROM authority"):
            try:
                opened = self.ring.open(facts, _place(name))
            except SealError:
                continue
            said = msgspec.msgpack.decode(opened, type=_Said)
            found[said.name] = said.octets
        return found

    async def keep(self, name: str, octets: bytes) -> None:
        """Keep this under its name, instead of what was there."""
        keyed = self._keyed(name)
        facts = self.ring.seal(msgspec.msgpack.encode(_Said(name, octets)), _place(keyed))
        await self.database.commit([Statement(_KEEP, (keyed, facts), expect=1)])

    async def forget(self, names: Iterable[str]) -> None:
        """Keep these no more."""
        gone = [
            Statement("DELETE FROM authority WHERE name = ?", (self._keyed(name),))
            for name in names
        ]
        if gone:
            await self.database.commit(gone)

    def _keyed(self, name: str) -> str:
        return self.ring.index(name, "authority").hex()


def _place(keyed: str) -> str:
    return f"authority/{keyed}/facts"
