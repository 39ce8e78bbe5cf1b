"""What makes a message a case: findings in, rules in their order, a judgement out.

A finding is a reason and where it was found. For each finding the first rule that names its reason,
and fits the sender, the recipient and the door, says what is done; the strictest of all that is
done, and every reason is gathered, so that who decides sees them together. What no rule names
passes, but for the few reasons for which a person is asked unless a rule says otherwise.

A refusal here comes after our 250: the message ends, and its sender is told. HAZARDS (d); R-J2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from quarantine.reasons import REASONS, Reason, sentence
from smtp.address import Address, domain_of, key

__all__ = [
    "REASONS",
    "About",
    "Action",
    "Finding",
    "Judgement",
    "Policy",
    "Reason",
    "Rule",
    "named",
    "sentence",
]


class Action(StrEnum):
    """What is done about a finding, the mildest first."""

    PASS = "pass"  # noqa: S105 - an exception to the rules below it
    TAG = "tag"  # it goes on, and says so in its header
    HOLD = "hold"  # a person decides
    REFUSE = "refuse"  # it ends, and its sender is told


_ORDER = tuple(Action)  # the mildest first
_LEAST = {
    "attempts-lost": Action.HOLD,  # what kills us must not be tried for ever,
    "recipient-ambiguous": Action.HOLD,  # and what is for nobody in particular goes nowhere
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in or about a message; the detail is for reviewers alone: it may name files."""

    reason: str
    detail: str = ""


class About(NamedTuple):
    """Whose copy of a message is judged."""

    sender: Address | None
    recipient: Address
    door: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done about some reasons; for some senders, recipients and doors, or for all."""

    reasons: frozenset[str]
    action: Action
    senders: frozenset[str] = frozenset()  # addresses and domains; none: everybody
    recipients: frozenset[str] = frozenset()
    doors: frozenset[str] = frozenset()

    @property
    def opens(self) -> bool:
        """Whether nobody can tell without looking into the message."""
        content = any(REASONS[reason].content for reason in self.reasons)
        return content and self.action is not Action.PASS

    def fits(self, about: About) -> bool:
        """Whether it speaks of this copy."""
        return (
            (not self.doors or about.door in self.doors)
            and (not self.senders or _among(about.sender, self.senders))
            and (not self.recipients or _among(about.recipient, self.recipients))
        )


# Nobody has to write these down: what a scanner found, what could not be looked at, what the trust
# list suspends, what kills us waits for a person.
BUILT_IN = (
    Rule(
        frozenset(
            {
                "attempts-lost",
                "malware",
                "not-inspected",
                "not-scanned",
                "recipient-ambiguous",
                "sender-denied",
                "sender-suspended",
            }
        ),
        Action.HOLD,
    ),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of one copy, and why: every reason that is not an exception, the gravest first."""

    action: Action
    reasons: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # what its header is to say


PASSED = Judgement(Action.PASS)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a gateway."""

    rules: tuple[Rule, ...] = ()
    scanner: bool = False  # there is one to ask

    def looks_into(self, abouts: Iterable[About]) -> bool:
        """Whether a message must be opened before any of these copies may go."""
        rules = [rule for rule in self.rules if rule.opens]
        return self.scanner or any(rule.fits(about) for about in abouts for rule in rules)

    def names(self, reason: str) -> bool:
        """Whether a rule speaks of a reason."""
        return any(reason in rule.reasons for rule in self.rules)

    def judge(self, findings: Iterable[Finding], about: About) -> Judgement:
        """Return what becomes of this copy."""
        found = tuple(findings)
        if not found:
            return PASSED
        rules = [rule for rule in (*self.rules, *BUILT_IN) if rule.fits(about)]
        return judge(found, rules)


def judge(findings: Iterable[Finding], rules: Sequence[Rule]) -> Judgement:
    """Return what rules, which all fit, make of findings."""
    done = {reason: _first(reason, rules) for reason in dict.fromkeys(f.reason for f in findings)}
    grave = sorted(
        (reason for reason, action in done.items() if action is not Action.PASS),
        key=lambda reason: -_ORDER.index(done[reason]),
    )
    if not grave:
        return PASSED
    tags = tuple(reason for reason in grave if done[reason] is Action.TAG)
    return Judgement(done[grave[0]], tuple(grave), tags)


def named(patterns: Iterable[str]) -> frozenset[str]:
    """Return the reasons that these name, ``archive-*`` being all that begin so.

    Raise ``ValueError`` for a name that stands for nothing.
    """
    found: set[str] = set()
    for pattern in patterns:
        meant = {reason for reason in REASONS if fnmatchcase(reason, pattern)}
        if not meant:
            raise ValueError(f"there is no reason {pattern}; docs/quarantine.md names them all")
        found |= meant
    return frozenset(found)


def _first(reason: str, rules: Sequence[Rule]) -> Action:
    found = next((rule.action for rule in rules if reason in rule.reasons), Action.PASS)
    return max(found, _LEAST.get(reason, Action.PASS), key=_ORDER.index)


def _among(who: Address | None, names: frozenset[str]) -> bool:
    return who is not None and (key(who) in names or domain_of(who) in names)
