"""A certificate is known by subject, key, a name it bears, its anchor; never by how it is spelled."""

import hashlib
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.simulator import NOW, issued
from trust.errors import IdentityError
from trust.identity import Certificate, Identity, Way, pin

LABO = issued("gw.labo.example", organisation="LABO Ö", hosts=("gw.labo.example", "127.0.0.1"))
OTHER = issued("gw.autre.example")


def test_what_is_read_of_a_certificate() -> None:
    """Subject, issuer, key, names and dates are those that any other reader finds."""
    certificate = Certificate.parse(LABO.der)
    spki = LABO.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert hashlib.sha256(LABO.der).hexdigest() == certificate.fingerprint
    assert hashlib.sha256(spki).hexdigest() == certificate.spki_sha256
    assert frozenset({"gw.labo.example"}) == certificate.san_dns
    assert certificate.text == "CN=gw.labo.example,O=LABO Ö,C=FR"
    assert certificate.subject != certificate.issuer
    assert NOW + timedelta(days=365) == certificate.not_after


def test_reading_twice_is_remembered() -> None:
    """The hot path only looks a certificate up."""
    assert Certificate.parse(LABO.der) is Certificate.parse(bytes(bytearray(LABO.der)))


@pytest.mark.parametrize(
    "identity",
    [
        Identity(Way.DN, "CN=gw.labo.example,O=LABO Ö,C=FR"),
        Identity(Way.DN, 'C=fr; O="Labo  O\u0308"; CN=GW.LABO.EXAMPLE'),
        Identity(Way.SPKI, Certificate.parse(LABO.der).spki_sha256),
        Identity(Way.SAN, "gw.labo.example"),
    ],
)
def test_each_way_to_name_a_certificate(identity: Identity) -> None:
    """The one that is meant matches, another of the same authority does not."""
    mark = identity.mark_for("labo.example")
    assert [True, False] == [mark in Certificate.parse(one.der).marks for one in (LABO, OTHER)]


ANCHOR = "0a" * 32


def test_an_anchor_entitles_to_names_of_the_certificate_alone() -> None:
    """Whoever holds an anchor says who its holders are, but only of domains that they bear."""
    identity = Identity(Way.ANCHOR, ANCHOR)
    certificate = Certificate.parse(LABO.der)
    anchored = certificate.under(frozenset({ANCHOR, "0b" * 32}))

    assert identity.mark_for("gw.labo.example") in anchored.marks
    assert identity.mark_for("labo.example") not in anchored.marks
    assert identity.mark_for("gw.labo.example") not in certificate.marks
    assert identity.mark_for("gw.labo.example") not in certificate.under(frozenset("0b" * 32)).marks


def test_a_lent_anchor_entitles_to_nothing_else() -> None:
    """Its holder could issue a certificate with any subject, the one of a national operator too."""
    certificate = Certificate.parse(LABO.der)
    lent = certificate.under(frozenset({ANCHOR}), lent=True)

    assert {Identity(Way.ANCHOR, ANCHOR).mark_for("gw.labo.example")} == lent.marks
    assert frozenset() == certificate.under(frozenset(), lent=True).marks


def test_without_anchors_nothing_is_added() -> None:
    """The hot path makes no copy."""
    certificate = Certificate.parse(LABO.der)
    assert certificate.under(frozenset()) is certificate


def test_identities_are_equal_by_meaning() -> None:
    """Two spellings are one identity, two ways to name are two."""
    one, same = Identity(Way.DN, "CN=a,O=b"), Identity(Way.DN, 'o="B" , cn=A')
    assert one == same
    assert hash(one) == hash(same)
    assert one != Identity(Way.DN, "CN=a")
    assert str(one) == "dn:CN=a,O=b"


@pytest.mark.parametrize(
    ("way", "text"),
    [
        (Way.DN, ""),
        (Way.DN, "gw.labo.example"),
        (Way.SPKI, ""),
        (Way.SPKI, "A" * 64),
        (Way.SPKI, "0" * 63),
        (Way.SPKI, "0" * 64 + "\n"),
        (Way.SAN, "labo"),
        (Way.SAN, "*.labo.example"),
        (Way.SAN, "GW.labo.example"),
        (Way.SAN, "gw.santé.example"),
        (Way.SAN, "127.0.0.1:25"),
        (Way.ANCHOR, "0A" * 32),
    ],
)
def test_an_identity_that_is_none(way: Way, text: str) -> None:
    """What cannot name a certificate is refused when the list is read."""
    with pytest.raises(IdentityError):
        Identity(way, text)


def test_pins_are_lower_case_hex() -> None:
    """One spelling, so that they compare as strings."""
    assert pin("0a" * 32) == "0a" * 32


def certificate_with(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    *names: str,
) -> bytes:
    signer = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "essai")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def test_only_whole_host_names_count() -> None:
    """A wildcard, a bare label, an underscore: names of no host that a list could name."""
    der = certificate_with(
        ec.generate_private_key(ec.SECP256R1()),
        "*.labo.example",
        "localhost",
        "_x.labo.example",
        "GW.Labo.Example",
    )
    assert frozenset({"gw.labo.example"}) == Certificate.parse(der).san_dns


def test_a_certificate_without_alternative_names() -> None:
    """It is known by its subject and its key."""
    key = ed25519.Ed25519PrivateKey.generate()
    assert frozenset() == Certificate.parse(certificate_with(key)).san_dns


@pytest.mark.parametrize("seconds", [-1, 0, 86400, 86401])
def test_dates_include_their_ends(seconds: int) -> None:
    """Valid from the first second to the last."""
    certificate = Certificate.parse(certificate_with(ec.generate_private_key(ec.SECP256R1())))
    assert (0 <= seconds <= 86400) == certificate.in_date(NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("der", [b"", b"\x30\x00", LABO.der[:-1], LABO.der + b"\0", LABO.chain_pem])
def test_what_is_no_certificate(der: bytes) -> None:
    """Refused in our words; a peer may send anything."""
    with pytest.raises(IdentityError):
        Certificate.parse(der)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # which is no concern of ours
@given(st.integers(0, len(LABO.der) - 1), st.integers(0, 255))
def test_any_octet_changed(at: int, octet: int) -> None:
    """A certificate or our error, whatever was done to it."""
    with suppress(IdentityError):
        Certificate.parse(LABO.der[:at] + bytes([octet]) + LABO.der[at + 1 :])


@given(st.binary(max_size=300))
def test_any_bytes(der: bytes) -> None:
    """A certificate or our error."""
    with suppress(IdentityError):
        Certificate.parse(der)


REAL = Path(__file__).parents[3] / "shared" / "data" / "igc-sante"


@pytest.mark.skipif(not REAL.is_dir(), reason="the health PKI's public certificates are not here")
def test_the_health_pki_itself() -> None:
    """Its names survive being written in a list, and its intermediate names its root."""
    issuing, root = (
        Certificate.parse(
            x509.load_pem_x509_certificate((REAL / name).read_bytes()).public_bytes(Encoding.DER)
        )
        for name in ("ACI-EL-ORG.pem", "ACR-EL.pem")
    )
    assert root.subject == issuing.issuer
    mark = Identity(Way.DN, root.text).mark
    assert [True, False] == [mark in each.marks for each in (root, issuing)]
