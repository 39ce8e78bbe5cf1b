"""Whom our own operators deny: a domain, an address, an operator, a certificate.

A denial takes effect at once and wins over every list; lifting it is written down beside it, and
nothing is ever removed. Each row is sealed and bound to its number: who can write to the database,
and has not the key ring, cannot lift a denial by changing its row. R-C6, R-C7.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

import msgspec

from smtp.address import Address, AddressError, key, parse, parse_domain
from trust.errors import IdentityError
from trust.identity import Identity, Way
from trust.overlay import Denials
from vault.database import Database, Statement
from vault.errors import SealError
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
    """Who denied what, when and why; and who lifted it."""

    id: int
    denied: Denied
    reason: str
    actor: str
    at: datetime
    lifted: datetime | None = None
    lifted_by: str = ""


class _Facts(msgspec.Struct, frozen=True):
    kind: Kind
    what: str
    reason: str
    actor: str
    at: float
    lifted: float | None
    lifted_by: str


def combined(denials: Iterable[Denial]) -> Denials:
    """Return what the decision asks of the denials that stand."""
    found: dict[Kind, list[Denied]] = {kind: [] for kind in Kind}
    for denial in denials:
        if denial.lifted is None:
            found[denial.denied.kind].append(denial.denied)
    return Denials(
        domains=frozenset(one.what for one in found[Kind.DOMAIN]),
        operators=frozenset(one._identity.mark for one in found[Kind.OPERATOR]),  # noqa: SLF001 - its own
        certificates=frozenset(one.what for one in found[Kind.CERTIFICATE]),
        addresses=frozenset(one.what for one in found[Kind.ADDRESS]),
    )


class Denylist:
    """The table ``denial``: short, so it is read whole."""

    def __init__(
        self, database: Database, ring: KeyRing, tell: Callable[[str, Mapping[str, object]], None]
    ) -> None:
        self._database, self._ring, self._tell = database, ring, tell

    def all(self) -> list[Denial]:
        """Return every denial, the lifted ones too, oldest first; a spoilt row is told of."""
        rows = self._database.read("SELECT id, facts FROM denial ORDER BY id")
        found = [self._denial(number, facts) for number, facts in rows]
        if [number for number, _ in rows] != list(range(1, len(rows) + 1)):
            self._tell("denial.tampered", {"reason": "a denial is missing"})
        return [one for one in found if one is not None]

    def _denial(self, number: int, facts: bytes) -> Denial | None:
        try:
            opened = msgspec.json.decode(self._ring.open(facts, _place(number)), type=_Facts)
        except (SealError, msgspec.MsgspecError):
            self._tell("denial.tampered", {"denial": number, "reason": "it does not open"})
            return None
        lifted = None if opened.lifted is None else datetime.fromtimestamp(opened.lifted, UTC)
        return Denial(
            number,
            Denied(opened.kind, opened.what),
            opened.reason,
            opened.actor,
            datetime.fromtimestamp(opened.at, UTC),
            lifted,
            opened.lifted_by,
        )

    def standing(self, denied: Denied) -> Denial | None:
        """Return the denial of exactly this that is in force."""
        same = [one for one in self.all() if one.denied.meant == denied.meant]
        return next((one for one in same if one.lifted is None), None)

    async def add(
        self, denied: Denied, reason: str, actor: str, now: datetime, also: Sequence[Statement]
    ) -> Denial:
        """Deny it; return once that is durable."""
        rows = self._database.read("SELECT coalesce(max(id), 0) + 1 FROM denial")
        made = Denial(int(rows[0][0]), denied, reason, actor, now)
        statement = Statement(
            "INSERT INTO denial (id, facts) VALUES (?, ?)", (made.id, self._sealed(made)), expect=1
        )
        await self._database.commit([statement, *also])
        return made

    async def lift(
        self, denial: Denial, actor: str, now: datetime, also: Sequence[Statement]
    ) -> Denial:
        """End a denial; return once that is durable."""
        ended = replace(denial, lifted=now, lifted_by=actor)
        statement = Statement(
            "UPDATE denial SET facts = ? WHERE id = ?", (self._sealed(ended), ended.id), expect=1
        )
        await self._database.commit([statement, *also])
        return ended

    def _sealed(self, denial: Denial) -> bytes:
        facts = _Facts(
            denial.denied.kind,
            denial.denied.what,
            denial.reason,
            denial.actor,
            denial.at.timestamp(),
            denial.lifted.timestamp() if denial.lifted else None,
            denial.lifted_by,
        )
        return self._ring.seal(msgspec.json.encode(facts), _place(denial.id))


def _place(number: int) -> str:
    return f"denial/{number}/facts"
