"""A next hop that lies: a polite SMTP server, but for the answers it is told to give instead."""

import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.interop.site import Credential, Federation

DROP = None  # close the connection instead of answering
END = "."  # the final dot, as a command

POLITE: dict[str, bytes] = {
    "CONNECT": b"220 menteur.example ESMTP\r\n",
    "EHLO": b"250-menteur.example\r\n250-8BITMIME\r\n250-SIZE\r\n250 STARTTLS\r\n",
    "STARTTLS": b"220 2.0.0 Go ahead\r\n",
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n",
    "DATA": b"354 Go on\r\n",
    END: b"250 2.0.0 Ok: taken\r\n",
    "RSET": b"250 2.0.0 Ok\r\n",
    "NOOP": b"250 2.0.0 Ok\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}

Answers = Mapping[str, bytes | None]


class Liar(socketserver.ThreadingTCPServer):
    """It answers as it is told, and remembers what it heard."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self, federation: Federation, credential: Credential, port: int, answers: Answers
    ) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(credential.crt, credential.key)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(federation.anchors)
        self.answers: dict[str, bytes | None] = {**POLITE, **answers}
        self.heard: list[str] = []  # the verbs of all conversations
        self.messages: list[bytes] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: that conversations break off is what this server is for."""

    @contextmanager
    def lying(self) -> Iterator["Liar"]:
        """Serve for as long as the block lasts."""
        thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


class _Conversation(socketserver.StreamRequestHandler):
    server: Liar
    timeout = 20

    def handle(self) -> None:
        if not self._answer("CONNECT"):
            return
        while line := self.rfile.readline():
            verb = line.split(maxsplit=1)[0].decode("ascii", "replace").upper()
            self.server.heard.append(verb)
            if not self._answer(verb) or verb == "QUIT":
                return
            if verb == "STARTTLS" and (self.server.answers[verb] or b"").startswith(b"220"):
                self.connection = self.server.context.wrap_socket(self.request, server_side=True)
                self.rfile = self.connection.makefile("rb")
            elif verb == "DATA" and (self.server.answers[verb] or b"").startswith(b"354"):
                self.server.messages.append(self._body())
                self.server.heard.append(END)
                if not self._answer(END):
                    return

    def finish(self) -> None:
        self.rfile.close()
        self.connection.close()

    def _answer(self, verb: str) -> bool:
        answer = self.server.answers.get(verb, b"500 5.5.2 What?\r\n")
        if answer is None:
            return False
        self.connection.sendall(answer)
        return True

    def _body(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) and line != b".\r\n":
            lines.append(line)
        return b"".join(lines)
