"""Who is at the door: an address and a password, a certificate, or a token.

Every wrong answer costs the same and says the same: an unknown address, a wrong password, a closed
mailbox and a revoked credential all end in one argon2id and one sentence. Failures are counted by
mailbox with origin, by mailbox, and by origin, and lock before the next guess is looked at. Who
guesses from elsewhere does not lock out the places from which a mailbox is used. R-B5.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from gateway.accounts import passwords
from gateway.accounts.credentials import Credential, Credentials, fingerprint
from gateway.accounts.issuers import Issuers, TokenError, UnreachableError
from gateway.accounts.lockout import Lockout
from gateway.accounts.mailboxes import Accounts, Mailbox
from gateway.accounts.passwords import Password, Proofs
from gateway.accounts.tokens import Scope
from gateway.settings.motion import Limits
from smtp import reply
from smtp.address import Address, AddressError, key, parse
from smtp.envelope import Peer
from smtp.reply import Reply

CERTIFICATE_UNKNOWN = Reply(
    535,
    "5.7.8",
    "This certificate does not open that mailbox; ask your operator to register it",
)

CERTIFICATE_REVOKED = Reply(
    535, "5.7.8", "This certificate was revoked by its authority; ask your operator for another"
)
WRONG_SCOPE = Reply(
    535, "5.7.8", "What you log in with is not for that; ask your operator for one that is"
)
ISSUER_UNREACHABLE = Reply(
    454, "4.7.0", "Your log-in cannot be verified now; please try again in a few minutes"
)

_SCOPES = {
    "submission": Scope.SUBMIT,
    "api": Scope.SUBMIT,
    "imap": Scope.READ,
    "web": Scope.ADDRESSES,
}

Event = Callable[[str, Mapping[str, object]], None]
Revoked = Callable[[Peer], Awaitable[bool]]  # whether its authority has taken a certificate back
Proof = Callable[[Mailbox | None], Awaitable[bool]]  # of nobody it takes as long, and is wrong
_Nobody: TypeAlias = tuple[None, None]
_NOBODY: _Nobody = (None, None)


@dataclass(frozen=True, slots=True)
class _Try:
    who: Address | None
    peer: Peer
    now: datetime

    @property
    def account(self) -> str:
        return key(self.who) if self.who else ""


class Logins:
    """The ``Authenticator`` that the doors ask."""

    def __init__(  # noqa: PLR0917 - what log-ins are judged by
        self,
        accounts: Accounts,
        credentials: Credentials,
        clock: Callable[[], datetime],
        limits: Limits,
        on_event: Event,
        issuers: Issuers | None = None,
        revoked: Revoked | None = None,
    ) -> None:
        self._issuers = issuers
        self._revoked = revoked
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock
        self._on_event = on_event
        self._lockout = Lockout(limits.failed_logins, timedelta(seconds=limits.lockout))
        self._proofs = Proofs()
        # Two at a time: argon2id takes a processor and 19 MiB each, and mail must go on.
        self._slow = asyncio.Semaphore(2)
        self._slower = asyncio.Semaphore(1)  # passphrases cost more: mail programs do not wait
        self._dummy = passwords.hashed(passwords.new(), credentials.hasher)

    async def password(self, login: str, password: str, peer: Peer) -> Address | Reply:
        """Return the mailbox that this address and application password open, or the refusal."""
        attempt = _Try(_address(login), peer, self._clock())
        if self._locked(attempt):
            return self._throttled(attempt)
        typed = passwords.typed(password)
        if self._opened(attempt, typed) is None:
            async with self._slow:
                if self._locked(attempt):  # by others who failed while this one waited
                    return self._throttled(attempt)
                await self._prove(attempt, typed)
        # Looked up again: meanwhile it may have been revoked.
        mailbox = self._opened(attempt, typed)
        if mailbox is None:
            return self._failed(attempt, "password", reply.BAD_CREDENTIALS)
        if not self._in_scope(attempt, typed):
            self._tell("login.failed", attempt, "scope")
            return WRONG_SCOPE
        self._lockout.forgive(attempt.account, attempt.peer.network)
        return self._welcomed(attempt, mailbox, "password")

    async def person(self, login: str, peer: Peer, proof: Proof, kind: str) -> Mailbox | Reply:
        """Return the mailbox whose person proves to be themselves, or the refusal.

        Counted and locked together with the other log-ins; the proof is as slow as it likes to be.
        """
        attempt = _Try(_address(login), peer, self._clock())
        if self._locked(attempt):
            return self._throttled(attempt)
        async with self._slower:
            if self._locked(attempt):  # by others who failed while this one waited
                return self._throttled(attempt)
            right = await proof(self._active(attempt.who))
        mailbox = self._active(attempt.who)  # it may have been closed meanwhile
        if not right or mailbox is None:
            return self._failed(attempt, kind, reply.BAD_CREDENTIALS)
        self._lockout.forgive(attempt.account, attempt.peer.network)
        self._welcomed(attempt, mailbox, kind)
        return mailbox

    def _active(self, who: Address | None) -> Mailbox | None:
        mailbox = self._accounts.find(who) if who else None
        return mailbox if mailbox is not None and mailbox.sends else None

    async def certificate(self, authzid: str, peer: Peer) -> Address | Reply:
        """Return the mailbox that the peer's certificate opens (SASL EXTERNAL), or the refusal.

        Without an authorization identity the certificate must open exactly one (RFC 4422 §3.4.1).
        """
        wanted = _address(authzid) if authzid else None
        attempt = _Try(wanted, peer, self._clock())
        if self._locked(attempt):
            return self._throttled(attempt)
        opened = [] if peer.certificate is None else self._opened_by(peer.certificate, attempt.now)
        if authzid:
            opened = [m for m in opened if wanted is not None and key(m.address) == key(wanted)]
        if len(opened) != 1:
            return self._failed(attempt, "certificate", CERTIFICATE_UNKNOWN)
        if self._revoked is not None and await self._revoked(peer):
            return self._failed(attempt, "certificate-revoked", CERTIFICATE_REVOKED)
        return self._welcomed(attempt, opened[0], "certificate")

    async def token(self, login: str, token: str, peer: Peer) -> Address | Reply:
        """Return the mailbox that an issuer's access token opens (R-B1), or the refusal.

        The mailbox must be named beside the token, and be its holder's own.
        """
        attempt = _Try(_address(login), peer, self._clock())
        if self._locked(attempt):
            return self._throttled(attempt)
        mailbox = self._accounts.find(attempt.who) if attempt.who else None
        try:
            if self._issuers is None:
                raise TokenError("no-issuer")
            await self._issuers.vouch(token, mailbox.holder if mailbox else "")
        except UnreachableError as error:
            self._tell("login.failed", attempt, str(error))
            return ISSUER_UNREACHABLE
        except TokenError as error:
            return self._failed(attempt, str(error), reply.BAD_CREDENTIALS)
        mailbox = self._accounts.find(attempt.who) if attempt.who else None
        if mailbox is None or not mailbox.sends:  # closed while the issuer was asked
            return self._failed(attempt, "token", reply.BAD_CREDENTIALS)
        return self._welcomed(attempt, mailbox, "token")

    def software(self, text: str, peer: Peer, scope: Scope) -> Mailbox | Reply:
        """Return the mailbox that a token of ours opens for a purpose, or the refusal.

        Guessing one is hopeless, so nothing is slow here; it is throttled with the other log-ins.
        """
        attempt = _Try(None, peer, self._clock())
        if self._locked(attempt):
            return self._throttled(attempt)
        credential = self._credentials.with_token(text)
        if credential is None or not credential.usable(attempt.now):
            return self._failed(attempt, "token", reply.BAD_CREDENTIALS)
        mailbox = self._accounts.by_id(credential.mailbox)
        if mailbox is None or not mailbox.sends:
            return self._failed(attempt, "token", reply.BAD_CREDENTIALS)
        if scope not in credential.scopes:
            self._tell("login.failed", replace(attempt, who=mailbox.address), "scope")
            return WRONG_SCOPE
        return mailbox

    async def _prove(self, attempt: _Try, typed: Password) -> None:
        """Ask argon2id, of somebody's hash or of nobody's; remember a right answer."""
        if self._opened(attempt, typed) is not None:
            return  # another connection with the same password was a moment earlier
        _, credential = self._asked(attempt, typed)
        secret = credential.secret if credential else self._dummy
        hasher = self._credentials.hasher
        right = await asyncio.to_thread(passwords.matches, secret, typed, hasher)
        if right and credential is not None:
            self._proofs.learn(credential.id, typed, attempt.now)

    def _opened(self, attempt: _Try, typed: Password) -> Mailbox | None:
        """Return the mailbox that a password opens, if it was proved to within the moment."""
        mailbox, credential = self._asked(attempt, typed)
        if credential is None or not self._proofs.known(credential.id, typed, attempt.now):
            return None
        return mailbox

    def _in_scope(self, attempt: _Try, typed: Password) -> bool:
        """Whether the password that was proved is for this listener; one without scopes is for all."""
        _, credential = self._asked(attempt, typed)
        scope = _SCOPES.get(attempt.peer.listener.partition("_")[0])
        scopes = credential.scopes if credential else frozenset()
        return not scopes or scope in scopes

    def is_whole(self, login: str, password: str) -> bool:
        """Whether a password that was right a moment ago is for everything."""
        attempt = _Try(_address(login), Peer(""), self._clock())
        _, credential = self._asked(attempt, passwords.typed(password))
        return credential is not None and not credential.scopes

    def _asked(self, attempt: _Try, typed: Password) -> tuple[Mailbox, Credential] | _Nobody:
        """Return the mailbox and the usable credential that a log-in names, as they are now."""
        mailbox = self._accounts.find(attempt.who) if attempt.who else None
        if mailbox is None or not mailbox.sends:
            return _NOBODY
        credential = self._credentials.password_of(mailbox, typed.selector)
        if credential is None or not credential.usable(attempt.now):
            return _NOBODY
        return mailbox, credential

    def _opened_by(self, der: bytes, now: datetime) -> list[Mailbox]:
        usable = (
            self._accounts.by_id(credential.mailbox)
            for credential in self._credentials.with_certificate(der)
            if credential.usable(now)
        )
        return [mailbox for mailbox in usable if mailbox is not None and mailbox.sends]

    def _locked(self, attempt: _Try) -> bool:
        return self._lockout.locked(attempt.account, attempt.peer.network, attempt.now)

    def _welcomed(self, attempt: _Try, mailbox: Mailbox, kind: str) -> Address:
        self._lockout.welcomed(attempt.account, attempt.peer.network)
        self._tell("login.accepted", replace(attempt, who=mailbox.address), kind)
        return mailbox.address

    def _throttled(self, attempt: _Try) -> Reply:
        self._tell("login.throttled", attempt, "locked")
        return reply.LOGIN_THROTTLED

    def _failed(self, attempt: _Try, reason: str, said: Reply) -> Reply:
        self._lockout.failed(attempt.account, attempt.peer.network, attempt.now)
        self._tell("login.failed", attempt, reason)
        return said

    def _tell(self, event: str, attempt: _Try, reason: str) -> None:
        certificate = attempt.peer.certificate
        self._on_event(
            event,
            {
                "who": attempt.who,
                "ip": attempt.peer.ip,
                "listener": attempt.peer.listener,
                "reason": reason,
                "certificate": fingerprint(certificate) if certificate else "",
            },
        )


def _address(login: str) -> Address | None:
    try:
        return parse(login)
    except AddressError:
        return None
