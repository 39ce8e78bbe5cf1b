"""At the door: a recipient whose server takes no message as large as this, and who cannot fetch it either.

What is known of a next hop is what it said when it was last met; of one that was never met nothing is
assumed, and its sender is told if it comes to that. Nobody else's mail is touched. RFC 1870 §6.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.relay.desk import Desk
from gateway.relay.large.hops import Hop
from gateway.relay.large.large import Large
from gateway.relay.large.reach import REASON, Way, holder_of, too_large, way
from gateway.relay.verdict import Verdict
from smtp.address import Address, domain_of
from smtp.envelope import Recipient
from trust.decision import Action
from trust.sources import TrustList


def reached(large: Large, listed: TrustList | None, recipient: Address, size: int, hop: Hop) -> Way:
    """Return the way of a message to a recipient, by what the settings allow and what is known."""
    if hop.takes(size):
        return Way.WHOLE
    settings = large.settings
    keeps = settings.enabled and size <= settings.largest
    holder = holder_of(listed, recipient) if keeps and settings.reader else ""
    return way(size, hop, lends=keeps and large.port > 0, holder=holder)


@dataclass(frozen=True, slots=True)
class Reaching:
    """One an intake."""

    desk: Desk

    def judged(self, recipient: Address, size: int, verdict: Verdict) -> Verdict:
        """Return the verdict on a recipient, given how large the message is, or will be (0: unsaid)."""
        domain, large = domain_of(recipient), self.desk.large
        if not size or large is None or verdict.action is Action.REFUSE:
            return verdict
        if domain in self.desk.domains or (hop := large.hops.of(domain)) is None:
            return verdict
        if reached(large, self.desk.keeper.current, recipient, size, hop) is not Way.NONE:
            return verdict
        return Verdict(Action.REFUSE, REASON, too_large(hop.size))

    def heard(
        self, size: int, decided: Sequence[tuple[Recipient, Verdict]]
    ) -> list[tuple[Recipient, Verdict]]:
        """Return the verdicts once the content is here, and its size is known."""
        return [(one, self.judged(one.address, size, verdict)) for one, verdict in decided]
