"""Mail to and from citizens at the door: what the list allows is asked of their threads too.

Nobody else's mail is touched. What a message makes of its thread is committed with the message, again if a
neighbour moved it meanwhile. A citizen who writes is answered once a thread, in the mailbox's own
name: it is read when it is read, and in an emergency one calls 15. R-G2, R-G3, R-G4, R-G5; RFC 3834.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTPUTF8

from gateway.relay.arrival import Arrival
from gateway.relay.books import GATEWAY
from gateway.relay.desk import Desk
from gateway.relay.exchanges import Exchange, Exchanges
from gateway.relay.message import Door, Message, Summary
from gateway.relay.notices import Notices
from gateway.relay.reports import is_report
from gateway.relay.threads import Objection, Pair, Rules, Threads, Written, at_rcpt, replied, wrote
from gateway.relay.verdict import Verdict
from smtp import reply
from smtp.address import Address, domain_of, key
from smtp.envelope import Draft, Mail, Notify, Recipient, new_message_id
from smtp.message.header import HeaderError, mailboxes
from smtp.message.trace import date
from smtp.reply import Reply
from trust.decision import Action
from vault.database import Statement

Statements = Callable[[], list[Statement]]
Decided = Sequence[tuple[Recipient, Verdict]]

_SAID: Mapping[Objection, Reply] = {
    Objection.NOT_BEGUN: reply.CITIZEN_NOT_BEGUN,
    Objection.CLOSED: reply.CITIZEN_CLOSED,
    Objection.OPPOSED: reply.CITIZEN_OBJECTS,
    Objection.AMONG_CITIZENS: reply.CITIZEN_TO_CITIZEN,
    Objection.NO_CITIZEN: reply.CITIZEN_UNKNOWN,
}
_SUBJECT = "Réponse automatique : message bien reçu"
_REPLY_TO = 4  # addresses of Reply-To that a citizen may answer to


@dataclass(frozen=True, slots=True)
class Conversing:
    """One an intake; where the house knows no citizens it costs nothing."""

    desk: Desk
    notices: Notices

    def at_rcpt(self, draft: Draft, recipient: Address, verdict: Verdict) -> Verdict:
        """Return the verdict on a recipient, as far as it is known before any content."""
        exchanges, sender = self.desk.exchanges, draft.mail.mail_from
        if exchanges is None or sender is None or not exchanges.rules.concern(sender, recipient):
            return verdict
        if verdict.action is Action.REFUSE or draft.mail.recall:
            return verdict
        size = draft.mail.size or 0
        objection = _objection(exchanges, sender, recipient, size, now=self.desk.clock())
        return _but(verdict, objection, exchanges.rules)

    def heard(self, arrival: Arrival, size: int, decided: Decided) -> Decided:
        """Return the verdicts once the content is here: which thread it answers, how large it is."""
        exchanges, sender = self.desk.exchanges, arrival.draft.mail.mail_from
        if exchanges is None or sender is None or not _concerned(exchanges.rules, sender, decided):
            return decided
        # A report answers in no thread; that it calls itself one opens nothing that RCPT did not.
        written = None if is_report(arrival.header) else _written(arrival)
        found = []
        for one, verdict in decided:
            objection = None
            if verdict.action is not Action.REFUSE:
                objection = _objection(
                    exchanges, sender, one.address, size, now=arrival.at, written=written
                )
            found.append((one, _but(verdict, objection, exchanges.rules)))
        return found

    async def keeping(self, arrival: Arrival, decided: Decided, also: Statements) -> Statements:
        """Return what is committed with a message: what it makes of threads with citizens, too."""
        exchanges, sender = self.desk.exchanges, arrival.draft.mail.mail_from
        if exchanges is None or sender is None or not _concerned(exchanges.rules, sender, decided):
            return also
        if is_report(arrival.header):
            return also
        pairs = _pairs(exchanges.rules, arrival, sender, decided)
        written, answers = _written(arrival), {}
        for pair in pairs:
            if pair.by_citizen and _step(exchanges, exchanges.of(pair, arrival.at), written)[1]:
                answers[pair] = await self._answer(exchanges.rules, arrival, pair)

        def statements() -> list[Statement]:
            moved = [
                each
                for pair in pairs
                for each in self._moved(exchanges, pair, written, answers.get(pair, []), arrival)
            ]
            return [*also(), *moved]

        return statements

    def _moved(
        self,
        exchanges: Exchanges,
        pair: Pair,
        written: Written,
        answer: list[Statement],
        arrival: Arrival,
    ) -> list[Statement]:
        """Return what a message makes of one pair's threads, as they stand now."""
        before = exchanges.of(pair, arrival.at)
        threads, due = _step(exchanges, before, written)
        if threads == before.threads:
            return []
        statements = [exchanges.moving(before, threads, arrival.at)]
        open_before = any(not each.closed for each in before.threads)
        open_after = any(not each.closed for each in threads)
        if open_before != open_after:
            statements.append(
                self.desk.books.journal.entry(
                    arrival.at,
                    "thread.opened" if open_after else "thread.closed",
                    GATEWAY,
                    message=arrival.id,
                    who=pair.professional,
                    whom=pair.citizen,
                )
            )
        return [*statements, *(answer if due else [])]

    async def _answer(self, rules: Rules, arrival: Arrival, pair: Pair) -> list[Statement]:
        """Return the statements that answer a citizen in the name of a mailbox of ours."""
        if domain_of(pair.professional) not in self.desk.domains or not rules.answer:
            return []
        now = arrival.at
        made = new_message_id(now)
        about = arrival.message(0).summary
        summary = Summary(
            author=pair.professional,
            sender=pair.professional,
            subject=_SUBJECT,
            date=date(now),
            message_id=f"<{made}@{self.desk.host}>",
        )
        content = _letter(pair, rules.answer, about.message_id, summary)
        mail = Mail(pair.professional, smtputf8=not (pair.professional + pair.citizen).isascii())
        own = Message(made, now, len(content), Door.ANSWER, mail, summary)
        entry = self.desk.books.journal.entry(
            now,
            "thread.answered",
            GATEWAY,
            message=arrival.id,
            who=pair.professional,
            whom=pair.citizen,
            notice=made,
        )
        never = frozenset({Notify.NEVER})
        return [*await self.notices.spooling(own, pair.citizen, content, never), entry]


