"""What authorities said, kept across restarts: the ``Shelf`` of ``trust.authorities``.

Sealed like everything else, and bound to its name: who can write to the database, and has not the
key ring, can make us forget an answer, and so ask again, but not believe another one. A whole CRL
is megabytes: it lies beside, in pieces, and nobody opens them until it must be read again. R-A5.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

_WHOLE = "octets "  # how the name of a whole CRL begins ...
_APART = "w"  # ... and those of its rows: no digit of a keyed name
_PIECE = 1 << 20  # octets sealed in one go: nobody else runs meanwhile


class _Said(msgspec.Struct, frozen=True, array_like=True):
    name: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Answers:
    """The table ``authority``."""

    database: Database
    ring: KeyRing

    def load(self) -> Mapping[str, bytes]:
        """Return all that is kept and still opens, but whole CRLs."""
        found = {}
        rows = self.database.read("SELECT name, facts FROM authority WHERE name < ?", (_APART,))
        for name, facts in rows:
            said = self._opened(name, facts)
            if said is not None:
                found[said.name] = said.octets
        return found

    async def of(self, name: str) -> bytes | None:
        """Return a whole CRL by its name, if all of it still opens."""
        found = await self.database.query(
            "SELECT name, facts FROM authority WHERE name BETWEEN ? AND ? ORDER BY name",
            self._rows(name),
        )
        pieces = []
        for keyed, facts in found:
            said = await asyncio.to_thread(self._opened, keyed, facts)
            if said is None or said.name != name:
                return None
            pieces.append(said.octets)
        return b"".join(pieces) if pieces else None

    def _opened(self, keyed: str, facts: bytes) -> _Said | None:
        try:
            return msgspec.msgpack.decode(self.ring.open(facts, _place(keyed)), type=_Said)
        except SealError:
            return None

    async def keep(self, kept: Mapping[str, bytes]) -> None:
        """Keep each under its name, instead of what was there: all of them, or none."""
        await self.database.commit(await asyncio.to_thread(self._keeping, kept))

    def _keeping(self, kept: Mapping[str, bytes]) -> list[Statement]:
        statements = [self._gone(name) for name in kept]
        for name, octets in kept.items():
            for keyed, piece in self._pieces(name, octets):
                facts = self.ring.seal(msgspec.msgpack.encode(_Said(name, piece)), _place(keyed))
                insert = "INSERT INTO authority (name, facts) VALUES (?, ?)"
                statements.append(Statement(insert, (keyed, facts), expect=1))
        return statements

    def _pieces(self, name: str, octets: bytes) -> Iterator[tuple[str, bytes]]:
        first, _ = self._rows(name)
        if not name.startswith(_WHOLE):
            yield first, octets
            return
        for number, start in enumerate(range(0, len(octets), _PIECE)):
            yield f"{first}{number:04}", octets[start : start + _PIECE]

    async def forget(self, names: Iterable[str]) -> None:
        """Keep these no more."""
        gone = [self._gone(name) for name in names]
        if gone:
            await self.database.commit(gone)

    def _gone(self, name: str) -> Statement:
        return Statement("DELETE FROM authority WHERE name BETWEEN ? AND ?", self._rows(name))

    def _rows(self, name: str) -> tuple[str, str]:
        """Return the first and the last name that a row of this may have."""
        keyed = self.ring.index(name, "authority").hex()
        if name.startswith(_WHOLE):
            return f"{_APART}{keyed}-", f"{_APART}{keyed}-9999"
        return keyed, keyed


def _place(keyed: str) -> str:
    return f"authority/{keyed}/facts"
