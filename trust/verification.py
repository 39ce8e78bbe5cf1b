"""Whether what was offered may come into force: the numbered steps, in one place.

``examine`` is pure: an offer, what its source demands, what was in force before, and the time go in;
an ``Edition`` comes out, or ``OfferError`` with the outcome that docs/trust-list.md names. Steps 2
to 6 are the format's: it alone knows where a signature lies and over which bytes. Whatever the
format, nothing is read but the bytes that were verified. R-C3, R-C4.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from trust.errors import (
    ChainError,
    ListError,
    RevokedError,
    SignatureError,
    SignerError,
    TrustError,
    UnsettledError,
)
from trust.members import Claims
from trust.signatures.verified import Content, Verified
from trust.sources import Edition

SKEW = timedelta(minutes=5)  # how far an honest authority's clock may be ahead of ours
FEW = 20  # domains that a list may always lose: of small lists a share says nothing


class Outcome(StrEnum):
    """What became of a list that was offered, or looked for."""

    ACCEPTED = "accepted"
    ACCEPTED_STALE = "accepted-stale"
    UNCHANGED = "unchanged"
    WAITING = "waiting"
    REJECTED = "rejected"
    AGEING = "ageing"
    STALE = "stale"
    NOT_FOUND = "not-found"
    UNREADABLE = "unreadable"
    TIMEOUT = "download-timeout"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls-failed"
    HTTP_ERROR = "http-error"
    REDIRECTED = "redirected"
    BAD_ADDRESS = "bad-address"
    TOO_BIG = "too-big"
    UNSIGNED = "unsigned"
    UNMATCHED = "unmatched-signature"
    UNTRUSTED_SIGNER = "untrusted-signer"
    SIGNER_REVOKED = "signer-revoked"
    SIGNER_UNSETTLED = "signer-unsettled"
    MALFORMED = "malformed"
    FUTURE = "future"
    ROLLED_BACK = "rolled-back"
    EQUIVOCATION = "equivocation"
    BROKEN_CHAIN = "broken-chain"
    BACKDATED = "backdated"
    IMPLAUSIBLE = "implausible"
    NOT_SAVED = "not-saved"
    BROKEN = "broken"
    ALTERED = "altered-history"


class OfferError(TrustError):
    """A list that must not come into force; the message is for the operator."""

    def __init__(self, outcome: Outcome, sentence: str, version: int | None = None) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.version = version  # where we came as far as reading it


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody says is a list, and the signatures that came beside it."""

    content: Content = field(repr=False)
    signatures: tuple[bytes, ...] = field(default=(), repr=False)

    def hash(self) -> str:
        """Return by what the same content is known again, before it is understood."""
        return hashlib.sha256(self.content).hexdigest()


class Format(Protocol):
    """One format of list, with the signers that are pinned for it."""

    def verify(self, offer: Offer, now: datetime) -> Verified:
        """Return the bytes that the pinned signers signed; raise ``TrustError``."""

    def read(self, verified: Verified, arrived: datetime) -> Claims:
        """Return what these bytes claim; raise ``ListError``."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What one source must fulfil, whatever it says."""

    name: str
    form: Format
    limit: int  # octets
    loss: float = 0.5  # the largest share of its domains that it may lose at once


@dataclass(frozen=True, slots=True)
class Known:
    """The latest version that was ever verified here: nothing older may follow it."""

    version: int | None
    digest: str
    issued: datetime


_REFUSALS: tuple[tuple[type[TrustError], Outcome], ...] = (  # the particular before the general
    (UnsettledError, Outcome.SIGNER_UNSETTLED),
    (RevokedError, Outcome.SIGNER_REVOKED),
    (ChainError, Outcome.UNTRUSTED_SIGNER),
    (SignerError, Outcome.UNMATCHED),
    (SignatureError, Outcome.UNSIGNED),
    (ListError, Outcome.MALFORMED),
)


