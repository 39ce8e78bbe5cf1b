"""How a person proves who they are: a passphrase, codes of an app (TOTP), passkeys.

A person is a mailbox's, or an operator. Each factor is a row whose secret is sealed and bound to its
owner: who can write to the database, and has not the key ring, gives nobody one. Whatever opens once opens once: the last code's step and a
passkey's counter move in the very statement that accepts them, and of two who show the same code at the
same time one is refused. R-B3, R-B5, RFC 6238 §5.2, WebAuthn §7.2.
"""

import asyncio
import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
import pyotp
from argon2 import PasswordHasher

from gateway.accounts import passphrases
from gateway.accounts.mailboxes import AccountError, Tell, untold
from gateway.accounts.owner import Owner
from vault.database import Database, Statement
from vault.errors import Conflict, SealError
from vault.keys import KeyRing

INTERVAL = 30  # seconds that a code lasts
_WINDOW = (0, -1, 1)  # steps that count: telephones' clocks are a little wrong (RFC 6238 §5.2)
_MOST = 20  # factors of one person


class Kind(StrEnum):
    """What it is that a person shows."""

    PASSPHRASE = "passphrase"  # noqa: S105 - a kind, not a secret
    TOTP = "totp"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Factor:
    """One of them, opened; the secret shows in no ``repr``."""

    id: str
    owner: str  # whose, by their key
    kind: Kind
    secret: str  # argon2id; the seed of the codes; a passkey's public key
    label: str
    created: datetime
    counter: int = 0  # the last code's step; a passkey's signature counter
    used: datetime | None = None
    name: str = ""  # a passkey's own id, as browsers spell it

    def __repr__(self) -> str:
        return f"Factor({self.id}, {self.kind}, of {self.owner}, used={self.used})"

    @property
    def second(self) -> bool:
        """Whether it is more than something known."""
        return self.kind is not Kind.PASSPHRASE


class _Facts(msgspec.Struct, frozen=True):
    secret: str
    label: str
    created: datetime
    counter: int
    used: datetime | None
    name: str


