"""How a client says who it is: LOGIN, and AUTHENTICATE with its challenges and responses.

Nobody does so in clear. Whether the claim is true the shell finds out; a false one counts as many
faults, and the third ends the connection. RFC 3501 §6.2, RFC 4959 (SASL-IR), RFC 7628 (OAUTHBEARER).
"""

from base64 import b64encode
from typing import TYPE_CHECKING

from imap.events import LoginAsked
from imap.grammar.command import Authenticate, Command, Login
from imap.grammar.writer import Answer
from imap.rules import TOKENS
from smtp import reply
from smtp.receive import login
from smtp.receive.login import Exchange, LoginError, PasswordClaim
from smtp.reply import Reply

if TYPE_CHECKING:
    from imap.session import Session

_TOKEN_REFUSED = b64encode(b'{"status":"invalid_token","scope":"imap"}')


class Introduction:
    """The dialogue of one log-in after the other, until one is right."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._token = False  # the claim that is looked at is a token

    def login(self, command: Command) -> None:
        """Take an address and a password."""
        assert isinstance(command, Login)
        session = self._session
        self._token = False
        if not session.peer.tls:
            session.done(Answer("NO", "Start TLS first; change that password", "PRIVACYREQUIRED"))
        elif "PLAIN" not in session.rules.mechanisms:
            session.done(Answer("NO", "Here a certificate logs in", "AUTHENTICATIONFAILED"))
        else:
            session.ask(LoginAsked(PasswordClaim(command.login, command.password)))

    def authenticate(self, command: Command) -> None:
        """Begin a SASL exchange."""
        assert isinstance(command, Authenticate)
        session = self._session
        if not session.peer.tls:
            session.done(Answer("NO", "Start TLS first", "PRIVACYREQUIRED"))
        elif command.mechanism not in session.rules.mechanisms:
            session.done(Answer("NO", "That way of logging in is not offered here", "CANNOT"))
        else:
            exchange = login.exchange(command.mechanism, command.initial or "")
            self._converse(exchange, command.mechanism, None)

    def refused(self, said: Reply) -> None:
        """The claim was false; of a token that is told before the answer (RFC 7628 §3.2.2)."""
        if not self._token:
            self._fail(said)
            return
        self._session.say(b"+ " + _TOKEN_REFUSED + b"\r\n")
        self._session.read_by(lambda: self._read_last(said))

    def _converse(self, exchange: Exchange, mechanism: str, line: str | None) -> None:
        session = self._session
        try:
            said = next(exchange) if line is None else exchange.send(line)
            session.say(f"+ {said.text}\r\n".encode())
            session.read_by(lambda: self._read_response(exchange, mechanism))
        except StopIteration as end:
            self._token = mechanism in TOKENS
            session.ask(LoginAsked(end.value))
        except LoginError as error:
            if error.reply.code == reply.BAD_CREDENTIALS.code:
                self._fail(error.reply)
            else:
                session.done(Answer("BAD", error.reply.text))

    def _read_response(self, exchange: Exchange, mechanism: str) -> bool:
        line = self._session.line()
        if line is None:
            return False
        self._converse(exchange, mechanism, line.rstrip(b"\r\n").decode("ascii", "replace"))
        return True

    def _read_last(self, said: Reply) -> bool:
        if self._session.line() is None:
            return False
        self._fail(said)
        return True

    def _fail(self, said: Reply) -> None:
        code = "UNAVAILABLE" if said.transient else "AUTHENTICATIONFAILED"
        self._session.guessed(Answer("NO", said.text, code))
