"""What both doors work with: who we are, the books, the trust list, the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.observe.metrics import Metrics
from gateway.relay.books import Books
from gateway.relay.critical import Urgency
from gateway.relay.criticals import Criticals
from gateway.relay.delivery import Schedule
from gateway.relay.ends import Terms
from gateway.relay.exchanges import Exchanges
from gateway.relay.handing.servers import Servers
from gateway.relay.large.large import Large
from gateway.relay.proof import Sign, unsigned
from gateway.relay.results import Scale, chance
from gateway.relay.screening import Screening
from gateway.settings.site import Site
from smtp.address import Address, domain_of
from trust.keeper import Keeper

Event = Callable[[str, Mapping[str, object]], None]


class Watch(Protocol):
    """Who knows how certificates stand, and finds out of those that nobody has shown before."""

    async def met(self, certificate: bytes, issuers: tuple[bytes, ...], role: str) -> None:
        """Return once it is known how a certificate (DER) stands, or after a bounded time."""

    def failed(self, shown: bytes, why: str, role: str) -> None:
        """A certificate did not verify: whose it was, and what was wrong, is for operators."""


class Unwatched:
    """Nobody asks after certificates: TLS alone judges them."""

    async def met(self, certificate: bytes, issuers: tuple[bytes, ...], role: str) -> None:
        """Wait for nothing."""

    def failed(self, shown: bytes, why: str, role: str) -> None:
        """Tell nobody."""


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
    watch: Watch = field(default_factory=Unwatched)
    patience: Callable[[], frozenset[str]] = frozenset  # domains whose mail does not grow old
    servers: Servers = field(default_factory=Servers)
    sign: Sign = unsigned  # with our certificate: what became of a recall
    screening: Screening = field(default_factory=Screening)
    reports_folder: str = (
        "Accusés"  # where reports are filed, for those who do not want them in INBOX
    )
    terms: Terms = field(default_factory=Terms)
    exchanges: Exchanges | None = None  # with citizens, if the house knows any
    large: Large | None = None  # messages too large for a next hop, if any are lent or fetched
    forwards: Mapping[str, Address] = field(default_factory=dict)  # whose documents go where, too

    urgency: Urgency = field(default_factory=Urgency)
    away: dict[str, datetime] = field(
        default_factory=dict
    )  # folders and outboxes that are not reached, since when: written by these doors

    @property
    def criticals(self) -> Criticals:
        """Critical results, watched until they have arrived."""
        return Criticals(self.books.database, self.books.spool.ring)

    def keeps(self, address: Address) -> bool:
        """Whether a mailbox of that address would lie here, and not on another server of ours."""
        return domain_of(address) in self.domains and self.servers.holding(address) is None

    def scale(self) -> Scale:
        """Return what results are measured by, now."""
        return Scale(self.schedule, self.clock(), chance, self.patience(), self.screening.policy)

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
        watch: Watch | None = None,
        patience: Callable[[], frozenset[str]] = frozenset,
        servers: Servers | None = None,
        reports_folder: str = "Accusés",
        sign: Sign = unsigned,
        screening: Screening | None = None,
        terms: Terms | None = None,
        large: Large | None = None,
        exchanges: Exchanges | None = None,
        urgency: Urgency | None = None,
        forwards: Mapping[str, Address] | None = None,
    ) -> "Desk":
        """Make the desk of a site."""
        return cls(
            site.host,
            frozenset(site.domains),
            site.postmaster,
            books,
            keeper,
            schedule,
            clock,
            metrics,
            on_event,
            watch or Unwatched(),
            patience,
            servers or Servers(),
            sign,
            screening or Screening(),
            reports_folder,
            terms or Terms(),
            large=large,
            exchanges=exchanges,
            urgency=urgency or Urgency(),
            forwards=forwards or {},
        )
