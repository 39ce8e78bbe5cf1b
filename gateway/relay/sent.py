r"""What a mailbox sends, filed in its Sent folder by us: once, in the transaction that takes it.

For those who chose so; their mail program's own copy, before or after, is the same message
(``imap.store.filing``). Blind recipients are not in it: they are in nobody's copy that we keep.
RFC 6154 (``\Sent``).
"""

from dataclasses import dataclass, field
from datetime import timedelta

from gateway.accounts.habits import Sent
from gateway.accounts.mailboxes import Mailbox
from gateway.relay.arrival import Passage
from gateway.relay.books import Books
from gateway.relay.message import Message
from gateway.relay.verdict import RELAY
from imap.errors import OverQuota
from imap.store import Arrival, Summary, holder, new_entry_id
from smtp.envelope import Draft
from vault.database import Statement

_WEB = "web"  # the reading room files what it sends itself
_LATEST = 50
_BEFORE = timedelta(hours=1)
_SEEN = "\\Seen"


@dataclass(frozen=True, slots=True)
class Filing:
    """One message on its way into Sent: indexed while it is sealed."""

    books: Books
    mailbox: Mailbox
    passage: Passage = field(repr=False)
    entry: int = field(default_factory=new_entry_id)

    @classmethod
    def of(cls, draft: Draft, books: Books, passage: Passage) -> "Filing | None":
        """Return it for a message that is to be filed; None: its sender files it, or has no Sent."""
        sender = draft.mail.mail_from
        if sender is None or draft.peer.login is None or draft.peer.listener in {RELAY, _WEB}:
            return None
        mailbox = books.accounts.find(sender)
        if mailbox is None or mailbox.habits.sent is not Sent.SERVER:
            return None
        if _folder(books, mailbox) is None:
            return None
        passage.index()
        return cls(books, mailbox, passage)

    @property
    def holder(self) -> str:
        """The name under which the entry holds the body."""
        return holder(self.entry)

    async def statements(self, message: Message) -> list[Statement]:
        """Return the statements that file it; nothing, if a mail program was quicker, or no room."""
        boxes, letter, seen = self.books.mailboxes, self.passage.letter, message.summary
        folder = _folder(self.books, self.mailbox)
        if folder is None or letter is None or self._there(folder, message):
            return []
        try:
            boxes.check_room(self.mailbox.id, message.size)
        except OverQuota:
            return []
        arrival = Arrival(
            self.entry,
            message.size,
            message.arrived,
            Summary(seen.sender, seen.subject, seen.date, seen.message_id, message.id),
            letter.index,
            flags=await boxes.mask(self.mailbox.id, [_SEEN]),
        )
        return boxes.filing(self.mailbox.id, folder, arrival)

    def _there(self, folder: str, message: Message) -> bool:
        return any(
            each.summary.message_id == message.summary.message_id
            and each.arrived >= message.arrived - _BEFORE
            for each in self.books.mailboxes.latest(self.mailbox.id, folder, limit=_LATEST)
        )


def _folder(books: Books, mailbox: Mailbox) -> str | None:
    found = (f.name for f in books.mailboxes.folders(mailbox.id) if f.special == "\\Sent")
    return next(found, None)
