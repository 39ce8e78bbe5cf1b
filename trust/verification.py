"""Whether a list that was offered may come into force: the numbered steps, in one place.

``examine`` is pure: bytes, pinned signers, what was in force before, and the time go in; a
``Edition`` comes out, or ``OfferError`` with the outcome that docs/trust-list.md names. Signatures
are judged before a byte is parsed, and the list reads itself from the bytes that were verified.
R-C3, R-C4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from trust.errors import ListError, SignatureError, TrustError
from trust.formats import native
from trust.signatures import Quorum, verify
from trust.sources import Edition

NATIVE = "list"  # the source that the short form of the settings names
SKEW = timedelta(minutes=5)  # how far an honest authority's clock may be ahead of ours


class Outcome(StrEnum):
    """What became of a list that was offered, or looked for."""

    ACCEPTED = "accepted"
    ACCEPTED_STALE = "accepted-stale"
    UNCHANGED = "unchanged"
    NOT_FOUND = "not-found"
    UNREADABLE = "unreadable"
    TOO_BIG = "too-big"
    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    FUTURE = "future"
    ROLLED_BACK = "rolled-back"
    EQUIVOCATION = "equivocation"
    BROKEN_CHAIN = "broken-chain"
    BACKDATED = "backdated"
    NOT_SAVED = "not-saved"
    BROKEN = "broken"


class OfferError(TrustError):
    """A list that must not come into force; the message is for the operator."""

    def __init__(self, outcome: Outcome, sentence: str, version: int | None = None) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.version = version  # where we came as far as reading it


@dataclass(frozen=True, slots=True)
class Known:
    """The highest version that was ever in force here: nothing older may follow it."""

    version: int
    digest: str
    issued: datetime | None = None  # unknown if the pinned signers no longer vouch for it


def examine(
    content: bytes,
    envelopes: Sequence[bytes],
    quorum: Quorum,
    known: Known | None,
    now: datetime,
) -> Edition:
    """Return the edition that these bytes and signatures make, or raise ``OfferError``."""
    # (1) Size, before anything costs anything.
    if len(content) > native.LIMIT:
        raise OfferError(Outcome.TOO_BIG, f"the list is larger than {native.LIMIT} octets")

    # (2) Signatures: k distinct of the pinned keys over these very bytes.
    try:
        verified = verify(content, envelopes, quorum)
    except SignatureError as error:
        raise OfferError(Outcome.UNSIGNED, str(error)) from None

    # (3) Form: a list's one spelling, with at least one member and nothing inconsistent.
    try:
        edition = Edition(NATIVE, verified, native.parse, now)
    except ListError as error:
        raise OfferError(Outcome.MALFORMED, str(error)) from None

    # (4) Date: an honest authority does not sign for tomorrow. A *stale* list is let in: it is
    # newer than ours, and says of itself that it vouches for nobody.
    claims = edition.claims
    if claims.issued > now + SKEW:
        sentence = f"issued {claims.issued:%F %T} UTC, which is to come"
        raise OfferError(Outcome.FUTURE, sentence, claims.version)
    if known is not None:
        _check_succession(edition, known)
    return edition


def _check_succession(edition: Edition, known: Known) -> None:
    claims, version = edition.claims, edition.claims.version or 0

    # (5) Roll-back: an old list, however well signed, would restore whom the authority removed.
    if version < known.version:
        sentence = f"version {version} is older than version {known.version}, in force here"
        raise OfferError(Outcome.ROLLED_BACK, sentence, version)

    # (6) Equivocation: the authority has said two things by one number.
    if version == known.version and edition.digest != known.digest:
        sentence = f"another list than ours is signed as version {version}: ask the authority"
        raise OfferError(Outcome.EQUIVOCATION, sentence, version)

    # (7) Chain: the next version names the hash of ours. After a gap we cannot tell.
    if version == known.version + 1 and claims.previous != known.digest:
        sentence = f"version {version} does not follow from our version {known.version}"
        raise OfferError(Outcome.BROKEN_CHAIN, sentence, version)

    # (8) Order in time: a later version is not issued before an earlier one.
    if known.issued is not None and claims.issued < known.issued:
        sentence = f"version {version} is dated before our version {known.version}"
        raise OfferError(Outcome.BACKDATED, sentence, version)
