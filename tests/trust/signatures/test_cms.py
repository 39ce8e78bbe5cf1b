"""A pinned key over the exact bytes, in one form of CMS; and OpenSSL agrees."""

import hashlib
import subprocess
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from asn1crypto import algos, cms, core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.pki import Issued
from tests.trust.simulator import NOW, pki, signer
from trust.errors import SignatureError
from trust.signatures.cms import certificates, fingerprint, opened, pinnable, sign
from trust.signatures.quorum import Quorum, verify

CONTENT = b'{"addresses":[]}\n'  # with an end of line, which no canonicalisation may touch
ONE, TWO, OTHER = signer(0), signer(1), signer(9)


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def p384_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def certificate_of(key: Key, *, days: int = 365) -> x509.Certificate:
    authority = pki().issuing
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Signataire")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(NOW - timedelta(days=400) + timedelta(days=days))
        .sign(authority.key, hashes.SHA256())
    )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def signed(number: int, content: bytes = CONTENT) -> bytes:
    return sign(content, signer(number).certificate, signer(number).key)


def quorum(threshold: int = 1, *certificates: bytes) -> Quorum:
    return Quorum.of(certificates or (ONE.chain_pem, TWO.der), threshold)


@pytest.mark.parametrize("data", [b"", b"not a certificate", b"-----BEGIN CERTIFICATE-----"])
def test_what_cannot_be_pinned(data: bytes) -> None:
    """A certificate, in PEM or DER."""
    with pytest.raises(SignatureError, match="PEM or DER"):
        pinnable(data)


def test_a_key_that_is_not_the_certificates() -> None:
    """Two files mixed up are noticed by who signs, not by who receives."""
    with pytest.raises(SignatureError, match="private key"):
        sign(CONTENT, ONE.certificate, OTHER.key)


def test_an_expired_certificate_changes_nothing() -> None:
    """The key is pinned; the certificate was only how it came to us."""
    key = p384_key()
    expired, renewed = certificate_of(key, days=1), certificate_of(key)
    assert verify(CONTENT, [sign(CONTENT, expired, key)], quorum(1, pem(renewed))).signers


def test_a_forged_certificate_changes_nothing() -> None:
    """Neither the name of a pinned signer nor its whole certificate makes a signature."""
    envelope = cms.ContentInfo.load(signed(9))
    envelope["content"]["certificates"] = cms.ContentInfo.load(signed(0))["content"]["certificates"]
    envelope["content"]["signer_infos"][0]["sid"] = cms.ContentInfo.load(signed(0))["content"][
        "signer_infos"
    ][0]["sid"]
    with pytest.raises(SignatureError, match="none of the pinned signers"):
        verify(CONTENT, [envelope.dump(force=True)], quorum())


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(lambda: rsa_key(1024), id="short RSA"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP192R1()), id="short curve"),
        pytest.param(ed25519.Ed25519PrivateKey.generate, id="another kind"),
    ],
)
def test_weak_keys_are_not_pinned(key: object) -> None:
    """RSA from 2048 bits, curves from 256."""
    with pytest.raises(SignatureError, match="must be"):
        Quorum.of([pem(certificate_of(key()))], 1)  # type: ignore[operator]


@pytest.mark.parametrize("pss", [False, True])
def test_rsa(pss: bool) -> None:  # noqa: FBT001
    """PKCS #1 v1.5 and PSS, by the same key."""
    certificate = certificate_of(rsa_key())
    envelope = sign(CONTENT, certificate, rsa_key(), pss=pss)
    assert verify(CONTENT, [envelope], quorum(1, ONE.der, pem(certificate))).signers
    with pytest.raises(SignatureError):
        verify(CONTENT, [envelope], quorum(1, ONE.der, pem(certificate_of(rsa_key(2049)))))


# Signatures made wrongly on purpose, by a key that is pinned.


def altered(envelope: bytes, **parts: object) -> bytes:
    """The envelope with parts of its only SignerInfo replaced, signed anew with ONE's key."""
    info = cms.ContentInfo.load(envelope)
    only = info["content"]["signer_infos"][0]
    for name, value in parts.items():
        only[name] = value
    attributes = only["signed_attrs"]
    over = b"\x31" + attributes.dump(force=True)[1:]
    only["signature"] = ONE.key.sign(over, ec.ECDSA(hashes.SHA256()))
    return bytes(info.dump(force=True))


