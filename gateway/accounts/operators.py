"""Who may come to the console: operators, their roles, and what they may show beside factors.

An operator is a row whose role is sealed and bound to its name: who can write to the database, and has
not the key ring, makes nobody an operator. One who left is kept, so that a name in the journal never
comes to mean somebody else. R-B3, R-I1.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from gateway.accounts.mailboxes import AccountError, Tell, untold
from vault.database import Database, Statement
from vault.errors import Conflict, SealError
from vault.keys import KeyRing

_NAME = re.compile(r"[a-z][a-z0-9.-]{0,31}")


class Role(StrEnum):
    """What somebody is there for; ``gateway.console.roles`` says what that lets them do."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"  # of what is held
    LISTS = "lists"  # of whom we trust
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Operator:
    """One person who operates the gateway."""

    key: str
    name: str  # as they log in, and as the journal names them
    role: Role
    created: datetime
    active: bool = True
    certificates: frozenset[str] = frozenset()  # SHA-256 of those that open the console

    @property
    def login(self) -> str:
        """What they type to say who they are."""
        return self.name

    @property
    def actor(self) -> str:
        """Who they are in the journal."""
        return f"operator:{self.name}"

    @property
    def told(self) -> Mapping[str, object]:
        """How an event names them."""
        return {"operator": self.name}

    @property
    def sends(self) -> bool:
        """Whether they may log in."""
        return self.active


class _Facts(msgspec.Struct, frozen=True):
    role: str
    created: datetime
    active: bool
    certificates: tuple[str, ...]


class Operators:
    """The table ``operator``."""

    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        clock: Callable[[], datetime],
        tell: Tell = untold,
    ) -> None:
        self._database, self._ring, self._clock, self._tell = database, ring, clock, tell

    def find(self, name: str) -> Operator | None:
        """Return the operator of this name."""
        return self._one("WHERE name = ?", name.strip().lower()[:64])

    def by_key(self, key: str) -> Operator | None:
        """Return the operator with this opaque key."""
        return self._one("WHERE key = ?", key)

    def all(self) -> list[Operator]:
        """Return every operator there ever was, by name."""
        rows = self._database.read(f"{_SELECT} ORDER BY name")
        return [each for row in rows if (each := self._operator(row)) is not None]

    def with_certificate(self, fingerprint: str) -> Operator | None:
        """Return whom a certificate opens the console to."""
        found = [each for each in self.all() if each.active and fingerprint in each.certificates]
        return found[0] if len(found) == 1 else None

    async def add(self, name: str, role: Role) -> Operator:
        """Make one; a name that was ever somebody's is theirs."""
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"{name!r} is no operator's name: a-z first, then a-z, 0-9, dot and hyphen, 32 at most"
            )
        made = Operator(secrets.token_hex(8), name, role, self._clock())
        statement = Statement(
            "INSERT INTO operator (key, name, facts) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO NOTHING",
            (made.key, made.name, self._sealed(made)),
            expect=1,
        )
        try:
            await self._database.commit([statement])
        except Conflict:
            raise AccountError(f"there is an operator {name} already") from None
        return made

    async def change(
        self,
        operator: Operator,
        *,
        role: Role | None = None,
        active: bool | None = None,
        certificates: frozenset[str] | None = None,
    ) -> Operator:
        """Give an operator another role, let them go or come back, say which certificates are theirs."""
        after = replace(
            operator,
            role=operator.role if role is None else role,
            active=operator.active if active is None else active,
            certificates=operator.certificates if certificates is None else certificates,
        )
        await self._database.commit(
            [
                Statement(
                    "UPDATE operator SET facts = ? WHERE key = ?",
                    (self._sealed(after), after.key),
                    expect=1,
                )
            ]
        )
        return after

    def _one(self, where: str, value: str) -> Operator | None:
        rows = self._database.read(f"{_SELECT} {where}", (value,))
        return self._operator(rows[0]) if rows else None

    def _sealed(self, operator: Operator) -> bytes:
        facts = _Facts(
            operator.role.value,
            operator.created,
            operator.active,
            tuple(sorted(operator.certificates)),
        )
        return self._ring.seal(_ENCODER.encode(facts), _place(operator.key, operator.name))

    def _operator(self, row: tuple[str, str, bytes]) -> Operator | None:
        """Read a row, or nothing if it is not as we wrote it."""
        key, name, sealed = row
        try:
            facts = _DECODER.decode(self._ring.open(sealed, _place(key, name)))
        except SealError:
            self._tell("operator.tampered", {"operator": name})
            return None
        created = facts.created.astimezone(UTC)
        certificates = frozenset(facts.certificates)
        return Operator(key, name, Role(facts.role), created, facts.active, certificates)


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Facts)
_SELECT = "SELECT key, name, facts FROM operator"


def _place(key: str, name: str) -> str:
    return f"operator/{key}/{name}/facts"
