"""Who signed these bytes by CMS: detached from them, or wrapped around them.

A detached signature is judged against pinned keys alone; the certificates inside are not looked at:
a signer is the pinned key under which the signature verifies, so neither an expired nor a forged
certificate changes who signed. Anyone can make the same check with ``openssl cms -verify``. Of a
wrapped content the certificate that signed is given back, to be judged. RFC 5652 §5, RFC 5754,
RFC 4056.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from trust.errors import SignatureError
from trust.signatures.verified import Content, Signed

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Keys = Mapping[str, PublicKey]  # by the SHA-256 of the public key

_HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_SCHEMES = {f"{name}_rsa": ("rsa", name) for name in _HASHES}
_SCHEMES |= {f"{name}_ecdsa": ("ecdsa", name) for name in _HASHES}


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 of a public key, by which a signer is known."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def pinnable(data: bytes) -> PublicKey:
    """Return the key of a certificate (PEM or DER) if it may be a signer's."""
    pem = data.lstrip().startswith(b"-----BEGIN")
    load = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
    try:
        return strong(load(data))
    except (ValueError, x509.InvalidVersion):
        raise SignatureError("a pinned signer is not a certificate in PEM or DER") from None


def strong(certificate: x509.Certificate) -> PublicKey:
    """Return a certificate's key if it is of a kind and length that may sign a list."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 256:
        return key
    raise SignatureError("a signer's key must be RSA of 2048 bits or elliptic of 256, or more")


class Digests(dict[str, bytes]):
    """The digests of a content, each made once however many signatures name it."""

    def __init__(self, content: Content) -> None:
        self.content = content

    def __missing__(self, name: str) -> bytes:
        self[name] = made = hashlib.new(name, self.content).digest()
        return made


def signers(digests: Digests, envelope: bytes, keys: Keys) -> set[str]:
    """Return which of the keys made this signature file; raise ``SignatureError`` if none did."""
    with _in_our_words():
        data = _signed_data(envelope)
        inner = data["encap_content_info"]
        if inner["content_type"].native != "data" or inner["content"].native is not None:
            raise SignatureError("not a detached signature over plain data")
        found = {_signer(digests, info, keys) for info in data["signer_infos"]}
    if not found:
        raise SignatureError("nobody signed")
    return found


def opened(envelope: bytes) -> Signed:
    """Return what lies in an envelope that one certificate signed, which must be in it as well."""
    with _in_our_words():
        data = _signed_data(envelope)
        inner = data["encap_content_info"]
        content = inner["content"].native
        if inner["content_type"].native != "data" or not isinstance(content, bytes):
            raise SignatureError("not an envelope around plain data")
        if len(data["signer_infos"]) != 1:
            raise SignatureError("not signed by exactly one")
        certificates = {}
        for der in _certificates(data):
            certificate = x509.load_der_x509_certificate(der)
            certificates[fingerprint(strong(certificate))] = certificate
        keys = {name: strong(certificate) for name, certificate in certificates.items()}
        name = _signer(Digests(content), data["signer_infos"][0], keys)
    signer = certificates.pop(name)
    return Signed(content, signer, tuple(certificates.values()))


def certificates(bag: bytes) -> tuple[bytes, ...]:
    """Return the certificates (DER) of a CMS bag that nobody signed (RFC 5652 §5.1, ``.p7b``)."""
    with _in_our_words():
        data = _signed_data(bag)
        if len(data["signer_infos"]):
            raise SignatureError("it is signed, and no signer is pinned")
        return _certificates(data)


def _certificates(data: cms.SignedData) -> tuple[bytes, ...]:
    found = data["certificates"]
    return tuple(each.chosen.dump() for each in found if each.name == "certificate")


def _signed_data(envelope: bytes) -> cms.SignedData:
    info = cms.ContentInfo.load(envelope, strict=True)
    if info["content_type"].native != "signed_data":
        raise SignatureError("not a CMS signature in DER")
    return info["content"]


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Take what asn1crypto raises, which parses as it is asked and has no error of its own."""
    try:
        yield
    except _UNREADABLE:
        raise SignatureError("not a CMS signature in DER") from None


