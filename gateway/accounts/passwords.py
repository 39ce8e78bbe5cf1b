"""Application passwords: made by us, shown once, kept as argon2id.

A password is 24 characters in six groups, ``k7qm-2f9d-...``: the first group names the credential,
so that a log-in costs one argon2id however many devices a mailbox has; the other five are 100
random bits. Nobody chooses one, so nobody chooses a weak one, and the cost of argon2id is set
for a stolen database rather than for poor passwords: 19 MiB, two passes. R-B5, RFC 9106.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # no i, l, o, u: read out, they are misheard
_GROUP = 4
_GROUPS = 6
_MISREAD = str.maketrans("ilo", "110", "- ")

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class Password:
    """One application password, normalised; its text never shows in a ``repr``."""

    selector: str  # names the credential
    text: str

    def __repr__(self) -> str:
        return f"Password({self.selector}-…)"

    @property
    def shown(self) -> str:
        """The password as a person copies it."""
        return "-".join(self.text[n : n + _GROUP] for n in range(0, len(self.text), _GROUP))


def new() -> Password:
    """Make a password nobody has had before."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP * _GROUPS))
    return Password(text[:_GROUP], text)


def typed(text: str) -> Password:
    """Return what somebody typed, forgiving case, spaces, hyphens and misread letters."""
    normal = text.lower().translate(_MISREAD)
    return Password(normal[:_GROUP], normal)


def hashed(password: Password, hasher: PasswordHasher = HASHER) -> str:
    """Return the argon2id of a password: slow on purpose, call it in a thread."""
    return hasher.hash(_octets(password.text))


def matches(secret: str, password: Password, hasher: PasswordHasher = HASHER) -> bool:
    """Whether this password made that hash: slow on purpose, call it in a thread."""
    try:
        return hasher.verify(secret, _octets(password.text))
    except (VerificationError, InvalidHashError):
        return False


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # whatever was typed can be compared


class Proofs:
    """Log-ins that were proved a moment ago, so that a mail client's next ten cost nothing.

    Holds keyed hashes of (credential, password) under a key of this process, in memory only. It
    spares argon2id and nothing else: whoever asks has just looked the credential up, so one that
    was revoked or has expired is never asked about, and no change needs to clear it.
    """

    def __init__(self, life: timedelta = timedelta(seconds=30), limit: int = 4096) -> None:
        self._life = life
        self._limit = limit
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, datetime] = {}

    def known(self, credential: str, password: Password, now: datetime) -> bool:
        """Whether this very password opened this credential within the last moments."""
        until = self._known.get(self._proof(credential, password))
        return until is not None and now < until

    def learn(self, credential: str, password: Password, now: datetime) -> None:
        """Remember a password that was just verified."""
        if len(self._known) >= self._limit:
            self._known = {proof: until for proof, until in self._known.items() if now < until}
        if len(self._known) >= self._limit:
            self._known.pop(next(iter(self._known)))  # the oldest
        self._known[self._proof(credential, password)] = now + self._life

    def _proof(self, credential: str, password: Password) -> bytes:
        proved = _octets(f"{credential}\0{password.text}")
        return blake2b(proved, key=self._key, digest_size=32).digest()
