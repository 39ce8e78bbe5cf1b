"""What the figures mean: the order of play, the ratio of each round, and the median of them.

Pure. Two systems on one machine disturb each other and themselves: only figures of the same round
are compared, and each system goes first as often as last.
"""

import math
import statistics
from collections.abc import Sequence
from typing import TypeVar

import msgspec

Played = TypeVar("Played")


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One system under one load, once."""

    system: str
    size: int
    messages: int
    rate: float  # messages a second, from the first sent to the last arrived
    accepted: float  # messages a second that got their 250
    cpu: float  # seconds a message, the system's whole process tree
    p99: float  # seconds from the end of DATA to the reply
    harness: float  # seconds a message: generator and sink


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """Ours against theirs: the median of the rounds, and how far the rounds lay apart."""

    median: float
    lowest: float
    highest: float


def order(systems: Sequence[Played], number: int) -> list[Played]:
    """Return who plays when in the round of this number: every other round in reverse."""
    return list(systems) if number % 2 == 0 else list(reversed(systems))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Compare two series, round by round."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Ratio(median=statistics.median(ratios), lowest=min(ratios), highest=max(ratios))


def typical(measures: Sequence[Measure]) -> Measure:
    """Return the median of each figure of one system over its rounds."""
    first = measures[0]
    return Measure(
        system=first.system,
        size=first.size,
        messages=sum(m.messages for m in measures),
        rate=statistics.median(m.rate for m in measures),
        accepted=statistics.median(m.accepted for m in measures),
        cpu=statistics.median(m.cpu for m in measures),
        p99=statistics.median(m.p99 for m in measures),
        harness=statistics.median(m.harness for m in measures),
    )
