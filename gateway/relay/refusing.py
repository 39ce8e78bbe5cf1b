"""Who was refused, and who is told: the journal, the sender's software, and the sender by mail."""

from datetime import timedelta

from gateway.accounts.credentials import fingerprint
from gateway.accounts.throttle import Throttle
from gateway.relay.desk import Desk
from gateway.relay.message import Message
from gateway.relay.notices import Notices
from gateway.relay.once import DOORS
from gateway.relay.verdict import RELAY
from smtp.address import Address
from smtp.envelope import Draft, Refusal
from vault.database import Statement

_SMTP = frozenset({"submission", "submission_starttls", "submission_certificate"})
_REFUSALS = 300  # refused recipients of one peer, in one go, that have a journal entry each


class Refusing:
    """What is kept of refused recipients; one a gateway."""

    def __init__(self, desk: Desk, notices: Notices) -> None:
        self._desk = desk
        self._books = desk.books
        self._notices = notices
        self._flood = Throttle(_REFUSALS, timedelta(minutes=1))

    def actor(self, draft: Draft) -> str:
        """Return the journal's name for who is at the door."""
        if draft.peer.login is not None:
            mailbox = self._books.accounts.find(draft.peer.login)
            return f"mailbox:{mailbox.key if mailbox else '?'}"
        return f"peer:{fingerprint(draft.peer.certificate or b'')}"

    async def noticed(
        self, draft: Draft, message: Message, header: bytes, taken: tuple[Address, ...] = ()
    ) -> list[Statement]:
        """Return what tells a sender of ours by mail whom we refused: clients hide a refusal."""
        if draft.peer.listener == RELAY:
            return []
        return await self._notices.refusing(message, header, draft.refused, taken)

    def waits(self, draft: Draft) -> bool:
        """Whether a refusal at RCPT waits for the header, where it says whether it is critical.

        Only where a person would be told of that, and while nobody was taken: else it comes anyway.
        Software by its own doors has shown its header before, and who writes in a browser is there.
        """
        sender, peer = draft.mail.mail_from, draft.peer
        if peer.login is None or peer.listener not in _SMTP or sender is None:
            return False
        return not draft.recipients and self._desk.urgency.tells(sender)

    def lost(self, draft: Draft, message: Message) -> list[Statement]:
        """Return what tells a person of a critical result that nobody gets.

        The doors of software tell it by themselves, once for each result (``gateway.labs``).
        """
        sender, permanent = draft.mail.mail_from, all(one.reply.permanent for one in draft.refused)
        if not message.summary.critical or sender is None or not permanent:
            return []
        if draft.peer.listener in DOORS:
            return []
        refused = [(one.recipient.address, one.reply) for one in draft.refused]
        return [self._desk.criticals.watching(message, sender, message.arrived, refused)]

    def kept(self, draft: Draft, message: Message) -> list[Statement]:
        """Return what the journal, and the sender's software, keep of refused recipients."""
        mailbox = self._books.sender(message) if draft.peer.listener != RELAY else None
        actor = self.actor(draft) if draft.refused else ""
        statements = []
        for refusal in draft.refused:
            if mailbox is None and self._flood.locked(actor, message.arrived):
                # Told all the same, but together: an entry each would let a stranger fill the disk.
                kind, _, name = actor.partition(":")
                who = {"certificate" if kind == "peer" else kind: name}
                told = {"listener": draft.peer.listener, "reason": "many", **who}
                self._desk.on_event("recipient.refused", told)
            else:
                self._flood.failed(actor, message.arrived)
                statements.append(self._entry(draft, message, refusal, actor))
            if mailbox is not None:
                statements.append(
                    self._books.refused(message, mailbox, refusal.recipient, refusal.reply)
                )
        return statements

    def _entry(self, draft: Draft, message: Message, refusal: Refusal, actor: str) -> Statement:
        return self._books.journal.entry(
            message.arrived,
            "recipient.refused",
            actor,
            message=message.id,
            who=draft.mail.mail_from,
            whom=refusal.recipient.address,
            said=str(refusal.reply),
            door=draft.peer.listener,
        )
