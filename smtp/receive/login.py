"""Logging in, as far as it is a conversation: SASL PLAIN, LOGIN and EXTERNAL inside AUTH.

Pure: base64 in, challenges or a finished claim out; whether the claim is true is for the
``Authenticator``. RFC 4954, RFC 4616, RFC 4422 appendix A.
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


Claim = PasswordClaim | CertificateClaim
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
    return _plain(said)


def _plain(said: str) -> PasswordClaim:
    parts = said.split("\0")
    if len(parts) != 3:
        raise LoginError(reply.SYNTAX)
    authzid, login, password = parts
    if authzid and authzid.lower() != login.lower():
        raise LoginError(reply.BAD_CREDENTIALS)  # nobody acts for another here
    return PasswordClaim(login, password)


def _text(line: str) -> str:
    if line == "*":
        raise LoginError(reply.LOGIN_CANCELLED)
    try:
        return b64decode("" if line == "=" else line, validate=True).decode("utf-8")
    except ValueError:  # binascii.Error and UnicodeDecodeError are such
        raise LoginError(reply.BAD_BASE64) from None
