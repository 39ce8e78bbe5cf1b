"""Who signed these bytes: CMS, XML-DSig, OpenPGP; k of n, or one pinned signer of a public CA."""

from trust.signatures.cms import PrivateKey, PublicKey, fingerprint, sign
from trust.signatures.quorum import ENVELOPE_LIMIT, ENVELOPES_LIMIT, Quorum, sift, verify
from trust.signatures.verified import Verified

__all__ = [
    "ENVELOPES_LIMIT",
    "ENVELOPE_LIMIT",
    "PrivateKey",
    "PublicKey",
    "Quorum",
    "Verified",
    "fingerprint",
    "sift",
    "sign",
    "verify",
]
