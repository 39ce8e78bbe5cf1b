"""Direct's bundles: anchors for domains of the operator's choice, signed unless settings say else."""

import hashlib
from contextlib import suppress
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.health import Holder
from gateway.demo.pki import Issued
from tests.trust.national import authority, pin, signer, signers
from tests.trust.simulator import NOW, issued
from tests.trust.simulator import pki as other_authority
from trust.errors import ListError, SignatureError, SignerError, TrustError
from trust.formats.direct import Bundle
from trust.identity import Certificate, Identity, Way
from trust.members import Claims, Member
from trust.signatures import cms
from trust.signatures.signers import unsigned
from trust.verification import Offer

MAX_AGE = timedelta(days=30)
ANCHOR = other_authority().root.certificate
SECOND = authority().root.certificate
DOMAINS = ("gw.labo.example", "chu.example")


def bag(*certificates: x509.Certificate) -> bytes:
    return pkcs7.serialize_certificates(list(certificates or (ANCHOR, SECOND)), Encoding.DER)


def wrapped(content: bytes = b"", *by: Holder | Issued) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content or bag())
    for each in by or (signer(),):
        builder = builder.add_signer(each.certificate, each.key, hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def pinned(*holders: Holder) -> Bundle:
    return Bundle(DOMAINS, signers(*(pin(holder) for holder in holders)), MAX_AGE)


OPEN = Bundle(DOMAINS, None, MAX_AGE)


def claims(content: bytes, form: Bundle = OPEN) -> Claims:
    return form.read(form.verify(Offer(content), NOW), NOW)


def sha256(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def test_a_bundle() -> None:
    """Each domain of the settings, by each anchor; it counts from when it arrived."""
    found = claims(bag())
    identities = tuple(Identity(Way.ANCHOR, sha256(each)) for each in (ANCHOR, SECOND))
    members = (Member("chu.example", identities), Member("gw.labo.example", identities))
    assert (None, NOW, NOW + MAX_AGE) == (found.version, found.issued, found.stale_after)
    assert members == found.members
    assert {sha256(ANCHOR), sha256(SECOND)} == {
        hashlib.sha256(der).hexdigest() for der in found.anchors
    }


def test_whom_an_anchor_entitles() -> None:
    """A certificate that leads to it, for the domains that it bears; and no other."""
    members = {member.domain: member for member in claims(bag(ANCHOR)).members}
    leaf = Certificate.parse(issued("gw.labo.example", hosts=("gw.labo.example",)).der)
    led = leaf.under(frozenset({sha256(ANCHOR)}))
    assert members["gw.labo.example"].entitles(led)
    assert not members["chu.example"].entitles(led)
    assert not members["gw.labo.example"].entitles(leaf)
    assert not members["gw.labo.example"].entitles(leaf.under(frozenset({sha256(SECOND)})))


def test_one_certificate_twice_is_one_anchor() -> None:
    """In whatever order they come."""
    assert claims(bag(ANCHOR, SECOND)) == claims(bag(SECOND, ANCHOR, ANCHOR))


def test_a_signed_bundle() -> None:
    """What lies inside counts, and who signed it."""
    form = pinned(signer())
    verified = form.verify(Offer(wrapped()), NOW)
    assert bag() == verified.content
    assert {cms.fingerprint(signer().key.public_key())} == verified.signers
    assert claims(bag()) == form.read(verified, NOW)


def test_another_signer() -> None:
    """A member of the same authority signs no bundle."""
    with pytest.raises(SignerError):
        claims(wrapped(b"", signer("alb.autre.example")), pinned(signer()))


def test_unsigned_where_a_signer_is_pinned() -> None:
    """Taking the signature away makes nothing acceptable."""
    with pytest.raises(SignatureError):
        claims(bag(), pinned(signer()))


def test_signed_where_no_signer_is_pinned() -> None:
    """Nobody has said whom to believe: a setting is missing, and nothing is guessed."""
    with pytest.raises(ListError, match="no signer is pinned"):
        claims(wrapped())


def test_certificates_that_are_no_anchors() -> None:
    """What cannot issue is left out, and the operator is told."""
    leaf = issued("gw.labo.example").certificate
    key = ed25519.Ed25519PrivateKey.generate()
    odd = (
        x509.CertificateBuilder()
        .subject_name(ANCHOR.subject)
        .issuer_name(ANCHOR.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + MAX_AGE)
    )
    plain = odd.sign(key, None)
    found = claims(bag(ANCHOR, leaf, plain))
    assert 1 == len(found.anchors)
    assert ("2 certificates are left out: they cannot issue others",) == found.remarks
    with pytest.raises(ListError, match="no anchor"):
        claims(bag(leaf))


def test_an_authority_that_says_nothing_of_itself() -> None:
    """Without basic constraints a certificate is no anchor, whatever it is named."""
    key = issued("gw.labo.example").key
    bare = (
        x509.CertificateBuilder()
        .subject_name(ANCHOR.subject)
        .issuer_name(ANCHOR.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + MAX_AGE)
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(ListError, match="no anchor"):
        claims(bag(bare))


def test_too_many_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle of a whole country has fewer."""
    monkeypatch.setattr("trust.formats.direct._ANCHORS", 1)
    with pytest.raises(ListError, match="at most 1"):
        claims(bag())


def test_what_a_signer_wrapped_must_be_a_bundle() -> None:
    """A good signature over something else is no bundle."""
    with pytest.raises(ListError, match="not a bundle"):
        claims(wrapped(b"list"), pinned(signer()))


def test_a_certificate_in_an_envelope_that_cannot_be_read() -> None:
    """Our error and no other."""
    der = signer().der
    at = wrapped().index(der)
    content = wrapped()[: at + 60] + b"\xff" * 8 + wrapped()[at + 68 :]
    with pytest.raises(TrustError):
        claims(content, pinned(signer()))


def test_a_certificate_of_a_version_to_come() -> None:
    """It is none that we know, in a bag, in an envelope, or pinned."""
    old, new = bytes.fromhex("a003020102"), bytes.fromhex("a003020107")
    root = authority().root.der
    assert 1 == root.count(old)
    with pytest.raises(ListError, match="no anchor"):
        claims(bag(SECOND).replace(old, new))
    with pytest.raises(SignatureError):
        claims(wrapped().replace(signer().der, signer().der.replace(old, new)), pinned(signer()))
    with pytest.raises(SignatureError, match="PEM or DER"):
        cms.pinnable(root.replace(old, new))


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # which is no concern of ours
@given(st.integers(0, 4000), st.integers(0, 255))
def test_any_octet_changed(at: int, octet: int) -> None:
    """Exactly what was signed, or our error; and of an unsigned one claims, or our error."""
    content = wrapped()
    at %= len(content)
    with suppress(TrustError):
        changed = content[:at] + bytes([octet]) + content[at + 1 :]
        assert bag() == pinned(signer()).verify(Offer(changed), NOW).content
    with suppress(TrustError):
        plain = bag()
        at %= len(plain)
        claims(plain[:at] + bytes([octet]) + plain[at + 1 :])


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    """Our error and no other."""
    with pytest.raises(TrustError):
        claims(content)
    with pytest.raises(TrustError):
        claims(content, pinned(signer()))
    assert unsigned(content).content == content