def attribute(name: str, *values: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": name, "values": list(values)})


KIND = attribute("content_type", "data")
DIGEST = attribute("message_digest", hashlib.sha256(CONTENT).digest())


def test_a_minimal_signature_made_by_hand() -> None:
    """The two attributes that must be there are enough (RFC 5652 §5.3)."""
    envelope = altered(signed(0), signed_attrs=cms.CMSAttributes([KIND, DIGEST]))
    assert verify(CONTENT, [envelope], quorum()).signers


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ([DIGEST], "content_type must be there once"),
        ([KIND], "message_digest must be there once"),
        ([KIND, KIND, DIGEST], "content_type must be there once"),
        ([KIND, DIGEST, DIGEST], "message_digest must be there once"),
        (
            [KIND, attribute("message_digest", hashlib.sha256(CONTENT).digest(), b"x" * 32)],
            "message_digest must be there once",
        ),
        ([attribute("content_type", "signed_data"), DIGEST], "content type is not data"),
        ([KIND, attribute("message_digest", bytes(32))], "other bytes"),
        ([KIND, attribute("message_digest", hashlib.sha256(CONTENT).digest()[:16])], "other bytes"),
    ],
)
def test_signed_attributes(attributes: list[cms.CMSAttribute], words: str) -> None:
    """Each exactly once and true, or the signature says nothing."""
    envelope = altered(signed(0), signed_attrs=cms.CMSAttributes(attributes))
    with pytest.raises(SignatureError, match=words):
        verify(CONTENT, [envelope], quorum())


def test_no_signed_attributes() -> None:
    """A bare signature could be read in two ways (RFC 8933); it is not taken."""
    envelope = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(CONTENT)
        .add_signer(ONE.certificate, ONE.key, hashes.SHA256())
        .sign(
            Encoding.DER,
            [
                pkcs7.PKCS7Options.DetachedSignature,
                pkcs7.PKCS7Options.NoAttributes,
                pkcs7.PKCS7Options.Binary,
            ],
        )
    )
    with pytest.raises(SignatureError, match="no signed attributes"):
        verify(CONTENT, [envelope], quorum())


def test_weak_digests() -> None:
    """SHA-1 signs nothing here, in either place where it can stand."""
    sha1 = algos.DigestAlgorithm({"algorithm": "sha1"})
    with pytest.raises(SignatureError, match="digest sha1"):
        verify(CONTENT, [altered(signed(0), digest_algorithm=sha1)], quorum())
    weak = algos.SignedDigestAlgorithm({"algorithm": "sha1_ecdsa"})
    with pytest.raises(SignatureError, match="sha1_ecdsa is not accepted"):
        verify(CONTENT, [altered(signed(0), signature_algorithm=weak)], quorum())


def test_the_two_digests_must_agree() -> None:
    """One hash for the content and the attributes, as everyone makes them."""
    other = algos.SignedDigestAlgorithm({"algorithm": "sha512_ecdsa"})
    with pytest.raises(SignatureError, match="sha512_ecdsa is not accepted with sha256"):
        verify(CONTENT, [altered(signed(0), signature_algorithm=other)], quorum())


def test_attached_content() -> None:
    """A signature that carries bytes of its own is not over ours."""
    attached = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(CONTENT)
        .add_signer(ONE.certificate, ONE.key, hashes.SHA256())
        .sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    with pytest.raises(SignatureError, match="not a detached signature"):
        verify(CONTENT, [attached], quorum())


def test_nobody_signed() -> None:
    """A bag of certificates is a CMS signature by nobody."""
    bag = pkcs7.serialize_certificates([ONE.certificate], Encoding.DER)
    with pytest.raises(SignatureError, match="nobody signed"):
        verify(CONTENT, [bag], quorum())


def test_another_kind_of_cms() -> None:
    """Plain data in CMS is no signature."""
    plain = cms.ContentInfo({"content_type": "data", "content": core.OctetString(CONTENT)})
    with pytest.raises(SignatureError, match="not a CMS signature"):
        verify(CONTENT, [plain.dump()], quorum())


