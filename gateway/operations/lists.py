"""What can be done with a list's files anywhere, without a gateway: write, sign, verify it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.operations.error import OperationError
from trust.errors import TrustError
from trust.formats import native
from trust.members import Claims
from trust.signatures import cms, openpgp
from trust.signatures.quorum import Quorum
from trust.verification import Format, Offer


def draft(
    source: Path, out: Path, now: datetime, life: timedelta, before: Path | None
) -> dict[str, object]:
    """Write the next version of a list in its one spelling, ready to be signed."""
    try:
        earlier = before.read_bytes() if before else None
        claims = native.draft(source.read_bytes(), issued=now, life=life, before=earlier)
    except TrustError as error:
        raise OperationError(
            f"no list was made of {source}: {error}", "docs/trust-list.md says what a list must be"
        ) from None
    content = native.serialise(claims)
    out.write_bytes(content)
    return {
        "list": str(out),
        "version": claims.version,
        "stale_after": claims.stale_after.isoformat(),
        "members": len(claims.members),
        "addresses": len(claims.addresses),
        "digest": native.digest(content),
    }


def sign(file: Path, certificate: Path, key: Path, out: Path) -> dict[str, object]:
    """Sign a list's exact octets, once they are seen to be a list; write the signature."""
    content = file.read_bytes()
    try:
        claims = native.read(content)
        pem = x509.load_pem_x509_certificate(certificate.read_bytes())
        secret = load_pem_private_key(key.read_bytes(), None)
        if secret.public_key() != pem.public_key():
            raise OperationError(f"{key} is not the key of {certificate}", "give the pair")
        if not isinstance(secret, cms.PrivateKey):
            raise OperationError(f"{key} is neither RSA nor elliptic", "use such a key")
        signature = cms.sign(content, pem, secret)
    except TrustError as error:
        raise OperationError(
            f"{file} was not signed: {error}", "docs/trust-list.md says what a list must be"
        ) from None
    except (ValueError, TypeError):
        raise OperationError(
            f"{certificate} or {key} cannot be read", "both must be PEM, the key without passphrase"
        ) from None
    return _signed(signature, out, claims, content)


def sign_openpgp(file: Path, fingerprint: str, out: Path) -> dict[str, object]:
    """Sign a list's exact octets with a key that gpg-agent holds, or a card it speaks to."""
    content = file.read_bytes()
    try:
        claims = native.read(content)
        signature = openpgp.sign(content, fingerprint)
    except TrustError as error:
        raise OperationError(
            f"{file} was not signed: {error}", "gpg --list-secret-keys shows the keys that can sign"
        ) from None
    return _signed(signature, out, claims, content)


def _signed(signature: bytes, out: Path, claims: Claims, content: bytes) -> dict[str, object]:
    out.write_bytes(signature)
    return {"signature": str(out), "version": claims.version, "digest": native.digest(content)}


def pinned(
    certificates: Sequence[Path], keys: Sequence[Path], threshold: int, home: Path
) -> native.Source:
    """Return the native format with these signers; ``home`` is for GnuPG, if there are such keys."""
    try:
        ring = openpgp.Ring.made(home, [path.read_bytes() for path in keys]) if keys else None
        pems = [path.read_bytes() for path in certificates]
        return native.Source(Quorum.of(pems, threshold, ring))
    except TrustError as error:
        raise OperationError(
            f"these signers cannot be believed: {error}", "name whom to believe, once each"
        ) from None


def verify(file: Path, envelopes: Sequence[Path], form: Format, now: datetime) -> dict[str, object]:
    """Say what a list of any format claims and who signed it; raise unless they are enough."""
    offer = Offer(file.read_bytes(), tuple(path.read_bytes() for path in envelopes))
    try:
        verified = form.verify(offer, now)
        claims = form.read(verified, now)
    except TrustError as error:
        raise OperationError(
            f"{file} is not to be believed: {error}", "do not put it in force; ask who sent it"
        ) from None
    return {
        "version": claims.version,
        "digest": native.digest(verified.content),
        "issued": claims.issued.isoformat(),
        "stale_after": claims.stale_after.isoformat(),
        "stale": now >= claims.stale_after,
        "signers": sorted(verified.signers),
        "members": len(claims.members),
        "identities": len({mark for member in claims.members for mark in member.marks}),
        "addresses": len(claims.addresses),
        "remarks": list(claims.remarks),
    }
