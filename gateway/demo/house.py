"""A mailbox server of the house, as small as LMTP allows: it keeps what it is handed, and says so."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Lmtp(socketserver.StreamRequestHandler):
    """As much of RFC 2033 as it takes to keep a message."""

    server: "_House"

    def handle(self) -> None:
        recipients = 0
        self.wfile.write(b"220 house LMTP\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go\r\n")
                self.server.kept.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"250 2.0.0 kept\r\n" * recipients)
                recipients = 0
            elif verb == b"LHLO":
                self.wfile.write(b"250-house\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            else:
                recipients += verb == b"RCPT"
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")


class _House(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Lmtp)
        self.kept: list[bytes] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a gateway that ends closes its connections."""


@contextmanager
def house(path: Path) -> Iterator[list[bytes]]:
    """Run a mailbox server on a Unix socket; what it keeps comes into the list."""
    with _House(path) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.kept
        finally:
            server.shutdown()
            thread.join()
    path.unlink()
