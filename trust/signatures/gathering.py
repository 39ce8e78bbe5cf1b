"""Several detached signatures of the same bytes, gathered into one file, and parted again.

A list's signers sign in turn, each alone; who fetches it wants one file beside it. CMS has room for
any number of signers (RFC 5652 §5.1); OpenPGP signatures follow it, each in armour. Nothing is judged
here: who signed is ``verify``'s to say.
"""

import base64
import re
from collections.abc import Sequence

from asn1crypto import cms

from trust.errors import SignatureError
from trust.signatures import openpgp

PARTS = 8  # OpenPGP signatures of one file: each costs a process to judge
_BEGIN, _END = b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"
_ARMOURED = re.compile(rb"\n?" + _BEGIN + rb"\r?\n.*?" + _END + rb"\s*", re.DOTALL)


def gathered(envelopes: Sequence[bytes]) -> bytes:
    """Return one file with all signers of these; raise ``SignatureError`` if one is no signature."""
    if not envelopes:
        raise SignatureError("there is no signature to gather")
    parts = [part for envelope in envelopes for part in parted(envelope)]
    plain = [part for part in parts if not openpgp.looks_like(part)]
    armoured = dict.fromkeys(map(_armoured, filter(openpgp.looks_like, parts)))
    return (_merged(plain) if plain else b"") + b"".join(armoured)


def parted(octets: bytes) -> list[bytes]:
    """Return the signatures of a file: what is CMS, or one OpenPGP signature, is one."""
    armoured = _ARMOURED.findall(octets)
    if len(armoured) > PARTS:
        raise SignatureError(f"more than {PARTS} OpenPGP signatures in one file")
    if not armoured or not octets.endswith(b"".join(armoured)):
        return [octets]
    plain = octets[: -len(b"".join(armoured))]
    return [*([plain] if plain else []), *(part.lstrip() for part in armoured)]


def _armoured(signature: bytes) -> bytes:
    """Return an OpenPGP signature in armour (RFC 9580 §6.2; its checksum may be left out)."""
    if signature.startswith(_BEGIN):
        return b"\n" + signature.strip() + b"\n"
    return b"\n" + _BEGIN + b"\n\n" + base64.encodebytes(signature) + _END + b"\n"


def _merged(envelopes: Sequence[bytes]) -> bytes:
    digests: dict[bytes, cms.DigestAlgorithm] = {}
    certificates: dict[bytes, cms.CertificateChoices] = {}
    signers: dict[bytes, cms.SignerInfo] = {}
    try:
        for envelope in envelopes:
            data = cms.ContentInfo.load(envelope, strict=True)["content"]
            digests |= {each.dump(): each for each in data["digest_algorithms"]}
            certificates |= {each.dump(): each for each in data["certificates"] or ()}
            signers |= {each.dump(): each for each in data["signer_infos"]}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise SignatureError("a signature file is not CMS in DER, and cannot be gathered") from None
    made = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": list(digests.values()),
            "encap_content_info": {"content_type": "data"},
            "certificates": list(certificates.values()),
            "signer_infos": list(signers.values()),
        }
    )
    octets: bytes = cms.ContentInfo({"content_type": "signed_data", "content": made}).dump()
    return octets
