"""How much a mailbox sends within a while: far more than it should may be a leak.

Pure: the caller says what time it is. It lives in memory, as long as the gateway runs: what it
notices is noticed again soon enough.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

_STEPS = 60  # the window moves on in so many steps


@dataclass(slots=True)
class Rate:
    """``limit`` within ``span``, by whose it is."""

    limit: int
    span: timedelta = timedelta(hours=1)
    _sent: dict[str, dict[datetime, int]] = field(default_factory=dict, repr=False)
    _swept: datetime | None = None

    def over(self, who: str, count: int, now: datetime) -> bool:
        """Count what is sent now; return whether it makes more than the limit."""
        before = now - self.span
        if self._swept is None or self._swept <= before:
            self._sweep(now, before)
        sent = self._sent.setdefault(who, {})
        for at in [at for at in sent if at <= before]:
            del sent[at]
        last = max(sent, default=None)
        at = now if last is None or now - last >= self.span / _STEPS else last
        sent[at] = sent.get(at, 0) + count
        return sum(sent.values()) > self.limit

    def _sweep(self, now: datetime, before: datetime) -> None:
        """Forget those who send no more."""
        self._sent = {who: sent for who, sent in self._sent.items() if max(sent) > before}
        self._swept = now
