"""What can be done with a list's files anywhere, without a gateway: write, sign, verify it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.operations.error import OperationError
from trust import signatures
from trust.errors import TrustError
from trust.formats import native


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
        if not isinstance(secret, signatures.PrivateKey):
            raise OperationError(f"{key} is neither RSA nor elliptic", "use such a key")
        signature = signatures.sign(content, pem, secret)
    except TrustError as error:
        raise OperationError(
            f"{file} was not signed: {error}", "docs/trust-list.md says what a list must be"
        ) from None
    except (ValueError, TypeError):
        raise OperationError(
            f"{certificate} or {key} cannot be read", "both must be PEM, the key without passphrase"
        ) from None
    out.write_bytes(signature)
    return {"signature": str(out), "version": claims.version, "digest": native.digest(content)}


def verify(
    file: Path, envelopes: Sequence[Path], signers: Sequence[Path], threshold: int, now: datetime
) -> dict[str, object]:
    """Say who of the pinned signers signed this list; raise unless they are enough."""
    content = file.read_bytes()
    try:
        quorum = signatures.Quorum.of((path.read_bytes() for path in signers), threshold)
        verified = signatures.verify(content, [path.read_bytes() for path in envelopes], quorum)
        claims = native.parse(verified, now)
    except TrustError as error:
        raise OperationError(
            f"{file} is not to be believed: {error}", "do not put it in force; ask who sent it"
        ) from None
    return {
        "version": claims.version,
        "digest": native.digest(content),
        "issued": claims.issued.isoformat(),
        "stale_after": claims.stale_after.isoformat(),
        "signers": sorted(verified.signers),
        "members": len(claims.members),
        "addresses": len(claims.addresses),
    }
