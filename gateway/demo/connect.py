"""A stand-in for Pro Santé Connect: people log in by a click, and come back with a code.

For the demonstration and the tests. What a relying party must get right is asked of it strictly: PKCE, the
address it comes back to, its secret, each code once. OpenID Connect Core §3.1.
"""

import base64
import hashlib
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

_PAGE = """<!doctype html><html lang="fr"><meta charset="utf-8"><title>Pro Santé Connect</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>Pro Santé Connect, pour la démonstration</h1><form method="post" action="{action}">{buttons}</form>
</html>"""
_KEY = "k1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to whoever asked."""

    status: int
    body: bytes = field(default=b"", repr=False)
    kind: str = "application/json"
    place: str = ""


@dataclass(slots=True)
class Connect:
    """The issuer. ``people``: what each button says, and the claims of whoever clicks it."""

    client: str
    secret: str
    people: Mapping[str, Mapping[str, Any]]
    url: str = ""  # as tokens name it, once it is known
    host: str = "127.0.0.1"  # of its log-in page, which may be another than that of its tokens
    clock: Callable[[], float] = time.time
    beside: bool = True  # who it is stands at the userinfo, not in the ID token
    changes: dict[str, Any] = field(default_factory=dict)  # claims it gets wrong; None: leaves out
    _key: ECKey = field(
        default_factory=lambda: ECKey.generate_key("P-256", {"kid": _KEY}), repr=False
    )
    _codes: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict, repr=False)
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: str) -> Answer:
        """Answer a request; header names are in lower case."""
        path, asked = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query))
        told = dict(parse_qsl(body, keep_blank_values=True))
        shown = headers.get("authorization", "")
        rooms: Mapping[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/.well-known/openid-configuration"): lambda: _json(self._about()),
            ("GET", "/keys"): lambda: _json({"keys": [self._key.as_dict(private=False)]}),
            ("GET", "/authorize"): lambda: self._buttons(target),
            ("POST", "/authorize"): lambda: self._clicked(asked, told.get("who", "")),
            ("POST", "/token"): lambda: self._sold(told, shown),
            ("GET", "/userinfo"): lambda: self._told(shown),
        }
        room = rooms.get((method, path.removeprefix(urlsplit(self.url).path)))
        return Answer(404) if room is None else room()

    def _about(self) -> dict[str, str]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize".replace("127.0.0.1", self.host),
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
        }

    def _buttons(self, target: str) -> Answer:
        buttons = "".join(
            f'<p><button name="who" value="{escape(who)}">{escape(who)}</button></p>'
            for who in self.people
        )
        page = _PAGE.format(action=escape(target), buttons=buttons)
        return Answer(200, page.encode(), "text/html; charset=utf-8")

    def _clicked(self, asked: Mapping[str, str], who: str) -> Answer:
        back = asked.get("redirect_uri", "")
        if who not in self.people:
            told = {"error": "access_denied", "state": asked.get("state", "")}
            return Answer(303, place=f"{back}?{urlencode(told)}")
        code = secrets.token_urlsafe(16)
        self._codes[code] = who, asked
        told = {"code": code, "state": asked.get("state", ""), "iss": self.url}
        return Answer(303, place=f"{back}?{urlencode(told)}")

    def _sold(self, told: Mapping[str, str], shown: str) -> Answer:
        who, asked = self._codes.pop(told.get("code", ""), ("", {}))
        digest = hashlib.sha256(told.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = (
            asked.get("code_challenge") == challenge
            and asked.get("redirect_uri") == told.get("redirect_uri")
            and (_pair(shown) if self.secret else (told.get("client_id"), ""))
            == (self.client, self.secret)
        )
        if not right:
            return _json({"error": "invalid_grant"}, 400)
        now = int(self.clock())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": self.client,
            "sub": f"f:{who}",
            "iat": now,
            "exp": now + 240,
            "acr": asked.get("acr_values", ""),
            "nonce": asked.get("nonce", ""),
            **({} if self.beside else self.people[who]),
            **self.changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "ES256", "kid": _KEY}, kept, self._key, algorithms=["ES256"])
        access = secrets.token_urlsafe(24)
        self._tokens[access] = who
        return _json({"id_token": token, "access_token": access, "token_type": "Bearer"})

    def _told(self, shown: str) -> Answer:
        who = self._tokens.get(shown.removeprefix("Bearer "), "")
        if not who:
            return Answer(401)
        return _json({"sub": f"f:{who}", **self.people[who]})

    @contextmanager
    def serving(self, context: ssl.SSLContext, port: int = 0) -> Iterator[None]:
        """Run it on loopback, with the certificate of this context, for as long as the block lasts."""
        server = _Server(("127.0.0.1", port), _asking(self))
        server.daemon_threads = True
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{server.server_address[1]}/realms/sante"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    """Whoever hangs up in the middle is no news."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


def _asking(connect: Connect) -> type[BaseHTTPRequestHandler]:
    class Asking(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            self._answer(self.rfile.read(length).decode())

        def _answer(self, body: str) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = connect.answer(self.command, self.path, headers, body)
            self.send_response(said.status)
            self.send_header("Content-Type", said.kind)
            self.send_header("Content-Length", str(len(said.body)))
            if said.place:
                self.send_header("Location", said.place)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the demonstration's screen is for its story."""

    return Asking


def _json(told: object, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(told))


def _pair(shown: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(shown.removeprefix("Basic ")).decode()
    except ValueError:
        return "", ""
    client, _, secret = text.partition(":")
    return unquote(client), unquote(secret)
