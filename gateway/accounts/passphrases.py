"""Passphrases: what a person chooses to open their account's pages with, beside a second factor.

People choose badly, so the cost is higher than that of passwords we made: argon2id of RFC 9106 §4 with
64 MiB. What was typed is compared as Unicode means it (NFC), however a keyboard composed it. One that
is too short, or says only what everybody knows of its owner, is not taken. RFC 8265 §4.2.
"""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER: Final = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
LONGEST = 512  # characters: more is no passphrase, and hashing it would be somebody's game

_DIFFERENT = 5  # characters that differ, at least


class PassphraseError(ValueError):
    """It is not taken; the message is a slug of ``gateway.web.account.words``."""


def chosen(text: str, least: int, known: str = "") -> str:
    """Return a passphrase as it is kept, or say why it is none; ``known`` is their address."""
    kept = normal(text)
    if not least <= len(kept) <= LONGEST:
        raise PassphraseError("passphrase-length")
    folded, named = kept.casefold(), known.casefold()
    rest = folded.replace(named, "").replace(named.partition("@")[0], "") if named else folded
    if len(set(folded)) < _DIFFERENT or len(rest) < least // 2:
        raise PassphraseError("passphrase-simple")
    return kept


def hashed(text: str, hasher: PasswordHasher = HASHER) -> str:
    """Return the argon2id of a passphrase: slow on purpose, call it in a thread."""
    return hasher.hash(octets(text))


def matches(secret: str, text: str, hasher: PasswordHasher = HASHER) -> bool:
    """Whether this passphrase made that hash: slow on purpose, call it in a thread."""
    try:
        return hasher.verify(secret, octets(text))
    except (VerificationError, InvalidHashError):
        return False


def normal(text: str) -> str:
    """Return text as it is compared, however a keyboard composed it."""
    return unicodedata.normalize("NFC", text)


def octets(text: str) -> bytes:
    """Return what is hashed and compared of a passphrase."""
    return normal(text[: LONGEST + 1]).encode("utf-8", "surrogatepass")
