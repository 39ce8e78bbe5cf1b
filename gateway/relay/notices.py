"""What we write to senders ourselves: reports on deliveries, and notices of refused recipients.

Each is a message of ours with a null reverse-path, spooled like any other in the transaction that
it reports on, and never answered. Composing reads the original's header, so it comes before that
transaction drops the key to it. RFC 3461 §6, RFC 3464, RFC 5321 §4.5.5; HAZARDS (f).
"""

import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from gateway.accounts.throttle import Throttle
from gateway.receipts import bounce
from gateway.receipts.bounce import Ended, Why
from gateway.relay.claims import Claims
from gateway.relay.delivery import Delivery, State, delivery_id, holder
from gateway.relay.desk import Desk
from gateway.relay.message import Copy, Door, Message, Summary
from gateway.relay.results import Notice, Result, original
from quarantine import notice as quarantined
from smtp.address import Address, domain_of
from smtp.envelope import Body, Mail, Notify, Recipient, Refusal, Ret, new_message_id
from smtp.message import dsn
from smtp.message.dsn import Action, Fate, Kind, Letter, Report
from smtp.message.dsn_words import UNCONFIRMED, Words
from smtp.message.trace import date
from vault.database import Statement
from vault.errors import VaultError

_HEADER = 64 << 10  # as much of a header as a report returns
_WHOLE = 1 << 20  # a message beyond this is returned by its header alone
_NOTICES = 30  # refusals told by mail to one sender within the hour; the journal has them all
_SAID = frozenset({Notice.FAILED, Notice.DELAYED})  # the reply says why
_WAITS = frozenset({Notice.HELD, Notice.RELEASED})
_EXPLAINED = _SAID | {Notice.HELD}
_APART = _WAITS | {Notice.UNCONFIRMED}
_LETTERS = (frozenset(Notice) - _APART, *({one} for one in sorted(_APART)))  # one letter each
_ACTIONS = {
    Notice.FAILED: Action.FAILED,
    Notice.DELAYED: Action.DELAYED,
    Notice.RELAYED: Action.RELAYED,
    Notice.DELIVERED: Action.DELIVERED,
    Notice.HELD: Action.DELAYED,
    Notice.RELEASED: Action.DELAYED,
    Notice.UNCONFIRMED: Action.RELAYED,
}


