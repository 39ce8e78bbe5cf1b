"""What the door knows of a message before anybody looks into it may make it a case already.

The trust list may suspend its sender; its mailbox may send too much; it may go to too many. What
the rules make of that is done at once, unless they also want the message opened: then it is
taken as it is, and judged once, with all that is found (``inspecting``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from gateway.relay import ambiguous
from gateway.relay.inspections import Inspections
from gateway.relay.message import Message
from gateway.relay.verdict import RELAY, Verdict, refusal
from quarantine.policy import About, Action, Finding, Judgement, Policy
from quarantine.rate import Rate
from smtp import reply
from smtp.address import Address, key
from smtp.envelope import Draft, Recipient
from trust import decision
from vault.database import Statement

_FIRST = datetime.fromtimestamp(0, UTC)  # before all others that are to be opened
Decided = Sequence[tuple[Recipient, Verdict]]


@dataclass(frozen=True, slots=True)
class Screened:
    """What becomes of each recipient's copy, and whether the message is opened first."""

    decided: Decided
    findings: tuple[Finding, ...] = ()
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Screening:
    """One a gateway; without rules and scanner it costs nothing."""

    policy: Policy = field(default_factory=Policy)
    inspections: Inspections | None = None
    rate: Rate = field(default_factory=lambda: Rate(500))
    recipients: int = 50

    def screen(self, draft: Draft, decided: Decided, now: datetime) -> Screened:
        """Judge what the door knows."""
        abouts = [_about(draft, one) for one, verdict in decided if _taken(verdict)]
        findings = tuple(self._findings(draft, decided, now))
        looked = self.inspections is not None and self.policy.looks_into(abouts)
        if not findings:
            return Screened(decided, opened=looked)
        judged = [
            (one, verdict, self.policy.judge(concerning(findings, one.address), _about(draft, one)))
            for one, verdict in decided
        ]
        tagged = self.inspections is not None and any(found.tags for *_, found in judged)
        done = [(one, _ruled(verdict, found, findings)) for one, verdict, found in judged]
        return Screened(done, findings, opened=looked or tagged)

    def entering(self, message: Message, screened: Screened) -> list[Statement]:
        """Return the statement by which a message is to be opened, if it is."""
        if not screened.opened or self.inspections is None:
            return []
        due = _FIRST if message.summary.critical else message.arrived
        return [self.inspections.entering(message.id, screened.findings, due)]

    def ring(self) -> None:
        """A message was committed that is to be opened."""
        if self.inspections is not None:
            self.inspections.bell.set()

    def _findings(self, draft: Draft, decided: Decided, now: datetime) -> Iterable[Finding]:
        held = dict.fromkeys(v.reason for _, v in decided if v.action is decision.Action.HOLD)
        yield from (Finding(reason) for reason in held)
        if not self.policy.rules:
            return
        count = sum(_taken(verdict) for _, verdict in decided)
        if self.policy.names("many-recipients") and count > self.recipients:
            yield Finding("many-recipients", f"{count}")
        sender = draft.mail.mail_from
        if sender is None or draft.peer.listener == RELAY or not self.policy.names("mailbox-rate"):
            return
        if self.rate.over(key(sender), count, now):
            yield Finding("mailbox-rate", f"{self.rate.limit}")


def concerning(findings: Iterable[Finding], who: Address) -> tuple[Finding, ...]:
    """Return the findings that are this recipient's too: who it is does not make others wait."""
    if ambiguous.number(who) is not None:
        return tuple(findings)
    return tuple(one for one in findings if one.reason != ambiguous.REASON)


def _ruled(verdict: Verdict, judgement: Judgement, findings: Iterable[Finding]) -> Verdict:
    """Return the verdict as the rules have it; what the trust list refuses stays refused."""
    if not _taken(verdict):
        return verdict
    match judgement.action:
        case Action.REFUSE:
            reason = judgement.reasons[0]
            return Verdict(decision.Action.REFUSE, reason, refusal(reason))
        case Action.HOLD:
            found = among(findings, judgement)
            return Verdict(decision.Action.HOLD, judgement.reasons[0], reply.OK, found)
    if verdict.action is decision.Action.HOLD:
        return replace(verdict, action=decision.Action.ALLOW)
    return verdict


def among(findings: Iterable[Finding], judgement: Judgement) -> tuple[Finding, ...]:
    """Return the findings that count, those of the gravest reason first."""
    order = {reason: place for place, reason in enumerate(judgement.reasons)}
    counted = [one for one in findings if one.reason in order]
    return tuple(sorted(counted, key=lambda one: order[one.reason]))


def _about(draft: Draft, one: Recipient) -> About:
    return About(draft.mail.mail_from, one.address, draft.peer.listener)


def _taken(verdict: Verdict) -> bool:
    return verdict.action is not decision.Action.REFUSE
