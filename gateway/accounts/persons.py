"""A person at the door of their account: passphrase and code together, or a passkey alone.

Both are counted with the log-ins of mail programs, lock with them, and say the same of every failure: an
unknown address, a wrong passphrase, a code that was used. Which half was wrong is not told. R-B3, R-B5.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.accounts import factors, passkeys
from gateway.accounts.factors import Factor, Factors, Kind
from gateway.accounts.logins import Logins
from gateway.accounts.mailboxes import Accounts, Mailbox, Tell, untold
from gateway.accounts.passkeys import Party
from smtp import reply
from smtp.envelope import Peer
from smtp.reply import Reply

_NOBODY = factors.seed(bytes(20))

Guessed = Callable[[Mailbox, Peer], None]


@dataclass(frozen=True, slots=True)
class Proved:
    """Who it is, and by what."""

    mailbox: Mailbox
    factor: Factor


@dataclass(frozen=True, slots=True)
class Signed:
    """What a browser says that a passkey signed, and what it was asked to sign."""

    party: Party
    challenge: bytes
    answer: str


@dataclass(frozen=True, slots=True)
class Persons:
    """Asked by the pages."""

    accounts: Accounts
    factors: Factors
    logins: Logins
    guessed: Guessed  # told: somebody has a person's passphrase, and not their code
    tell: Tell = untold

    async def log_in(self, login: str, passphrase: str, code: str, peer: Peer) -> Proved | Reply:
        """Return whose passphrase and code these are, both of the same person."""
        found: list[Factor] = []

        async def proof(mailbox: Mailbox | None) -> bool:
            known = await self.factors.knows(mailbox, passphrase)
            if mailbox is None or not known:
                factors.fits(_NOBODY, code, self.factors.now())  # as long as somebody's
                return False
            found.extend(await self._coded(mailbox, code))
            if not found:
                self.guessed(mailbox, peer)  # and does not wait: the answer's time would tell
            return bool(found)

        return _proved(await self.logins.person(login, peer, proof, "passphrase"), found)

    async def by_code(self, mailbox: Mailbox, code: str, peer: Peer) -> Proved | Reply:
        """Return the proof that who is in is still the same person."""
        found: list[Factor] = []

        async def proof(now: Mailbox | None) -> bool:
            found.extend(await self._coded(now, code) if now is not None else [])
            return bool(found)

        return _proved(await self.logins.person(mailbox.address, peer, proof, "code"), found)

    async def by_passkey(
        self, signed: Signed, peer: Peer, who: Mailbox | None = None
    ) -> Proved | Reply:
        """Return whose passkey it is; of ``who`` alone, if somebody is in already."""
        factor = self.factors.passkey(passkeys.named(signed.answer))
        owner = self.accounts.by_id(factor.mailbox) if factor else None
        if who is not None and (owner is None or owner.id != who.id):
            owner = factor = None

        async def proof(mailbox: Mailbox | None) -> bool:
            if mailbox is None or factor is None:
                return False
            return await self._signed(mailbox, factor, signed)

        whose = who or owner
        login = whose.address if whose is not None else ""
        found = [factor] if factor else []
        return _proved(await self.logins.person(login, peer, proof, "passkey"), found)

    async def uninvited(self, peer: Peer) -> Reply:
        """Count an invitation that was none, as a failed log-in from there."""

        async def proof(_: Mailbox | None) -> bool:
            return False

        found = await self.logins.person("", peer, proof, "invitation")
        return found if isinstance(found, Reply) else reply.BAD_CREDENTIALS

    async def _coded(self, mailbox: Mailbox, code: str) -> list[Factor]:
        found = await self.factors.coded(mailbox, code)
        return [found] if found else []

    async def _signed(self, mailbox: Mailbox, factor: Factor, signed: Signed) -> bool:
        counter = passkeys.shown(signed.party, signed.challenge, signed.answer, factor.secret)
        if factor.kind is not Kind.PASSKEY or counter is None:
            return False
        if (counter or factor.counter) and counter <= factor.counter:
            # Its copy was used meanwhile, or this is the copy (WebAuthn §7.2, step 22).
            self.tell("factor.copied", {"who": mailbox.address, "factor": factor.id})
            return False
        return await self.factors.moved(mailbox, factor, counter)


def _proved(answer: Mailbox | Reply, found: list[Factor]) -> Proved | Reply:
    return answer if isinstance(answer, Reply) else Proved(answer, found[0])
