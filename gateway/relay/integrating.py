"""What a mailbox's program made of a document, told to who sent it: filed, or by which number not.

The report is the French framework's: the same words in ``Disposition``, in ``Error`` and, for people, in
the text; ``[KO ...][902]`` before the subject; the message given back. Its sender has it if it asked
for one (R-F2), an error mailbox has every failure. Delivery is another matter, and reported apart.
R-E7, R-F3 to R-F5; RFC 8098 §2.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from gateway.documents import codes
from gateway.documents.codes import Failure
from gateway.documents.packing import coded
from gateway.relay.applications import Applications
from gateway.relay.books import GATEWAY
from gateway.relay.delivery import State, holder
from gateway.relay.desk import Desk
from gateway.relay.lanes import Attempt
from gateway.relay.message import Copy, Door, Message, Summary
from gateway.relay.notices import Notices
from gateway.relay.placing import Placing, asks_for_a_receipt
from gateway.relay.results import Result, original
from smtp.address import Address
from smtp.envelope import Body, Mail, new_message_id
from smtp.message import mdn
from smtp.message.fields import words
from smtp.message.header import Header
from smtp.message.trace import date
from vault.database import Statement

WHOLE = 1 << 20  # a message beyond this is given back by its header alone
HEADER = 64 << 10
_FILED = (
    "Le document a été intégré par le logiciel de {who}, le {at}.",
    "The document was filed by the software of {who} on {at}.",
)
_NOT_FILED = (
    (
        "Le document n'a pas pu être intégré automatiquement par le logiciel de {who}, le {at}, pour la raison"
        " suivante : %s.\n\nCe logiciel ne l'a pas dans le dossier du patient. Corrigez-le et renvoyez-le, ou"
        " faites-le parvenir par un autre moyen."
    ),
    (
        "The document could not be filed automatically by the software of {who} on {at}, for this reason:"
        " %s.\n\nThat software does not have it in the patient's record. Correct it and send it again, or let"
        " it arrive by other means."
    ),
)
_NOT_TAKEN_SUBJECT = "Document non pris par le logiciel / Document not taken by the software"
_NOT_TAKEN = (
    (
        "Le logiciel de {who} n'a pas pris le document {reference}, arrivé le {at:%d/%m/%Y à %H:%M} UTC :"
        " il n'a pas répondu, ou l'a remis à plus tard, aussi longtemps qu'on l'a essayé.\n\nLe message"
        " est dans cette boîte, à côté de cet avis : classez-le à la main."
    ),
    (
        "The software of {who} did not take the document {reference}, which came on {at:%Y-%m-%d at %H:%M}"
        " UTC: it gave no answer, or put it off, for as long as it was tried.\n\nThe message lies in"
        " this mailbox, beside this notice: file it by hand."
    ),
)
_TOLD = (
    " Son expéditeur est prévenu qu'il n'a pas été remis.",
    " Its sender is told that it was not delivered.",
)
_COPIED = (
    " La personne à qui il était écrit l'a reçu.",
    " The person to whom it was written has it.",
)


class Verdict(NamedTuple):
    """What a program says of one copy."""

    copy: Copy
    failure: Failure | None  # None: it has filed it
    returned: bytes  # the message, or as much of its header as there is


@dataclass(frozen=True, slots=True)
class Integrating:
    """One a gateway."""

    desk: Desk

    async def acknowledged(self, one: Attempt, result: Result, errors: Address | None) -> Result:
        """Return it with what a program's acknowledgement means beside the delivery it settles."""
        match result.after.state:
            case State.DELIVERED:
                failure, aside = None, list[Statement]()
            case State.FAILED:
                failure = _failure(result)
                placing = Placing(self.desk)
                aside = [] if errors is None else await placing.aside(one, result, errors)
            case _:
                return result
        most = 0 if failure is None else WHOLE  # what was filed is not sent back
        verdict = Verdict(result.copy, failure, await self._original(one, result.copy, most))
        asked = asks_for_a_receipt(header(verdict.returned), one.message)
        told = await self.telling(verdict, asked=asked, errors=errors if aside else None)
        return replace(
            result,
            also=(*result.also, *aside, *told),
            sends=True,
            answered=failure is not None and asked and bool(told),
        )

    async def expected(self, one: Attempt, result: Result) -> list[Statement]:
        """Return what remembers that a document's sender asked for an answer, which comes later."""
        if result.after.state is not State.DELIVERED:
            return []
        head = header(await self._original(one, result.copy, HEADER))
        if not asks_for_a_receipt(head, one.message):
            return []
        return [Applications(self.desk.books.database).asking(result.copy)]

    async def expired(self, one: Attempt, result: Result, errors: Address) -> list[Statement]:
        """Return what puts before a person what a program did not take as long as it was tried.

        It made nothing of the document, so nothing is answered; that it was not delivered is told
        as of any mail, but of a copy, whose sender knows nothing of it.
        """
        message = one.message
        aside = await Placing(self.desk).aside(one, result, errors)
        if not aside:
            return []
        more = _COPIED if message.door == Door.COPY else _TOLD
        text = "\n\n".join(
            words.format(
                who=result.copy.recipient.address, reference=message.reference, at=message.arrived
            )
            + also
            for words, also in zip(_NOT_TAKEN, more, strict=True)
        )
        told = await Notices(self.desk).alerting(errors, _NOT_TAKEN_SUBJECT, text + "\n")
        return [*aside, *told]

    async def telling(
        self, verdict: Verdict, *, asked: bool, errors: Address | None, actor: str = GATEWAY
    ) -> list[Statement]:
        """Return the statements that tell everybody concerned what a program says of a copy."""
        books, now = self.desk.books, self.desk.clock()
        applied = books.applied(verdict.copy, verdict.failure, now, actor)
        sender = verdict.copy.message.mail.mail_from
        if not applied:  # it said so before
            return []
        answer = "filed" if verdict.failure is None else verdict.failure.slug
        self.desk.metrics.applications.labels(answer).inc()
        to = [sender] if asked and sender is not None else []
        if errors is not None and verdict.failure is not None:
            to.append(errors)
        return [*applied, *[s for who in to for s in await self._reporting(verdict, who)]]

    async def _original(self, one: Attempt, copy: Copy, most: int = WHOLE) -> bytes:
        """Return the message, or where it is longer its header alone."""
        size = one.message.size
        if one.content is not None:
            whole = one.content
        else:
            end = size if size <= most else min(size, HEADER)
            whole = await self.desk.books.vault.read(holder(copy.delivery.id), 0, end)
        return whole if size <= most else whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    async def _reporting(self, verdict: Verdict, to: Address) -> Sequence[Statement]:
        """Return the statements of one report."""
        desk, now, copy = self.desk, self.desk.clock(), verdict.copy
        reader, made = copy.recipient.address, new_message_id(now)
        subject = words(copy.message.summary.subject)
        if verdict.failure is not None:
            subject = codes.subject(verdict.failure, subject)
        content = mdn.compose(
            mdn.Opened(
                reader=reader,
                sender=to,
                host=desk.host,
                message_id=f"<{made}@{desk.host}>",
                at=now,
                now=now,
                original=original(copy.recipient),
                original_message_id=copy.message.summary.message_id,
                envelope_id=copy.message.mail.envid or "",
                reference=copy.message.reference,
                subject=coded(subject, len("Subject: ")),
                words=_words(verdict.failure),
                disposition=codes.disposition(verdict.failure),
                error=verdict.failure.plain if verdict.failure is not None else "",
                returned=verdict.returned,
            )
        )
        body = Body.SEVEN_BIT if content.isascii() else Body.EIGHT_BIT
        summary = Summary(reader, f"<{reader}>", subject, date(now), f"<{made}@{desk.host}>")
        mail = Mail(None, body=body, smtputf8=not (to + reader).isascii())
        own = Message(made, now, len(content), Door.REPORT, mail, summary)
        return await Notices(desk).spooling(own, to, content)


def _failure(result: Result) -> Failure:
    said = result.after.said
    return (codes.numbered(said.text) if said is not None else None) or Failure.OTHER


def header(content: bytes) -> Header:
    """Return the header of a message, or of its beginning."""
    return Header.skim(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")


def _words(failure: Failure | None) -> tuple[str, str]:
    if failure is None:
        return _FILED
    french, english = _NOT_FILED
    return french % f"{failure:d} {failure.french}", english % f"{failure:d} {failure.english}"
