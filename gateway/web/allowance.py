"""How many questions somebody may ask: so many at once, and then so many a minute.

Pure: the caller says what time it is. A directory that answers any question without end would be
copied; one person's looking up is far below any of these numbers. R-J4.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime

_CROWDED = 10_000  # askers remembered


@dataclass(slots=True)
class Allowance:
    """``per_minute`` questions, saved up to a minute's worth."""

    per_minute: int
    _spent: dict[str, tuple[float, datetime]] = field(default_factory=dict)  # questions, when

    def ask(self, who: str, now: datetime) -> int:
        """Take a question of somebody's allowance; return the seconds to wait, 0 for none."""
        spent = self._standing(who, now)
        if spent > self.per_minute - 1:
            return math.ceil((spent - self.per_minute + 1) * 60 / self.per_minute)
        if len(self._spent) >= _CROWDED:
            self._spent = {
                each: kept for each, kept in self._spent.items() if self._standing(each, now)
            }
        self._spent[who] = spent + 1, now
        return 0

    def _standing(self, who: str, now: datetime) -> float:
        spent, since = self._spent.get(who, (0.0, now))
        return max(0.0, spent - (now - since).total_seconds() * self.per_minute / 60)
