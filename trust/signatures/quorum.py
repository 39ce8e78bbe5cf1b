"""How many of the pinned signers signed a list: k of n, each by CMS or by OpenPGP.

A list is believed because k distinct signers of the n that the operator pinned signed its exact
bytes. A signer is a key: of a certificate, or an OpenPGP key known by its fingerprint. R-C3.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from trust.errors import SignatureError
from trust.signatures import cms, openpgp
from trust.signatures.cms import Digests, PublicKey, fingerprint
from trust.signatures.gathering import parted
from trust.signatures.verified import WITNESS, Content, Verified

ENVELOPE_LIMIT = 1 << 20  # octets of one signature file; real ones have 2,000
ENVELOPES_LIMIT = 64
_SHOWN = 8  # files that do not count, of those an operator is told what they lack


@dataclass(frozen=True, slots=True)
class Quorum:
    """The pinned signers, and how many of them must have signed."""

    keys: dict[str, PublicKey]  # by the SHA-256 of the public key
    threshold: int
    ring: openpgp.Ring | None = None  # pinned OpenPGP keys, each as good as one of the others

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= self.size:
            raise SignatureError(
                f"{self.threshold} of {self.size} distinct signers can never be reached"
            )

    @property
    def size(self) -> int:
        """How many signers are pinned."""
        return len(self.keys) + (len(self.ring.fingerprints) if self.ring else 0)

    def suffices(self, other: "Quorum") -> bool:
        """Whether signers that are pinned here could sign a list for the other as well."""
        shared = len(self.keys.keys() & other.keys.keys())
        if self.ring and other.ring:
            shared += len(self.ring.fingerprints & other.ring.fingerprints)
        return shared >= other.threshold

    @classmethod
    def of(
        cls, certificates: Iterable[bytes], threshold: int, ring: openpgp.Ring | None = None
    ) -> "Quorum":
        """Pin the public keys of these certificates (PEM or DER), and the keys of a ring."""
        keys = [cms.pinnable(data) for data in certificates]
        return cls({fingerprint(key): key for key in keys}, threshold, ring)


def verify(
    content: Content, envelopes: Sequence[bytes], quorum: Quorum, now: datetime | None = None
) -> Verified:
    """Return the content as verified, or raise ``SignatureError`` saying what each file lacks.

    A file that is no signature takes nothing away from the others: who can drop a file must not be
    able to undo a list that is well signed.
    """
    if len(envelopes) > ENVELOPES_LIMIT:
        raise SignatureError(f"more than {ENVELOPES_LIMIT} signature files")
    signers: set[str] = set()
    complaints = []
    digests = Digests(content)
    for number, envelope in enumerate(envelopes, 1):
        try:
            signers |= _signers(digests, envelope, quorum, now)
        except SignatureError as error:
            complaints.append(f"signature {number}: {error}")
    if len(signers) < quorum.threshold:
        counted = f"{len(signers)} of the {quorum.threshold} signatures needed"
        raise SignatureError("; ".join((counted, *complaints)))
    return Verified(content, frozenset(signers), WITNESS)


def sift(
    content: Content, envelopes: Iterable[bytes], quorum: Quorum
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the files that each add a signer; if they are too few, a few others, to be named.

    The files are taken one by one, and no more once all pinned signers have signed.
    """
    signers: set[str] = set()
    useful: list[bytes] = []
    others: list[bytes] = []
    digests = Digests(content)
    for envelope in envelopes:
        try:
            added = _signers(digests, envelope, quorum) - signers
        except SignatureError:
            added = set()
        if added:
            signers |= added
            useful.append(envelope)
        elif len(others) < _SHOWN:
            others.append(envelope)
        if len(signers) == quorum.size:
            break
    enough = len(signers) >= quorum.threshold
    room = 0 if enough else max(0, ENVELOPES_LIMIT - len(useful))
    return tuple(useful[:ENVELOPES_LIMIT]), tuple(others[:room])


def _signers(
    digests: Digests, envelope: bytes, quorum: Quorum, now: datetime | None = None
) -> set[str]:
    if len(envelope) > ENVELOPE_LIMIT:
        raise SignatureError("the file is too large for a signature")
    parts = parted(envelope)
    if len(parts) == 1:
        return _signers_of_one(digests, parts[0], quorum, now)
    found, complaints = set[str](), []
    for part in parts:
        try:
            found |= _signers_of_one(digests, part, quorum, now)
        except SignatureError as error:
            complaints.append(str(error))
    if not found:
        raise SignatureError("; ".join(complaints))
    return found


def _signers_of_one(
    digests: Digests, envelope: bytes, quorum: Quorum, now: datetime | None
) -> set[str]:
    if not openpgp.looks_like(envelope):
        return cms.signers(digests, envelope, quorum.keys)
    if quorum.ring is None:
        raise SignatureError("an OpenPGP signature, and no OpenPGP key is pinned")
    return {quorum.ring.signer(digests.content, envelope, now)}
