"""Whom our own operators deny: a domain, an address, an operator, a certificate.

A denial takes effect at once and wins over every list; lifting it is written down beside it, and
nothing is ever removed. R-C6, R-C7.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from gateway.operations.register import Noted, Register, whole
from smtp.address import Address, AddressError, key, parse, parse_domain
from trust.errors import IdentityError
from trust.identity import Identity, Way
from trust.overlay import Denials
from vault.database import Database, Statement
from vault.keys import KeyRing

_FINGERPRINT = re.compile(r"(?:sha256:)?((?:[0-9a-f]{2}:?){32})", re.IGNORECASE)
_WAY = re.compile(r"(dn|spki|san):(.+)", re.IGNORECASE | re.DOTALL)


class DenialError(Exception):
    """What was typed cannot be denied; the message is for the operator."""


class Kind(StrEnum):
    """What sort of thing is denied."""

    DOMAIN = "domain"
    ADDRESS = "address"
    OPERATOR = "operator"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Denied:
    """What is denied, in the one form in which it is kept and shown."""

    kind: Kind
    what: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what an operator typed: its form says what it is."""
        given = text.strip()
        try:
            if "@" in given and "=" not in given:
                return cls(Kind.ADDRESS, key(parse(given)))
            if found := _WAY.fullmatch(given):
                return cls(Kind.OPERATOR, str(Identity(Way(found[1].lower()), found[2].strip())))
            if "=" in given:
                return cls(Kind.OPERATOR, str(Identity(Way.DN, given)))
            if found := _FINGERPRINT.fullmatch(given):
                return cls(Kind.CERTIFICATE, found[1].replace(":", "").lower())
            return cls(Kind.DOMAIN, parse_domain(given))
        except (AddressError, IdentityError) as error:
            raise DenialError(f"{text!r} cannot be denied: {error}") from None

    @property
    def meant(self) -> object:
        """What two spellings of the same have in common."""
        return self._identity.mark if self.kind is Kind.OPERATOR else (self.kind, self.what)

    @property
    def _identity(self) -> Identity:
        way, _, text = self.what.partition(":")
        return Identity(Way(way), text)

    @property
    def address(self) -> Address | None:
        """The address, if it is one: the journal keeps those apart."""
        return Address(self.what) if self.kind is Kind.ADDRESS else None

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


@dataclass(frozen=True, slots=True)
class Denial:
    """One that is on record."""

    noted: Noted[Kind]

    @property
    def denied(self) -> Denied:
        """Who or what."""
        return Denied(self.noted.kind, self.noted.what)

    @property
    def stands(self) -> bool:
        """Whether nobody has lifted it."""
        return self.noted.lifted is None


def combined(denials: Iterable[Denial]) -> Denials:
    """Return what the decision asks of the denials that stand."""
    found: dict[Kind, list[Denied]] = {kind: [] for kind in Kind}
    for denial in denials:
        if denial.stands:
            found[denial.denied.kind].append(denial.denied)
    return Denials(
        domains=frozenset(one.what for one in found[Kind.DOMAIN]),
        operators=frozenset(one._identity.mark for one in found[Kind.OPERATOR]),  # noqa: SLF001 - its own
        certificates=frozenset(one.what for one in found[Kind.CERTIFICATE]),
        addresses=frozenset(one.what for one in found[Kind.ADDRESS]),
    )


class Denylist:
    """The table ``denial``."""

    def __init__(
        self, database: Database, ring: KeyRing, tell: Callable[[str, Mapping[str, object]], None]
    ) -> None:
        self._register, self._tell = Register(database, ring, "denial", Kind), tell

    def all(self) -> list[Denial]:
        """Return every denial, the lifted ones too, oldest first; a spoilt row is told of."""
        rows = self._register.rows()
        for row in rows:
            if row.noted is None:
                self._tell("denial.tampered", {"denial": row.id, "reason": "it does not open"})
        if not whole(rows):
            self._tell("denial.tampered", {"reason": "a denial is missing"})
        return [Denial(row.noted) for row in rows if row.noted is not None]

    def standing(self, denied: Denied) -> Denial | None:
        """Return the denial of exactly this that is in force."""
        same = [one for one in self.all() if one.denied.meant == denied.meant]
        return next((one for one in same if one.stands), None)

    async def add(
        self, denied: Denied, reason: str, actor: str, now: datetime, also: Sequence[Statement]
    ) -> Denial:
        """Deny it; return once that is durable."""
        noted = await self._register.add(denied.kind, denied.what, reason, actor, now, also)
        return Denial(noted)

    async def lift(
        self, denial: Denial, actor: str, now: datetime, also: Sequence[Statement]
    ) -> Denial:
        """End a denial; return once that is durable."""
        return Denial(await self._register.lift(denial.noted, actor, now, also))
