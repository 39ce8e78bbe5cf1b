"""A person at the door of their pages: passphrase and code together, or a passkey alone.

Both are counted with the log-ins of mail programs, lock with them, and say the same of every failure: an
unknown name, a wrong passphrase, a code that was used. Which half was wrong is not told. R-B3, R-B5.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gateway.accounts import factors, passkeys
from gateway.accounts.factors import Factor, Factors, Kind
from gateway.accounts.mailboxes import Tell, untold
from gateway.accounts.owner import Owner
from gateway.accounts.passkeys import Party
from smtp import reply
from smtp.envelope import Peer
from smtp.reply import Reply

_NOBODY = factors.seed(bytes(20))

_Owner = TypeVar("_Owner", bound=Owner)
_Met_co = TypeVar("_Met_co", bound=Owner, covariant=True)


class Counted(Protocol[_Met_co]):
    """Log-ins that are counted, and lock: those of mailboxes, or those of operators."""

    async def person(
        self,
        login: str,
        peer: Peer,
        proof: Callable[[_Met_co | None], Awaitable[bool]],
        kind: str,
        /,
    ) -> _Met_co | Reply:
        """Return who says so and proves it, or the refusal."""


@dataclass(frozen=True, slots=True)
class Proved(Generic[_Owner]):
    """Who it is, and by what."""

    owner: _Owner
    factor: Factor


@dataclass(frozen=True, slots=True)
class Signed:
    """What a browser says that a passkey signed, and what it was asked to sign."""

    party: Party
    challenge: bytes
    answer: str


@dataclass(frozen=True, slots=True)
class Persons(Generic[_Owner]):
    """Asked by the pages."""

    find: Callable[[str], _Owner | None]  # by their key
    factors: Factors
    logins: Counted[_Owner]
    guessed: Callable[[_Owner, Peer], None]  # told: who has a passphrase, and not the code
    tell: Tell = untold

    async def log_in(
        self, login: str, passphrase: str, code: str, peer: Peer
    ) -> Proved[_Owner] | Reply:
        """Return whose passphrase and code these are, both of the same person."""
        found: list[Factor] = []

        async def proof(owner: _Owner | None) -> bool:
            known = await self.factors.knows(owner, passphrase)
            if owner is None or not known:
                factors.fits(_NOBODY, code, self.factors.now())  # as long as somebody's
                return False
            found.extend(await self._coded(owner, code))
            if not found:
                self.guessed(owner, peer)  # and does not wait: the answer's time would tell
            return bool(found)

        return _proved(await self.logins.person(login, peer, proof, "passphrase"), found)

    async def by_code(self, who: _Owner, code: str, peer: Peer) -> Proved[_Owner] | Reply:
        """Return the proof that who is in is still the same person."""
        found: list[Factor] = []

        async def proof(now: _Owner | None) -> bool:
            found.extend(await self._coded(now, code) if now is not None else [])
            return bool(found)

        return _proved(await self.logins.person(who.login, peer, proof, "code"), found)

    async def by_passkey(
        self, signed: Signed, peer: Peer, who: _Owner | None = None
    ) -> Proved[_Owner] | Reply:
        """Return whose passkey it is; of ``who`` alone, if somebody is in already."""
        factor = self.factors.passkey(passkeys.named(signed.answer))
        owner = self.find(factor.owner) if factor else None
        if who is not None and (owner is None or owner.key != who.key):
            owner = factor = None

        async def proof(now: _Owner | None) -> bool:
            if now is None or factor is None:
                return False
            return await self._signed(now, factor, signed)

        whose = who or owner
        login = whose.login if whose is not None else ""
        found = [factor] if factor else []
        return _proved(await self.logins.person(login, peer, proof, "passkey"), found)

    async def uninvited(self, peer: Peer) -> Reply:
        """Count an invitation that was none, as a failed log-in from there."""

        async def proof(_: _Owner | None) -> bool:
            return False

        found = await self.logins.person("", peer, proof, "invitation")
        return found if isinstance(found, Reply) else reply.BAD_CREDENTIALS

    async def _coded(self, owner: _Owner, code: str) -> list[Factor]:
        found = await self.factors.coded(owner, code)
        return [found] if found else []

    async def _signed(self, owner: _Owner, factor: Factor, signed: Signed) -> bool:
        counter = passkeys.shown(signed.party, signed.challenge, signed.answer, factor.secret)
        if factor.kind is not Kind.PASSKEY or counter is None:
            return False
        if (counter or factor.counter) and counter <= factor.counter:
            # Its copy was used meanwhile, or this is the copy (WebAuthn §7.2, step 22).
            self.tell("factor.copied", {**owner.told, "factor": factor.id})
            return False
        return await self.factors.moved(owner, factor, counter)


def _proved(answer: _Owner | Reply, found: list[Factor]) -> Proved[_Owner] | Reply:
    return answer if isinstance(answer, Reply) else Proved(answer, found[0])