def test_a_strange_mask() -> None:
    """RSA-PSS with a mask of SHA-1, which cryptography would verify, is refused."""
    certificate = certificate_of(rsa_key())
    info = cms.ContentInfo.load(sign(CONTENT, certificate, rsa_key(), pss=True))
    only = info["content"]["signer_infos"][0]
    only["signature_algorithm"]["parameters"]["mask_gen_algorithm"] = algos.MaskGenAlgorithm(
        {"algorithm": "mgf1", "parameters": algos.DigestAlgorithm({"algorithm": "sha1"})}
    )
    over = b"\x31" + only["signed_attrs"].dump()[1:]
    scheme = padding.PSS(padding.MGF1(hashes.SHA1()), 32)
    only["signature"] = rsa_key().sign(over, scheme, hashes.SHA256())
    with pytest.raises(SignatureError, match="mask"):
        verify(CONTENT, [info.dump(force=True)], quorum(1, pem(certificate)))


@given(st.integers(0, len(signed(0)) - 1), st.integers(0, 255))
def test_any_octet_changed(at: int, octet: int) -> None:
    """Verified with the very key, or our error; never another signer, never a crash."""
    envelope = signed(0)
    with suppress(SignatureError):
        verified = verify(CONTENT, [envelope[:at] + bytes([octet]) + envelope[at + 1 :]], quorum())
        assert {fingerprint(ONE.key.public_key())} == verified.signers


@given(st.binary(max_size=300))
def test_any_bytes(envelope: bytes) -> None:
    """Nothing that is not a signature counts as one."""
    with pytest.raises(SignatureError):
        verify(CONTENT, [envelope], quorum())


# Signatures around what they sign, and bags that nobody signed.


def wrapped(*by: Issued, content: bytes = CONTENT) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    for each in by or (ONE,):
        builder = builder.add_signer(each.certificate, each.key, hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def with_parts(**parts: object) -> bytes:
    """An envelope with parts of it replaced, its signature left as it was."""
    info = cms.ContentInfo.load(wrapped())
    for name, value in parts.items():
        info["content"][name] = value
    return bytes(info.dump(force=True))


def test_what_lies_in_an_envelope() -> None:
    """The bytes that were signed, who signed, and which certificates came along."""
    found = opened(wrapped())
    assert (CONTENT, ONE.certificate, ()) == (found.content, found.certificate, found.others)
    both = cms.ContentInfo.load(wrapped(ONE, TWO))["content"]["certificates"]
    assert (TWO.certificate,) == opened(with_parts(certificates=both)).others


def inner(kind: str, content: bytes | None) -> dict[str, object]:
    return {"content_type": kind, "content": None if content is None else core.OctetString(content)}


ENVELOPES = {
    "detached": signed(0),
    "signed by two": wrapped(ONE, TWO),
    "signed by nobody": pkcs7.serialize_certificates([ONE.certificate], Encoding.DER),
    "other bytes inside": with_parts(encap_content_info=inner("data", b"other")),
    "another kind inside": with_parts(encap_content_info=inner("1.2.3", CONTENT)),
    "no certificate": with_parts(certificates=None),
    "another certificate": with_parts(
        certificates=cms.ContentInfo.load(wrapped(TWO))["content"]["certificates"]
    ),
    "truncated": wrapped()[:-1],
    "nothing": b"",
}


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES.keys())
def test_envelopes_that_are_none(envelope: bytes) -> None:
    """One signer, whose certificate is in it, around plain data; and all of it."""
    with pytest.raises(SignatureError):
        opened(envelope)


def test_a_bag_of_certificates() -> None:
    """Each as it is; a signed one is none, because nobody asked by whom."""
    bag = pkcs7.serialize_certificates([ONE.certificate, TWO.certificate], Encoding.DER)
    assert {ONE.der, TWO.der} == set(certificates(bag))
    for other in (wrapped(), b"", bag[:-1]):
        with pytest.raises(SignatureError):
            certificates(other)


# OpenSSL, both ways.


