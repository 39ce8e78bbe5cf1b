"""A signed statement of what became of a recall: made by whoever held the message.

A CMS signature by the gateway's own certificate around a few lines that say which message, whose,
what was done and when. Whoever has it can show it to anybody: ``openssl cms -verify -inform DER``.
docs/recall.md is its specification. RFC 5652, RFC 8551 §3.5.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
    pkcs7,
)

from gateway.receipts.recalled import Outcome
from trust.errors import SignatureError
from trust.signatures.cms import opened

Sign = Callable[[bytes], bytes]

_HEAD = "Sceau recall 1"
_LINE = re.compile(r"([A-Z][A-Za-z-]*):(?: (.*))?")
_PART = re.compile(rb"(?im)^content-type[ \t]*:[ \t]*application/pkcs7-mime\b")
_LARGEST = 32 << 10


class ProofError(Exception):
    """This is no proof of what it was offered for; the message says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a gateway says of a recall."""

    outcome: Outcome
    at: datetime  # when it was done, or the message opened
    host: str
    transfer: str  # the id of the message at the gateway that sent it
    sender: str
    recipient: str
    message_id: str = ""

    def encode(self) -> bytes:
        """Return it as it is signed."""
        at = self.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        lines = [
            _HEAD,
            f"Outcome: {self.outcome}",
            f"At: {at}",
            f"Host: {self.host}",
            f"Transfer: {self.transfer}",
            f"Sender: {self.sender}",
            f"Recipient: {self.recipient}",
        ]
        if self.message_id:
            lines.append(f"Message-ID: {self.message_id}")
        return "".join(f"{' '.join(line.split())}\n" for line in lines).encode()

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read it; ``ProofError`` if it is none."""
        try:
            head, *lines = octets.decode("utf-8").splitlines()
            matches = filter(None, map(_LINE.fullmatch, lines))
            said = {match[1]: match[2] or "" for match in matches}
            if head != _HEAD:
                raise ProofError("it speaks of something else")
            return cls(
                Outcome(said["Outcome"]),
                datetime.fromisoformat(said["At"]).astimezone(UTC),
                said["Host"],
                said["Transfer"],
                said["Sender"],
                said["Recipient"],
                said.get("Message-ID", ""),
            )
        except (ValueError, KeyError, OverflowError):
            raise ProofError("it is not written as a statement is") from None


def unsigned(_statement: bytes) -> bytes:
    """Sign nothing: there is no certificate."""
    return b""


def signing(certificate: Path, key: Path) -> Sign:
    """Return what signs statements with our certificate, read anew each time."""

    def sign(statement: bytes) -> bytes:
        own = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            return b""  # no signature that others would verify
        return (
            pkcs7.PKCS7SignatureBuilder()
            .set_data(statement)
            .add_signer(own, private, hashes.SHA256())
            .sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities])
        )

    return sign


def verified(envelope: bytes, certificate: bytes) -> Statement:
    """Return what an envelope says, if this certificate (DER) signed it; else ``ProofError``."""
    try:
        signed = opened(envelope)
    except SignatureError as error:
        raise ProofError(str(error)) from None
    if signed.certificate.public_bytes(Encoding.DER) != certificate:
        raise ProofError("another than the peer signed it")
    return Statement.decode(signed.content)


def enclosed(body: bytes) -> bytes | None:
    """Return the envelope that a report encloses, if there is one."""
    part = _PART.search(body)
    if part is None:
        return None
    _, blank, rest = body[part.start() : part.start() + _LARGEST].partition(b"\r\n\r\n")
    coded = rest.partition(b"\r\n--")[0]
    try:
        return base64.b64decode(coded.replace(b"\r\n", b""), validate=True) if blank else None
    except binascii.Error:
        return None
