"""Several detached signatures of the same bytes, gathered into one file.

A list's signers sign in turn, each alone; who fetches it wants one file beside it. CMS has room for
any number of signers (RFC 5652 §5.1). Nothing is judged here: who signed is ``verify``'s to say.
"""

from collections.abc import Sequence

from asn1crypto import cms

from trust.errors import SignatureError


def gathered(envelopes: Sequence[bytes]) -> bytes:
    """Return one CMS file with all signers of these; raise ``SignatureError`` if one is no CMS."""
    if not envelopes:
        raise SignatureError("there is no signature to gather")
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
