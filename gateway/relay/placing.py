"""How a message is put into mailboxes of ours, in the transaction that makes it delivered.

Into INBOX; a report, into the folder that the owner chose for reports. What we delivered has a name
there (its delivery's), by which we know where it lies and when it was first opened. If its sender
asked to be told of that, and the owner lets us, we are to tell; a mail program sees by ``$MDNSent``
that it need not. R-F2; RFC 8098 §2.1, RFC 3503.
"""

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from gateway.accounts.habits import Read, Reports
from gateway.accounts.mailboxes import Mailbox
from gateway.relay.delivery import holder
from gateway.relay.desk import Desk
from gateway.relay.lanes import Attempt, Letter
from gateway.relay.message import Copy, Message
from gateway.relay.results import Result, Scale
from imap.errors import OverQuota
from imap.index import Indexing
from imap.store import INBOX, Arrival, Summary, new_entry_id
from imap.store import holder as entry_holder
from imap.store.origins import ELSEWHERE
from smtp import reply
from smtp.address import Address, key
from smtp.message.header import Header, HeaderError, mailboxes
from vault.database import Statement

MDN_SENT = "$MDNSent"
_REPORT = "multipart/report"
_HEADER = 64 << 10  # as much of a header as is looked at


class Placed(NamedTuple):
    """A copy that goes into a mailbox: what that makes of it, and under which name it lies there.

    ``also`` of the result files it; that the name holds the body is the caller's to see to.
    """

    result: Result
    holder: str


@dataclass(frozen=True, slots=True)
class Placing:
    """One a gateway."""

    desk: Desk

    async def place(self, one: Attempt, copies: Iterable[Copy]) -> list[Result]:
        """Put a message into the mailboxes of these copies; each has its result."""
        return [self._shared(found) for found in await self.entering(one, copies)]

    async def entering(self, one: Attempt, copies: Iterable[Copy]) -> list[Placed | Result]:
        """Return how each copy enters its mailbox, or why it cannot; that it holds the body is not in it."""
        letter, scale = await self.letter(one), self.desk.scale()
        return [await self._place(copy, scale, letter) for copy in copies]

    def _shared(self, found: Placed | Result) -> Result:
        """Return a result by which the mailbox holds the body, as the copy has till now."""
        if isinstance(found, Result):
            return found
        held = holder(found.result.copy.delivery.id)
        sharing = self.desk.books.vault.sharing(held, found.holder)
        return replace(found.result, also=(*found.result.also, *sharing))

    async def watching(self, one: Attempt, copy: Copy) -> list[Statement]:
        """Return the statements by which a message on another server is watched until it is opened.

        Only if its sender asks to be told, and its reader lets us.
        """
        books = self.desk.books
        mailbox = books.accounts.find(copy.recipient.address)
        if mailbox is None or mailbox.habits.read is not Read.ALWAYS:
            return []
        block = one.content
        if block is None:
            size = min(copy.message.size, _HEADER)
            block = await books.vault.read(holder(copy.delivery.id), 0, size)
        header = Header.skim(block.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        if not asks_for_a_receipt(header, one.message):
            return []
        return [books.mailboxes.origins.adding(copy.delivery.id, ELSEWHERE, wanted=True)]

    async def aside(self, one: Attempt, result: Result, errors: Address) -> list[Statement]:
        """Return the statements that put what a program refused before a person (R-E7).

        Who wrote it is told that it failed; that a person reads it here tells nobody anything.
        """
        books, message = self.desk.books, one.message
        mailbox = books.accounts.find(errors)
        if mailbox is None or not mailbox.receives:
            return self._not_aside("no-such-mailbox")
        try:
            books.mailboxes.check_room(mailbox.id, message.size)
        except OverQuota:
            return self._not_aside("mailbox-full")
        letter = await self.letter(one)
        arrival = Arrival(
            new_entry_id(), message.size, message.arrived, _summary(message), letter.index
        )
        key_of = holder(result.copy.delivery.id)
        told = books.told(
            result.copy, result.after, "delivery.set_aside", result.after.changed, reason="errors"
        )
        return [*books.mailboxes.appending(mailbox.id, INBOX, key_of, arrival), told]

    def _not_aside(self, reason: str) -> list[Statement]:
        self.desk.on_event("handing.not_set_aside", {"reason": reason})
        return []

    async def letter(self, one: Attempt) -> Letter:
        """Return what mail clients will ask of a message; it is read once more if it must be."""
        if one.at_hand.letter is not None:
            return one.at_hand.letter
        indexing = Indexing()
        if one.content is not None:
            indexing.feed(one.content)
        else:
            body = self.desk.books.vault.stream(holder(one.copies[0].delivery.id))
            async with aclosing(body):
                async for block in body:
                    indexing.feed(block)
        return Letter(indexing.header, indexing.finish())

    async def _place(self, copy: Copy, scale: Scale, letter: Letter) -> Placed | Result:
        books, message = self.desk.books, copy.message
        mailbox = books.accounts.find(copy.recipient.address)
        if mailbox is None or not mailbox.receives:
            return scale.refused(copy, reply.NO_SUCH_MAILBOX, "no-such-mailbox")
        try:
            books.mailboxes.check_room(mailbox.id, message.size)
        except OverQuota:
            return scale.put_off(copy, reply.MAILBOX_FULL, "mailbox-full")
        result = scale.stored(copy)
        read, asks = mailbox.habits.read, asks_for_a_receipt(letter.header, message)
        settled = asks and read is not Read.ASK
        arrival = Arrival(
            new_entry_id(),
            message.size,
            message.arrived,
            _summary(message),
            letter.index,
            flags=await books.mailboxes.mask(mailbox.id, [MDN_SENT]) if settled else 0,
            origin=copy.delivery.id,
            wanted=asks and read is Read.ALWAYS,
        )
        report = message.mail.mail_from is None  # software has its receipt already
        arrived = () if report else (books.arrived(copy, result.after, mailbox),)
        folder = await self._folder(mailbox, letter)
        filing = books.mailboxes.filing(mailbox.id, folder, arrival)
        return Placed(replace(result, also=(*filing, *arrived)), entry_holder(arrival.id))

    async def _folder(self, mailbox: Mailbox, letter: Letter) -> str:
        if letter.index.parts[0].type != _REPORT or mailbox.habits.reports is Reports.INBOX:
            return INBOX
        name, boxes = self.desk.reports_folder, self.desk.books.mailboxes
        if boxes.find(mailbox.id, name) is None:
            await boxes.create(mailbox.id, name)
            await boxes.subscribe(mailbox.id, name, on=True)
        return name


def _summary(message: Message) -> Summary:
    seen = message.summary
    return Summary(seen.sender, seen.subject, seen.date, seen.message_id, message.id)


def asks_for_a_receipt(header: Header, message: Message) -> bool:
    """Whether a message's sender asks to be told when it is opened, and nobody else would be.

    Only an answer to the return path, and to it alone, cannot be turned against a third person, and
    no machine's mail is answered by a machine (R-F2, RFC 8098 §2.1).
    """
    sender = message.mail.mail_from
    field = header.first("disposition-notification-to")
    if field is None or sender is None or message.ours:
        return False
    if (header.first("auto-submitted") or b"no").split(b";")[0].strip().lower() != b"no":
        return False
    try:
        asked = mailboxes(field)
    except HeaderError:
        return False
    return [key(sender)] == [key(each.address) for each in asked]
