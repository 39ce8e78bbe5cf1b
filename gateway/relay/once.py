"""The same mail from the same mailbox, once for each recipient: known by its Message-ID and its bytes.

Software that is not sure whether its result went offers it again: at the same door or another, to the
same recipients or to some of them. Each has it once within a window; the same Message-ID with other
bytes is refused in words, for it might be a correction that nobody would see. What says to whom and
when a mail goes is not part of what it is. R-A7, R-I4.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.relay.delivery import DeliveryId
from smtp.address import Address, key
from smtp.envelope import Draft, Recipient
from smtp.message.header import Header
from smtp.reply import Reply
from vault.database import Database, Statement
from vault.keys import KeyRing

OTHER_MAIL = Reply(
    554,
    "5.7.7",
    "another mail was sent before under the same Message-ID; a corrected one needs one of its own",
)
DOORS = frozenset({"folder", "api", "outbox"})  # of software that offers a result until it is sure

_PASSING = ("bcc", "cc", "date", "received", "return-path", "to", "x-originating-ip")


@dataclass(slots=True)
class Passing:
    """A mail that is to be known again, while it passes; what it is may be asked of a thread."""

    sender: Address
    message_id: str
    skip: int  # octets of it that are ours, or its header
    _hash: "hashlib._Hash" = field(repr=False)  # of the header, so far

    def see(self, block: bytes) -> None:
        """Take what comes next of it."""
        self._hash.update(memoryview(block)[min(self.skip, len(block)) :])
        self.skip = max(0, self.skip - len(block))

    @property
    def digest(self) -> str:
        """What it is, once it has all come."""
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Known:
    """Which of a mail's recipients have it already, as which copy; or that it is another mail."""

    before: dict[Address, DeliveryId]
    other: bool = False

    def fresh(self, recipients: Sequence[Recipient]) -> list[Recipient]:
        """Return those who do not have it."""
        return [one for one in recipients if one.address not in self.before]


NOBODY = Known({})


@dataclass(frozen=True, slots=True)
class Once:
    """The table ``once``; one a gateway."""

    database: Database
    ring: KeyRing = field(repr=False)
    mailboxes: frozenset[str] = frozenset()  # keys of those that send by SMTP and are meant too

    def asked(self, draft: Draft, header: Header, skip: int) -> Passing | None:
        """Return a mail that is to be known again; None: its sender's software does not want it.

        Its first ``skip`` octets are ours, or its header.
        """
        sender, login = draft.mail.mail_from, draft.peer.login
        message_id = header.first("message-id")
        if sender is None or login is None or not message_id:
            return None
        if draft.peer.listener not in DOORS and key(sender) not in self.mailboxes:
            return None
        begun = hashlib.sha256(header.without(*_PASSING))
        return Passing(sender, message_id.decode("utf-8", "replace"), skip, begun)

    def known(self, mail: Passing, recipients: Sequence[Recipient]) -> Known:
        """Return which of these have it."""
        before: dict[Address, DeliveryId] = {}
        digest = self._digest(mail)
        for one in recipients:
            rows = self.database.read(
                "SELECT digest, delivery FROM once WHERE mark = ?", (self._mark(mail, one.address),)
            )
            if rows and rows[0][0] != digest:
                return Known({}, other=True)
            if rows:
                before[one.address] = DeliveryId(rows[0][1])
        return Known(before)

    def keeping(
        self, mail: Passing, recipient: Address, delivery: DeliveryId, now: datetime
    ) -> Statement:
        """Return the statement that remembers a copy; ``Conflict`` if another was quicker."""
        return Statement(
            "INSERT INTO once (mark, digest, delivery, at) VALUES (?, ?, ?, ?)",
            (self._mark(mail, recipient), self._digest(mail), delivery, now.timestamp()),
        )

    def forgetting(self, now: datetime, window: timedelta) -> Statement:
        """Return the statement that ends the time within which mails are known again."""
        return Statement("DELETE FROM once WHERE at < ?", ((now - window).timestamp(),))

    def _mark(self, mail: Passing, recipient: Address) -> bytes:
        named = f"{key(mail.sender)}\0{mail.message_id}\0{key(recipient)}"
        return self.ring.index(named, "once")

    def _digest(self, mail: Passing) -> bytes:
        return self.ring.index(mail.digest, "once-digest")
