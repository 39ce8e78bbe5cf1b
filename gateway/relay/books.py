"""Everything a message is written into, and what one step of it means in each: one transaction.

A delivery that moves is a row, a receipt for the sender's software, an entry in the journal and,
at its end, a key to the body that is dropped. They are one list of statements, so that none is
ever there without the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from gateway.accounts.absences import Absences
from gateway.accounts.mailboxes import Accounts, Mailbox
from gateway.accounts.shares import Shares
from gateway.documents.codes import Failure
from gateway.receipts.outbox import Outbox
from gateway.receipts.receipt import Kind, Receipt
from gateway.relay import ends
from gateway.relay.applications import Applications
from gateway.relay.criticals import reopening
from gateway.relay.delivery import FINAL, Delivery, State, holder
from gateway.relay.message import Copy, Door, Message
from gateway.relay.spool import Spool
from imap.store import Mailboxes
from quarantine.case import Ruling, union
from quarantine.policy import Finding
from quarantine.review import Review
from smtp.address import AddressError, parse
from smtp.envelope import Recipient
from smtp.reply import Reply
from vault.database import Database, Statement
from vault.journal import Journal
from vault.store import Vault

GATEWAY = "gateway"  # the journal's name for what we do by ourselves


@dataclass(frozen=True, slots=True)
class Books:
    """The rooms a message is written into."""

    database: Database
    vault: Vault
    spool: Spool
    accounts: Accounts
    shares: Shares
    absences: Absences
    mailboxes: Mailboxes
    outbox: Outbox
    journal: Journal
    review: Review

    def sender(self, message: Message) -> Mailbox | None:
        """Return the mailbox whose software is told about a message: its sender's, if it is ours."""
        sender = message.mail.mail_from
        if sender is None or message.door == Door.COPY:  # which no sender knows of
            return None
        return self.accounts.find(sender)

    def moving(
        self,
        copy: Copy,
        after: Delivery,
        *,
        actor: str = GATEWAY,
        reason: str = "",
        found: Sequence[Finding] = (),
    ) -> list[Statement]:
        """Return what it means that a delivery moved on: its row, receipt, journal, case, body.

        ``found`` says all of why it is held, where there is more to say than the one reason.
        """
        statements = [
            self.spool.recording(copy.delivery, after),
            self.told(
                copy,
                after,
                f"delivery.{after.state}",
                after.changed,
                actor,
                reason=reason,
                found=found,
            ),
        ]
        statements += self.receipt(copy, after, reason)
        if ends.kind(copy.delivery.state, after.state) is Kind.CORRECTED:
            statements.append(self.spool.correcting(copy.message.id))
            if copy.message.summary.critical:
                statements.append(reopening(copy.message.id))
        if after.state is State.HELD:
            statements += self.holding(after, reason, found)
        elif copy.delivery.state is State.HELD and after.state is State.CANCELLED:
            statements += self.review.cancelling(after.id, Ruling(actor, after.changed, reason))
        if after.state in FINAL or after.state is State.RELAYED:
            # RELAYED: what they took is theirs; what they report brings its own words.
            statements += self.vault.dropping(holder(after.id))
        return statements

    def holding(
        self, after: Delivery, reason: str, found: Sequence[Finding] = ()
    ) -> list[Statement]:
        """Return the statements that put a held delivery before a person."""
        reasons = union([one.reason] for one in found) or (reason,)
        return self.review.opening(after.id, reasons, after.changed, found)

    def receipt(
        self, copy: Copy, after: Delivery, reason: str = "", kind: Kind | None = None
    ) -> list[Statement]:
        """Return the receipt for the sender's software, if the state has one and it is ours."""
        kind = kind or ends.kind(copy.delivery.state, after.state)
        mailbox = self.sender(copy.message) if kind else None
        if kind is None or mailbox is None:
            return []
        return [self._receipt(mailbox, copy, after, reason, kind)]

    def delayed(self, copy: Copy, after: Delivery, reason: str) -> list[Statement]:
        """Return the receipt that says it is still being tried."""
        return self.receipt(copy, after, reason, Kind.DELAYED)

    def relayed(self, copy: Copy, after: Delivery) -> list[Statement]:
        """Return the receipt of a step that was passed over: they took it, and say that it arrived."""
        return self.receipt(copy, replace(after, state=State.RELAYED), kind=Kind.RELAYED)

    def arrived(self, copy: Copy, after: Delivery, mailbox: Mailbox) -> Statement:
        """Return the receipt for the recipient's software: there is something new to read."""
        return self._receipt(mailbox, copy, after, "arrived", Kind.DELIVERED)

    def _receipt(
        self,
        mailbox: Mailbox,
        copy: Copy,
        after: Delivery,
        reason: str,
        kind: Kind,
        *,
        failure: Failure | None = None,
    ) -> Statement:
        receipt = Receipt(
            kind=kind,
            at=after.changed,
            message=copy.message.id,
            state=after.state,
            subject=copy.message.summary.message_id,
            recipient=self.spool.recipient_key(copy.recipient.address),
            number=int(after.id.rpartition(".")[2]),
            attempts=after.attempts,
            reply=after.said,
            reason=reason,
            failure=None if failure is None else int(failure),
        )
        return self.outbox.adding(receipt, mailbox.key)

    def applied(
        self, copy: Copy, failure: Failure | None, at: datetime, actor: str = GATEWAY
    ) -> list[Statement]:
        """Return what it means that software filed a copy, or could not: nothing is moved by it.

        The row, the journal's line, and the receipt if its sender is ours; nothing, if that was said.
        """
        applications = Applications(self.database)
        known = applications.find(copy.delivery.id)
        if known is not None and known.at is not None and known.failure is failure:
            return []
        if copy.message.door == Door.COPY:
            first = [s for one in self._firsts(copy) for s in self.applied(one, failure, at, actor)]
            return [applications.saying(copy, failure, at, known), *first]
        standing = replace(copy.delivery, changed=at)
        reason = failure.slug if failure is not None else ""
        event = "application.failed" if failure is not None else "application.filed"
        kind = Kind.UNFILED if failure is not None else Kind.FILED
        mailbox = self.sender(copy.message)
        receipt = (
            []
            if mailbox is None
            else [
                self._receipt(
                    mailbox, copy, replace(standing, said=None), reason, kind, failure=failure
                )
            ]
        )
        return [
            applications.saying(copy, failure, at, known),
            self.told(copy, standing, event, at, actor, reason=reason),
            *receipt,
        ]

    def _firsts(self, copy: Copy) -> list[Copy]:
        """Return what a copy was made of: the person's, whom its ORCPT names."""
        about, sender = (copy.recipient.orcpt or "").partition(";")[2], copy.message.mail.mail_from
        try:
            given = self.spool.given_to(parse(about), copy.message.summary.message_id)
        except AddressError:
            return []
        # Anybody may write a Message-ID that another used: what is said is said to who sent this one.
        return [
            one
            for one in given
            if one.message.door != Door.COPY and one.message.mail.mail_from == sender
        ][-1:]

    def refused(
        self, message: Message, mailbox: Mailbox, recipient: Recipient, said: Reply
    ) -> Statement:
        """Return the receipt of a recipient who was never taken."""
        receipt = Receipt(
            kind=Kind.REFUSED,
            at=message.arrived,
            message=message.id,
            state=State.REFUSED,
            subject=message.summary.message_id,
            recipient=self.spool.recipient_key(recipient.address),
            reply=said,
            reason="refused-at-the-door",
        )
        return self.outbox.adding(receipt, mailbox.key)

    def told(
        self,
        copy: Copy,
        after: Delivery,
        event: str,
        at: datetime,
        actor: str = GATEWAY,
        *,
        reason: str = "",
        found: Sequence[Finding] = (),
    ) -> Statement:
        """Return the journal's line about a delivery; of what was found, the reasons alone."""
        detail: dict[str, object] = {"delivery": after.id, "attempts": after.attempts}
        if after.said is not None:
            detail["said"] = str(after.said)
        if reason:
            detail["reason"] = reason
        if len(found) > 1 and len(reasons := union([one.reason] for one in found)) > 1:
            detail["reasons"] = list(reasons)
        return self.journal.entry(
            at,
            event,
            actor,
            message=copy.message.id,
            who=copy.message.mail.mail_from,
            whom=copy.recipient.address,
            **detail,
        )
