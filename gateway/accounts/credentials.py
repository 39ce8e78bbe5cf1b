"""What a mailbox logs in with: application passwords, client certificates, tokens for software.

Credentials are added and revoked, never changed in place: whoever has looked one up and found it
usable needs to ask nothing else. Every change is one transaction, to which the caller adds its
journal entry. The seal of the label vouches for the row, whose mailbox it opens and when it ends
included: who can write to the database, and has not the key ring, cannot let anybody in. R-B2, R-B5.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec
from argon2 import PasswordHasher
from cryptography import x509

from gateway.accounts import passwords, tokens
from gateway.accounts.mailboxes import AccountError, Mailbox, Tell, untold
from gateway.accounts.tokens import Scope
from vault.database import Database, Statement
from vault.errors import Conflict, SealError
from vault.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Credential:
    """A password (as argon2id), a certificate (by fingerprint) or a token (hashed) of a mailbox."""

    id: str
    mailbox: int
    kind: Literal["password", "certificate", "token"]
    secret: str
    label: str
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    scopes: frozenset[Scope] = frozenset()  # what it is good for; none: for all

    def usable(self, now: datetime) -> bool:
        """Whether it opens its mailbox at this time."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def __repr__(self) -> str:
        return f"Credential({self.id}, {self.kind}, revoked={self.revoked}, expires={self.expires})"


class _Label(msgspec.Struct, frozen=True):
    label: str
    owner: str  # the mailbox's key
    expires: float | None
    revoked: float | None
    scopes: tuple[Scope, ...] = ()


