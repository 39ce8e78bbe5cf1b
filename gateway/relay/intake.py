"""The one door in: decide, seal, spool, and only then say 250.

At RCPT each recipient is refused early, in words a clinician can act on. When the content comes,
its header is read and judged, the body is sealed and synced, the trust list is asked again, and
one transaction makes the message ours: its rows, keys, receipts, journal. A crash before it leaves
a sealed orphan for the sweeper; after it, a message that we will deliver. RFC 5321 §6.1, RFC 6409.

A few lines over the usual length on purpose: the order is the safety argument, and is read in one go.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeAlias

from gateway.relay import ambiguous
from gateway.relay.answers import Answers
from gateway.relay.arrival import Arrival, Passage, arrive
from gateway.relay.conversing import Conversing
from gateway.relay.deadlines import Deadlines
from gateway.relay.delivery import DeliveryId
from gateway.relay.desk import Desk
from gateway.relay.doorstep import Doorstep
from gateway.relay.entrance import Entrance, entrance
from gateway.relay.lanes import AtHand, Pause
from gateway.relay.large import taking
from gateway.relay.large.reaching import Reaching
from gateway.relay.message import Copy, Message, Summary
from gateway.relay.notices import Notices
from gateway.relay.once import DOORS, OTHER_MAIL, Once
from gateway.relay.refusing import Refusing
from gateway.relay.repeats import Repeats
from gateway.relay.reports import ONE_AT_A_TIME, answers
from gateway.relay.sent import Filing
from gateway.relay.transfers import Transfers
from gateway.relay.unheard import Unheard
from gateway.relay.verdict import RELAY, Question, Verdict, missing, nothing_to_keep
from gateway.relay.withdrawing import NOTHING_OF_THAT_NAME, Withdrawing
from gateway.settings.motion import Limits
from smtp import reply
from smtp.address import Address, domain_of, key
from smtp.envelope import (
    Draft,
    Peer,
    Recipient,
    Refusal,
    new_message_id,
)
from smtp.reply import Reply
from trust.cure import cure
from trust.decision import Action
from vault.database import Statement
from vault.errors import Conflict, StorageFull, VaultError
from vault.store import Sealed

MAILBOX_LEFT = Reply(
    550, "5.7.1", "Your mailbox was suspended or closed meanwhile; the message was not sent"
)

SHARE_LEFT = Reply(
    550, "5.7.1", "You may no longer send in the name of that mailbox; the message was not sent"
)

_CURED = 3  # refused recipients of one message whose cure is looked for: each costs milliseconds
_TRIES = 3  # a neighbour may move what we read before our turn to write comes


Beside: TypeAlias = Callable[[Sequence[DeliveryId]], list[Statement]]  # told a message's copies


def nothing_beside(_: Sequence[DeliveryId]) -> list[Statement]:
    """Commit nothing else with a message."""
    return []


class Onward(Protocol):
    """Who takes messages on from here (``courier``)."""

    def ring(self) -> None:
        """Something may be due."""

    def room(self, domains: Iterable[str], *, urgent: bool = False) -> datetime | None:
        """Until when mail for these may be claimed at once, or None: not now."""

    def pause(self, domain: str) -> Pause | None:
        """Until when, and why, mail for a domain's peer must wait; None: it need not."""

    def carry(self, copies: Sequence[Copy], at_hand: AtHand) -> None:
        """These were committed as claimed; of the message, what need not be opened again."""


