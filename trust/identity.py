"""Whose certificate this is: what it says of its holder, and what a list may pin of it.

A list names a certificate in one of four ways: by its subject (``dn``), by the SHA-256 of its
public key (``spki``), by a DNS name that it bears (``san``), by an anchor that it leads to
(``anchor``), which entitles only to the domains among its DNS names. Whether the certificate is *valid* was
TLS's question; whether it is *the one the list means* is ours. R-C2, RFC 5280 §4.1.2.6, RFC 7469 §2.4.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smtp.address import AddressError, parse_domain
from trust import names
from trust.errors import IdentityError

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class Way(StrEnum):
    """How a list points at a certificate."""

    DN = "dn"
    SPKI = "spki"
    SAN = "san"
    ANCHOR = "anchor"


# What is compared: two spellings of one name have the same mark. The way is a plain string here,
# because hashing an enum's member costs ten times as much.
Mark = tuple[str, names.Name | str]


@dataclass(frozen=True, slots=True)
class Identity:
    """One way to know a certificate, as a list names it. Equal if they mean the same."""

    way: Way
    text: str = field(compare=False)  # as its author wrote it
    mark: Mark = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mark", _one(_mark(self.way, self.text)))

    def mark_for(self, domain: str) -> Mark:
        """Return what a certificate must bear to speak for a domain that this identity names."""
        return _anchored(self.text, domain) if self.way is Way.ANCHOR else self.mark

    def __str__(self) -> str:
        return f"{self.way}:{self.text}"


@lru_cache(maxsize=16_384)
def _one(mark: Mark) -> Mark:
    """Return the one object for all equal marks: a list's and a certificate's are compared at once."""
    return mark


def _mark(way: Way, text: str) -> Mark:
    if way is Way.DN:
        return way.value, names.parse(text)
    if way is Way.SPKI or way is Way.ANCHOR:
        return way.value, pin(text)
    try:
        domain = parse_domain(text)
    except AddressError as error:
        raise IdentityError(f"a san identity is a DNS name: {error}") from None
    if domain != text:
        raise IdentityError("a san identity is written in lower-case A-labels")
    return way.value, domain


def _anchored(anchor: str, domain: str) -> Mark:
    return Way.ANCHOR.value, f"{anchor} {domain}"


def pin(text: str) -> str:
    """Return the SHA-256 of a key or certificate, which must be 64 lower-case hex digits."""
    if not _FINGERPRINT.fullmatch(text):
        raise IdentityError("a pin is a SHA-256 in 64 lower-case hex digits")
    return text


@dataclass(frozen=True, slots=True)
class Certificate:
    """What we need to know of a leaf certificate."""

    fingerprint: str  # SHA-256 of the DER
    spki_sha256: str
    text: str  # the subject, for people
    subject: names.Name = field(repr=False)
    issuer: names.Name = field(repr=False)
    san_dns: frozenset[str]
    not_before: datetime
    not_after: datetime
    marks: frozenset[Mark] = field(repr=False)

    @staticmethod
    def parse(der: bytes) -> "Certificate":
        """Read a certificate, or remember having read it; raise ``IdentityError`` if it is none."""
        return _parse(der)

    def under(self, anchors: frozenset[str], *, lent: bool = False) -> "Certificate":
        """Return the certificate as known to lead to these anchors (SHA-256, in hex).

        An anchor entitles to the DNS names in the certificate. If all of them are ``lent``, named by
        lists and not by the gateway's operator, nothing else in it counts: whoever holds such an
        anchor could write anybody's subject into a certificate.
        """
        if not anchors and not lent:
            return self
        marks = {_anchored(anchor, host) for anchor in anchors for host in self.san_dns}
        return replace(self, marks=frozenset(marks) if lent else self.marks | marks)

    def in_date(self, now: datetime) -> bool:
        """Whether the certificate is neither expired nor still to come."""
        return self.not_before <= now <= self.not_after


@lru_cache(maxsize=4096)
def _parse(der: bytes) -> Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        spki = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        subject = names.of_certificate(certificate.subject)
        hosts = _hosts(certificate)
        marks: set[Mark] = {(Way.SAN.value, host) for host in hosts}
        marks |= {(Way.SPKI.value, spki.hexdigest()), (Way.DN.value, subject)}
        return Certificate(
            fingerprint=hashlib.sha256(der).hexdigest(),
            spki_sha256=spki.hexdigest(),
            text=certificate.subject.rfc4514_string(),
            subject=subject,
            issuer=names.of_certificate(certificate.issuer),
            san_dns=hosts,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            marks=frozenset(map(_one, marks)),
        )
    except _UNREADABLE as error:
        raise IdentityError("the certificate cannot be read") from error


# All that the library raises for bytes that are no certificate, or one of an unknown kind.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def _hosts(certificate: x509.Certificate) -> frozenset[str]:
    """Return the DNS names that a list could name: a wildcard names no host, and is left out."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    hosts = set()
    for host in extension.value.get_values_for_type(x509.DNSName):
        try:
            hosts.add(parse_domain(host))
        except AddressError:
            continue
    return frozenset(hosts)
