"""TLS contexts made from our certificate and our anchors alone: the system's CAs are never loaded.

TLS 1.2 or later, with forward secrecy and authenticated encryption only. A context is made anew
for each listener, and its ticket keys with it: a session of one is nothing to another. Where a
client certificate is asked there are no tickets, and under TLS 1.3 no resumption at all. TLS 1.2 can
still resume by session identifier, which Python cannot turn off: only within the one listener, and
with the certificate that was verified; the trust list is asked about it at each RCPT all the same.
R-A2, R-A4, R-A5; RFC 8446, RFC 9325.
"""

import ssl
from pathlib import Path

# TLS 1.2; those of TLS 1.3 are all of this kind.
SUITES = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for cipher in ("AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-GCM-SHA256")
    for signature in ("ECDSA", "RSA")
)


class TlsError(Exception):
    """A certificate, key or anchor file cannot be used; the message names it and says why."""


def server_context(
    certificate: Path, key: Path, anchors: Path, *, client_certificates: bool
) -> ssl.SSLContext:
    """Return a new context for one listener; with ``client_certificates`` each peer must have one."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, certificate, key)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    if client_certificates:
        _believe(context, anchors)
        context.verify_mode = ssl.CERT_REQUIRED
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


def client_context(certificate: Path, key: Path, anchors: Path) -> ssl.SSLContext:
    """Return a context to connect with: the peer's certificate must chain to our anchors.

    Its names are not compared with the host's: which certificates speak for a domain is what the
    trust list says, and it is asked before MAIL.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, certificate, key)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET
    _believe(context, anchors)
    return context


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


def _context(protocol: ssl._SSLMethod, certificate: Path, key: Path) -> ssl.SSLContext:
    context = _bare(protocol)
    try:
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise TlsError(f"cannot use {certificate} with {key}: {_why(error)}") from None
    return context


def _believe(context: ssl.SSLContext, anchors: Path) -> None:
    # An anchor is an anchor, even if it is not self-signed.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(anchors)
    except (OSError, ValueError) as error:
        raise TlsError(f"cannot use the anchors in {anchors}: {_why(error)}") from None


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").replace("_", " ").lower()
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
