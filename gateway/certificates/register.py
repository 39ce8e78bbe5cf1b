"""Every certificate that we met, with those above it and how it stood when we last asked. R-A5."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from trust.revocation import UNSEEN, Standing
from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

_KEEP = (
    "INSERT INTO certificate (fingerprint, role, expires, seen, warned, facts)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET role = excluded.role,"
    " seen = excluded.seen, warned = excluded.warned, facts = excluded.facts"
)


@dataclass(frozen=True, slots=True)
class Met:
    """A certificate that was shown to us, or is ours."""

    fingerprint: str
    role: str  # ours, peer, next-hop, mailbox, signer
    expires: datetime
    seen: datetime
    certificate: bytes  # DER
    issuers: tuple[bytes, ...] = ()  # those above it that came with it
    standing: Standing = UNSEEN
    warned: int | None = None  # of its expiry, so many days ahead


class _Facts(msgspec.Struct, frozen=True, array_like=True):
    certificate: bytes
    issuers: tuple[bytes, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Register:
    """The table ``certificate``."""

    database: Database
    ring: KeyRing

    def all(self) -> list[Met]:
        """Return every certificate that was met, by when it ends; one that does not open is new."""
        rows = self.database.read(
            "SELECT fingerprint, role, expires, seen, warned, facts FROM certificate"
            " ORDER BY expires, fingerprint"
        )
        found = []
        for fingerprint, role, expires, seen, warned, sealed in rows:
            try:
                opened = self.ring.open(sealed, _place(fingerprint))
            except SealError:
                continue
            facts = msgspec.msgpack.decode(opened, type=_Facts)
            found.append(
                Met(
                    fingerprint,
                    role,
                    datetime.fromtimestamp(expires, UTC),
                    datetime.fromtimestamp(seen, UTC),
                    facts.certificate,
                    facts.issuers,
                    facts.standing,
                    warned,
                )
            )
        return found

    def keeping(self, met: Met) -> Statement:
        """Return what writes one down, instead of what was known of it."""
        facts = _Facts(met.certificate, met.issuers, met.standing)
        return Statement(
            _KEEP,
            (
                met.fingerprint,
                met.role,
                met.expires.timestamp(),
                met.seen.replace(hour=0, minute=0, second=0, microsecond=0).timestamp(),
                met.warned,
                self.ring.seal(msgspec.msgpack.encode(facts), _place(met.fingerprint)),
            ),
            expect=1,
        )

    async def keep(self, met: Sequence[Met]) -> None:
        """Write these down."""
        if met:
            await self.database.commit([self.keeping(one) for one in met])

    async def forget(self, before: datetime) -> None:
        """Forget those that nobody has shown since, the revoked as well: they are asked about anew."""
        await self.database.commit(
            [
                Statement(
                    "DELETE FROM certificate WHERE seen < ? AND role <> 'ours'",
                    (before.timestamp(),),
                )
            ]
        )


def _place(fingerprint: str) -> str:
    return f"certificate/{fingerprint}/facts"
