"""What the doors of software tell operators: each time, or once an hour what every look finds anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.relay.desk import Desk

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Telling:
    """One a door, which it names in all that it tells."""

    desk: Desk
    door: Mapping[str, str]
    _told: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def tell(self, event: str, reason: str) -> None:
        """Tell of something."""
        self.desk.on_event(event, {**self.door, "reason": reason})

    def once(self, event: str, reason: str) -> None:
        """Tell of it, unless that was told within the hour."""
        now, last = self.desk.clock(), self._told.get((event, reason))
        if last is None or now - last >= _HOUR:
            self._told[event, reason] = now
            self.tell(event, reason)
