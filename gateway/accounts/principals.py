"""What a log-in opens over IMAP: its own mailbox, and those that are shared with it."""

from dataclasses import dataclass

from gateway.accounts.mailboxes import Accounts
from gateway.accounts.shares import Shares
from imap.principal import Principal, Shared
from smtp.address import Address


@dataclass(frozen=True, slots=True)
class Principals:
    """Fills ``imap.principal.Rights``; asked at log-in, so that a change ends a stay."""

    accounts: Accounts
    shares: Shares

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