class Credentials:
    """The table ``credential``."""

    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        clock: Callable[[], datetime],
        hasher: PasswordHasher = passwords.HASHER,
        tell: Tell = untold,
    ) -> None:
        self._tell = tell
        self._database = database
        self._ring = ring
        self._clock = clock
        self.hasher = hasher

    async def add_password(
        self,
        mailbox: Mailbox,
        label: str = "",
        expires: datetime | None = None,
        scopes: Iterable[Scope] = (),
        also: Sequence[Statement] = (),
    ) -> tuple[Credential, str]:
        """Make an application password; its text is returned this once and kept nowhere."""
        password = passwords.new()
        while self.password_of(mailbox, password.selector):
            password = passwords.new()  # one in a million
        secret = await asyncio.to_thread(passwords.hashed, password, self.hasher)
        identity = f"{mailbox.id}.{password.selector}"
        made = Credential(
            identity,
            mailbox.id,
            "password",
            secret,
            label,
            self._clock(),
            expires,
            None,
            frozenset(scopes),
        )
        return await self._add(mailbox, made, also), password.shown

    async def add_certificate(
        self,
        mailbox: Mailbox,
        der: bytes,
        label: str = "",
        also: Sequence[Statement] = (),
    ) -> Credential:
        """Let a certificate open a mailbox, until the certificate itself expires."""
        try:
            certificate = x509.load_der_x509_certificate(der)
        except ValueError:
            raise AccountError("That is not an X.509 certificate; nothing changed.") from None
        identity = f"{mailbox.id}.{secrets.token_hex(8)}"
        expires = certificate.not_valid_after_utc
        made = Credential(
            identity,
            mailbox.id,
            "certificate",
            fingerprint(der),
            label,
            self._clock(),
            expires,
            None,
        )
        return await self._add(mailbox, made, also)

    async def add_token(
        self,
        mailbox: Mailbox,
        scopes: Iterable[Scope],
        expires: datetime,
        label: str = "",
        also: Sequence[Statement] = (),
    ) -> tuple[Credential, str]:
        """Make a token for software; its text is returned this once and kept nowhere."""
        text, identity = tokens.new(), f"{mailbox.id}.{secrets.token_hex(8)}"
        secret, now = tokens.hashed(text) or "", self._clock()
        made = Credential(
            identity, mailbox.id, "token", secret, label, now, expires, None, frozenset(scopes)
        )
        return await self._add(mailbox, made, also), text

    def of(self, mailbox: Mailbox) -> list[Credential]:
        """Return a mailbox's credentials, oldest first, revoked ones too."""
        rows = self._database.read(
            _SELECT + " WHERE mailbox = ? ORDER BY created, id",
            (mailbox.id,),
        )
        return [found for row in rows if (found := self._credential(row)) is not None]

    def password_of(self, mailbox: Mailbox, selector: str) -> Credential | None:
        """Return the credential that a password's first group names."""
        rows = self._database.read(
            _SELECT + " WHERE id = ? AND kind = 'password'",
            (f"{mailbox.id}.{selector}",),
        )
        return self._credential(rows[0]) if rows else None

    def with_certificate(self, der: bytes) -> list[Credential]:
        """Return the credentials, of whatever mailbox, that are this certificate."""
        rows = self._database.read(
            _SELECT + " WHERE kind = 'certificate' AND secret = ?",
            (fingerprint(der),),
        )
        return [found for row in rows if (found := self._credential(row)) is not None]

    def with_token(self, text: str) -> Credential | None:
        """Return the token that this text is, of whatever mailbox."""
        rows = self._database.read(
            _SELECT + " WHERE kind = 'token' AND secret = ?", (tokens.hashed(text),)
        )
        return self._credential(rows[0]) if rows else None

    async def revoke(
        self, mailbox: Mailbox, credential_id: str, also: Sequence[Statement] = ()
    ) -> None:
        """End a credential now; open connections are the caller's to drop."""
        found = next((each for each in self.of(mailbox) if each.id == credential_id), None)
        try:
            if found is None:
                raise Conflict("there is none")
            ended = replace(found, revoked=self._clock())
            await self._database.commit(
                [
                    Statement(
                        "UPDATE credential SET revoked = ?, label = ?"
                        " WHERE id = ? AND mailbox = ? AND revoked IS NULL",
                        (
                            _seconds(ended.revoked),
                            self._sealed(mailbox, ended),
                            credential_id,
                            mailbox.id,
                        ),
                        expect=1,
                    ),
                    *also,
                ]
            )
        except Conflict:
            raise AccountError(
                "The mailbox has no such credential in force; nothing changed. List them with"
                " `sceau mailbox credentials`."
            ) from None

    async def _add(
        self, mailbox: Mailbox, credential: Credential, also: Sequence[Statement]
    ) -> Credential:
        await self._database.commit(
            [
                Statement(
                    "INSERT INTO credential (id, mailbox, kind, secret, label, created, expires)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        credential.id,
                        credential.mailbox,
                        credential.kind,
                        credential.secret,
                        self._sealed(mailbox, credential),
                        credential.created.timestamp(),
                        _seconds(credential.expires),
                    ),
                    expect=1,
                ),
                *also,
            ]
        )
        return credential

    def _sealed(self, mailbox: Mailbox, made: Credential) -> bytes:
        label = _Label(
            made.label,
            mailbox.key,
            _seconds(made.expires),
            _seconds(made.revoked),
            tuple(sorted(made.scopes)),
        )
        place = _place_of_label(made.id, made.mailbox, made.kind, made.secret)
        return self._ring.seal(msgspec.json.encode(label), place)

    def _credential(self, row: tuple[Any, ...]) -> Credential | None:
        """Read a row, or nothing if it is not as we wrote it."""
        identity, mailbox, kind, secret, label, created, expires, revoked, owner = row
        try:
            place = _place_of_label(identity, mailbox, kind, secret)
            opened = _LABEL.decode(self._ring.open(label or b"", place))
        except SealError:
            opened = None
        if opened is None or (opened.owner, opened.expires, opened.revoked) != (
            owner,
            expires,
            revoked,
        ):
            self._tell("credential.tampered", {"mailbox": owner, "credential": identity})
            return None
        return Credential(
            identity,
            mailbox,
            kind,
            secret,
            opened.label,
            datetime.fromtimestamp(created, UTC),
            _time(expires),
            _time(revoked),
            frozenset(opened.scopes),
        )


_LABEL = msgspec.json.Decoder(_Label)
_SELECT = (
    "SELECT id, mailbox, kind, secret, label, created, expires, revoked,"
    " (SELECT key FROM mailbox WHERE mailbox.id = credential.mailbox) FROM credential"
)


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 fingerprint of a certificate, in hexadecimal."""
    return sha256(der).hexdigest()


def _place_of_label(credential_id: str, mailbox: int, kind: str, secret: str) -> str:
    return f"credential/{credential_id}/{mailbox}/{kind}/{secret}/label"


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
