"""What an authority publishes of the certificates that it takes back: its CRL and OCSP answers.

For the demonstration and the tests, beside ``gateway.demo.pki``. RFC 5280 §5, RFC 6960.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from gateway.demo.pki import Issued

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that was taken back."""

    at: datetime
    reason: x509.ReasonFlags


@dataclass(slots=True)
class Register:
    """What one CA knows of its certificates; ``signer`` answers in its place if it delegates."""

    authority: Issued
    signer: Issued | None = None
    revoked: dict[int, Revoked] = field(default_factory=dict)  # by serial number
    number: int = 0

    def revoke(
        self,
        issued: Issued,
        at: datetime,
        reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise,
    ) -> None:
        """Take a certificate back."""
        self.revoked[issued.certificate.serial_number] = Revoked(at, reason)

    def crl(self, now: datetime, life: timedelta = _DAY) -> bytes:
        """Return the list of what was taken back (DER)."""
        self.number += 1
        ca = self.authority.certificate
        key = self.authority.key.public_key()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(ca.subject)
            .last_update(now)
            .next_update(now + life)
            .add_extension(x509.CRLNumber(self.number), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key), critical=False)
        )
        for serial, one in self.revoked.items():
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(one.at)
                .add_extension(x509.CRLReason(one.reason), critical=False)
                .build()
            )
            builder = builder.add_revoked_certificate(entry)
        signed = builder.sign(self.authority.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.DER)

    def answer(self, asked: bytes, now: datetime, life: timedelta = _DAY) -> bytes:
        """Return the signed answer to an OCSP request; both DER."""
        request = ocsp.load_der_ocsp_request(asked)
        one = self.revoked.get(request.serial_number)
        signer = self.signer or self.authority
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number,
            algorithm=request.hash_algorithm,
            cert_status=ocsp.OCSPCertStatus.GOOD if one is None else ocsp.OCSPCertStatus.REVOKED,
            this_update=now,
            next_update=now + life,
            revocation_time=None if one is None else one.at,
            revocation_reason=None if one is None else one.reason,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        if self.signer is not None:
            builder = builder.certificates([self.signer.certificate])
        signed = builder.sign(signer.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.DER)
