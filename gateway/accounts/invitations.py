"""A code by which a person comes in for the first time, or again after a lost telephone: once, within a day.

The code is 120 random bits, kept as a keyed hash. What it may do is sealed: whether it ends the
factors that are there, which takes two operators. One that was made when there were none is worth
nothing once there are. R-B3.
"""

import base64
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import msgspec

from gateway.accounts.owner import Owner
from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

LIFE = timedelta(hours=24)

_Owner = TypeVar("_Owner", bound=Owner)
_SHAPE = re.compile(r"[a-z2-7]{24}")


class _Facts(msgspec.Struct, frozen=True):
    until: datetime
    replaces: bool


@dataclass(frozen=True, slots=True)
class Invitation(Generic[_Owner]):
    """One that is in force."""

    id: bytes
    owner: _Owner
    until: datetime
    replaces: bool  # the factors that are there end when it is used


@dataclass(frozen=True, slots=True)
class Invitations(Generic[_Owner]):
    """The table ``invitation``: at most one a person."""

    database: Database
    ring: KeyRing
    find: Callable[[str], _Owner | None]  # whom they may be for, by their key
    clock: Callable[[], datetime]

    async def make(
        self, owner: _Owner, *, replaces: bool, also: Sequence[Statement] = ()
    ) -> tuple[str, datetime]:
        """Make one in place of the one before; its text is returned this once and kept nowhere."""
        code = base64.b32encode(secrets.token_bytes(15)).decode().lower()
        name, until = self._name(code), self.clock() + LIFE
        facts = self.ring.seal(_ENCODER.encode(_Facts(until, replaces)), _place(name, owner))
        statement = Statement(
            "INSERT INTO invitation (id, owner, facts) VALUES (?, ?, ?)",
            (name, owner.key, facts),
            expect=1,
        )
        await self.database.commit([_forgetting(owner), statement, *also])
        return "-".join(code[n : n + 4] for n in range(0, len(code), 4)), until

    def of(self, text: str) -> Invitation[_Owner] | None:
        """Return the invitation that this code is, while it is in force."""
        code = re.sub(r"[\s-]", "", text[:100]).lower()
        if not _SHAPE.fullmatch(code):
            return None
        name = self._name(code)
        rows = self.database.read("SELECT owner, facts FROM invitation WHERE id = ?", (name,))
        owner = self.find(rows[0][0]) if rows else None
        if owner is None or not owner.sends:
            return None
        try:
            facts = _DECODER.decode(self.ring.open(rows[0][1], _place(name, owner)))
        except SealError:
            return None
        if self.clock() >= facts.until:
            return None
        return Invitation(name, owner, facts.until, facts.replaces)

    def taking(self, invitation: Invitation[_Owner]) -> Statement:
        """Return what uses it up; somebody who was quicker breaks the transaction."""
        return Statement("DELETE FROM invitation WHERE id = ?", (invitation.id,), expect=1)

    def _name(self, code: str) -> bytes:
        return self.ring.index(code, "invitation")


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Facts)


def _forgetting(owner: Owner) -> Statement:
    return Statement("DELETE FROM invitation WHERE owner = ?", (owner.key,))


def _place(name: bytes, owner: Owner) -> str:
    return f"invitation/{name.hex()}/{owner.key}/facts"
