"""Tokens for software: made by us, shown once, kept as a hash, good for what they were made for.

A token is ``sceau_`` and 32 characters of base 32, 160 random bits: nobody chose it, so a plain
SHA-256 keeps it as safe as a slow hash keeps a password, and finds it in one look-up. The beginning is
there for those who search their own code for secrets left lying about. RFC 6750.
"""

import base64
import re
import secrets
from enum import StrEnum
from hashlib import sha256

_SHAPE = re.compile(r"sceau_[a-z2-7]{32}")


class Scope(StrEnum):
    """What a token, or an application password, may be used for."""

    ADDRESSES = "addresses"  # to look addresses up
    SUBMIT = "submit"  # to hand mail in
    READ = "read"  # to read mail


def new() -> str:
    """Make a token nobody has had before."""
    return f"sceau_{base64.b32encode(secrets.token_bytes(20)).decode().lower()}"


def hashed(text: str) -> str | None:
    """Return what a token is kept as; nothing for what cannot be one."""
    return sha256(text.encode("ascii")).hexdigest() if _SHAPE.fullmatch(text) else None
