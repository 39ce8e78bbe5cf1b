"""Logging in, as far as it is a conversation: SASL PLAIN, LOGIN, EXTERNAL and bearer tokens.

Pure: base64 in, challenges or a finished claim out; whether the claim is true is for the
``Authenticator``. SMTP and IMAP speak the same. RFC 4954, RFC 4616, RFC 4422 appendix A, RFC 7628.
"""

from base64 import b64decode
from collections.abc import Generator
from dataclasses import dataclass, field

from smtp import reply
from smtp.reply import Reply

_USERNAME = Reply(334, "", "VXNlcm5hbWU6")
_PASSWORD = Reply(334, "", "UGFzc3dvcmQ6")
_GO_ON = Reply(334, "", "")


@dataclass(frozen=True, slots=True)
class PasswordClaim:
    """Somebody says that this is their mailbox, and their password."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertificateClaim:
    """Somebody says that their certificate opens this mailbox; ``""``: the one it names."""

    authzid: str


@dataclass(frozen=True, slots=True)
class TokenClaim:
    """Somebody says that this access token opens a mailbox; ``""``: the one it names."""

    login: str
    token: str = field(repr=False)


Claim = PasswordClaim | CertificateClaim | TokenClaim
Exchange = Generator[Reply, str, Claim]


class LoginError(Exception):
    """The exchange went wrong before there was a claim; ``reply`` says how."""

    def __init__(self, said: Reply) -> None:
        super().__init__(str(said))
        self.reply = said


def exchange(mechanism: str, initial: str) -> Exchange:
    """Yield challenges, take the lines that answer them, return the claim.

    ``initial`` is the rest of the AUTH command: ``""`` when there was none, ``"="`` when it was
    there and empty.
    """
    if mechanism == "LOGIN":
        login = _text(initial or (yield _USERNAME))
        return PasswordClaim(login, _text((yield _PASSWORD)))
    said = _text(initial or (yield _GO_ON))
    if mechanism == "EXTERNAL":
        return CertificateClaim(said)
    if mechanism in {"OAUTHBEARER", "XOAUTH2"}:
        return _bearer(said, mechanism)
    return _plain(said)


def _plain(said: str) -> PasswordClaim:
    parts = said.split("\0")
    if len(parts) != 3:
        raise LoginError(reply.SYNTAX)
    authzid, login, password = parts
    if authzid and authzid.lower() != login.lower():
        raise LoginError(reply.BAD_CREDENTIALS)  # nobody acts for another here
    return PasswordClaim(login, password)


def _bearer(said: str, mechanism: str) -> TokenClaim:
    """Read ``n,a=LOGIN,^Aauth=Bearer TOKEN^A^A`` (RFC 7628), or XOAUTH2's ``user=LOGIN^Aauth=...``."""
    head, *pairs = said.split("\x01")
    fields = dict(pair.partition("=")[::2] for pair in pairs if pair)
    kind, _, token = fields.get("auth", "").partition(" ")
    login = head.removeprefix("user=")
    if mechanism == "OAUTHBEARER":
        gs2, _, rest = head.partition(",")
        login = rest.removesuffix(",").removeprefix("a=").replace("=2C", ",").replace("=3D", "=")
        if gs2 not in {"n", "y"}:
            raise LoginError(reply.SYNTAX)
    if kind.lower() != "bearer" or not token.strip():
        raise LoginError(reply.SYNTAX)
    return TokenClaim(login, token.strip())


def _text(line: str) -> str:
    if line == "*":
        raise LoginError(reply.LOGIN_CANCELLED)
    try:
        return b64decode("" if line == "=" else line, validate=True).decode("utf-8")
    except ValueError:  # binascii.Error and UnicodeDecodeError are such
        raise LoginError(reply.BAD_BASE64) from None
