"""Reports that come in: read, matched with what passed here, turned into what they change.

On relay a report moves deliveries only if it comes from whoever was given the copy; at submission
only a reading report is taken, from the mailbox that was given it. RFC 3464, RFC 8098.
"""

import base64
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from gateway.accounts.credentials import fingerprint
from gateway.documents.codes import Failure
from gateway.receipts.recalled import Outcome
from gateway.receipts.receipt import Kind as Told
from gateway.relay.arrival import Arrival
from gateway.relay.delivery import Event, State
from gateway.relay.desk import Desk
from gateway.relay.message import Copy
from gateway.relay.proof import ProofError, enclosed, verified
from gateway.relay.reports import NO_ANSWER, NOT_A_REPORT, Finding, by_subject, findings, numbered
from gateway.relay.verdict import RELAY
from smtp.address import Address, key
from smtp.message.dsn import Kind, Report
from smtp.message.dsn_reader import read
from smtp.reply import Reply, printable
from trust.decision import speaks_for
from vault.database import Statement

_SOFTWARE = frozenset({Told.FILED, Told.UNFILED})
_LEFT = frozenset({State.RELAYED, State.UNCONFIRMED})  # their 250 is on record


@dataclass(slots=True)
class Answer:
    """A report that answers something.

    What it means is read again when it is asked once more: then a row that it moves was moved by
    another since.
    """

    answers: "Answers"
    arrival: Arrival
    report: Report
    found: tuple[Finding, ...] | Reply  # what it says of our copies as they stood when asked
    asked: bool = False

    @property
    def wanted(self) -> bool:
        """Whether its reader is to have it, and not only the receipts."""
        return not isinstance(self.found, Reply) and any(one.wanted for one in self.found)

    def meaning(self) -> list[Statement]:
        """Return the statements that carry out what it says."""
        if self.asked:
            self.found = self.answers.found(self.arrival, self.report)
        self.asked, found, now = True, self.found, self.arrival.at
        if isinstance(found, Reply):
            return []
        proofs = [s for finding in found for s in self.answers.proving(finding, self.arrival)]
        proving = bool(enclosed(self.arrival.rest))  # of a recall: no program speaks in it
        return [
            *proofs,
            *(s for finding in found for s in self.answers.meaning(finding, now, proving=proving)),
        ]


