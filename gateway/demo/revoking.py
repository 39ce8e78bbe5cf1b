"""A gateway whose certificate was taken back, and the web server where its authority says so."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar


class _Crl(socketserver.StreamRequestHandler):
    """As much of HTTP as it takes to publish one file."""

    server: "_Web"

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nContent-Length: %d\r\n\r\n"
        )
        self.wfile.write(head % len(self.server.content) + self.server.content)


class _Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes to be asked for a certificate, and to be offered a message."""

    server: "_Gateway"

    def handle(self) -> None:
        wire, lines = self.connection, self.rfile
        wire.sendall(b"220 ready\r\n")
        while line := lines.readline():
            verb = line[:8].strip().upper()
            if verb == b"STARTTLS":
                wire.sendall(b"220 go\r\n")
                wire = self.server.context.wrap_socket(wire, server_side=True)
                lines = wire.makefile("rb")
            elif verb.startswith(b"EHLO"):
                wire.sendall(b"250-revoked\r\n250 STARTTLS\r\n")
            else:
                self.server.offered += verb.startswith(b"MAIL")
                wire.sendall(b"250 ok\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever sees that the certificate was revoked hangs up."""


_Served = TypeVar("_Served", bound=_Server)


class _Web(_Server):
    def __init__(self, port: int, content: bytes) -> None:
        super().__init__(("127.0.0.1", port), _Crl)
        self.content = content


class _Gateway(_Server):
    def __init__(self, port: int, crt: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", port), _Smtp)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(crt, key)
        self.offered = 0  # messages, which a revoked gateway must not be


@contextmanager
def revoked(port: int, crt: Path, key: Path) -> Iterator[_Gateway]:
    """Run the gateway; ``offered`` counts the messages that it was offered."""
    with _served(_Gateway(port, crt, key)) as gateway:
        yield gateway


@contextmanager
def published(port: int, crl: bytes) -> Iterator[None]:
    """Publish what an authority took back."""
    with _served(_Web(port, crl)):
        yield


@contextmanager
def _served(server: _Served) -> Iterator[_Served]:
    with ExitStack() as stack:
        stack.enter_context(server)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        yield server
