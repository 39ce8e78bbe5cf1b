"""A clock that a test moves."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Call it for the time; it stands still until told otherwise."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **how_far: float) -> datetime:
        self.now += timedelta(**how_far)
        return self.now
