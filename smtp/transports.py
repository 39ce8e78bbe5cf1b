"""What our servers ask of a transport: TLS in mid-connection, and who is at the other end."""

import asyncio
import ssl
from collections.abc import Callable

from smtp.envelope import Peer
from smtp.tls import issuers

SHUTDOWN = 5.0  # seconds that a peer has for its half of TLS's goodbye


async def secured(
    clear: asyncio.Transport,
    inlet: asyncio.BaseProtocol,
    context: ssl.SSLContext,
    within: float,
    failed: Callable[[OSError], None],
) -> asyncio.Transport | None:
    """Start TLS where a client asked for it (RFC 3207, RFC 3501 §6.2.1), within so many seconds.

    None: it broke off in mid-handshake, by an error, which ``failed`` is told, or by ``abort``;
    nobody else says so to the connection.
    """
    try:
        transport = await asyncio.get_running_loop().start_tls(
            clear,
            inlet,
            context,
            server_side=True,
            ssl_handshake_timeout=within,
            ssl_shutdown_timeout=SHUTDOWN,
        )
    except OSError as error:
        failed(error)
        clear.abort()
        return None
    return None if transport is None or transport.is_closing() else transport


def peer(transport: asyncio.Transport, listener: str) -> Peer:
    """Return who is at the other end, as far as the transport knows."""
    address = transport.get_extra_info("peername")
    ip = str(address[0]) if address else ""
    secure: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if secure is None:
        return Peer(ip, listener=listener)
    cipher = secure.cipher()
    return Peer(
        ip,
        tls=f"{secure.version()} {cipher[0] if cipher else ''}",
        certificate=secure.getpeercert(binary_form=True),
        listener=listener,
        issuers=issuers(secure),
    )


def why(error: OSError) -> str:
    """Return a TLS failure as OpenSSL names it, and nothing that the peer sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return str(error.reason or "protocol error")
    return type(error).__name__