class Factors:
    """The table ``factor``."""

    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        clock: Callable[[], datetime],
        hasher: PasswordHasher = passphrases.HASHER,
        tell: Tell = untold,
    ) -> None:
        self._database, self._ring, self._clock, self._tell = database, ring, clock, tell
        self.hasher = hasher
        self._dummy = ""

    def now(self) -> datetime:
        """Return the time by which codes are judged."""
        return self._clock()

    def of(self, owner: Owner) -> list[Factor]:
        """Return a person's factors, oldest first."""
        rows = self._database.read(f"{_SELECT} WHERE owner = ?", (owner.key,))
        found = [each for row in rows if (each := self._factor(row)) is not None]
        return sorted(found, key=lambda factor: (factor.created, factor.id))

    def one(self, owner: Owner, factor_id: str) -> Factor | None:
        """Return this factor, if it is this person's and in force."""
        return next((each for each in self.of(owner) if each.id == factor_id), None)

    def passkey(self, name: str) -> Factor | None:
        """Return the passkey that calls itself so, whosever it is."""
        rows = self._database.read(f"{_SELECT} WHERE handle = ?", (self._handle(name),))
        found = self._factor(rows[0]) if rows else None
        return found if found is not None and found.name == name else None

    async def knows(self, owner: Owner | None, passphrase: str) -> bool:
        """Whether this is a person's passphrase; of nobody, or of one who has none, it takes as long."""
        kept = self._first(owner, Kind.PASSPHRASE)
        if not self._dummy:
            nobody = secrets.token_urlsafe()
            self._dummy = await asyncio.to_thread(passphrases.hashed, nobody, self.hasher)
        secret = kept.secret if kept else self._dummy
        right = await asyncio.to_thread(passphrases.matches, secret, passphrase, self.hasher)
        return right and kept is not None

    async def coded(self, owner: Owner, code: str) -> Factor | None:
        """Return whose code it is, which from now on is nobody's any more."""
        for factor in [each for each in self.of(owner) if each.kind is Kind.TOTP]:
            step = fits(factor.secret, code, self._clock(), after=factor.counter)
            if step is not None and await self.moved(owner, factor, step):
                return factor
        return None

    async def moved(self, owner: Owner, factor: Factor, counter: int) -> bool:
        """Note that a factor was shown; False if the same was shown a moment earlier, or it ended."""
        statement = self._moving(owner, factor, counter)
        if statement is None:
            return False
        try:
            await self._database.commit([statement])
        except Conflict:
            return False
        return True

    def adding(
        self,
        owner: Owner,
        kind: Kind,
        secret: str,
        *,
        label: str = "",
        counter: int = 0,
        name: str = "",
    ) -> tuple[Factor, list[Statement]]:
        """Return a new factor and what adds it; a passphrase takes the place of the one before."""
        now, identity = self._clock(), secrets.token_hex(8)
        made = Factor(identity, owner.key, kind, secret, label, now, counter, None, name)
        statement = Statement(
            "INSERT INTO factor (id, owner, kind, handle, facts) SELECT ?1, ?2, ?3, ?4, ?5"
            " WHERE (SELECT count(*) FROM factor WHERE owner = ?2) < ?6",
            (
                made.id,
                owner.key,
                kind.value,
                self._handle(name) if name else None,
                self._sealed(owner, made),
                _MOST,
            ),
            expect=1,
        )
        if kind is not Kind.PASSPHRASE:
            return made, [statement]
        before = Statement(
            "DELETE FROM factor WHERE owner = ? AND kind = ?", (owner.key, kind.value)
        )
        return made, [before, statement]

    def emptying(self, owner: Owner, *, unless_empty: bool = False) -> Statement:
        """Return what ends all factors of a person; or breaks the transaction if there are any."""
        return Statement(
            "DELETE FROM factor WHERE owner = ?",
            (owner.key,),
            expect=0 if unless_empty else None,
        )

    async def remove(self, owner: Owner, factor_id: str, also: Sequence[Statement] = ()) -> Factor:
        """End one factor now; the last second factor stays, or nobody could ever come in again."""
        found = self.one(owner, factor_id)
        others = [each for each in self.of(owner) if each.second and each.id != factor_id]
        if found is None or not found.second:
            raise AccountError("There is no such factor; nothing changed.")
        if not others:
            raise AccountError("It is the last one; nothing changed. Add another one first.")
        statement = Statement(
            "DELETE FROM factor WHERE id = ?1 AND owner = ?2 AND EXISTS (SELECT 1 FROM factor"
            " WHERE owner = ?2 AND id <> ?1 AND kind <> ?3)",
            (factor_id, owner.key, Kind.PASSPHRASE.value),
            expect=1,
        )
        try:
            await self._database.commit([statement, *also])
        except Conflict:
            raise AccountError("It is gone, or the last one; nothing changed.") from None
        return found

    def _first(self, owner: Owner | None, kind: Kind) -> Factor | None:
        found = self.of(owner) if owner is not None else []
        return next((each for each in found if each.kind is kind), None)

    def _moving(self, owner: Owner, factor: Factor, counter: int) -> Statement | None:
        """Return what notes a use, if the row still says what the factor says."""
        rows = self._database.read(f"{_SELECT} WHERE id = ?", (factor.id,))
        if not rows or self._factor(rows[0]) != factor:
            return None
        after = replace(factor, counter=counter, used=self._clock())
        return Statement(
            "UPDATE factor SET facts = ? WHERE id = ? AND facts = ?",
            (self._sealed(owner, after), factor.id, rows[0][3]),
            expect=1,
        )

    def _handle(self, name: str) -> bytes:
        return self._ring.index(name, "passkey")

    def _sealed(self, owner: Owner, made: Factor) -> bytes:
        facts = _Facts(made.secret, made.label, made.created, made.counter, made.used, made.name)
        return self._ring.seal(_ENCODER.encode(facts), _place(made.id, owner.key, made.kind))

    def _factor(self, row: tuple[str, str, str, bytes]) -> Factor | None:
        """Read a row, or nothing if it is not as we wrote it."""
        factor_id, owner, kind, sealed = row
        try:
            facts = _DECODER.decode(self._ring.open(sealed, _place(factor_id, owner, kind)))
        except SealError:
            self._tell("factor.tampered", {"owner": owner, "factor": factor_id})
            return None
        return Factor(
            factor_id,
            owner,
            Kind(kind),
            facts.secret,
            facts.label,
            facts.created.astimezone(UTC),
            facts.counter,
            facts.used,
            facts.name,
        )


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Facts)
_SELECT = "SELECT id, owner, kind, facts FROM factor"


def seed(octets: bytes) -> str:
    """Return the seed of an app's codes as it is typed: 160 bits in base 32 (RFC 4226 §4, R6)."""
    return base64.b32encode(octets[:20]).decode()


def fits(secret: str, code: str, now: datetime, after: int = 0) -> int | None:
    """Return the step of which this is the code, if that is about now and later than ``after``."""
    typed = "".join(code.split())
    if not (len(typed) == 6 and typed.isascii() and typed.isdecimal()):
        typed = ""  # and takes as long
    totp, step = pyotp.TOTP(secret), int(now.timestamp()) // INTERVAL
    right = [step + away for away in _WINDOW if _same(totp.generate_otp(step + away), typed)]
    return next((each for each in right if each > after), None)


def uri(secret: str, address: str, issuer: str) -> str:
    """Return what an app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=address, issuer_name=issuer)


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one, other)


def _place(factor_id: str, owner: str, kind: str) -> str:
    return f"factor/{factor_id}/{owner}/{kind}/facts"
