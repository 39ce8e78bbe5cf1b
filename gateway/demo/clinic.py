"""A clinic whose mail server is no Sceau and takes little, and the issuer where its doctor logs in."""

import secrets
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.demo.connect import Connect

DOMAIN = "clinique-sud.example"
DOCTOR, DESK = f"dr.leroy@{DOMAIN}", f"secretariat@{DOMAIN}"
HOLDER = "rpps:10001234565"
NAMES = ("Dr Leroy", "Dr Lenoir")  # whom the link is for, and somebody else
LIMIT = 1_000_000
_CLIENT = "sceau-labo"
_NUMBERS = ("810001234565", "899700218896")
_PATIENCE = 20.0


class _Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes to receive a message."""

    server: "_Server"

    def handle(self) -> None:
        wire, lines = self.connection, self.rfile
        offer = b"STARTTLS"
        wire.sendall(b"220 ready\r\n")
        while line := lines.readline():
            verb = line[:8].strip().upper()
            if verb == b"STARTTLS":
                wire.sendall(b"220 go\r\n")
                wire = self.server.context.wrap_socket(wire, server_side=True)
                lines, offer = wire.makefile("rb"), b"SIZE %d" % LIMIT
            elif verb.startswith(b"EHLO"):
                wire.sendall(b"250-clinic\r\n250-8BITMIME\r\n250 %b\r\n" % offer)
            elif verb == b"DATA":
                wire.sendall(b"354 go on\r\n")
                self.server.clinic.take(b"".join(iter(lines.readline, b".\r\n")))
                wire.sendall(b"250 ok\r\n")
            else:
                wire.sendall(b"250 ok\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, clinic: "Clinic", context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", clinic.port), _Smtp)
        self.clinic, self.context = clinic, context

    def handle_error(self, *_: object) -> None:
        """Say nothing: whoever hangs up in the middle is no news."""


@dataclass(slots=True)
class Clinic:
    """Where it listens, what it received, and who logs in where."""

    port: int
    connect_port: int
    connect: Connect = field(init=False)
    received: list[bytes] = field(default_factory=list)
    _arrived: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        people = {
            name: {"SubjectNameID": number} for name, number in zip(NAMES, _NUMBERS, strict=True)
        }
        self.connect = Connect(_CLIENT, secrets.token_urlsafe(16), people)

    def take(self, message: bytes) -> None:
        """Note a message."""
        self.received.append(message)
        self._arrived.set()

    def wait(self) -> bytes | None:
        """Return the first message that comes; None: none came."""
        return self.received[0] if self._arrived.wait(_PATIENCE) else None

    def settings(self, folder: Path, web: int) -> str:
        """Return the table of a gateway whose links are opened at this port; write its secret."""
        folder.mkdir(parents=True, exist_ok=True)
        secret = folder / "connect.secret"
        secret.touch(mode=0o600)
        secret.write_text(self.connect.secret)
        return (
            f'[large.reader]\nurl = "https://127.0.0.1:{self.connect_port}/realms/sante"\n'
            f'audience = "{_CLIENT}"\nclient_secret_file = "connect.secret"\n'
            f'anchors = "../pki/anchors.pem"\norigin = "https://127.0.0.1:{web}"\n'
        )

    @contextmanager
    def open(self, mail: tuple[Path, Path], web: tuple[Path, Path]) -> Iterator[None]:
        """Run its server and the issuer, each with its certificate."""
        with ExitStack() as stack:
            server = stack.enter_context(_Server(self, _context(mail)))
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            stack.enter_context(self.connect.serving(_context(web), self.connect_port))
            yield


def _context(pair: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context
