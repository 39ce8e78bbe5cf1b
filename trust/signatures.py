"""Who signed these bytes: detached CMS signatures, judged against pinned keys alone.

A list is believed because k distinct keys of the n that the operator pinned signed its exact bytes.
The certificates inside a signature are not looked at: a signer is the pinned key under which the
signature verifies, so neither an expired nor a forged certificate changes who signed. Anyone can
make the same check with ``openssl cms -verify``. RFC 5652 §5, RFC 5754, RFC 4056.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass, field

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from trust.errors import SignatureError

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

ENVELOPE_LIMIT = 1 << 20  # octets of one signature file; real ones have 2,000
ENVELOPES_LIMIT = 64
_SHOWN = 8  # files that do not count, of those an operator is told what they lack

_WITNESS = object()  # held by ``verify`` alone
_HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_SCHEMES = {f"{name}_rsa": ("rsa", name) for name in _HASHES}
_SCHEMES |= {f"{name}_ecdsa": ("ecdsa", name) for name in _HASHES}


@dataclass(frozen=True, slots=True)
class Verified:
    """Bytes that enough of the pinned signers signed. Only ``verify`` can make one."""

    content: bytes = field(repr=False)
    signers: frozenset[str]  # SHA-256 of the public keys that signed
    witness: InitVar[object]  # so that dataclasses.replace cannot make one either

    def __post_init__(self, witness: object) -> None:
        if witness is not _WITNESS:
            raise TypeError("only signatures.verify makes a Verified")


@dataclass(frozen=True, slots=True)
class Quorum:
    """The pinned signers, and how many of them must have signed."""

    keys: dict[str, PublicKey]  # by the SHA-256 of the public key
    threshold: int

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= len(self.keys):
            raise SignatureError(
                f"{self.threshold} of {len(self.keys)} distinct signers can never be reached"
            )

    @classmethod
    def of(cls, certificates: Iterable[bytes], threshold: int) -> "Quorum":
        """Pin the public keys of these certificates (PEM or DER)."""
        keys = [_pinnable(data) for data in certificates]
        return cls({fingerprint(key): key for key in keys}, threshold)


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 of a public key, by which a signer is known."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _pinnable(data: bytes) -> PublicKey:
    pem = data.lstrip().startswith(b"-----BEGIN")
    load = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
    try:
        key = load(data).public_key()
    except ValueError:
        raise SignatureError("a pinned signer is not a certificate in PEM or DER") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 256:
        return key
    raise SignatureError("a signer's key must be RSA of 2048 bits or elliptic of 256, or more")


def verify(content: bytes, envelopes: Sequence[bytes], quorum: Quorum) -> Verified:
    """Return the content as verified, or raise ``SignatureError`` saying what each file lacks.

    A file that is no signature takes nothing away from the others: who can drop a file must not be
    able to undo a list that is well signed.
    """
    if len(envelopes) > ENVELOPES_LIMIT:
        raise SignatureError(f"more than {ENVELOPES_LIMIT} signature files")
    signers: set[str] = set()
    complaints = []
    digests = _Digests(content)
    for number, envelope in enumerate(envelopes, 1):
        try:
            signers |= _signers(digests, envelope, quorum)
        except SignatureError as error:
            complaints.append(f"signature {number}: {error}")
    if len(signers) < quorum.threshold:
        counted = f"{len(signers)} of the {quorum.threshold} signatures needed"
        raise SignatureError("; ".join((counted, *complaints)))
    return Verified(content, frozenset(signers), _WITNESS)


def sift(
    content: bytes, envelopes: Iterable[bytes], quorum: Quorum
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the files that each add a signer; if they are too few, a few others, to be named.

    The files are taken one by one, and no more once all pinned signers have signed.
    """
    signers: set[str] = set()
    useful: list[bytes] = []
    others: list[bytes] = []
    digests = _Digests(content)
    for envelope in envelopes:
        try:
            added = _signers(digests, envelope, quorum) - signers
        except SignatureError:
            added = set()
        if added:
            signers |= added
            useful.append(envelope)
        elif len(others) < _SHOWN:
            others.append(envelope)
        if len(signers) == len(quorum.keys):
            break
    enough = len(signers) >= quorum.threshold
    room = 0 if enough else max(0, ENVELOPES_LIMIT - len(useful))
    return tuple(useful[:ENVELOPES_LIMIT]), tuple(others[:room])


class _Digests(dict[str, bytes]):
    """The digests of a content, each made once however many signatures name it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __missing__(self, name: str) -> bytes:
        self[name] = made = hashlib.new(name, self._content).digest()
        return made


def _signers(digests: _Digests, envelope: bytes, quorum: Quorum) -> set[str]:
    if len(envelope) > ENVELOPE_LIMIT:
        raise SignatureError("the file is too large for a signature")
    try:
        found = [_signer(digests, info, quorum) for info in _signer_infos(envelope)]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        # asn1crypto parses as it is asked, and has no error of its own.
        raise SignatureError("not a CMS signature in DER") from None
    if not found:
        raise SignatureError("nobody signed")
    return set(found)


def _signer_infos(envelope: bytes) -> list[cms.SignerInfo]:
    info = cms.ContentInfo.load(envelope, strict=True)
    if info["content_type"].native != "signed_data":
        raise SignatureError("not a CMS signature in DER")
    inner = info["content"]["encap_content_info"]
    if inner["content_type"].native != "data" or inner["content"].native is not None:
        raise SignatureError("not a detached signature over plain data")
    return list(info["content"]["signer_infos"])


def _signer(digests: _Digests, info: cms.SignerInfo, quorum: Quorum) -> str:
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
    for name, key in quorum.keys.items():
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
