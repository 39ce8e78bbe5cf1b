"""Who asks over HTTPS: a token, a mailbox's application password, or a client certificate.

The same log-ins as for mail, throttled together with them. A certificate is asked for on a listener
of its own, because browsers bother people about it. RFC 6750, RFC 7617.
"""

import base64
import binascii
from dataclasses import replace

from starlette.requests import Request

from gateway.accounts.logins import WRONG_SCOPE, Logins
from gateway.accounts.mailboxes import Accounts, Mailbox
from gateway.accounts.tokens import Scope
from gateway.web.problem import Problem
from smtp import reply
from smtp.envelope import Peer
from smtp.reply import Reply

CERTIFICATE = "web_certificate"  # the listener where every client has one

_LISTENERS = {Scope.SUBMIT: "api", Scope.READ: "imap"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Sceau", charset="UTF-8", Bearer realm="Sceau"'}
_LONGEST = 1000  # octets of an Authorization field


class Entry:
    """Asked by routes that answer only those who have a mailbox here."""

    def __init__(self, logins: Logins, accounts: Accounts) -> None:
        self._logins, self._accounts = logins, accounts

    async def mailbox(self, request: Request, scope: Scope) -> Mailbox:
        """Return whose request it is, if they may ask for this; raise ``Problem`` otherwise."""
        peer: Peer = request.state.peer
        listener = _LISTENERS.get(scope)
        if listener is not None:  # an application password's scopes go by the listener
            peer = replace(peer, listener=listener)
        said = request.headers.get("authorization", "")
        kind, _, proof = said.partition(" ")
        if len(said) > _LONGEST:
            raise Problem("log-in-failed", _CHALLENGE)
        match kind.lower():
            case "bearer":
                return _opened(self._logins.software(proof.strip(), peer, scope))
            case "basic":
                found = await self._logins.password(*_pair(proof), peer)
            case "" if peer.certificate is not None:
                found = await self._logins.certificate("", peer)
            case _:
                raise Problem("log-in-needed", _CHALLENGE)
        if isinstance(found, Reply):
            return _opened(found)
        return _opened(self._accounts.find(found) or reply.BAD_CREDENTIALS)


def _opened(found: Mailbox | Reply) -> Mailbox:
    if isinstance(found, Mailbox):
        return found
    if found is WRONG_SCOPE:
        raise Problem("not-allowed")
    if found is reply.LOGIN_THROTTLED:
        raise Problem("throttled", {"Retry-After": "300"})
    raise Problem("log-in-failed", _CHALLENGE)


def _pair(proof: str) -> tuple[str, str]:
    try:
        address, _, password = base64.b64decode(proof, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Problem("log-in-failed", _CHALLENGE) from None
    return address, password