def examine(
    offer: Offer,
    demands: Demands,
    now: datetime,
    *,
    known: Known | None = None,
    before: Edition | None = None,
    arrived: datetime | None = None,
) -> Edition:
    """Return the edition that an offer is, or raise ``OfferError``.

    ``arrived`` is when it first came: a list that is restored is judged by the signers' dates of
    that day, or the day a signer's certificate expires would take the list out of force.
    """
    # (1) Size, before anything costs anything.
    if len(offer.content) > demands.limit:
        raise OfferError(Outcome.TOO_BIG, f"the list is larger than {demands.limit} octets")

    # (2) strict form of what carries the signature, (3) signature over the very bytes that are
    # read, (4) signer, (5) chain, (6) revocation: numbered in each format.
    # (7) Form: those bytes, and no others, are a list in which nothing is inconsistent.
    came = arrived or now
    try:
        edition = Edition(demands.name, demands.form.verify(offer, came), demands.form.read, came)
    except TrustError as error:
        raise OfferError(_outcome(error), str(error)) from None

    # (8) Date: an honest authority does not sign for tomorrow. A *stale* list is let in: it is
    # newer than ours, and says of itself that it vouches for nobody.
    claims = edition.claims
    if claims.issued > now + SKEW:
        sentence = f"issued {claims.issued:%F %T} UTC, which is to come"
        raise OfferError(Outcome.FUTURE, sentence, claims.version)
    if known is not None:
        _check_succession(edition, known)
    if before is not None:
        _check_loss(edition, before, demands.loss)
    return edition


def _outcome(error: TrustError) -> Outcome:
    kinds = (outcome for kind, outcome in _REFUSALS if isinstance(error, kind))
    return next(kinds, Outcome.MALFORMED)


def _check_succession(edition: Edition, known: Known) -> None:
    claims, version = edition.claims, edition.claims.version
    same = known.issued == claims.issued if version is None else version == known.version
    numbered = version is not None and known.version is not None

    # (9) Roll-back: an old list, however well signed, would restore whom the authority removed.
    # A format without numbers is as old as its date.
    older = claims.issued < known.issued
    if version is not None and known.version is not None:
        older = version < known.version
    if older:
        sentence = f"{claims.name} is older than {_name(known)}, which was verified here"
        raise OfferError(Outcome.ROLLED_BACK, sentence, version)

    # (10) Equivocation: the authority has said two things by one number, or at one moment.
    if same and edition.digest != known.digest:
        sentence = f"another list than ours is signed as {claims.name}: ask the authority"
        raise OfferError(Outcome.EQUIVOCATION, sentence, version)

    # (11) Succession: the next version names the hash of ours. After a gap we cannot tell.
    if numbered and version == (known.version or 0) + 1 and claims.previous != known.digest:
        sentence = f"{claims.name} does not follow from our {_name(known)}"
        raise OfferError(Outcome.BROKEN_CHAIN, sentence, version)

    # (12) Order in time: a later version is not issued before an earlier one.
    if claims.issued < known.issued:
        sentence = f"{claims.name} is dated before our {_name(known)}"
        raise OfferError(Outcome.BACKDATED, sentence, version)


def _name(known: Known) -> str:
    if known.version is None:
        return f"version of {known.issued:%F %T} UTC"
    return f"version {known.version}"


def _check_loss(edition: Edition, before: Edition, loss: float) -> None:
    # (13) Plausibility: no authority removes half its members overnight. Something was cut off
    # before it was signed, or somebody else signs.
    lost = len(before.members.keys() - edition.members.keys())
    if lost > max(FEW, loss * len(before.members)):
        sentence = (
            f"{edition.claims.name} lacks {lost:,} of the {len(before.members):,} domains in force;"
            f" more than {loss:.0%} at once is believed of nobody: ask the authority"
        )
        raise OfferError(Outcome.IMPLAUSIBLE, sentence, edition.claims.version)
