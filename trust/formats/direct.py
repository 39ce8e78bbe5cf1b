"""Direct trust bundles: anchors that an authority publishes, for domains that the operator names.

A bundle is a CMS bag of certificates (``.p7b``), or one wrapped in a signature (``.p7m``). It says
whose certificates are good and not for whom, so the source's settings say which domains are reached
by it, and an anchor entitles a certificate only to the domains among its own DNS names. A bundle
has neither number nor date: it counts from when it arrived. Applicability Statement for Secure
Health Transport §4; Implementation Guide for Direct Project Trust Bundle Distribution. R-C2, R-C3.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from trust.errors import ListError, SignatureError
from trust.identity import Identity, Way
from trust.members import Claims, Member
from trust.signatures import cms, signers
from trust.signatures.signers import Signers
from trust.signatures.verified import Verified
from trust.verification import Offer

LIMIT = 8 << 20  # octets
_ANCHORS = 2000


@dataclass(frozen=True, slots=True)
class Bundle:
    """How one operator takes a bundle: for which domains, from which signers, for how long."""

    domains: tuple[str, ...]
    signers: Signers | None  # None: the settings allow a bundle that nobody signed
    max_age: timedelta

    def verify(self, offer: Offer, now: datetime) -> Verified:
        """Return the bag of certificates, which a pinned signer signed unless settings say otherwise."""
        if self.signers is None:
            return signers.unsigned(bytes(offer.content))
        # (2) The envelope's form, (3) its signature, (4) the signer, (5) chain, (6) revocation.
        return self.signers.vouch(cms.opened(bytes(offer.content)), now, now)

    def read(self, verified: Verified, arrived: datetime) -> Claims:
        """Return what the bundle claims: each domain, by any of the anchors."""
        anchors, remarks = _anchors(bytes(verified.content))
        identities = tuple(
            Identity(Way.ANCHOR, hashlib.sha256(anchor).hexdigest()) for anchor in anchors
        )
        issued = arrived.replace(microsecond=0)
        return Claims(
            version=None,
            issued=issued,
            stale_after=issued + self.max_age,
            previous=None,
            members=tuple(Member(domain, identities) for domain in sorted(set(self.domains))),
            anchors=anchors,
            remarks=remarks,
        )


def _anchors(bag: bytes) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Return the anchors, and what is to be said of certificates that are none."""
    try:
        found = sorted(set(cms.certificates(bag)))
    except SignatureError as error:
        raise ListError(f"not a bundle of certificates: {error}") from None
    if len(found) > _ANCHORS:
        raise ListError(f"a bundle has at most {_ANCHORS} anchors")
    anchors = tuple(der for der in found if _issues(der))
    if not anchors:
        raise ListError("the bundle has no anchor")
    left = len(found) - len(anchors)
    remarks = (f"{left} certificates are left out: they cannot issue others",) if left else ()
    return anchors, remarks


def _issues(der: bytes) -> bool:
    """Whether a certificate is an authority's, with a key that may be one."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        cms.strong(certificate)
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (SignatureError, x509.ExtensionNotFound, *signers.UNREADABLE):
        return False
    return found.value.ca
