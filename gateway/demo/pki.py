"""A small certificate authority of the same shape as the health PKI: root, issuing CA, leaves.

For the demonstration and the tests; clean under RFC 5280, so that strict verifiers take it
(basicConstraints, keyUsage, key identifiers, extended usages on leaves).
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Asking:
    """Where a certificate says that one may ask whether it was revoked."""

    crl: tuple[str, ...] = ()
    ocsp: tuple[str, ...] = ()

    @property
    def extensions(self) -> list[x509.ExtensionType]:
        """The extensions that say so, as the health PKI's certificates do."""
        found: list[x509.ExtensionType] = []
        if self.crl:
            names = [[x509.UniformResourceIdentifier(url)] for url in self.crl]
            points = [x509.DistributionPoint(name, None, None, None) for name in names]
            found.append(x509.CRLDistributionPoints(points))
        if self.ocsp:
            method = AuthorityInformationAccessOID.OCSP
            places = [x509.UniformResourceIdentifier(url) for url in self.ocsp]
            access = [x509.AccessDescription(method, place) for place in places]
            found.append(x509.AuthorityInformationAccess(access))
        return found


NOWHERE = Asking()


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its private key and the chain that leads to, but leaves out, the root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        """The certificate as a peer would send it."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def chain_pem(self) -> bytes:
        """The certificate and its intermediates, for a TLS server or client."""
        pem = serialization.Encoding.PEM
        return b"".join(c.public_bytes(pem) for c in (self.certificate, *self.chain))

    @property
    def key_pem(self) -> bytes:
        """The private key, unencrypted PKCS #8."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write ``name.crt`` and ``name.key`` (0600) into the folder; return both paths."""
        folder.mkdir(parents=True, exist_ok=True)
        crt, key = folder / f"{name}.crt", folder / f"{name}.key"
        crt.write_bytes(self.chain_pem)
        key.touch(mode=0o600)
        key.write_bytes(self.key_pem)
        return crt, key


@dataclass(frozen=True, slots=True)
class Authority:
    """A root and one issuing CA below it."""

    root: Issued
    issuing: Issued
    now: datetime

    @classmethod
    def make(cls, now: datetime, name: str = "Demonstration", asking: Asking = NOWHERE) -> Self:
        """Make a new authority with fresh keys, valid for ten years from ``now``.

        ``asking`` is where to ask after the issuing CA.
        """
        root_key = ec.generate_private_key(ec.SECP256R1())
        root_name = _name(f"AC RACINE {name.upper()}", organisation=name)
        root = _sign(
            root_name, root_key, root_name, root_key, now, timedelta(days=3650), path_length=1
        )
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"AC {name.upper()} ELEMENTAIRE ORGANISATIONS", organisation=name)
        issuing = _sign(
            subject,
            key,
            root_name,
            root_key,
            now,
            timedelta(days=3600),
            path_length=0,
            asking=asking,
        )
        return cls(Issued(root, root_key), Issued(issuing, key), now)

    @property
    def anchors_pem(self) -> bytes:
        """The root alone, as an anchor file holds it."""
        return self.root.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        common_name: str,
        *,
        organisation: str = "",
        unit: str = "",
        hosts: tuple[str, ...] = (),
        email: str = "",
        starts: datetime | None = None,
        days: int = 365,
        signer: bool = False,
        responder: bool = False,
        asking: Asking = NOWHERE,
    ) -> Issued:
        """Issue a leaf for TLS (both roles), or one that signs trust lists, or OCSP answers."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(common_name, organisation=organisation or common_name, unit=unit)
        names: list[x509.GeneralName] = [_host(host) for host in hosts]
        if email:
            names.append(x509.RFC822Name(email))
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        if signer or responder:
            kinds = ExtendedKeyUsageOID
            usage = [kinds.EMAIL_PROTECTION if signer else kinds.OCSP_SIGNING]
        certificate = _sign(
            subject,
            key,
            self.issuing.certificate.subject,
            self.issuing.key,
            starts or self.now,
            timedelta(days=days),
            names=names,
            usage=usage,
            asking=asking,
        )
        return Issued(certificate, key, (self.issuing.certificate,))


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common_name: str, *, organisation: str, unit: str = "") -> x509.Name:
    parts = [(NameOID.COUNTRY_NAME, "FR"), (NameOID.ORGANIZATION_NAME, organisation)]
    if unit:
        parts.append((NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    parts.append((NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _sign(  # noqa: PLR0917 - what an X.509 certificate is made of
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    starts: datetime,
    life: timedelta,
    *,
    path_length: int | None = None,
    names: list[x509.GeneralName] | None = None,
    usage: list[x509.ObjectIdentifier] | None = None,
    asking: Asking = NOWHERE,
) -> x509.Certificate:
    authority = path_length is not None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts - _SKEW)
        .not_valid_after(starts + life)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
        .add_extension(_key_usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    for extension in asking.extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
