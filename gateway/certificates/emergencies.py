"""What operators decide when a peer's certificate has run out on a Sunday.

*Patience*: mail for a domain does not grow old meanwhile; it waits, and nobody's message comes
back. A *bridge*: two operators let it flow over the expired certificate, for some hours, loudly.
Both are rows sealed and bound to their domain: nobody grants one by writing to the database. R-A5.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from trust.bridges import Bridge, Bridges
from trust.identity import Certificate
from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

PATIENCE_OF_A_REQUEST = timedelta(hours=24)  # that a bridge waits for its second operator


class Patience(msgspec.Struct, frozen=True):
    """Mail for a domain does not grow old."""

    domain: str
    since: datetime
    by: str
    why: str = ""


class Asked(msgspec.Struct, frozen=True):
    """A bridge that one operator asked for; it stands once another has confirmed it."""

    domain: str
    certificate: bytes  # the one that expired, DER
    hours: float
    at: datetime
    by: str
    why: str = ""
    confirmed: datetime | None = None
    confirmed_by: str = ""

    @property
    def ends(self) -> datetime:
        """When it stands no longer, or the request is forgotten."""
        if self.confirmed is None:
            return self.at + PATIENCE_OF_A_REQUEST
        return self.confirmed + timedelta(hours=self.hours)

    @property
    def bridge(self) -> Bridge | None:
        """The bridge, if it was confirmed."""
        if self.confirmed is None:
            return None
        over = Certificate.parse(self.certificate)
        return Bridge(
            self.domain,
            over.spki_sha256,
            over.subject,
            self.confirmed,
            self.ends,
            self.by,
            self.confirmed_by,
        )


_Row = TypeVar("_Row", Patience, Asked)


@dataclass(slots=True)
class Emergencies:
    """The tables ``patience`` and ``bridge``; ``patience`` is looked up at each attempt."""

    database: Database
    ring: KeyRing
    patience: frozenset[str] = frozenset()  # domains; as ``holds`` last read them

    def __post_init__(self) -> None:
        self.holds()

    def holds(self) -> list[Patience]:
        """Return for whom mail does not grow old."""
        found = self._rows("patience", Patience)
        self.patience = frozenset(one.domain for one in found)
        return found

    async def hold(self, one: Patience) -> None:
        """Let mail for a domain not grow old."""
        await self._keep("patience", one)
        self.holds()

    async def resume(self, domain: str) -> bool:
        """Let it grow old again; return whether it did not."""
        held = domain in self.patience
        await self._forget("patience", domain)
        self.holds()
        return held

    def asked(self, now: datetime) -> list[Asked]:
        """Return the bridges that stand, and those that wait for a second operator."""
        return [one for one in self._rows("bridge", Asked) if now < one.ends]

    def bridges(self, now: datetime) -> Bridges:
        """Return the bridges that stand."""
        found = (one.bridge for one in self.asked(now))
        return Bridges.of(bridge for bridge in found if bridge is not None)

    async def ask(self, one: Asked) -> None:
        """Ask for a bridge, or confirm it: one a domain."""
        await self._keep("bridge", one)

    async def remove(self, domain: str) -> None:
        """Take a bridge, or the request for one, away."""
        await self._forget("bridge", domain)

    async def end(self, now: datetime) -> None:
        """Take away what has ended: a clock that goes back builds no bridge anew."""
        standing = {one.domain for one in self.asked(now)}
        rows = self.database.read("SELECT domain, facts FROM bridge")
        gone = [
            # Only this very row: meanwhile somebody may ask for another.
            Statement("DELETE FROM bridge WHERE domain = ? AND facts = ?", (domain, facts))
            for domain, facts in rows
            if domain not in standing
        ]
        if gone:
            await self.database.commit(gone)

    def _rows(self, table: str, kind: type[_Row]) -> list[_Row]:
        found = []
        rows = self.database.read(f"SELECT domain, facts FROM {table} ORDER BY domain")  # noqa: S608 - our own names
        for domain, facts in rows:
            try:
                opened = self.ring.open(facts, f"{table}/{domain}/facts")
            except SealError:  # not written by us: it grants nothing
                continue
            found.append(msgspec.msgpack.decode(opened, type=kind))
        return found

    async def _keep(self, table: str, one: Patience | Asked) -> None:
        facts = self.ring.seal(msgspec.msgpack.encode(one), f"{table}/{one.domain}/facts")
        sql = (
            f"INSERT INTO {table} (domain, facts) VALUES (?, ?)"  # noqa: S608 - our own names
            " ON CONFLICT (domain) DO UPDATE SET facts = excluded.facts"
        )
        await self.database.commit([Statement(sql, (one.domain, facts), expect=1)])

    async def _forget(self, table: str, domain: str) -> None:
        sql = f"DELETE FROM {table} WHERE domain = ?"  # noqa: S608 - our own names
        await self.database.commit([Statement(sql, (domain,))])
