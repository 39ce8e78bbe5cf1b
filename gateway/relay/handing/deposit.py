"""Mail put into an account of another IMAP server by APPEND.

A message is found by our id in its Received field: what an attempt without an answer may have put
there is not put there twice.
RFC 3501 §6.3.11, RFC 4315.
"""

import asyncio
from collections.abc import AsyncIterator

from gateway.relay.handing.account import Accounts, Refused
from gateway.settings.boxes import MailboxServer
from smtp.address import Address
from smtp.reply import Reply
from smtp.send.outgoing import Offer, Outcome, Outgoing

THERE = Reply(250, "2.0.0", "The mailbox server has it already")


class Deposits(Accounts):
    """One server: opens what ``lanes`` takes for a connection."""

    def __init__(self, server: MailboxServer, anchors: bytes, pinned: bytes | None) -> None:
        super().__init__(server, anchors, pinned)
        self.server = server

    async def open(self) -> "Deposit":
        """Return the way in; connections are made a mailbox."""
        return Deposit(self)


class Deposit:
    """What ``lanes`` takes for a connection: each message is put into each recipient's mailbox."""

    offer = Offer()  # no limit
    recipients_max: int | None = None

    def __init__(self, deposits: Deposits) -> None:
        self._deposits = deposits
        self.certificate = b""
        self.idle_since = asyncio.get_running_loop().time()
        self.usable = True

    async def send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        """Put one message into the mailboxes of its recipients; one reply for each."""
        content = b"".join([block async for block in body])  # the library takes it whole
        replies = [
            (one.address, await self._put(one.address, outgoing, content))
            for one in outgoing.recipients
        ]
        return Outcome(tuple(replies), dsn=False, reusable=False)

    async def _put(self, who: Address, outgoing: Outgoing, content: bytes) -> Reply:
        folder = self._deposits.server.folder
        try:
            async with self._deposits.within(who) as account:
                if outgoing.again and await account.has(folder, outgoing.transfer or ""):
                    return THERE
                return await account.put(folder, content)
        except Refused as refused:
            return refused.said

    async def close(self) -> None:
        """Nothing is open between two messages."""
        self.usable = False