def openssl(*arguments: str, at: Path) -> None:
    done = subprocess.run(["openssl", "cms", *arguments], cwd=at, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def chain(at: Path, certificate: x509.Certificate, key: Key) -> None:
    (at / "signer.crt").write_bytes(pem(certificate))
    (at / "signer.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (at / "anchors.pem").write_bytes(pki().anchors_pem + pem(pki().issuing.certificate))
    (at / "list.json").write_bytes(CONTENT)


SIGNERS = [
    pytest.param(lambda: (ONE.certificate, ONE.key), False, id="ECDSA P-256"),
    pytest.param(lambda: (certificate_of(p384_key()), p384_key()), False, id="ECDSA P-384"),
    pytest.param(lambda: (certificate_of(rsa_key()), rsa_key()), False, id="RSA"),
    pytest.param(lambda: (certificate_of(rsa_key()), rsa_key()), True, id="RSA-PSS"),
]


@pytest.mark.parametrize(("make", "pss"), SIGNERS)
def test_openssl_accepts_ours(make: object, pss: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Anyone can check a list without us: the command that docs/trust-list.md gives."""
    certificate, key = make()  # type: ignore[operator]
    chain(tmp_path, certificate, key)
    (tmp_path / "list.json.a.p7s").write_bytes(sign(CONTENT, certificate, key, pss=pss))
    openssl(
        *("-verify", "-binary", "-inform", "DER", "-in", "list.json.a.p7s"),
        *("-content", "list.json", "-CAfile", "anchors.pem", "-purpose", "any"),
        *("-no_check_time", "-out", "seen"),
        at=tmp_path,
    )
    assert (tmp_path / "seen").read_bytes() == CONTENT


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize(("make", "pss"), SIGNERS)
def test_we_accept_openssls(make: object, pss: bool, digest: str, tmp_path: Path) -> None:  # noqa: FBT001
    """A signer needs no program of ours: the command that docs/trust-list.md gives."""
    certificate, key = make()  # type: ignore[operator]
    chain(tmp_path, certificate, key)
    scheme = ("-keyopt", "rsa_padding_mode:pss") if pss else ()
    openssl(
        *("-sign", "-binary", "-in", "list.json", "-md", digest),
        *("-signer", "signer.crt", "-inkey", "signer.key", *scheme),
        *("-outform", "DER", "-out", "list.json.b.p7s"),
        at=tmp_path,
    )
    envelope = (tmp_path / "list.json.b.p7s").read_bytes()
    assert verify(CONTENT, [envelope], quorum(1, pem(certificate))).signers


def test_two_signers_in_one_file(tmp_path: Path) -> None:
    """Signers may also add themselves to one file, by key identifier and without certificates."""
    for name, one in (("one", ONE), ("two", TWO)):
        one.write(tmp_path, name)
    (tmp_path / "list.json").write_bytes(CONTENT)
    openssl(
        *("-sign", "-binary", "-in", "list.json", "-nocerts", "-keyid"),
        *("-signer", "one.crt", "-inkey", "one.key", "-signer", "two.crt", "-inkey", "two.key"),
        *("-outform", "DER", "-out", "list.json.p7s"),
        at=tmp_path,
    )
    envelope = (tmp_path / "list.json.p7s").read_bytes()
    assert len(verify(CONTENT, [envelope], quorum(2)).signers) == 2


VECTOR = Path(__file__).parents[1] / "vectors" / "signed"


def test_the_signed_vector() -> None:
    """A list as an authority publishes it: two of three signers, one elliptic, one RSA-PSS."""
    pinned = [(VECTOR / f"signer{number}.crt").read_bytes() for number in (1, 2, 3)]
    content = (VECTOR / "list.json").read_bytes()
    envelopes = [(VECTOR / f"list.json.{number}.p7s").read_bytes() for number in (1, 2)]
    assert len(verify(content, envelopes, Quorum.of(pinned, 2)).signers) == 2
    with pytest.raises(SignatureError, match="2 of the 3"):
        verify(content, envelopes, Quorum.of(pinned, 3))


@pytest.mark.parametrize("number", [1, 2])
def test_openssl_accepts_the_signed_vector(number: int, tmp_path: Path) -> None:
    """The very command that docs/trust-list.md gives."""
    openssl(
        *("-verify", "-binary", "-inform", "DER", "-in", f"list.json.{number}.p7s"),
        *("-content", "list.json", "-CAfile", "anchors.pem", "-purpose", "any"),
        *("-no_check_time", "-out", str(tmp_path / "list.json")),
        at=VECTOR,
    )
    assert (VECTOR / "list.json").read_bytes() == (tmp_path / "list.json").read_bytes()
