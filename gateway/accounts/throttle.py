"""Failed attempts, counted by whose they are, until there are too many.

Pure: the caller says what time it is. It lives in memory only, so a restart forgets; what it
slows down is guessing, and a guesser cannot restart us.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_CROWDED = 10_000  # counts kept before those that lapsed are swept


@dataclass(slots=True)
class Throttle:
    """``limit`` failures, none further from the last than ``window``, lock for ``window``."""

    limit: int
    window: timedelta
    _failures: dict[str, tuple[int, datetime]] = field(default_factory=dict)  # count, last

    def locked(self, key: str, now: datetime) -> bool:
        """Whether there were too many failures, too recently."""
        count, last = self._failures.get(key, (0, now))
        return count >= self.limit and now < last + self.window

    def failed(self, key: str, now: datetime) -> bool:
        """Count a failure; return whether this one closed the lock."""
        if len(self._failures) >= _CROWDED:
            self._sweep(now)
        count, last = self._failures.get(key, (0, now))
        count = 1 if now >= last + self.window else count + 1
        self._failures[key] = count, now
        return count == self.limit

    def forgive(self, keys: Iterable[str]) -> None:
        """Forget the failures of whoever has just succeeded."""
        for key in keys:
            self._failures.pop(key, None)

    def _sweep(self, now: datetime) -> None:
        alive = {k: v for k, v in self._failures.items() if now < v[1] + self.window}
        # Still crowded: somebody invents names. The oldest half goes; those locked by address
        # of origin are among the newest, because they keep trying.
        if len(alive) >= _CROWDED:
            newest = sorted(alive.items(), key=lambda item: item[1][1])[_CROWDED // 2 :]
            alive = dict(newest)
        self._failures = alive
