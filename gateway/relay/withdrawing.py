"""A sender takes a message back: what has not left, what lies unopened here; and the proof of it.

One transaction each, in which the message's key goes, so that nothing is withdrawn unproven, nor
proven that was not withdrawn. Who opened it a moment before was quicker, and its sender is told
when. docs/recall.md.
"""

from dataclasses import dataclass
from datetime import datetime

from gateway.accounts.mailboxes import Mailbox
from gateway.receipts.recalled import WORDS, Outcome
from gateway.receipts.receipt import Kind
from gateway.relay.delivery import TRANSITIONS, Delivery, Event, State, step
from gateway.relay.desk import Desk
from gateway.relay.message import Copy, Door, Message, Summary
from gateway.relay.notices import Notices
from gateway.relay.proof import Statement as Said
from gateway.relay.results import original
from imap.store.origins import Origin
from smtp.address import Address
from smtp.envelope import Body, Mail, new_message_id
from smtp.message import mdn
from smtp.message.trace import date
from smtp.reply import RECALLED, Reply
from vault.database import Statement
from vault.errors import Conflict

WITHDRAWN = Reply(250, "2.0.0", "It was taken back unopened; the signed proof follows by mail")
CANCELLED = Reply(250, "2.0.0", "It had not left, and will not: it was taken back")
OPENED = Reply(550, "5.7.0", "It was opened and stays; its sender is told when")
COPIED = Reply(550, "5.7.0", "It was copied, and stays; its sender is told when")
GONE = Reply(550, "5.7.0", "It is in that mailbox no more, and nobody marked it as opened")
ON_ITS_WAY = Reply(451, "4.3.0", "It is on its way at this very moment; ask again")
NOTHING_OF_THAT_NAME = Reply(
    550, "5.1.0", "This sender sent nothing under that mark to that mailbox"
)

_TRIES = 3
_REPLIES = {
    Outcome.WITHDRAWN: WITHDRAWN,
    Outcome.CANCELLED: CANCELLED,
    Outcome.OPENED: OPENED,
    Outcome.COPIED: COPIED,
    Outcome.GONE: GONE,
}


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """One a gateway."""

    desk: Desk
    notices: Notices

    def cancelling(self, copy: Copy, after: Delivery, actor: str) -> list[Statement]:
        """Return the statements that stop what has not left, and close its case if it was held."""
        return self.desk.books.moving(copy, after, actor=actor, reason="recalled")

    async def withdraw(self, copy: Copy, actor: str) -> Reply:
        """Take back one copy that is here, and tell its sender by mail, with the proof."""
        books = self.desk.books
        for _ in range(_TRIES):
            now = self.desk.clock()
            outcome, at, doing = self._standing(copy, now, actor)
            if outcome is None:
                return ON_ITS_WAY
            if not doing and self._answered(copy):
                return _REPLIES[outcome]
            try:
                await books.database.commit(
                    [*doing, *await self._telling(copy, outcome, at, now, actor)]
                )
            except Conflict:  # opened, or moved on, at this very moment
                copy = books.spool.find(copy.delivery.id) or copy
                continue
            return _REPLIES[outcome]
        return ON_ITS_WAY

    def _standing(
        self, copy: Copy, now: datetime, actor: str
    ) -> tuple[Outcome | None, datetime, list[Statement]]:
        """Return what becomes of the wish, since when it is so, and the statements that do it."""
        if (after := cancelled(copy, now)) is not None:
            return Outcome.CANCELLED, now, self.cancelling(copy, after, actor)
        if copy.delivery.state is State.CANCELLED:
            return Outcome.CANCELLED, copy.delivery.changed, []
        if copy.delivery.state is State.SENDING:
            return None, now, []
        return self._lying(copy, now, actor)

    def _lying(
        self, copy: Copy, now: datetime, actor: str
    ) -> tuple[Outcome, datetime, list[Statement]]:
        """Return the same of a message that came into its mailbox."""
        origin = self.desk.books.mailboxes.origins.find(copy.delivery.id)
        if origin is not None and origin.withdrawn is not None:
            return Outcome.WITHDRAWN, origin.withdrawn, []
        if origin is not None and origin.opened is not None:
            return Outcome.OPENED, origin.opened, []
        if origin is not None and origin.copied is not None:
            return Outcome.COPIED, origin.copied, []
        if origin is None or not origin.unopened:
            return Outcome.GONE, now, []
        return Outcome.WITHDRAWN, now, self._erasing(copy, origin, now, actor)

    def _erasing(self, copy: Copy, origin: Origin, now: datetime, actor: str) -> list[Statement]:
        books, one = self.desk.books, copy.delivery
        told = books.told(copy, one, "delivery.withdrawn", now, actor, reason="recalled")
        receipt = books.receipt(copy, one, "recalled", Kind.WITHDRAWN)
        return [*books.mailboxes.withdrawing(one.id, origin), told, *receipt]

    def _answered(self, copy: Copy) -> bool:
        """Whether its sender was told already, and asks again."""
        origin = self.desk.books.mailboxes.origins.find(copy.delivery.id)
        return copy.delivery.state is State.CANCELLED or (
            origin is not None and origin.withdrawn is not None
        )

    async def _telling(
        self, copy: Copy, outcome: Outcome, at: datetime, now: datetime, actor: str
    ) -> list[Statement]:
        """Return the statements that tell the sender by mail, and the journal."""
        books, message = self.desk.books, copy.message
        sender, reader = message.mail.mail_from, copy.recipient.address
        entry = books.told(copy, copy.delivery, "recall.answered", now, actor, reason=outcome)
        if sender is None:
            return [entry]
        said = Said(
            outcome,
            at,
            self.desk.host,
            message.mail.transfer or message.id,
            sender,
            reader,
            message.summary.message_id,
        )
        return [entry, *await self._spooling(copy, sender, self._mailbox(reader), said, now)]

    def _mailbox(self, reader: Address) -> Address:
        found: Mailbox | None = self.desk.books.accounts.find(reader)
        return reader if found is None else found.address

    async def _spooling(
        self, copy: Copy, sender: Address, reader: Address, said: Said, now: datetime
    ) -> list[Statement]:
        message, made, words = copy.message, new_message_id(now), WORDS[said.outcome]
        named = f"<{made}@{self.desk.host}>"
        content = mdn.compose(
            mdn.Opened(
                reader=reader,
                sender=sender,
                host=self.desk.host,
                message_id=named,
                at=said.at,
                now=now,
                original=original(copy.recipient),
                original_message_id=message.summary.message_id,
                envelope_id=message.mail.envid or "",
                reference=message.reference,
                subject=words.subject,
                words=words.told,
                disposition=words.disposition,
                proof=self.desk.sign(said.encode()),
            )
        )
        body = Body.SEVEN_BIT if content.isascii() else Body.EIGHT_BIT
        mail = Mail(None, body=body, smtputf8=not (sender + reader).isascii())
        summary = Summary(reader, f"<{reader}>", words.subject, date(now), named)
        own = Message(made, now, len(content), Door.REPORT, mail, summary)
        return await self.notices.spooling(own, sender, content)


def cancelled(copy: Copy, now: datetime) -> Delivery | None:
    """Return where a copy stands once it is stopped; None: it has left, or is on its way."""
    if (copy.delivery.state, Event.CANCEL) not in TRANSITIONS:
        return None
    return step(copy.delivery, Event.CANCEL, now, RECALLED)
