"""Answers for who is away: to a person who wrote to them by name, inside the trusted space alone.

The answer is spooled in the transaction that files the message. It goes in the mailbox's own name,
because between gateways a null reverse-path is for reports alone; what keeps two machines from
answering each other is Auto-Submitted, and once a week. RFC 3834, R-F2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTPUTF8

from gateway.accounts.absences import Absence
from gateway.accounts.mailboxes import Mailbox
from gateway.relay.books import GATEWAY
from gateway.relay.delivery import State, holder
from gateway.relay.desk import Desk
from gateway.relay.message import Copy, Door, Message, Summary
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from smtp.address import Address, domain_of, key, local_of
from smtp.envelope import Mail, Notify, new_message_id
from smtp.message.header import Header, HeaderError, mailboxes
from smtp.message.trace import date
from trust.decision import Action, attempt
from vault.database import Statement
from vault.errors import VaultError

_HEADER = 64 << 10  # as much of a header as is looked at
_ROBOTS = ("mailer-daemon", "postmaster", "noreply", "no-reply", "root", "daemon")
_LISTS = ("list-id", "list-unsubscribe", "list-post")
_LONGEST = 200  # characters of a subject that is quoted


def answerable(header: Header, sender: Address, mailbox: Address) -> bool:
    """Whether a person wrote this to that mailbox by name (RFC 3834 §2)."""
    if (header.first("auto-submitted") or b"no").split(b";")[0].strip().lower() != b"no":
        return False
    if (header.first("precedence") or b"").strip().lower() in {b"bulk", b"list", b"junk"}:
        return False
    if any(header.first(name) is not None for name in _LISTS):
        return False
    local = local_of(sender).lower()
    if local.startswith((*_ROBOTS, "owner-")) or local.endswith("-request"):
        return False
    try:
        named = [
            one.address for each in ("to", "cc") for f in header.all(each) for one in mailboxes(f)
        ]
    except HeaderError:
        return False
    return key(mailbox) in {key(one) for one in named}


def compose(message: Message, mailbox: Mailbox, absence: Absence, answer: Summary) -> bytes:
    """Return the answer, threaded to what it answers."""
    made = EmailMessage(policy=SMTPUTF8)
    made["From"] = f"<{mailbox.address}>"
    made["To"] = f"<{message.mail.mail_from}>"
    made["Subject"] = f"Auto: {_plain(message.summary.subject)}".strip()
    made["Date"] = answer.date
    made["Message-ID"] = answer.message_id
    if answered := _plain(message.summary.message_id):
        made["In-Reply-To"] = made["References"] = answered
    made["Auto-Submitted"] = "auto-replied"
    made.set_content(absence.text, cte="quoted-printable")
    return made.as_bytes()


def _plain(text: str) -> str:
    return "".join(c for c in text[:_LONGEST] if c.isprintable())


@dataclass(frozen=True, slots=True)
class Away:
    """One a gateway."""

    desk: Desk
    notices: Notices

    async def answering(self, results: Sequence[Result]) -> list[Statement]:
        """Return the statements that answer for those who are away among who just had a message."""
        statements: list[Statement] = []
        for result in results:
            if result.after.state is State.DELIVERED and result.copy.domain in self.desk.domains:
                statements += await self._answer(result.copy)
        return statements

    async def _answer(self, copy: Copy) -> list[Statement]:
        message, now = copy.message, self.desk.clock()
        sender, mailbox = message.mail.mail_from, self._mailbox(copy)
        if (
            sender is None
            or message.inward
            or mailbox is None
            or key(sender) == key(mailbox.address)
        ):
            return []
        absences = self.desk.books.absences
        absence = absences.of(mailbox)
        if absence is None or not absence.holds(now) or absences.told(mailbox, sender, now):
            return []
        if not await self._asked(copy, sender, mailbox):
            return []
        made = new_message_id(now)
        summary = Summary(
            author=mailbox.address,
            sender=mailbox.address,
            subject=f"Auto: {message.summary.subject}",
            date=date(now),
            message_id=f"<{made}@{self.desk.host}>",
        )
        mail = Mail(mailbox.address, smtputf8=not (sender + mailbox.address).isascii())
        content = compose(message, mailbox, absence, summary)
        answer = Message(made, now, len(content), Door.ANSWER, mail, summary)
        books = self.desk.books
        return [
            books.absences.telling(mailbox, sender, now),
            *await self.notices.spooling(answer, sender, content, frozenset({Notify.NEVER})),
            books.journal.entry(
                now, "absence.answered", GATEWAY, message=message.id, whom=sender, notice=made
            ),
        ]

    def _mailbox(self, copy: Copy) -> Mailbox | None:
        return self.desk.books.accounts.find(copy.recipient.address)

    async def _asked(self, copy: Copy, sender: Address, mailbox: Mailbox) -> bool:
        """Whether it may be answered: to a member, and because a person wrote it."""
        listed, now = self.desk.keeper.current, self.desk.clock()
        inside = domain_of(sender) in self.desk.domains
        if not inside and attempt(mailbox.address, sender, listed, now).action is not Action.ALLOW:
            return False
        size = min(copy.message.size, _HEADER)
        try:
            block = await self.desk.books.vault.read(holder(copy.delivery.id), 0, size)
        except VaultError:
            return False
        header = Header.skim(block.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        return answerable(header, sender, mailbox.address)
