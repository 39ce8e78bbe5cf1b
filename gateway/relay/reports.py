"""What a report of somebody else means for the messages it answers.

A report moves a delivery only if it names a message that its reader sent, by ENVID or Message-ID,
a recipient of that message, and comes from whoever we handed that copy to. A null reverse-path
that answers nothing is how loops and forgeries travel; it is refused. RFC 3461 §6.3, RFC 3464 §4,
RFC 8098 §3.1; HOUSE idea 4; R-F1, R-F3.
"""

import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.documents import codes
from gateway.documents.codes import Failure
from gateway.receipts.receipt import Kind as Told
from gateway.relay.delivery import FINAL, TRANSITIONS, Delivery, Event, State, step
from gateway.relay.message import Copy
from gateway.relay.results import original
from smtp.address import AddressError, key, parse
from smtp.envelope import Notify
from smtp.message.dsn import Action, Fate, Kind, Report
from smtp.message.fields import words
from smtp.message.header import Header, HeaderError, mailboxes
from smtp.reply import Reply, printable

ONE_AT_A_TIME = Reply(
    550, "5.5.3", "A message without a return path goes to one recipient at a time"
)
NOT_A_REPORT = Reply(
    550, "5.7.1", "Without a return path only delivery and reading reports are taken; refused"
)
NO_ANSWER = Reply(
    550, "5.7.1", "The report answers no message that its reader sent through here; it was refused"
)
NOT_THEIRS = Reply(
    550, "5.7.1", "The report does not come from whoever was given the message; it was refused"
)

