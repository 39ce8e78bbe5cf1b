"""Senders who asked are told that their message was opened: once, and if the owner allows it.

What the store notes of openings is the work list, so a restart forgets nothing. The owner's choice
is looked up again when it comes to telling. R-F1, R-F2; RFC 8098 §2.1.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from gateway.accounts.habits import Read
from gateway.receipts.receipt import Kind
from gateway.relay.books import GATEWAY
from gateway.relay.desk import Desk
from gateway.relay.message import Copy, Door, Message, Summary
from gateway.relay.notices import Notices
from gateway.relay.results import original
from smtp.envelope import Body, Mail, new_message_id
from smtp.message import mdn
from smtp.message.dsn import Action
from smtp.message.trace import date
from vault.database import Statement
from vault.errors import Conflict, Gone, SealError, VaultError

_POLL = 30.0  # seconds: the bell only shortens the wait


@dataclass(frozen=True, slots=True)
class Readings:
    """One a gateway; ``run`` is a task of its group."""

    desk: Desk
    notices: Notices
    wake: Callable[[], None]  # something is to be sent
    bell: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    async def run(self) -> None:
        """Tell what was opened, for ever."""
        self.desk.books.mailboxes.on_opened(self.bell.set)
        while True:
            self.bell.clear()
            await self.round()
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL):
                    await self.bell.wait()

    async def round(self) -> int:
        """Tell what was opened and is still to be told; return how many senders were."""
        told = 0
        for origin in self.desk.books.mailboxes.origins.due():
            try:
                told += await self._tell(origin)
            except Exception as error:
                if isinstance(error, VaultError) and not isinstance(error, Gone | SealError):
                    raise  # the machine's fault: it is told later
                # One message stops no other.
                self.desk.on_event("reading.crashed", {"exception": error, "message": origin})
        if told:
            self.wake()
        return told

    async def _tell(self, origin: str) -> bool:
        books = self.desk.books
        settled = books.mailboxes.origins.settling(origin)
        copy, found = books.spool.find(origin), books.mailboxes.origins.find(origin)
        statements: list[Statement] = []
        if copy is not None and found is not None and found.opened is not None:
            statements = await self._telling(copy, found.opened)
        with suppress(Conflict):  # another was quicker
            await books.database.commit([settled, *statements])
            return bool(statements)
        return False

    async def _telling(self, copy: Copy, opened: datetime) -> list[Statement]:
        """Return the statements that tell a sender; none, if the owner does not allow it now."""
        books, now, message = self.desk.books, self.desk.clock(), copy.message
        mailbox, sender = books.accounts.find(copy.recipient.address), message.mail.mail_from
        if mailbox is None or mailbox.habits.read is not Read.ALWAYS or sender is None:
            return []
        made = new_message_id(now)
        content = mdn.compose(
            mdn.Opened(
                reader=mailbox.address,
                sender=sender,
                host=self.desk.host,
                message_id=f"<{made}@{self.desk.host}>",
                at=opened,
                now=now,
                original=original(copy.recipient),
                original_message_id=message.summary.message_id,
                envelope_id=message.mail.envid or "",
                reference=message.reference,
            )
        )
        summary = Summary(
            mailbox.address,
            f"<{mailbox.address}>",
            mdn.SUBJECT,
            date(now),
            f"<{made}@{self.desk.host}>",
        )
        body = Body.SEVEN_BIT if content.isascii() else Body.EIGHT_BIT
        wide = not (sender + mailbox.address).isascii()
        own = Message(
            made, now, len(content), Door.REPORT, Mail(None, body=body, smtputf8=wide), summary
        )
        return [
            *await self.notices.spooling(own, sender, content),
            *self._told(copy, now),
            books.journal.entry(
                now, "reading.told", GATEWAY, message=message.id, whom=sender, notice=made
            ),
        ]

    def _told(self, copy: Copy, now: datetime) -> list[Statement]:
        """Return what our own sender's software is told: no report of a peer's will tell it."""
        books = self.desk.books
        if books.sender(copy.message) is None:
            return []
        standing = replace(copy.delivery, changed=now)
        return [
            books.told(copy, standing, "delivery.read", now, reason=Action.DISPLAYED),
            *books.receipt(copy, standing, Action.DISPLAYED, Kind.READ),
        ]
