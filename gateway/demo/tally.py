"""What the demonstration counts: what was sent, what was said, what arrived."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gateway.demo.sites import NIGHT, Site


@dataclass(slots=True)
class Tally:
    """What was sent, what was said, what arrived."""

    sent: dict[str, tuple[Site, str, bytes]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    delivered: int = 0
    held: int = 0
    night: dict[str, Any] = field(default_factory=dict)

    @property
    def heard(self) -> list[dict[str, Any]]:
        """The receipts about what was sent in these scenes; the night's are counted apart."""
        return [each for each in self.receipts if NIGHT not in str(each.get("subject"))]

    def kinds(self) -> Counter[str]:
        """How many receipts of each kind the broker has given us."""
        return Counter(str(r["type"]).rpartition(".")[2] for r in self.heard)

    def report(self) -> dict[str, Any]:
        """Return the one object that ``demo --json`` ends with."""
        failed = len(self.sent) - self.delivered
        return {
            "ok": failed == 0
            and bool(self.refused)
            and self.held == 2
            and bool(self.heard)
            and bool(self.night.get("ok")),
            "messages": len(self.sent) + len(self.refused) + self.held,
            "delivered": self.delivered,
            "refused": len(self.refused),
            "held": self.held,
            "failed": failed,
            "receipts": len(self.heard),
            "night": self.night,
        }
