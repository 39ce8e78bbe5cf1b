"""A health administration's authority: the shape of the real one, with keys made up on the spot.

A root, an authority for organisations below it, leaves whose ``OU`` is 1 + FINESS or 3 + SIRET, with
policies and pointers to CRLs, OCSP and issuers. Tests, benchmarks and the demonstration share it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

POLICY = "2.999.250.1.213.1.7.1.1.2.3.1"  # of those who sign: in the arc kept for examples
POLICY_GATEWAY = "2.999.250.1.213.1.7.1.1.2.1.1"
_WEB = "http://igc.sante.example"


@dataclass(frozen=True, slots=True)
class Holder:
    """A certificate and its RSA key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def der(self) -> bytes:
        """The certificate as a list or a peer carries it."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate as an anchor file holds it."""
        return self.certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True, slots=True)
class HealthAuthority:
    """A root and the authority for organisations below it, each with its pointers."""

    root: Holder
    organisations: Holder
    now: datetime

    @classmethod
    def make(cls, now: datetime) -> Self:
        """Make both with fresh keys, good for ten years on either side of ``now``."""
        root = _ca("AC RACINE ESSAI-SANTE ELEMENTAIRE", None, now)
        return cls(root, _ca("AC ESSAI-SANTE ELEMENTAIRE ORGANISATIONS", root, now), now)

    def signer(
        self,
        common_name: str = "alb.sante.example",
        *,
        starts: datetime | None = None,
        days: int = 3 * 365,
        policy: str = POLICY,
        purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    ) -> Holder:
        """Issue to whoever signs the list: a seal's key usage, and mail as the only purpose."""
        subject = _subject(common_name, "PRESTATAIRE DE SIGNATURE", "334797668420072")
        return self._issue(
            subject,
            starts or self.now,
            days,
            policy,
            purposes,
            x509.RFC822Name(common_name.replace("alb.", "alb@", 1)),
            seal=True,
        )

    def gateway(self, common_name: str, organisation: str, unit: str) -> Holder:
        """Issue to an operator's gateway, for both roles of TLS."""
        purposes = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
        subject = _subject(common_name, organisation, unit)
        host = x509.DNSName(common_name)
        return self._issue(subject, self.now, 3 * 365, POLICY_GATEWAY, purposes, host)

    def _issue(  # noqa: PLR0917 - what a leaf is made of
        self,
        subject: x509.Name,
        starts: datetime,
        days: int,
        policy: str,
        purposes: tuple[x509.ObjectIdentifier, ...],
        name: x509.GeneralName,
        *,
        seal: bool = False,
    ) -> Holder:
        key = rsa.generate_private_key(65537, 2048)
        builder = _builder(subject, key, self.organisations, starts, timedelta(days=days))
        access = [
            x509.AccessDescription(Access.OCSP, _uri("http://ocsp.sante.example")),
            x509.AccessDescription(Access.CA_ISSUERS, _uri(f"{_WEB}/AC/ACI-EL-ORG.cer")),
        ]
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(digital_signature=True, content_commitment=seal), True),
            (x509.SubjectAlternativeName([name]), False),
            (_policies(policy), False),
            (_revocation("ACI-EL-ORG"), False),
            (x509.AuthorityInformationAccess(access), False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return Holder(builder.sign(self.organisations.key, hashes.SHA256()), key)


def _ca(common_name: str, issuer: Holder | None, now: datetime) -> Holder:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ESSAI-SANTE"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "0002 187512751"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "IGC-ESSAI"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    decade = timedelta(days=3650)
    builder = _builder(subject, key, issuer, now - decade, 2 * decade)
    length = None if issuer is None else 0
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=length), True),
        (_key_usage(key_cert_sign=True, crl_sign=True), True),
        (_policies("2.5.29.32.0"), False),
    ]
    if issuer is not None:
        extensions.append((_revocation("ACR-EL"), False))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: Holder | None,
    starts: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    signing = issuer.key if issuer else key
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(starts + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
            critical=False,
        )
    )


def _subject(common_name: str, organisation: str, unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Essai (99)"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


def _policies(policy: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(policy), [f"{_WEB}/PC"])]
    )


def _revocation(name: str) -> x509.CRLDistributionPoints:
    point = x509.DistributionPoint([_uri(f"{_WEB}/CRL/{name}.crl")], None, None, None)
    return x509.CRLDistributionPoints([point])


def _key_usage(**uses: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: uses.get(name, False) for name in _USES})


_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
