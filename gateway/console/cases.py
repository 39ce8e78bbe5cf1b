"""Cases as the queue and their own page show them: reasons in words, how long, how long still. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from quarantine.reasons import REASONS, sentence

# What may harm whoever opens it; the others are doubts.
_GRAVE = frozenset(
    {
        "active-content",
        "archive-bomb",
        "archive-traversal",
        "disguised",
        "executable",
        "macros",
        "malware",
        "script",
        "structure",
    }
)
STATES = ("held", "decided", "all")
_TONES = {"held": "wait", "released": "well", "refused": "ill"}
_SOON = 20  # hundredths of its time: who has not decided by then should


class Why(NamedTuple):
    """One reason, as a person reads it."""

    slug: str
    words: str
    tone: str


@dataclass(frozen=True, slots=True)
class Line:
    """One case in the queue."""

    told: Mapping[str, Any]
    whys: tuple[Why, ...]
    tone: str  # of its state
    since: timedelta
    left: int  # of the time to decide, in hundredths
    soon: bool  # little of it is left


def lines(cases: Iterable[Mapping[str, Any]], language: str, now: datetime) -> tuple[Line, ...]:
    """Return the queue's lines."""
    return tuple(line(each, language, now) for each in cases)


def line(case: Mapping[str, Any], language: str, now: datetime) -> Line:
    """Return one case's line."""
    opened, ends = (datetime.fromisoformat(case[name]) for name in ("opened", "expires"))
    whole, left = (ends - opened).total_seconds(), (ends - now).total_seconds()
    hundredths = round(100 * min(1.0, max(0.0, left / whole))) if whole > 0 else 0
    waits = case["state"] == "held"
    return Line(
        case,
        whys(case["reasons"], language),
        tone_of(case["state"]),
        max(timedelta(), now - opened),
        hundredths,
        waits and hundredths < _SOON,
    )


def whys(reasons: Sequence[str], language: str) -> tuple[Why, ...]:
    """Return reasons in words, what may harm first."""
    found = [
        Why(each, sentence(each, language), "ill" if each in _GRAVE else "wait") for each in reasons
    ]
    return tuple(sorted(found, key=lambda why: why.tone != "ill"))


def tone_of(state: str) -> str:
    """Return the colour of a state."""
    return _TONES.get(state, "mute")


def choices(language: str) -> tuple[Why, ...]:
    """Return every reason there is, for somebody who looks for cases of one."""
    found = whys(tuple(REASONS), language)
    return tuple(sorted(found, key=lambda why: why.words.casefold()))


def picked(fields: Mapping[str, str]) -> list[str]:
    """Return the deliveries that were ticked: those that the reviewer saw, and no other."""
    return [name.removeprefix(_TICK) for name in fields if name.startswith(_TICK)]


_TICK = "copy-"
