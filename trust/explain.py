"""The decision told to a person: what each step asked and what it found, in words.

It walks the same table as ``decide``, so it cannot come to another end. For operators' eyes: the
sentences name addresses and certificates.
"""

from dataclasses import dataclass, field
from datetime import datetime

from smtp.address import Address
from smtp.envelope import Peer
from trust import decision, sentences
from trust.decision import NOBODY, Case, Decision, Step
from trust.sentences import Said
from trust.sources import TrustList

PASSED = "passed"
NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of the decision: its name, what came of it, the same in words."""

    step: str
    outcome: str  # passed, not-asked, or the action that ended it
    sentence: str
    french: str = field(default="", compare=False)


def explain(
    recipient: Address,
    listed: TrustList | None,
    now: datetime,
    *,
    sender: Address | None = None,
    peer: Peer | None = None,
) -> tuple[Finding, ...]:
    """Tell the decision step by step, and at last the verdict.

    Without a sender, or a peer, the steps that need one are not asked: *may anyone write there?*
    """
    if listed is None:
        nothing = decision.LIST_MISSING
        return (_finding("list", nothing.action, sentences.NO_LIST), _verdict(nothing))
    case = decision.ask(sender, recipient, peer or NOBODY, listed, now)
    findings = [_finding("list", PASSED, sentences.in_force(listed, now))]
    for step, (name, passed) in sentences.PASSED.items():
        if (missing := _missing(step, case)) is not None:
            findings.append(_finding(name, NOT_ASKED, missing))
        elif (objection := step(case)) is not None:
            words = sentences.OBJECTIONS[objection.reason](case)
            return (*findings, _finding(name, objection.action, words), _verdict(objection))
        else:
            findings.append(_finding(name, PASSED, passed(case)))
    return (*findings, _verdict(decision.ALLOW))


def _finding(name: str, outcome: str, said: Said) -> Finding:
    return Finding(name, outcome, said.english, said.french)


def _verdict(found: Decision) -> Finding:
    words = (
        f"{found.reason}: {found.reply}"  # what the other side reads is the same in any language
    )
    return Finding("verdict", found.action, words, words)


def _missing(step: Step, case: Case) -> Said | None:
    """Say why a step cannot be asked; None: it can."""
    if step in _OF_THE_SENDER and case.sender is None and case.peer is NOBODY:
        return sentences.NO_SENDER
    if step in _OF_THE_PEER and case.peer is NOBODY:
        return sentences.NO_CONNECTION
    if step is decision.peer_entitled and case.peer is NOBODY and case.theirs is not None:
        return sentences.may_come_with(case.theirs)
    return None


_OF_THE_PEER = frozenset({decision.peer_denied, decision.peer_certified})
_OF_THE_SENDER = frozenset(
    {
        decision.sender_denied,
        decision.peer_denied,
        decision.sender_in_force,
        decision.sender_member,
        decision.peer_entitled,
        decision.peer_certified,
        decision.sender_address,
        decision.sender_suspended,
    }
)