_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
)


def _signer(digests: Digests, info: cms.SignerInfo, keys: Keys) -> str:
    """Return which pinned key made this signature over the content."""
    digest = info["digest_algorithm"]["algorithm"].native
    if digest not in _HASHES:
        raise SignatureError(f"the digest {digest} is not accepted; use SHA-256 or longer")
    # What is signed is the set of attributes; without one there would be two ways to read the
    # same signature (RFC 5652 §5.4, RFC 8933).
    attributes = info["signed_attrs"]
    if not attributes.native:
        raise SignatureError("no signed attributes")
    if _only(attributes, "content_type") != "data":
        raise SignatureError("the signed content type is not data")
    if _only(attributes, "message_digest") != digests[digest]:
        raise SignatureError("made over other bytes")
    signed = b"\x31" + attributes.dump()[1:]  # as a SET, whatever its tag in place
    for name, key in keys.items():
        if _made_by(key, info, digest, signed):
            return name
    raise SignatureError("made by none of the pinned signers")


def _only(attributes: cms.CMSAttributes, name: str) -> object:
    found = [attribute["values"] for attribute in attributes if attribute["type"].native == name]
    if len(found) != 1 or len(found[0]) != 1:
        raise SignatureError(f"the signed attribute {name} must be there once")
    return found[0][0].native


def _made_by(key: PublicKey, info: cms.SignerInfo, digest: str, signed: bytes) -> bool:
    scheme, hashed = _scheme(info, digest)
    signature = info["signature"].native
    algorithm = _HASHES[hashed]()
    try:
        if isinstance(key, rsa.RSAPublicKey) and scheme == "rsa":
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pss":
            key.verify(signature, signed, _pss(info), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and scheme == "ecdsa":
            key.verify(signature, signed, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _scheme(info: cms.SignerInfo, digest: str) -> tuple[str, str]:
    name = info["signature_algorithm"]["algorithm"].native
    if name == "rsassa_pkcs1v15":
        return "rsa", digest
    if name == "rsassa_pss":
        hashed = info["signature_algorithm"]["parameters"]["hash_algorithm"]["algorithm"].native
        scheme = (name, hashed)
    else:
        scheme = _SCHEMES.get(name, ("", ""))
    if scheme[1] != digest:
        raise SignatureError(f"the signature algorithm {name} is not accepted with {digest}")
    return scheme


def _pss(info: cms.SignerInfo) -> padding.PSS:
    parameters = info["signature_algorithm"]["parameters"]
    mask = parameters["mask_gen_algorithm"]
    hashed = mask["parameters"]["algorithm"].native
    if mask["algorithm"].native != "mgf1" or hashed not in _HASHES:
        raise SignatureError("the mask of the RSA-PSS signature is not accepted")
    return padding.PSS(padding.MGF1(_HASHES[hashed]()), parameters["salt_length"].native)


def sign(
    content: bytes, certificate: x509.Certificate, key: PrivateKey, *, pss: bool = False
) -> bytes:
    """Return a detached CMS signature (DER) over these bytes, with SHA-256.

    The certificate goes with it, so that ``openssl cms -verify`` needs only its authority.
    """
    if certificate.public_key() != key.public_key():
        raise SignatureError("the private key is not the one of the signer's certificate")
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size) if pss else None
    return (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(content)
        .add_signer(certificate, key, hashes.SHA256(), rsa_padding=scheme)
        .sign(
            Encoding.DER,
            [
                pkcs7.PKCS7Options.DetachedSignature,
                pkcs7.PKCS7Options.Binary,
                pkcs7.PKCS7Options.NoCapabilities,
            ],
        )
    )
