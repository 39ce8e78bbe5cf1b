"""Pictures of numbers as shapes: where each rectangle of a chart lies, for a template to write as SVG.

Pure. Colours are the style sheet's, so that a picture follows the light; the numbers stand in a table
beside it, for whoever does not see it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_STEPS = (1, 2, 3, 4, 6, 8)


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle."""

    kind: str
    value: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One place on the axis, and the rectangles that stand on it."""

    label: str
    title: str
    x: float
    width: float
    parts: tuple[Part, ...]
    labelled: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across, and its number."""

    value: int
    y: float


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of columns."""

    width: float
    height: float
    left: float
    bottom: float  # where the columns stand
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One column before it is drawn: its label, what is said of it, and its numbers from below."""

    label: str
    title: str
    values: tuple[tuple[str, int], ...]


def columns(
    rows: Sequence[Row], width: float = 720.0, height: float = 210.0, every: int = 3
) -> Columns:
    """Draw numbers that stand upon each other, over places in a row; every so many has its label."""
    left, above, below = 34.0, 8.0, 30.0
    bottom = height - below
    most = ceiling(max((sum(value for _, value in row.values) for row in rows), default=0))
    scale = (bottom - above) / most
    step = (width - left) / max(1, len(rows))
    drawn = tuple(
        Column(
            row.label,
            row.title,
            round(left + number * step + step * 0.14, 1),
            round(step * 0.72, 1),
            tuple(_stacked(row, bottom, scale)),
            number % every == 0,
        )
        for number, row in enumerate(rows)
    )
    halves = (0, most // 2, most) if most > 1 else (0, most)
    ticks = tuple(Tick(value, round(bottom - value * scale, 1)) for value in halves)
    return Columns(width, height, left, bottom, drawn, ticks)


def _stacked(row: Row, bottom: float, scale: float) -> Iterator[Part]:
    foot = bottom
    for kind, value in row.values:
        if value:
            high = max(1.5, value * scale)
            foot -= high
            yield Part(kind, value, round(foot, 1), round(high, 1))


def ceiling(value: int) -> int:
    """Return the next round number: one digit with noughts; what an axis ends with."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size >= value:
                return step * size
        size *= 10


@dataclass(frozen=True, slots=True)
class Share:
    """One of several shares of a whole."""

    key: str
    value: int
    percent: float
    x: float  # of a bar that is 100 wide
    width: float


def shares(values: Sequence[tuple[str, int]]) -> tuple[Share, ...]:
    """Return the shares of a whole, in their order."""
    whole, x, found = sum(value for _, value in values), 0.0, []
    for key, value in values:
        width = 100 * value / whole if whole else 0.0
        found.append(Share(key, value, round(width, 1), round(x, 2), round(width, 2)))
        x += width
    return tuple(found)
