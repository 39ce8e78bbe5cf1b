"""How each certificate stands: good, revoked, or not known, as looked up at every decision.

Chains and answers (CRL, OCSP) are judged elsewhere and ahead of time (``trust.chain``); here is only
what came of it, by fingerprint, and the rule of grace: a good answer that has run out still counts
for some hours, because authorities' servers fail more often than keys are stolen, and then nobody
vouches for the certificate (R-A5). Revoked counts at once and for good.
RFC 5280 §3.3, RFC 6960 §2.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Self

GRACE = timedelta(hours=4)


class State(StrEnum):
    """What may be said of a certificate now."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Who said so."""

    CRL = "crl"
    OCSP = "ocsp"
    NONE = "none"  # nobody was asked, or nobody answered


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one certificate, and until when that counts."""

    state: State
    since: datetime | None = None  # when it was learned; revoked: when that came into force
    until: datetime | None = None  # when a good answer runs out; None: it does not
    source: Source = Source.NONE
    # SHA-256 of the anchors that its chain leads to, in hex; a list may entitle by them (Direct).
    anchors: frozenset[str] = frozenset()
    why: str = ""  # a word for the journal: why it is unknown, or was revoked
    hold: bool = False  # on hold (RFC 5280 §5.3.1): the one revocation that may end
    lent: bool = False  # no anchor it leads to is the operator's own: lists named them all

    def at(self, now: datetime, grace: timedelta) -> "Standing":
        """Return what this counts as at a moment: a good answer too old is no answer."""
        late = self.state is State.GOOD and self.until is not None and now >= self.until + grace
        return replace(self, state=State.UNKNOWN, why="stale") if late else self

    @property
    def final(self) -> bool:
        """Whether nothing that is learned later changes it."""
        return self.state is State.REVOKED and not self.hold

    def then(self, later: "Standing") -> "Standing":
        """Return what stands once ``later`` is learned: who was revoked stays so."""
        return self if self.final else later


UNCHECKED = Standing(State.GOOD, why="unchecked")  # TLS alone has judged it, as the settings want
UNSEEN = Standing(State.UNKNOWN, why="unseen")


def combined(links: Sequence[Standing]) -> Standing:
    """Return how a chain stands whose links, from the leaf up, stand so.

    As the weakest of them, and good for only as long as the shortest.
    """
    for state in (State.REVOKED, State.UNKNOWN):
        for number, one in enumerate(links):
            if one.state is state:
                return one if number == 0 else replace(one, why=f"authority-{one.why}")
    ends = [one.until for one in links if one.until is not None]
    return replace(links[0], until=min(ends, default=None))


@dataclass(frozen=True, slots=True)
class Standings:
    """Every certificate we know, by the SHA-256 of its DER in hex. Never changed, only replaced."""

    known: Mapping[str, Standing] = field(default_factory=dict, repr=False)
    asked: bool = False  # whether anybody asks after certificates at all
    grace: timedelta = GRACE

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", MappingProxyType(dict(self.known)))

    def of(self, fingerprint: str, now: datetime) -> Standing:
        """Return how a certificate stands now."""
        known = self.known.get(fingerprint)
        if known is None:
            return UNSEEN if self.asked else UNCHECKED
        until = known.until
        return known if until is None or now < until else known.at(now, self.grace)

    def learned(self, news: Mapping[str, Standing]) -> Self:
        """Return these with what was learned meanwhile."""
        known = dict(self.known)
        for fingerprint, later in news.items():
            before = known.get(fingerprint)
            known[fingerprint] = later if before is None else before.then(later)
        return replace(self, known=known)

    def without(self, fingerprints: frozenset[str]) -> Self:
        """Return these without some: certificates that nobody has shown for long."""
        known = {one: standing for one, standing in self.known.items() if one not in fingerprints}
        return replace(self, known=known)