@dataclass(frozen=True, slots=True)
class Notices:
    """One a gateway."""

    desk: Desk
    claims: Claims | None = None  # of who carries at once what is written here
    _throttle: Throttle = field(
        default_factory=lambda: Throttle(_NOTICES, timedelta(hours=1)), repr=False
    )
    _held: Throttle = field(
        default_factory=lambda: Throttle(_NOTICES, timedelta(hours=1)), repr=False
    )

    def claiming(self, claims: Claims) -> Self:
        """Return the same, for one transaction: what it spools is carried once that is committed."""
        return type(self)(self.desk, claims, self._throttle, self._held)

    async def reporting(
        self, message: Message, results: Sequence[Result], header: bytes | None = None
    ) -> list[Statement]:
        """Return the statements that tell a message's sender what became of these copies.

        ``header`` is the original's, where the vault does not have it yet.
        """
        to = message.mail.mail_from
        if to is None:
            return []
        here = domain_of(to) in self.desk.domains  # another gateway needs the report, for itself
        told = [
            (result, notice)
            for result in results
            if (notice := result.notice) and not (result.answered and here)
        ]
        if not told:
            return []
        returned = header
        if returned is None:
            returned = await self._original(message, [result for result, _ in told])
        statements = []
        for apart in _LETTERS:
            some = [(result, notice) for result, notice in told if notice in apart]
            if some and not (apart == {Notice.HELD} and self._many(to)):
                statements += await self._telling(message, to, some, returned)
        return statements

    async def _telling(
        self,
        message: Message,
        to: Address,
        told: Sequence[tuple[Result, Notice]],
        returned: bytes,
    ) -> list[Statement]:
        """Return the statements of one letter, about copies of which much the same is said."""
        fates = tuple(self._fate(result, notice) for result, notice in told)
        words = bounce.reporting(
            Ended(
                result.copy.recipient.address,
                result.after.said,
                expired=result.after.state is State.EXPIRED,
                why=self._why(result, notice),
            )
            for result, notice in told
            if notice in _EXPLAINED or (notice is Notice.RELEASED and result.why is not None)
        )
        result, notice = told[0]
        telling = None
        if notice is Notice.HELD:
            telling = quarantined.held(result.after.changed + self.desk.books.review.keep)
        elif notice is Notice.RELEASED:
            telling = quarantined.RELEASED
        elif notice is Notice.UNCONFIRMED:
            telling = UNCONFIRMED
        return await self._spooling(message, to, fates, returned, _Words(*words, telling))

    def _why(self, result: Result, notice: Notice) -> Why | None:
        return Why(*quarantined.because(result.reasons)) if notice is Notice.HELD else result.why

    def _many(self, to: Address) -> bool:
        """Whether a sender was told of so many held messages that mail would bury the rest."""
        now = self.desk.clock()
        if self._held.locked(to, now):
            return True
        self._held.failed(to, now)
        return False

    async def refusing(
        self,
        message: Message,
        header: bytes,
        refusals: Sequence[Refusal],
        taken: Sequence[Address] = (),
    ) -> list[Statement]:
        """Return the statements that tell a sender of ours who was refused at the door, and why."""
        to = message.mail.mail_from
        if to is None or not refusals or self._throttle.locked(to, message.arrived):
            return []
        self._throttle.failed(to, message.arrived)
        fates = tuple(
            Fate(
                final=refusal.recipient.address,
                action=Action.FAILED,
                status=refusal.reply.enhanced,
                original=original(refusal.recipient),
                diagnostic=str(refusal.reply),
            )
            for refusal in refusals
        )
        words = _Words(*bounce.refusing(refusals, taken))
        return await self._spooling(message, to, fates, header, words)

    def _fate(self, result: Result, notice: Notice) -> Fate:
        copy, after = result.copy, result.after
        said = after.said
        status = said.enhanced if said else ""
        if after.state is State.EXPIRED:
            status = "4.4.7"
        elif notice in _WAITS:
            status = "4.7.0"
        foreign = copy.domain not in self.desk.domains
        return Fate(
            final=copy.recipient.address,
            action=_ACTIONS[notice],
            status=status,
            original=original(copy.recipient),
            diagnostic=str(said) if said and notice in _SAID else "",
            remote_mta=copy.domain if foreign and after.attempts else "",
            last_attempt=after.changed if after.attempts else None,
            retry_until=after.expires if notice is Notice.DELAYED else None,
            answered=result.answered,
        )

    async def _original(self, message: Message, results: Sequence[Result]) -> bytes:
        """Return as much of the original as the report gives back."""
        whole = message.mail.ret is Ret.FULL and message.size <= _WHOLE
        end = message.size if whole else min(message.size, _HEADER)
        try:
            return await self.desk.books.vault.read(holder(results[0].copy.delivery.id), 0, end)
        except VaultError:  # a body that is gone or broken is no reason to say nothing
            return b""

    async def _spooling(
        self,
        message: Message,
        to: Address,
        fates: tuple[Fate, ...],
        returned: bytes,
        words: "_Words",
    ) -> list[Statement]:
        now = self.desk.clock()
        made = new_message_id(now)
        report = Report(
            kind=Kind.STATUS,
            reporting_mta=self.desk.host,
            recipients=fates,
            original_envelope_id=message.mail.envid,
            original_message_id=message.summary.message_id or None,
            arrived=message.arrived,
        )
        letter = Letter(
            sender=Address(self.desk.postmaster),
            to=to,
            message_id=f"<{made}@{self.desk.host}>",
            now=now,
            original=returned,
            ret=message.mail.ret or Ret.HDRS,
            reference=message.reference,
            french=words.french,
            english=words.english,
            telling=words.telling,
        )
        content = dsn.compose(report, letter)
        body = Body.SEVEN_BIT if content.isascii() else Body.EIGHT_BIT
        own = Message(
            id=made,
            arrived=now,
            size=len(content),
            door=Door.REPORT,
            mail=Mail(None, body=body, smtputf8=not to.isascii()),
            summary=_summary(letter, content),
        )
        return await self._entering(own, to, content, now, message)

    async def _entering(
        self, own: Message, to: Address, content: bytes, now: datetime, about: Message
    ) -> list[Statement]:
        entry = self.desk.books.journal.entry(
            now, "notice.spooled", "gateway", message=about.id, whom=to, notice=own.id
        )
        return [*await self.spooling(own, to, content), entry]

    async def alerting(
        self, to: Address, subject: str, words: str, notify: frozenset[Notify] | None = None
    ) -> list[Statement]:
        """Return the statements that tell an operator something by mail.

        From our postmaster, not from nobody: it may go to a peer, whose gateway asks in whose name.
        Subject and words are ours; no list's and no peer's words belong into the header.
        """
        desk, now = self.desk, self.desk.clock()
        made, sender = new_message_id(now), Address(desk.postmaster)
        head = (
            f"From: Sceau <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: {date(now)}\r\n"
            f"Message-ID: <{made}@{desk.host}>\r\nAuto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n"
        )
        coded = base64.encodebytes(words.replace("\n", "\r\n").encode())
        content = head.encode() + coded.replace(b"\n", b"\r\n")
        body = Body.SEVEN_BIT if content.isascii() else Body.EIGHT_BIT
        own = Message(
            id=made,
            arrived=now,
            size=len(content),
            door=Door.REPORT,
            mail=Mail(sender, body=body, smtputf8=not (to + sender).isascii()),
            summary=Summary(
                sender, f"Sceau <{sender}>", subject, date(now), f"<{made}@{desk.host}>"
            ),
        )
        entry = desk.books.journal.entry(now, "alert.spooled", "gateway", message=made, whom=to)
        return [*await self.spooling(own, to, content, notify), entry]

    async def spooling(
        self,
        own: Message,
        to: Address,
        content: bytes,
        notify: frozenset[Notify] | None = None,
    ) -> list[Statement]:
        """Return the statements that put a message of ours into the spool."""
        books, now = self.desk.books, own.arrived
        sealed = await books.vault.put(_one(content), own=True)
        queued = Delivery(
            delivery_id(own.id, 1),
            State.QUEUED,
            changed=now,
            expires=now + self.desk.schedule.expire_after,
            due=now,
        )
        copy = Copy(own, Recipient(to, notify), queued)
        if self.claims is not None:
            copy = self.claims.claimed(copy, content)
        return [
            *books.vault.holding(sealed, [holder(queued.id)]),
            *books.spool.entering(own, [copy]),
        ]


class _Words(NamedTuple):
    """What a letter says to a person, beside what becomes of each copy."""

    french: str
    english: str
    telling: Words | None = None


def _summary(letter: Letter, content: bytes) -> Summary:
    subject = content.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
    sender = f"Sceau <{letter.sender}>"
    return Summary(letter.sender, sender, subject, date(letter.now), letter.message_id)


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
