"""Bytes that somebody signed, and bytes signed by somebody who is believed.

``Signed`` is arithmetic. ``Verified`` is what all verifiers make of it in the end, and the one thing
that readers take: exactly what was signed and not what was offered, of a signed XML its canonical
bytes, of an envelope what lies inside. So what nobody signed is never parsed. Only this room names
the witness.
"""

import mmap
from dataclasses import InitVar, dataclass, field

from cryptography import x509

Content = bytes | mmap.mmap  # what a large file had is mapped: see trust.dropped
WITNESS = object()  # held by this room's verifiers alone


@dataclass(frozen=True, slots=True)
class Signed:
    """Bytes, and the certificate whose key signed them. Whose it is, nobody asked yet."""

    content: bytes = field(repr=False)
    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...] = ()  # came along: they may lead to an anchor


@dataclass(frozen=True, slots=True)
class Verified:
    """Exactly the bytes that the pinned signers signed. Only this room's verifiers make one."""

    content: Content = field(repr=False)
    signers: frozenset[str]  # who signed: SHA-256 of public keys, fingerprints of OpenPGP keys
    witness: InitVar[object]  # so that dataclasses.replace cannot make one either

    def __post_init__(self, witness: object) -> None:
        if witness is not WITNESS:
            raise TypeError("only a verifier makes a Verified")
