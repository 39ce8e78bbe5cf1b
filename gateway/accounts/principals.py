"""What a log-in opens over IMAP, its own mailbox and those that are shared with it; and who says so.

What an owner changes from a mail program is an act like an operator's: journalled in the same
transaction, with who did it. R-B1, RFC 4314.
"""

from collections.abc import Callable, Sequence
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


class Principals:
    """Fills ``imap.principal.Rights``."""

    def __init__(
        self, accounts: Accounts, shares: Shares, journal: Journal, clock: Callable[[], datetime]
    ) -> None:
        self._accounts, self._shares = accounts, shares
        self._journal, self._clock = journal, clock
        self._bells: dict[int, list[Callable[[], None]]] = {}  # by person
        shares.changed = self._ring

    def of(self, address: Address) -> Principal | None:
        """Return what it opens now; None: nothing any more."""
        person = self._accounts.find(address)
        if person is None or not person.sends:
            return None
        shared = tuple(
            Shared(share.mailbox.address, share.mailbox.id, str(share.rights))
            for share in self._shares.of(person)
            if share.mailbox.sends
        )
        return Principal(person.address, person.id, shared)

    def on(self, mailbox: int) -> Sequence[Grant]:
        """Return who may do what with a mailbox, its own person first."""
        owner = self._accounts.by_id(mailbox)
        if owner is None:
            return ()
        shares = self._shares.on(owner)
        others = (Grant(share.person.address, str(share.rights)) for share in shares)
        return (Grant(owner.address, str(OWNER)), *others)

    async def give(self, by: Principal, mailbox: int, grant: Grant) -> None:
        """Give rights in place of others; ``MailboxError``: nothing changed."""
        owner, person = self._accounts.by_id(mailbox), self._named(grant.who)
        try:
            given = rights.parse(grant.rights)
            assert owner is not None  # it was looked into a moment ago
            also = self._entries(by, owner, person, str(given))
            await self._shares.give(owner, person, given, self._clock(), also)
        except (AccountError, RightsError) as error:
            raise Forbidden(str(error)) from None

    def _named(self, who: str) -> Mailbox:
        try:
            person = self._accounts.find(parse(who))
        except AddressError:
            person = None
        if person is None or (not person.sends):
            raise Forbidden(_NOBODY)
        return person

    def _entries(
        self, by: Principal, owner: Mailbox, person: Mailbox, given: str
    ) -> list[Statement]:
        """Return the journal's entries: found by the mailbox, by the person, and by who did it."""
        giver = self._accounts.by_id(by.own)
        actor = f"mailbox:{giver.key if giver else '?'}"
        pairs = [(owner.address, person.address)]
        if by.own != owner.id:
            pairs.append((by.login, owner.address))
        now = self._clock()
        return [
            self._journal.entry(
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

    # Who is told when it changes.

    def listen(self, who: Principal, bell: Callable[[], None]) -> Callable[[], None]:
        """Have a bell rung after what somebody may do has changed; return what ends it."""
        bells = self._bells.setdefault(who.own, [])
        bells.append(bell)

        def stop() -> None:
            if bell in bells:
                bells.remove(bell)
            if not bells and self._bells.get(who.own) is bells:
                del self._bells[who.own]

        return stop

    def stands_otherwise(self, address: Address) -> None:
        """Tell those who share a mailbox that it opens, or opens no more."""
        mailbox = self._accounts.find(address)
        for share in self._shares.on(mailbox) if mailbox is not None else ():
            self._ring(share.person)

    def _ring(self, person: Mailbox) -> None:
        for bell in tuple(self._bells.get(person.id, ())):
            bell()