@dataclass(frozen=True, slots=True)
class Answers:
    """One a gateway."""

    desk: Desk

    def read(self, arrival: Arrival) -> Answer | Reply | None:
        """Return what a report says, or why it is not taken; its parts for programs come early.

        None: it came with a return path and answers nothing here; it is a message like others.
        """
        null = arrival.draft.mail.mail_from is None
        report = read(arrival.header, arrival.rest)
        report = numbered(report, arrival.header) if report else by_subject(arrival.header)
        if report is None or (report.kind is Kind.STATUS and self._submitted(arrival)):
            return NOT_A_REPORT if null else None
        found = self.found(arrival, report)
        if isinstance(found, Reply):
            return found if null else None
        return Answer(self, arrival, report, found)

    def found(self, arrival: Arrival, report: Report) -> tuple[Finding, ...] | Reply:
        """Return what a report says of our copies."""
        if not arrival.draft.recipients:
            return NO_ANSWER
        reader = arrival.draft.recipients[0].address
        copies = self._copies(arrival, report, reader)
        heard = findings(report, copies, lambda copy: self._theirs(arrival, copy))
        return heard if isinstance(heard, Reply) else tuple(map(self._weighed, heard))

    def _weighed(self, finding: Finding) -> Finding:
        """Return what a report is worth: that a link arrived is not that its reader has the document."""
        large, copy = self.desk.large, finding.copy
        if large is None or finding.event is not Event.CONFIRMED:
            return finding
        link = large.links.of(copy.message.id, copy.domain)
        if link is None or not link.reader:
            return finding
        return replace(finding, event=None, wanted=False)

    def _copies(self, arrival: Arrival, report: Report, reader: Address) -> list[Copy]:
        spool, message_id = self.desk.books.spool, report.original_message_id
        if not self._submitted(arrival):
            return spool.sent_by(reader, envid=report.original_envelope_id, message_id=message_id)
        login = arrival.draft.peer.login
        if login is None or message_id is None:
            return []
        given = spool.given_to(login, message_id)
        return [c for c in given if key(c.message.mail.mail_from or Address("")) == key(reader)]

    def _theirs(self, arrival: Arrival, copy: Copy) -> bool:
        """Whether the copy was given to whoever reports on it now."""
        peer = arrival.draft.peer
        if not copy.delivery.attempts:  # it is held, say: nobody has it yet
            return False
        if self._submitted(arrival):
            return peer.login is not None and key(peer.login) == key(copy.recipient.address)
        now, listed = arrival.at, self.desk.keeper.current
        return speaks_for(peer, copy.domain, listed, now)

    def _submitted(self, arrival: Arrival) -> bool:
        return arrival.draft.peer.listener != RELAY

    def proving(self, finding: Finding, arrival: Arrival) -> list[Statement]:
        """Return what the journal, and software, keep of a recall that the peer proves it did."""
        envelope, certificate = enclosed(arrival.rest), arrival.draft.peer.certificate
        if envelope is None or certificate is None:
            return []
        books, copy = self.desk.books, finding.copy
        standing = msgspec.structs.replace(copy.delivery, changed=arrival.at)
        try:
            said = verified(envelope, certificate)
            if (said.transfer, key(Address(said.recipient))) != (
                copy.message.id,
                key(copy.recipient.address),
            ):
                raise ProofError("it proves what became of another message")
        except ProofError as error:
            return [
                books.told(
                    copy, standing, "recall.unproven", arrival.at, reason=printable(str(error))
                )
            ]
        entry = books.journal.entry(
            arrival.at,
            "recall.proved",
            f"peer:{fingerprint(certificate)}",
            message=copy.message.id,
            whom=copy.recipient.address,
            reason=said.outcome,
            proof=base64.b64encode(envelope).decode(),
        )
        gone = said.outcome in {Outcome.WITHDRAWN, Outcome.CANCELLED}
        told = books.receipt(copy, standing, "recalled", Told.WITHDRAWN) if gone else []
        return [entry, *told]

    def meaning(self, finding: Finding, now: datetime, *, proving: bool = False) -> list[Statement]:
        """Return the statements that carry out what a report says of one copy."""
        books, copy = self.desk.books, finding.copy
        after = finding.after(now)
        if finding.receipt in _SOFTWARE and not proving:
            return self.applied(copy, finding.failure, now)
        if after is None:
            standing = msgspec.structs.replace(copy.delivery, changed=now, said=finding.said)
            event = "delivery.read" if finding.receipt is Told.READ else "delivery.reported"
            told = books.told(copy, standing, event, now, reason=finding.action)
            if finding.receipt is None:
                return [told]
            kind = Told.HANDLED if finding.receipt in _SOFTWARE else finding.receipt
            return [told, *books.receipt(copy, standing, finding.action, kind)]
        # Their report may overtake our own record of their 250.
        early = finding.event is Event.CONFIRMED and copy.delivery.state not in _LEFT
        relayed = books.relayed(copy, after) if early else []
        applied: list[Statement] = []
        if finding.failure is not None:  # their server says what their software says
            applied = self.applied(
                msgspec.structs.replace(copy, delivery=after), finding.failure, now
            )
        return [*relayed, *books.moving(copy, after, reason="reported"), *applied]

    def applied(self, copy: Copy, failure: Failure | None, now: datetime) -> list[Statement]:
        """Return what it means that software filed a copy, or did not."""
        told = self.desk.books.applied(copy, failure, now)
        if told:
            answer = "filed" if failure is None else failure.slug
            self.desk.metrics.applications.labels(answer).inc()
        return told
