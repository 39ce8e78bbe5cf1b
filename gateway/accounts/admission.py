"""An operator at the console's door: counted and locked as log-ins of mailboxes are, apart from them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from gateway.accounts.credentials import fingerprint
from gateway.accounts.lockout import Lockout
from gateway.accounts.logins import Revoked
from gateway.accounts.mailboxes import Tell
from gateway.accounts.operators import Operator, Operators
from gateway.settings.motion import Limits
from smtp import reply
from smtp.envelope import Peer
from smtp.reply import Reply


class Admission:
    """Asked by the console's log-in."""

    def __init__(
        self,
        operators: Operators,
        clock: Callable[[], datetime],
        limits: Limits,
        tell: Tell,
        revoked: Revoked,
    ) -> None:
        self._operators, self._clock, self._tell = operators, clock, tell
        self._revoked = revoked
        self._lockout = Lockout(limits.failed_logins, timedelta(seconds=limits.lockout))
        self._slow = asyncio.Semaphore(1)  # as for other people: a passphrase costs a processor

    async def person(
        self, login: str, peer: Peer, proof: Callable[[Operator | None], Awaitable[bool]], kind: str
    ) -> Operator | Reply:
        """Return the operator who proves to be themselves, or the refusal."""
        name = login.strip().lower()[:64]
        async with self._slow:
            if self._lockout.locked(name, peer.network, self._clock()):
                return self._throttled(peer)
            right = await proof(self._active(name))
        operator = self._active(name)  # they may have been let go meanwhile
        if not right or operator is None:
            return self._failed(name, peer, kind)
        self._lockout.forgive(name, peer.network)
        return self._welcomed(operator, peer, kind)

    async def certificate(self, peer: Peer, who: Operator | None = None) -> Operator | Reply:
        """Return whom a connection's certificate opens the console to: ``who``, if they are in already."""
        if self._lockout.locked("", peer.network, self._clock()):
            return self._throttled(peer)
        mark = shown(peer)
        operator = self._operators.with_certificate(mark) if mark else None
        if operator is None or (who is not None and operator.key != who.key):
            return self._failed("", peer, "certificate")
        if await self._revoked(peer):
            return self._failed(operator.name, peer, "certificate-revoked")
        return self._welcomed(operator, peer, "certificate")

    def _active(self, name: str) -> Operator | None:
        found = self._operators.find(name) if name else None
        return found if found is not None and found.active else None

    def _welcomed(self, operator: Operator, peer: Peer, kind: str) -> Operator:
        self._lockout.welcomed(operator.name, peer.network)
        self._tell("operator.entered", {**operator.told, **_where(peer), "reason": kind})
        return operator

    def _throttled(self, peer: Peer) -> Reply:
        self._tell("operator.locked", {**_where(peer), "reason": "locked"})
        return reply.LOGIN_THROTTLED

    def _failed(self, name: str, peer: Peer, kind: str) -> Reply:
        self._lockout.failed(name, peer.network, self._clock())
        known = self._operators.find(name) if name else None  # what was typed may be a passphrase
        named = known.told if known is not None else {}
        self._tell("operator.refused", {**named, **_where(peer), "reason": kind})
        return reply.BAD_CREDENTIALS


def shown(peer: Peer) -> str:
    """Return the fingerprint of the certificate that a connection has; "" if it has none."""
    return fingerprint(peer.certificate) if peer.certificate else ""


def _where(peer: Peer) -> dict[str, object]:
    return {"ip": peer.ip, "listener": peer.listener}