def _concerned(rules: Rules, sender: Address, decided: Decided) -> bool:
    return any(rules.concern(sender, one.address) for one, _ in decided)


def _written(arrival: Arrival) -> Written:
    return Written.of(arrival.header, arrival.message(0).summary.message_id, arrival.at)


def _but(verdict: Verdict, objection: Objection | None, rules: Rules) -> Verdict:
    if objection is None:
        return verdict
    large = objection is Objection.TOO_LARGE
    said = reply.citizen_too_large(rules.largest) if large else _SAID[objection]
    return Verdict(Action.REFUSE, objection, said)


def _objection(
    exchanges: Exchanges,
    sender: Address,
    recipient: Address,
    size: int,
    *,
    now: datetime,
    written: Written | None = None,
) -> Objection | None:
    """Return why this may not be written; with ``written``, which thread it answers counts."""
    rules = exchanges.rules
    pair = rules.pair(sender, recipient)
    if not isinstance(pair, Pair):
        return pair
    if size > rules.largest:
        return Objection.TOO_LARGE
    if not pair.by_citizen:
        return Objection.OPPOSED if exchanges.objects(pair.citizen) else None
    if not rules.enforced:
        return None
    threads, first = exchanges.of(pair, now).threads, rules.first(pair.professional)
    if written is None:
        return at_rcpt(threads, first=first)
    return replied(threads, written, first=first).objection


def _step(exchanges: Exchanges, before: Exchange, written: Written) -> tuple[Threads, bool]:
    """Return a pair's threads with one message more, and whether its citizen is to be answered."""
    if not before.pair.by_citizen:
        return wrote(before.threads, written), False
    first = exchanges.rules.first(before.pair.professional) or not exchanges.rules.enforced
    step = replied(before.threads, written, first=first)
    return step.threads, step.answer


def _pairs(rules: Rules, arrival: Arrival, sender: Address, decided: Decided) -> list[Pair]:
    """Return everybody between whom this message counts.

    A professional's answer may be awaited elsewhere than where they write from: in From, where an
    application writes for them, or in Reply-To, within their own domain.
    """
    taken = [one.address for one, verdict in decided if verdict.action is not Action.REFUSE]
    pairs = [found for one in taken if isinstance(found := rules.pair(sender, one), Pair)]
    names = {key(each): each for each in (*_answered_to(arrival, sender), sender)}
    return [
        pair if pair.by_citizen else Pair(name, pair.citizen, by_citizen=False)
        for pair in pairs
        for name in ([sender] if pair.by_citizen else names.values())
    ]


def _answered_to(arrival: Arrival, sender: Address) -> list[Address]:
    try:
        named = [
            one.address for field in arrival.header.all("reply-to") for one in mailboxes(field)
        ]
    except HeaderError:
        named = []
    own = domain_of(sender)
    return [one for one in (*named[:_REPLY_TO], *arrival.said.authors[:1]) if domain_of(one) == own]


def _letter(pair: Pair, text: str, answered: str, summary: Summary) -> bytes:
    made = EmailMessage(policy=SMTPUTF8)
    made["From"] = f"<{pair.professional}>"
    made["To"] = f"<{pair.citizen}>"
    made["Subject"] = summary.subject
    made["Date"] = summary.date
    made["Message-ID"] = summary.message_id
    if answered.isprintable() and answered:
        made["In-Reply-To"] = made["References"] = answered
    made["Auto-Submitted"] = "auto-replied"
    made.set_content(text, cte="quoted-printable")
    return made.as_bytes()
