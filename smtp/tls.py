"""TLS contexts made from our certificate and our anchors alone: the system's CAs are never loaded.

TLS 1.2 or later, with forward secrecy and authenticated encryption only. A context is made anew
for each listener, and its ticket keys with it: a session of one is nothing to another. Where a
client certificate is asked there are no tickets, and under TLS 1.3 no resumption at all. TLS 1.2 can
still resume by session identifier, which Python cannot turn off: only within the one listener, and
with the certificate that was verified; the trust list is asked about it at each RCPT all the same.
R-A2, R-A4, R-A5; RFC 8446, RFC 9325.
"""

import hashlib
import ssl
from pathlib import Path
from typing import Any, cast

# TLS 1.2; those of TLS 1.3 are all of this kind.
SUITES = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for cipher in ("AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-GCM-SHA256")
    for signature in ("ECDSA", "RSA")
)


# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for.
_ANY_DATE = cast("ssl.VerifyFlags", 0x200000)
_CERTIFICATE = 11  # the handshake message, RFC 8446 §4
_DER = 2  # what _ssl calls ENCODING_DER


class TlsError(Exception):
    """A certificate, key or anchor file cannot be used; the message names it and says why."""


class Watched(ssl.SSLObject):
    """TLS whose verification error bears the certificate that was shown, as ``shown`` (DER)."""

    shown: bytes = b""

    def do_handshake(self) -> None:
        """Shake hands; say whose certificate it was that did not verify."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            error.shown = self.shown  # type: ignore[attr-defined]
            raise
        # The hook that looks at it is called for each record and costs as much as the record. It
        # goes with the context, which is for handshakes alone, and there is none after this.
        self.context = _AFTERWARDS


def server_context(
    certificate: Path,
    key: Path,
    anchors: Path,
    *,
    client_certificates: bool,
    more: bytes = b"",
    any_date: bool = False,
) -> ssl.SSLContext:
    """Return a new context for one listener; with ``client_certificates`` each peer must have one.

    ``more`` are further anchors (DER, one after the other), those that a list names. With
    ``any_date`` TLS looks at no certificate's dates: for whoever looks at them all afterwards.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, certificate, key)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    if client_certificates:
        _believe(context, anchors, more, any_date=any_date)
        context.verify_mode = ssl.CERT_REQUIRED
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


def client_context(
    certificate: Path, key: Path, anchors: Path, *, more: bytes = b"", any_date: bool = False
) -> ssl.SSLContext:
    """Return a context to connect with: the peer's certificate must chain to our anchors.

    Its names are not compared with the host's: which certificates speak for a domain is what the
    trust list says, and it is asked before MAIL.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, certificate, key)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET
    _believe(context, anchors, more, any_date=any_date)
    return context


def culprit(error: OSError) -> dict[str, str]:
    """Return the SHA-256 of the certificate that did not verify, as a log names it; or nothing."""
    shown = getattr(error, "shown", b"")
    return {"certificate": hashlib.sha256(shown).hexdigest()} if shown else {}


def issuers(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return the certificates by which the peer's was verified, up to the anchor (DER)."""
    # Python 3.13 says it itself; before, only the object beneath does.
    beneath: Any = tls if hasattr(tls, "get_verified_chain") else getattr(tls, "_sslobj", None)
    chain = beneath.get_verified_chain() if beneath is not None else None
    ders = [one if isinstance(one, bytes) else one.public_bytes(_DER) for one in chain or ()]
    return tuple(ders[1:])


def asking_context(anchors: bytes) -> ssl.SSLContext:
    """Return a context to fetch with: no certificate of ours, and the host's by its name (PEM)."""
    context = _bare(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if anchors:
        try:
            context.load_verify_locations(cadata=anchors.decode("ascii"))
        except (OSError, ValueError) as error:
            raise TlsError(f"cannot use the anchors given: {_why(error)}") from None
    return context


def _bare(protocol: ssl._SSLMethod) -> ssl.SSLContext:
    # Not create_default_context: it loads the system's CAs where none are given, and its flags
    # change from one Python to the next.
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


_AFTERWARDS = _bare(ssl.PROTOCOL_TLS_SERVER)  # of either end, past its handshake


def _context(protocol: ssl._SSLMethod, certificate: Path, key: Path) -> ssl.SSLContext:
    context = _bare(protocol)
    try:
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise TlsError(f"cannot use {certificate} with {key}: {_why(error)}") from None
    return context


def _believe(context: ssl.SSLContext, anchors: Path, more: bytes, *, any_date: bool) -> None:
    # An anchor is an anchor, even if it is not self-signed.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if any_date:
        context.verify_flags |= _ANY_DATE
    context.sslobject_class = Watched
    # ssl's own hook for debugging is the only place where a certificate that fails can be seen.
    context._msg_callback = _look  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        context.load_verify_locations(anchors)
        if more:
            context.load_verify_locations(cadata=more)
    except (OSError, ValueError) as error:
        raise TlsError(f"cannot use the anchors in {anchors}: {_why(error)}") from None


def _look(  # noqa: PLR0917 - ssl calls it
    tls: object, direction: str, version: object, content: object, kind: object, message: bytes
) -> None:
    del content
    if direction == "read" and kind == _CERTIFICATE and isinstance(tls, Watched):
        # RFC 8446 §4.4.2 puts a context before the list that RFC 5246 §7.4.2 begins with.
        before = int.from_bytes(message[4:5])
        at = 5 + before if version == ssl.TLSVersion.TLSv1_3 else 4
        size = int.from_bytes(message[at + 3 : at + 6])
        tls.shown = message[at + 6 : at + 6 + size]


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").replace("_", " ").lower()
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
