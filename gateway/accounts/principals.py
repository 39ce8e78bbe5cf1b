"""What a log-in opens over IMAP, its own mailbox and those that are shared with it; and who says so.

What an owner changes from a mail program is an act like an operator's: journalled in the same
transaction, with who did it. R-B1, RFC 4314.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.accounts import rights
from gateway.accounts.mailboxes import AccountError, Accounts, Mailbox
from gateway.accounts.rights import OWNER, RightsError
from gateway.accounts.shares import Shares
from imap.errors import Forbidden
from imap.principal import Grant, Principal, Shared
from smtp.address import Address, AddressError, parse
from vault.database import Statement
from vault.journal import Journal

_NOBODY = "There is no such mailbox here; rights are given to an address of ours"


@dataclass(frozen=True, slots=True)
class Principals:
    """Fills ``imap.principal.Rights``."""

    accounts: Accounts
    shares: Shares
    journal: Journal
    clock: Callable[[], datetime]

    def of(self, address: Address) -> Principal | None:
        """Return what it opens now; None: nothing any more."""
        person = self.accounts.find(address)
        if person is None or not person.sends:
            return None
        shared = tuple(
            Shared(share.mailbox.address, share.mailbox.id, str(share.rights))
            for share in self.shares.of(person)
            if share.mailbox.sends
        )
        return Principal(person.address, person.id, shared)

    def on(self, mailbox: int) -> Sequence[Grant]:
        """Return who may do what with a mailbox, its own person first."""
        owner = self.accounts.by_id(mailbox)
        if owner is None:
            return []
        shares = self.shares.on(owner)
        others = [Grant(share.person.address, str(share.rights)) for share in shares]
        return [Grant(owner.address, str(OWNER)), *others]

    async def give(self, by: Principal, mailbox: int, grant: Grant) -> None:
        """Give rights in place of others; ``MailboxError``: nothing changed."""
        owner, person = self.accounts.by_id(mailbox), self._named(grant.who)
        try:
            given = rights.parse(grant.rights)
            assert owner is not None  # it was looked into a moment ago
            also = self._entries(by, owner, person, str(given))
            await self.shares.give(owner, person, given, self.clock(), also)
        except (AccountError, RightsError) as error:
            raise Forbidden(str(error)) from None

    def _named(self, who: str) -> Mailbox:
        try:
            person = self.accounts.find(parse(who))
        except AddressError:
            person = None
        if person is None or (not person.sends):
            raise Forbidden(_NOBODY)
        return person

    def _entries(
        self, by: Principal, owner: Mailbox, person: Mailbox, given: str
    ) -> list[Statement]:
        """Return the journal's entries: found by the mailbox, by the person, and by who did it."""
        giver = self.accounts.by_id(by.own)
        actor = f"mailbox:{giver.key if giver else '?'}"
        pairs = [(owner.address, person.address)]
        if by.own != owner.id:
            pairs.append((by.login, owner.address))
        now = self.clock()
        return [
            self.journal.entry(
                now,
                "mailbox.shared" if given else "mailbox.unshared",
                actor,
                who=who,
                whom=whom,
                by=by.login,
                rights=given,
            )
            for who, whom in pairs
        ]

    def listen(self, who: Principal, bell: Callable[[], None]) -> Callable[[], None]:
        """Have a bell rung after what somebody may do has changed; return what ends it."""
        return self.shares.listen(who.own, bell)
