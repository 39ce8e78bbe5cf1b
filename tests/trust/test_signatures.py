"""Who signed: k distinct pinned keys over the exact bytes, and OpenSSL agrees."""

import dataclasses
import hashlib
import subprocess
from collections.abc import Iterator
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

from tests.trust.simulator import NOW, pki, signer
from trust import signatures
from trust.errors import SignatureError
from trust.signatures import Quorum, Verified, sift, sign, verify

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


def test_one_signature_of_one() -> None:
    """The signer is known by the SHA-256 of its key."""
    verified = verify(CONTENT, [signed(0)], quorum())
    assert verified.content == CONTENT
    assert {signatures.fingerprint(ONE.key.public_key())} == verified.signers


def test_two_of_two() -> None:
    """Each in a file of its own."""
    assert len(verify(CONTENT, [signed(0), signed(1)], quorum(2)).signers) == 2


@pytest.mark.parametrize(
    ("envelopes", "words"),
    [
        ([], "^0 of the 2 signatures needed$"),
        ([signed(0)], "^1 of the 2"),
        ([signed(0), signed(0)], "^1 of the 2"),
        ([signed(0), signed(9)], "signature 2: made by none of the pinned signers"),
        ([signed(0), signed(1, CONTENT[:-1])], "signature 2: made over other bytes"),
        ([signed(0), signed(1)[:-1]], "signature 2: not a CMS signature in DER"),
        ([signed(0), signed(1) + b"\0"], "signature 2: not a CMS signature in DER"),
        ([signed(0), b""], "signature 2: not a CMS signature in DER"),
        ([signed(0), ONE.der], "signature 2: not a CMS signature in DER"),
        ([signed(0), bytes(signatures.ENVELOPE_LIMIT + 1)], "too large"),
        ([signed(1)] * (signatures.ENVELOPES_LIMIT + 1), "more than 64"),
    ],
)
def test_too_few(envelopes: list[bytes], words: str) -> None:
    """One signer twice is one; each useless file is named with what it lacks."""
    with pytest.raises(SignatureError, match=words):
        verify(CONTENT, envelopes, quorum(2))


def test_a_bad_file_undoes_nothing() -> None:
    """Who can drop a file must not be able to undo a well-signed list."""
    assert verify(CONTENT, [b"garbage", signed(9), signed(1), signed(0)], quorum(2)).signers


def test_what_does_not_count_is_sifted_out() -> None:
    """Files that add a signer go on; the others only where some are missing, to say what they lack."""
    junk = [b"x"] * 100
    good = (signed(1), signed(0))
    assert (good, ()) == sift(CONTENT, [*junk, good[0], good[0], signed(9), good[1]], quorum(2))
    assert ((good[0],), (b"x",) * 8) == sift(CONTENT, [good[0], *junk], quorum(2))


def test_nothing_is_looked_at_once_all_have_signed() -> None:
    """The rest cannot change anything."""

    def envelopes() -> Iterator[bytes]:
        yield from (signed(0), signed(1))
        raise AssertionError("looked further")

    assert 2 == len(sift(CONTENT, envelopes(), quorum(2))[0])


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


def test_only_verification_makes_verified_bytes() -> None:
    """Neither the class nor a copy of a good one."""
    with pytest.raises(TypeError):
        Verified(CONTENT, frozenset(), object())
    good = verify(CONTENT, [signed(0)], quorum())
    with pytest.raises(ValueError, match="witness"):
        dataclasses.replace(good, content=b"other")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        dataclasses.replace(good, content=b"other", witness=None)


@pytest.mark.parametrize(
    ("certificates", "threshold"),
    [
        ([ONE.der], 0),
        ([ONE.der], 2),
        ([ONE.der, ONE.chain_pem], 2),
        ([], 1),
        ([b"not a certificate"], 1),
        ([b"-----BEGIN CERTIFICATE-----"], 1),
        ([ONE.key_pem], 1),
    ],
)
def test_a_quorum_that_cannot_be(certificates: list[bytes], threshold: int) -> None:
    """One key pinned twice is one signer: a threshold it cannot reach is a mistake."""
    with pytest.raises(SignatureError):
        Quorum.of(certificates, threshold)


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
        assert {signatures.fingerprint(ONE.key.public_key())} == verified.signers


@given(st.binary(max_size=300))
def test_any_bytes(envelope: bytes) -> None:
    """Nothing that is not a signature counts as one."""
    with pytest.raises(SignatureError):
        verify(CONTENT, [envelope], quorum())


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


VECTOR = Path(__file__).parent / "vectors" / "signed"


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