_EVENTS = {Action.DELIVERED: Event.CONFIRMED, Action.FAILED: Event.BOUNCED}
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_GRAVITY = (Action.FAILED, Action.DELIVERED, Action.DELAYED)
_ASKED = {
    Action.DELIVERED: Notify.SUCCESS,
    Action.RELAYED: Notify.SUCCESS,
    Action.EXPANDED: Notify.SUCCESS,
    Action.DELAYED: Notify.DELAY,
    Action.FAILED: Notify.FAILURE,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a report says of one copy of ours."""

    copy: Copy
    action: Action
    said: Reply
    event: Event | None = None  # what it does to the delivery, if anything
    receipt: Told | None = None  # what software is told beyond that
    wanted: bool = True  # the sender asked to see such reports
    failure: Failure | None = None  # why software could not file it

    def after(self, now: datetime) -> Delivery | None:
        """Return where the delivery stands then, if it moves."""
        return None if self.event is None else step(self.copy.delivery, self.event, now, self.said)


def is_report(header: Header) -> bool:
    """Whether the message is, by its type, an answer of a mail system or reader (RFC 6522)."""
    return (header.first("content-type") or b"").lower().startswith(b"multipart/report")


def answers(header: Header) -> bool:
    """Whether the message may answer one of ours: a report, or what says by its subject that it does."""
    return is_report(header) or by_subject(header) is not None


def findings(
    report: Report, copies: Iterable[Copy], theirs: Callable[[Copy], bool]
) -> tuple[Finding, ...] | Reply:
    """Return what a report says of these copies, or why it is not to be taken.

    ``theirs`` says whether a copy was given to whoever reports on it. One recipient of several
    that is not theirs is passed over: they may report on their own only. A copy that they passed
    on to several has one fate all the same, the gravest (RFC 3461 §5.2.7).
    """
    named: dict[str, Fate] = {}
    for fate in sorted(report.recipients, key=_gravity):
        named.setdefault(_name(fate), fate)
    matched = [(named[name], copy) for copy in copies if (name := _named(copy, named)) is not None]
    if not matched:
        return NO_ANSWER
    heard = tuple(_finding(report.kind, fate, copy) for fate, copy in matched if theirs(copy))
    return heard or NOT_THEIRS


def _finding(kind: Kind, fate: Fate, copy: Copy) -> Finding:
    said = _said(fate)
    if kind is Kind.DISPOSITION:
        return _disposed(fate, copy, said)
    asked = fate.action in _ASKED and copy.wants(_ASKED[fate.action])
    wanted = asked and not fate.answered  # the person reads that answer, and not the same twice
    event = _EVENTS.get(fate.action)
    if event is not None and (copy.delivery.state, event) not in TRANSITIONS:
        # Known already, or past: the sender is told only what is new to it.
        known = fate.action is Action.DELIVERED or copy.delivery.state is State.FAILED
        return Finding(copy, fate.action, said, wanted=wanted and not known)
    if event is Event.CONFIRMED and copy.delivery.state is State.UNCONFIRMED:
        wanted = False  # its sender was given a last answer, and this one calls for nothing
    failure = codes.within(fate.diagnostic) if event is Event.BOUNCED else None
    if fate.action is not Action.DELAYED:
        return Finding(copy, fate.action, said, event, None, wanted, failure)
    if copy.delivery.state in FINAL:  # its sender acts on the last answer: this one is no news
        return Finding(copy, fate.action, said, wanted=False)
    return Finding(copy, fate.action, said, receipt=Told.DELAYED, wanted=wanted)


def _disposed(fate: Fate, copy: Copy, said: Reply) -> Finding:
    """Return what a reader, or a program, says that it did with a copy."""
    match fate.action:
        case Action.DISPLAYED:
            return Finding(copy, fate.action, said, receipt=Told.READ)
        case Action.PROCESSED:
            return Finding(copy, fate.action, said, receipt=Told.FILED)
        case Action.FAILED:
            failure = codes.numbered(fate.diagnostic) or Failure.OTHER
            return Finding(copy, fate.action, said, receipt=Told.UNFILED, failure=failure)
        case _:  # deleted, passed on: neither says that a person saw it, or a program filed it
            return Finding(copy, fate.action, said, receipt=Told.HANDLED)


def by_subject(header: Header) -> Report | None:
    """Return what a mail says by its subject: that software could not file what it answers.

    Some software sends no report, or one without its number: ``[KO ...][902] XDM/1.0/DDM+...`` (R-F3).
    """
    failure = codes.read(words(_text(header, "subject")))
    if failure is None:
        return None
    about = _MESSAGE_ID.findall(_text(header, "in-reply-to") or _text(header, "references"))
    try:
        authors = mailboxes(header.first("from") or b"")
    except HeaderError:
        return None
    if not about or len(authors) != 1:
        return None
    fate = Fate(final=authors[0].address, action=Action.FAILED, diagnostic=failure.plain)
    return Report(Kind.DISPOSITION, "", (fate,), original_message_id=about[-1])


def numbered(report: Report, header: Header) -> Report:
    """Return a report with the number that its subject has, where its own fields have none."""
    failure = codes.read(words(_text(header, "subject")))
    if report.kind is not Kind.DISPOSITION or failure is None:
        return report
    fates = (
        replace(one, diagnostic=failure.plain)
        if one.action is Action.FAILED and codes.numbered(one.diagnostic) is None
        else one
        for one in report.recipients
    )
    return replace(report, recipients=tuple(fates))


def _text(header: Header, name: str) -> str:
    return (header.first(name) or b"").decode("utf-8", "replace").strip()


def _gravity(fate: Fate) -> int:
    return _GRAVITY.index(fate.action) if fate.action in _GRAVITY else len(_GRAVITY)


def _name(fate: Fate) -> str:
    """Return whom a report speaks of: by the ORCPT we gave, else by its address."""
    if fate.original is not None:
        return _spelled(fate.original)
    return key(fate.final) if fate.final is not None else ""


def _named(copy: Copy, named: Container[str]) -> str | None:
    names = (_spelled(original(copy.recipient)), key(copy.recipient.address))
    return next((name for name in names if name in named), None)


def _spelled(text: str) -> str:
    """Return an address, typed or not, in the one spelling that comparisons go by."""
    bare = text.partition(";")[2].strip() or text
    try:
        return key(parse(bare))
    except AddressError:
        return bare.lower()


def _said(fate: Fate) -> Reply:
    """Return a report's words as the reply they stand for."""
    family = {Action.FAILED: "5", Action.DELAYED: "4"}.get(fate.action, "2")
    enhanced = f"{family}.{fate.status[2:] or '0.0'}"
    words = printable(fate.diagnostic) or f"Reported as {fate.action}"
    return Reply({"5": 550, "4": 451, "2": 250}[family], enhanced, words)
