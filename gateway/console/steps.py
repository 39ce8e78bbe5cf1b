"""The decision about a message, as it is drawn: gates along a road, and what was asked at each.

Made of what ``trust.explain`` answers: list, sender, connection, recipient, verdict. Where one stops
the message, the gates behind it are there, and nobody came to them. Pure. R-C1, R-C7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Stand(StrEnum):
    """How a gate, or one question at it, stands; in the order of weight."""

    BEYOND = "beyond"  # the message never came so far
    SKIPPED = "skipped"  # there was nothing to ask about
    PASSED = "passed"
    WAITS = "waits"  # later, or when a person has looked
    STOPPED = "stopped"


_OUTCOMES = {
    "passed": Stand.PASSED,
    "not-asked": Stand.SKIPPED,
    "allow": Stand.PASSED,
    "defer": Stand.WAITS,
    "hold": Stand.WAITS,
    "refuse": Stand.STOPPED,
}
_WEIGHTS = list(Stand)
GATES = ("list", "sender", "peer", "recipient", "verdict")
VERDICT = "verdict"

# What each step asks, in French and in English.
QUESTIONS: Mapping[str, tuple[str, str]] = {
    "list": ("Une liste vérifiée est-elle en vigueur ?", "Is a verified list in force?"),
    "sender-denial": (
        "Refusons-nous l'expéditeur nous-mêmes ?",
        "Do we deny the sender ourselves?",
    ),
    "peer-denial": (
        "Refusons-nous son opérateur ou son certificat ?",
        "Do we deny its operator or certificate?",
    ),
    "sender-list": (
        "La liste qui le nomme est-elle à jour ?",
        "Is the list that names it up to date?",
    ),
    "sender-member": ("Son domaine est-il membre ?", "Is its domain a member?"),
    "peer-entitled": (
        "La connexion peut-elle parler pour ce domaine ?",
        "May the connection speak for this domain?",
    ),
    "peer-certified": (
        "Le certificat est-il valable, et non révoqué ?",
        "Is the certificate good, and not revoked?",
    ),
    "sender-address": (
        "L'adresse de l'expéditeur est-elle garantie ?",
        "Is the sender's address vouched for?",
    ),
    "recipient-denial": (
        "Refusons-nous le destinataire nous-mêmes ?",
        "Do we deny the recipient ourselves?",
    ),
    "recipient-list": (
        "La liste qui le nomme est-elle à jour ?",
        "Is the list that names it up to date?",
    ),
    "recipient-member": ("Son domaine est-il membre ?", "Is its domain a member?"),
    "recipient-address": (
        "L'adresse du destinataire est-elle garantie ?",
        "Is the recipient's address vouched for?",
    ),
    "recipient-suspended": (
        "Le destinataire est-il suspendu ?",
        "Is the recipient suspended?",
    ),
    "sender-suspended": ("L'expéditeur est-il suspendu ?", "Is the sender suspended?"),
    "verdict": ("Qu'advient-il du message ?", "What becomes of the message?"),
}


class Asked(NamedTuple):
    """One question at a gate, and what it found."""

    step: str
    question: str
    stand: Stand
    sentence: str


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of the road."""

    name: str
    stand: Stand
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Road:
    """The whole way of one message."""

    gates: tuple[Gate, ...]
    action: str  # allow, defer, hold, refuse
    reason: str  # the stable slug
    reply: str  # what the other side would read

    @property
    def stand(self) -> Stand:
        """How it ends."""
        return self.gates[-1].stand


def road(findings: Sequence[Mapping[str, str]], language: str) -> Road:
    """Return the road of one decision."""
    asked = [_asked(each, language) for each in findings]
    verdict = findings[-1]
    reason, _, reply = verdict["sentence"].partition(": ")
    gates = tuple(_gate(name, asked) for name in GATES)
    return Road(gates, verdict["outcome"], reason, reply)


def _asked(finding: Mapping[str, str], language: str) -> Asked:
    step = finding["step"]
    french, english = QUESTIONS.get(step, (step, step))
    return Asked(
        step,
        french if language == "fr" else english,
        _OUTCOMES.get(finding["outcome"], Stand.WAITS),
        _sentence(finding, language),
    )


def _sentence(finding: Mapping[str, str], language: str) -> str:
    return (finding.get("french") if language == "fr" else "") or finding["sentence"]


def _gate(name: str, asked: Sequence[Asked]) -> Gate:
    mine = tuple(each for each in asked if each.step.partition("-")[0] == name)
    stand = max((each.stand for each in mine), key=_WEIGHTS.index, default=Stand.BEYOND)
    return Gate(name, stand, mine)
