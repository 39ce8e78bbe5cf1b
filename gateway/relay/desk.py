"""What both doors work with: who we are, the books, the trust list, the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.observe.metrics import Metrics
from gateway.relay.books import Books
from gateway.relay.delivery import Schedule
from gateway.relay.results import Scale, chance
from gateway.settings.site import Site
from trust.keeper import Keeper

Event = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """One a gateway, made by ``gateway.app``."""

    host: str
    domains: frozenset[str]
    postmaster: str
    books: Books
    keeper: Keeper
    schedule: Schedule
    clock: Callable[[], datetime]
    metrics: Metrics
    on_event: Event

    def scale(self) -> Scale:
        """Return what results are measured by, now."""
        return Scale(self.schedule, self.clock(), chance())

    @classmethod
    def of(  # noqa: PLR0917 - what a desk is made of
        cls,
        site: Site,
        books: Books,
        keeper: Keeper,
        schedule: Schedule,
        clock: Callable[[], datetime],
        metrics: Metrics,
        on_event: Event,
    ) -> "Desk":
        """Make the desk of a site."""
        domains = frozenset(site.domains)
        return cls(
            site.host, domains, site.postmaster, books, keeper, schedule, clock, metrics, on_event
        )