class Intake:
    """What the doors of ``smtp.receive.server`` ask; one a gateway."""

    def __init__(
        self, desk: Desk, notices: Notices, limits: Limits, onward: Onward, once: Once
    ) -> None:
        self._desk = desk
        self._books = desk.books
        self._notices = notices
        self._limits = limits
        self._onward = onward
        self._once = once
        self._answers = Answers(desk)
        self._withdrawing = Withdrawing(desk, notices)
        self._conversing = Conversing(desk, notices)
        self._reaching = Reaching(desk)
        self._refusing = Refusing(desk, notices)
        self._transfers = Transfers(desk.books.spool)
        self.unheard = Unheard(desk, notices, onward.ring)
        self._doorstep = Doorstep(desk, self.unheard)

    async def met(self, peer: Peer) -> None:
        """Let it become known how a peer's certificate stands, for a bounded time."""
        if peer.certificate is not None:
            role = "peer" if peer.listener == RELAY else "mailbox"
            await self._desk.watch.met(peer.certificate, peer.issuers, role)

    def mail(self, draft: Draft) -> Reply:
        """Say whether this transaction may begin: a submission is by the one who logged in."""
        sender, login = draft.mail.mail_from, draft.peer.login
        if draft.peer.listener == RELAY or sender is None:
            return reply.SENDER_OK
        if login is None or not self._speaks(login, sender):
            self._count(draft, "login-not-sender")
            self._desk.on_event(
                "mail.refused",
                {"who": login, "listener": draft.peer.listener, "reason": "login-not-sender"},
            )
            return reply.SENDER_IS_NOT_YOU
        return reply.SENDER_OK

    def rcpt(self, draft: Draft, recipient: Recipient) -> Reply:
        """Say whether this recipient may be reached: one answer each, before any content."""
        if draft.mail.mail_from is None and draft.recipients:
            return ONE_AT_A_TIME
        listed = self._verdict(self._question(draft), recipient.address)
        verdict = self._conversing.at_rcpt(draft, recipient.address, listed)
        verdict = self._reaching.judged(recipient.address, draft.mail.size or 0, verdict)
        said = verdict.at_rcpt(draft.peer.listener)
        if not said.positive and self._refusing.waits(draft):
            return reply.RECIPIENT_OK
        if not said.positive:
            self._count(draft, verdict.reason)
            if verdict is listed:  # who is no patient of theirs is not told who else may be one
                said = self._cured(draft, recipient.address, said)
        return said

    def _cured(self, draft: Draft, refused: Address, said: Reply) -> Reply:
        """Return a refusal with its cure: to who logged in here, never to a peer."""
        sender, listed = draft.mail.mail_from, self._desk.keeper.current
        if draft.peer.login is None or sender is None or listed is None or not said.permanent:
            return said
        if len(draft.refused) >= _CURED:
            return said
        meant = cure(refused, sender, listed, self._desk.clock())
        if meant is None or (domain_of(meant) in self._desk.domains and not self._shown(meant)):
            return said
        return replace(said, cure=meant)

    def _shown(self, who: Address) -> bool:
        mailbox = self._books.accounts.find(who)
        return mailbox is not None and mailbox.receives and not mailbox.hidden

    async def accept(
        self, draft: Draft, body: AsyncIterator[bytes], beside: Beside = nothing_beside
    ) -> Reply:
        """Take responsibility for a message, wholly or not at all.

        ``beside`` says what else is committed with it; it may be asked more than once, and the
        copies it is told are those that there are now, be they of an earlier message.
        """
        try:
            if draft.mail.recall:
                return await self._recall(draft, body)
            arrival = await arrive(draft, body, self._desk, self._limits)
            if arrival.refusal is not None:
                return await self._reject(arrival, arrival.refusal)
            if answers(arrival.header) or draft.mail.mail_from is None:
                return await self._report(arrival, beside)
            return await self._keep(arrival, list, beside)
        except StorageFull:
            self._count(draft, "storage-full")
            return reply.INSUFFICIENT_STORAGE
        except VaultError as error:
            self._desk.on_event("message.not_kept", {"error": type(error).__name__})
            return reply.LOCAL_ERROR

    async def _recall(self, draft: Draft, body: AsyncIterator[bytes]) -> Reply:
        """Give back what this sender sent under this transfer id, if nobody opened it.

        Nobody else knows that mark: it is made of the sender's domain, for which the peer's
        certificate speaks, and found here only if it is what we took.
        """
        async for _ in body:
            pass
        if len(draft.recipients) != 1 or draft.peer.listener != RELAY:
            return ONE_AT_A_TIME
        (recipient,) = draft.recipients
        verdict = self._verdict(self._question(draft), recipient.address)
        if verdict.action is not Action.ALLOW:
            return verdict.reply
        copy, sender = (
            self._books.spool.taken(self._transfers.mark(draft, recipient)),
            draft.mail.mail_from,
        )
        theirs = copy.message.mail.mail_from if copy is not None else None
        if copy is None or sender is None or theirs is None or key(theirs) != key(sender):
            return NOTHING_OF_THAT_NAME
        said = await self._withdrawing.withdraw(copy, self._refusing.actor(draft))
        self._after()
        return said

    def heard(self, draft: Draft, *, certain: bool) -> None:
        """A peer has read the reply to a message, or left and may not have."""
        self.unheard.heard(draft, certain=certain)

    async def abandoned(self, draft: Draft) -> None:
        """Tell a sender of ours who was refused, when no message came of it."""
        now = self._desk.clock()
        summary = Summary(author=draft.mail.mail_from)
        message = Message(new_message_id(now), now, 0, draft.peer.listener, draft.mail, summary)
        statements = self._refusing.kept(draft, message)
        statements += await self._refusing.noticed(draft, message, b"")
        await self._books.database.commit(statements)
        self._after()

    async def _report(self, arrival: Arrival, beside: Beside) -> Reply:
        """Take a report: what it says moves deliveries, and its reader sees it if it asked to."""
        # It may overtake our own note of what it reports on, which is on its way to the disk.
        await self._books.database.settled()
        answer = self._answers.read(arrival)
        if isinstance(answer, Reply):
            return await self._reject(arrival, answer)
        if answer is None:
            return await self._keep(arrival, list, beside)
        if answer.wanted or len(arrival.draft.recipients) > 1:
            return await self._keep(arrival, answer.meaning, beside)
        await arrival.drained()
        await self._committed(answer.meaning)
        self._after(due=False)
        return Reply(250, "2.0.0", "Noted")

    async def _keep(
        self, arrival: Arrival, also: Callable[[], list[Statement]], beside: Beside
    ) -> Reply:
        """Seal the body, decide again, commit; then it is ours, and only then we say so."""
        draft, door = arrival.draft, arrival.draft.peer.listener
        unseen, before = self._transfers.known(draft)
        if not unseen:  # another Sceau sends again what we took: our 250 was lost on its way
            await arrival.drained()
            return await self._doorstep.again(draft, before)
        await self._doorstep.untold(before)
        if isinstance(mark := taking.announced(arrival, self._desk), Reply):
            return await self._reject(arrival, mark)
        passage = Passage.of(arrival, self._desk)
        filing = Filing.of(draft, self._books, passage)
        repeats = Repeats.of(self._books, self._once, arrival)
        sealed = await self._books.vault.put(passage.blocks(), seen=repeats.see)
        repeats = repeats.among(unseen)
        if repeats.answers(unseen):
            await self._books.vault.discard(sealed)
            return await self._again(arrival, repeats, beside)
        unseen = repeats.known.fresh(unseen)
        # Asked again though RCPT asked already: the list may have changed during DATA, and this
        # is the answer the journal keeps.
        question = self._question(draft)
        decided = [(one, self._verdict(question, one.address)) for one in unseen]
        size = sealed.size if mark is None else mark.size
        heard = self._conversing.heard(arrival, size, decided)
        heard = self._reaching.heard(sealed.size, heard)
        screened = self._desk.screening.screen(draft, heard, arrival.at)
        verdicts = (verdict for _, verdict in screened.decided)
        refusal = self._left(draft) or nothing_to_keep(verdicts, door)
        if refusal is not None:
            await self._books.vault.discard(sealed)
            return await self._reject(arrival, refusal)
        critical = self._critical(arrival)
        lease = self._onward.room({domain_of(one.address) for one in unseen}, urgent=critical)
        message = arrival.message(sealed.size, ascii_only=passage.ascii, critical=critical)
        entered = entrance(self._desk, message, screened, lease, self._onward.pause)
        also = await self._conversing.keeping(arrival, screened.decided, also)
        at_hand = AtHand(passage.start if arrival.whole else None, passage.letter)
        entered = await self._doorstep.placed(draft, entered, at_hand)
        known = [*repeats.keeping(entered), *repeats.told(self._refusing.actor(draft))]
        copies = repeats.copies(entered)
        entered, noticed = await self._enter(
            arrival, entered, sealed, filing, lambda: [*known, *also(), *beside(copies)]
        )
        self._desk.metrics.accepted.labels(door).inc()
        if screened.opened or mark is not None:
            taking.ring(self._desk, entered.message)
        if entered.placed:
            self._after(due=noticed)
            return self._doorstep.said(draft, entered)
        self._onward.carry(entered.claimed, at_hand)
        self._after(due=noticed or entered.due)
        return Reply(250, "2.0.0", f"Accepted, reference {entered.message.reference}")

    async def _again(self, arrival: Arrival, repeats: Repeats, beside: Beside) -> Reply:
        """Answer for a mail that nobody is to have now."""
        if repeats.known.other:
            return await self._reject(arrival, OTHER_MAIL)
        told = repeats.told(self._refusing.actor(arrival.draft))
        await self._books.database.commit([*told, *beside(repeats.copies())])
        return repeats.said

    async def _enter(
        self,
        arrival: Arrival,
        entered: Entrance,
        sealed: Sealed,
        filing: Filing | None,
        also: Callable[[], list[Statement]],
    ) -> tuple[Entrance, bool]:
        """Commit a message with all that belongs to it; return it, and whether its sender has a notice.

        Where the mailboxes are not as they were a moment ago it is committed for the courier to deliver.
        """
        draft, message = arrival.draft, entered.message
        header = arrival.top + arrival.block
        try:
            notices = await self._notices.reporting(message, entered.results, header)
            notices += await self._refusing.noticed(draft, message, header, entered.taken)
            sent = [] if filing is None else await filing.statements(message)
            holders = [filing.holder] if filing is not None and sent else []
            fixed = [
                *taking.entering(arrival, self._desk, message, entered.screened),
                *sent,
                *self._transfers.marking(draft, entered),
                *self._promised(arrival, message),
                *self._refusing.kept(draft, message),
                *notices,
            ]

            def statements() -> list[Statement]:
                actor = self._refusing.actor(draft)
                own = entered.statements(self._books, sealed, actor, holders)
                return [*own, *fixed, *self._doorstep.noting(entered), *also()]

            try:
                await self._committed(statements)
            except Conflict:
                if not entered.placed:
                    raise
                entered = replace(entered, placed=())
                await self._committed(statements)
        except (Conflict, StorageFull):  # undone for certain; after any other error a row may stand
            await self._books.vault.discard(sealed)
            raise
        except VaultError:
            self._doorstep.doubted(entered)
            raise
        return entered, bool(notices)

    def _promised(self, arrival: Arrival, message: Message) -> list[Statement]:
        """Return what promises the last answers by a time, where somebody of ours is to have them."""
        mailbox = None if arrival.draft.peer.login is None else self._books.sender(message)
        if mailbox is None:
            return []
        desk = self._desk
        due = desk.terms.deadline(mailbox.kind, arrival.within, message.arrived)
        watched: list[Statement] = []
        if message.summary.critical:
            due = desk.urgency.due(mailbox.address, message.arrived, due)
            refused = [(one.recipient.address, one.reply) for one in arrival.draft.refused]
            watched = [desk.criticals.watching(message, mailbox.address, due, refused)]
        promises = Deadlines(self._books.database)
        return watched if due is None else [promises.adding(message.id, due), *watched]

    def _critical(self, arrival: Arrival) -> bool:
        """Whether it overtakes the others: nobody but a mailbox of ours may ask for that."""
        draft, sender = arrival.draft, arrival.draft.mail.mail_from
        if draft.peer.login is None or sender is None:
            return False
        return self._desk.urgency.asked(arrival.header, sender)

    def _left(self, draft: Draft) -> Reply | None:
        """Return why who logged in may send no more: its mailbox changed during DATA."""
        if draft.peer.login is None:
            return None
        mailbox, sender = self._books.accounts.find(draft.peer.login), draft.mail.mail_from
        if mailbox is None or not mailbox.sends:
            return MAILBOX_LEFT
        return None if sender is None or self._speaks(draft.peer.login, sender) else SHARE_LEFT

    def _speaks(self, login: Address, sender: Address) -> bool:
        """Whether who logged in may send as this: as itself, or as one who shares its mailbox."""
        if login == sender or key(login) == key(sender):
            return True
        person = self._books.accounts.find(login)
        return person is not None and self._books.shares.may_post(person, sender)

    async def _committed(self, statements: Callable[[], list[Statement]]) -> None:
        """Commit, again if a neighbour moved in between what these statements stand on."""
        for _ in range(_TRIES - 1):
            try:
                await self._books.database.commit(statements())
            except Conflict:
                continue
            return
        await self._books.database.commit(statements())

    async def _reject(self, arrival: Arrival, said: Reply) -> Reply:
        """Refuse a whole message, in the journal too; a sender of ours finds a notice."""
        draft = arrival.draft
        self._count(draft, "message-refused")
        message = arrival.message(0, critical=self._critical(arrival))
        entry = self._books.journal.entry(
            arrival.at,
            "message.refused",
            self._refusing.actor(draft),
            message=arrival.id,
            who=draft.mail.mail_from,
            said=str(said),
        )
        refusals = (*draft.refused, *(Refusal(one, said) for one in draft.recipients))
        draft = replace(draft, refused=refusals, recipients=())
        notices = await self._refusing.noticed(draft, message, arrival.header.raw)
        kept = [*self._refusing.kept(draft, message), *self._refusing.lost(draft, message)]
        await self._books.database.commit([entry, *kept, *notices])
        self._after()
        return said

    def _question(self, draft: Draft) -> Question:
        desk, peer, sender = self._desk, draft.peer, draft.mail.mail_from
        login = peer.login
        if login not in {None, sender} and sender is not None and self._speaks(login, sender):
            peer = replace(peer, login=sender)  # to the trust list, the one it speaks as
        return Question(sender, peer, desk.keeper.current, desk.clock(), desk.domains)

    def _verdict(self, question: Question, recipient: Address) -> Verdict:
        if question.peer.listener in DOORS and ambiguous.number(recipient) is not None:
            return Verdict(Action.HOLD, ambiguous.REASON, reply.RECIPIENT_OK)
        if domain_of(recipient) not in self._desk.domains:
            return question.about(recipient)
        return question.about(recipient, missing(self._books.accounts.find(recipient)))

    def _count(self, draft: Draft, reason: str) -> None:
        self._desk.metrics.refused.labels(draft.peer.listener, reason).inc()

    def _after(self, *, due: bool = True) -> None:
        """Wake those who carry on; the rows alone would do, a little later."""
        if due:
            self._onward.ring()
        self._books.outbox.bell.set()
