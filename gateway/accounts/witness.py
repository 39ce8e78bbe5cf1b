"""Who read which message, and who did what in a mailbox that several people use: in the journal.

A reading is written down before the content goes out, each with our own id of the message, so that
its story says who read it. What people do is written of mailboxes that are shared; in their own
nobody is watched. R-B1, R-I3.
"""

from collections.abc import Callable
from datetime import datetime

from gateway.accounts.mailboxes import Accounts, Mailbox
from gateway.accounts.shares import Shares
from imap.folder import UidSet
from imap.principal import Act, Principal
from imap.store import Entry, Folder, Mailboxes
from smtp.envelope import Peer
from vault.database import Database
from vault.journal import Journal

_NAMED = 200  # messages of one act that are named one by one
Count = Callable[[str], None]


class Witness:
    """Fills ``imap.principal.Witness``."""

    def __init__(  # noqa: PLR0917 - what it writes in, and what it must know of
        self,
        database: Database,
        journal: Journal,
        mailboxes: Mailboxes,
        accounts: Accounts,
        shares: Shares,
        clock: Callable[[], datetime],
        count: Count,
    ) -> None:
        self._database, self._journal, self._clock = database, journal, clock
        self._mailboxes, self._accounts, self._shares = mailboxes, accounts, shares
        self._count = count

    async def read(self, who: Principal, peer: Peer, folder: Folder, uids: UidSet) -> None:
        """Write down that the content of messages is given out."""
        async for entries in self._mailboxes.listed(folder.id, uids):
            await self._write("mailbox.read", who, peer, folder, entries)

    async def acted(self, who: Principal, peer: Peer, act: Act) -> None:
        """Write down what was done in a mailbox that others use as well."""
        event = f"mailbox.{act.what}"
        if not self._others(who, act.folder.mailbox):
            return
        if len(act.uids) <= _NAMED and act.what in {"marked", "filed"}:
            async for entries in self._mailboxes.listed(act.folder.id, act.uids):
                await self._write(event, who, peer, act.folder, entries, act.detail)
            return
        await self._write(event, who, peer, act.folder, [None], act.detail, str(act.uids))

    def _others(self, who: Principal, mailbox: int) -> bool:
        owner = self._accounts.by_id(mailbox)
        return mailbox != who.own or (owner is not None and bool(self._shares.on(owner)))
