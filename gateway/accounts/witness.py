"""Who read which message, and who did what in a mailbox that several people use: in the journal.

A reading or a download is written down before the content goes out, each with our own id of the message,
so that its story says who had it. What is erased is written of every mailbox; what else people do, of
mailboxes that are shared: in their own nobody is watched. R-B1, R-I1, R-I3.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.accounts.mailboxes import Accounts
from gateway.accounts.shares import Shares
from imap.folder import UidSet
from imap.principal import Act, Principal
from imap.store import Folder, Mailboxes
from smtp.envelope import Peer
from vault.database import Database
from vault.journal import Journal

_OF_MESSAGES = frozenset({"marked", "erased", "filed", "downloaded"})
_NAMEABLE = frozenset({"marked", "filed", "downloaded"})  # they are still there
_ALWAYS = frozenset({"erased", "deleted", "downloaded"})  # of whomever the mailbox is
_NAMED = 200  # messages of one act that are named one by one
Count = Callable[[str, int], None]


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
        await self._each(who, peer, Act("read", folder, uids))

    async def acted(self, who: Principal, peer: Peer, act: Act) -> None:
        """Write down what was done: what erases or takes away always, the rest where others are."""
        nothing = not len(act.uids) and act.what in _OF_MESSAGES
        if nothing or not (act.what in _ALWAYS or self._others(who, act.folder.mailbox)):
            return
        if act.what in _NAMEABLE and len(act.uids) <= _NAMED:
            await self._each(who, peer, act)
        else:  # made, renamed; or gone from where it could be looked up
            await self._write(who, peer, act, [({"uids": str(act.uids)}, None)])

    def _others(self, who: Principal, mailbox: int) -> bool:
        owner = self._accounts.by_id(mailbox)
        return mailbox != who.own or (owner is not None and bool(self._shares.on(owner)))

    async def _each(self, who: Principal, peer: Peer, act: Act) -> None:
        """Write of each message by its own name."""
        left = act.uids
        async for entries in self._mailboxes.listed(act.folder.id, act.uids):
            left -= UidSet.of(entry.uid for entry in entries)
            named = [
                ({"entry": f"{one.id:016x}", "uids": str(one.uid)}, one.summary.message)
                for one in entries
            ]
            await self._write(who, peer, act, named)
        if len(left):  # what lists show of them does not open: they are there all the same
            await self._write(who, peer, act, [({"uids": str(left)}, None)])

    async def _write(
        self, who: Principal, peer: Peer, act: Act, of: Sequence[tuple[dict[str, str], str | None]]
    ) -> None:
        owner, person = self._accounts.by_id(act.folder.mailbox), self._accounts.by_id(who.own)
        now, event = self._clock(), f"mailbox.{act.what}"
        facts = {"ip": peer.ip, "listener": peer.listener, "folder": act.folder.name}
        if act.detail:
            facts["detail"] = act.detail
        await self._database.commit(
            [
                self._journal.entry(
                    now,
                    event,
                    f"mailbox:{person.key if person else '?'}",
                    message=message or None,
                    who=who.login,
                    whom=None if owner is None or owner.id == who.own else owner.address,
                    **facts,
                    **which,
                )
                for which, message in of
            ]
        )
        self._count(event, len(of))
