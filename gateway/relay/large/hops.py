"""What each domain's next hop last said at EHLO: how large a message may be, and whether it fetches.

Remembered across restarts, so that a message too large for its next hop can be judged before a word
is said to it. A next hop that was never met is not known: nobody guesses. RFC 1870 §6.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from smtp.send.outgoing import Offer
from vault.database import Database, Statement

_MOST = (1 << 62) - 1  # whatever it says of itself: what a row can hold


@dataclass(frozen=True, slots=True)
class Hop:
    """A domain's next hop, as it was last met."""

    size: int  # the largest message that it takes, octets; 0: it told no limit
    large: int  # the largest that it fetches as another Sceau; 0: it fetches nothing
    at: datetime  # when

    @classmethod
    def of(cls, offer: Offer, at: datetime) -> "Hop":
        """Read what it offered."""
        return cls(min(offer.size, _MOST), min(offer.large, _MOST), at)

    def takes(self, size: int) -> bool:
        """Whether it takes a message of that length as it is."""
        return self.size == 0 or size <= self.size

    def fetches(self, size: int) -> bool:
        """Whether it would fetch one."""
        return size <= self.large


@dataclass(frozen=True, slots=True)
class Hops:
    """The table ``hop``."""

    database: Database
    _known: dict[str, Hop] = field(default_factory=dict)

    def of(self, domain: str) -> Hop | None:
        """Return what is known of a domain's next hop, if it was ever met."""
        if (known := self._known.get(domain)) is not None:
            return known
        sql = "SELECT size, large, at FROM hop WHERE domain = ?"
        rows = self.database.read(sql, (domain,))
        if not rows:
            return None
        size, large, at = rows[0]
        found = self._known[domain] = Hop(size, large, datetime.fromtimestamp(at, UTC))
        return found

    def met(self, domain: str, hop: Hop) -> list[Statement]:
        """Return the statement that remembers what a next hop said, if that is new."""
        known = self.of(domain)
        if known is not None and (known.size, known.large) == (hop.size, hop.large):
            return []
        self._known[domain] = hop
        return [
            Statement(
                "INSERT INTO hop (domain, size, large, at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (domain) DO UPDATE SET"
                " size = excluded.size, large = excluded.large, at = excluded.at",
                (domain, hop.size, hop.large, hop.at.timestamp()),
            )
        ]
