"""Whether the one who signed is the signer we pinned: by name, authority and policy, on that day.

Everybody in a health space holds certificates of one authority, so a chain proves membership and
nothing more. A signer is pinned by what survives a renewal: subject, issuer and certificate policy.
Several may be pinned, each for its time, which is how one hands over to the next. What is signed
may outlive the certificate that signed it: the operator says whether it is judged on the day of the
list or today. Revocation is always judged today, because a stolen key can write any date.
R-C3, RFC 5280 §4.2.1.4 and §6.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from trust import names
from trust.errors import ChainError, RevokedError, SignatureError, SignerError, UnsettledError
from trust.revocation import Standing, State
from trust.signatures.cms import fingerprint, strong
from trust.signatures.verified import WITNESS, Signed, Verified

# Given a chain in DER, leaf first and anchor last: how its leaf stands now. Answers from what is
# known already, because it is called off the loop and must not wait for the network.
Revocation = Callable[[tuple[bytes, ...], datetime], Standing]

_OID = re.compile(r"[0-2](?:\.[0-9]+)+")
EMAIL_PROTECTION = frozenset({ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string})


class Dates(StrEnum):
    """The day on which a signer's certificate must be good."""

    OF_LIST = "date-of-list"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Signer:
    """A signer as an operator pins it, for as long as it is one."""

    subject: names.Name
    issuer: names.Name
    policy: str | None = None  # a dotted OID among the certificate's policies
    since: datetime | None = None
    until: datetime | None = None  # from this moment on no longer

    def __post_init__(self) -> None:
        if self.policy is not None and not _OID.fullmatch(self.policy):
            raise SignatureError("a signer's policy is an OID in dotted numbers")
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise SignatureError("since and until need a zone: 2026-01-01T00:00:00Z")

    @classmethod
    def pinned(
        cls,
        subject: str,
        issuer: str,
        policy: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> "Signer":
        """Pin a signer by names as people write them; raise ``IdentityError`` for what is none."""
        return cls(names.parse(subject), names.parse(issuer), policy, since, until)

    def is_of(self, certificate: x509.Certificate) -> bool:
        """Whether this is the signer that a certificate names."""
        return (
            names.of_certificate(certificate.subject) == self.subject
            and names.of_certificate(certificate.issuer) == self.issuer
            and (self.policy is None or self.policy in _policies(certificate))
        )

    def signs_on(self, moment: datetime) -> bool:
        """Whether it is a signer at that moment."""
        return (self.since is None or self.since <= moment) and (
            self.until is None or moment < self.until
        )


@dataclass(frozen=True, slots=True)
class Signers:
    """Whom an operator believes about one source, and what their certificates must be."""

    pinned: tuple[Signer, ...]
    anchors: tuple[x509.Certificate, ...] = field(repr=False)
    dates: Dates = Dates.OF_LIST
    purposes: frozenset[str] | None = EMAIL_PROTECTION  # exactly these; None: whatever they are
    revocation: Revocation | None = field(default=None, repr=False)  # None: not asked, by settings

    def __post_init__(self) -> None:
        if not self.pinned or not self.anchors:
            raise SignatureError("a source needs at least one pinned signer and one anchor")

    def vouch(self, signed: Signed, dated: datetime, now: datetime) -> Verified:
        """Return the content as verified, or raise a ``SignatureError`` of the first doubt."""
        moment = now if self.dates is Dates.NOW else min(dated, now)
        try:
            # (4) The signer that we pinned, in its time: by the chain alone any member could sign.
            self._recognise(signed.certificate, moment)
            # And a certificate made for signing, and for nothing that gateways do.
            self._check_use(signed.certificate)
            key = strong(signed.certificate)
        except UNREADABLE:
            raise SignerError("the signer's certificate cannot be read") from None
        # (5) A chain to this source's own anchors, good on that day.
        chain = self._chain(signed, moment)
        # (6) Not revoked, as of now.
        self._check_revocation(chain, now)
        return Verified(signed.content, frozenset({fingerprint(key)}), WITNESS)

    def _recognise(self, certificate: x509.Certificate, moment: datetime) -> None:
        found = [signer for signer in self.pinned if signer.is_of(certificate)]
        if not found:
            who = certificate.subject.rfc4514_string()
            raise SignerError(f"signed by {who}, which is not a pinned signer")
        if not any(signer.signs_on(moment) for signer in found):
            raise SignerError(
                f"the pinned signer does not sign on {moment:%F}: see since and until"
            )

    def _check_use(self, certificate: x509.Certificate) -> None:
        try:
            usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            raise ChainError("the signer's certificate does not say what it is for") from None
        if not usage.digital_signature:
            raise ChainError("the signer's certificate is not made for signatures")
        if self.purposes is not None and _purposes(certificate) != self.purposes:
            raise ChainError("the signer's certificate is made for other purposes")

    def _chain(self, signed: Signed, moment: datetime) -> Sequence[x509.Certificate]:
        leaf = signed.certificate
        if not leaf.not_valid_before_utc <= moment <= leaf.not_valid_after_utc:
            raise ChainError(
                f"the signer's certificate is good from {leaf.not_valid_before_utc:%F} to "
                f"{leaf.not_valid_after_utc:%F}, not on {moment:%F} (judged by {self.dates})"
            )
        verifier = (
            PolicyBuilder()
            .store(Store(list(self.anchors)))
            .time(moment)
            .max_chain_depth(4)
            .extension_policies(
                # The purpose of a signer's certificate is none of those the library knows.
                ee_policy=ExtensionPolicy.permit_all(),
                ca_policy=ExtensionPolicy.webpki_defaults_ca(),
            )
            .build_client_verifier()
        )
        try:
            return verifier.verify(leaf, list(signed.others)).chain
        except VerificationError:
            raise ChainError(
                "the signer's certificate does not lead to this source's anchors"
            ) from None

    def _check_revocation(self, chain: Sequence[x509.Certificate], now: datetime) -> None:
        if self.revocation is None:
            return
        octets = tuple(each.public_bytes(Encoding.DER) for each in chain)
        standing = self.revocation(octets, now)
        if standing.state is State.REVOKED:
            raise RevokedError("the signer's certificate was revoked")
        if standing.state is not State.GOOD:
            raise UnsettledError("it is not known whether the signer's certificate was revoked")


def unsigned(content: bytes) -> Verified:
    """Return bytes that nobody signed: for a source whose settings say in so many words they may be."""
    return Verified(content, frozenset(), WITNESS)


# All that the library raises for a certificate, or parts of one, that it cannot read.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def _policies(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(each.policy_identifier.dotted_string for each in found.value)


def _purposes(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(purpose.dotted_string for purpose in found.value)
