"""The gateway in numbers, for Prometheus: what happened (counted) and how things stand (asked).

Labels are slugs of ours and names of listeners and states: never a domain, an address or an id,
so that neither a secret nor an endless series can come of them. Every metric is listed in
``docs/operations.md``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric

_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
_LONG = (0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 900, 3600, 7200, 21600, 86400)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand at the moment of the question; a dict's keys are label values."""

    sessions: Mapping[str, int] = field(default_factory=dict)  # by listener
    deliveries: Mapping[str, int] = field(default_factory=dict)  # by state, the open ones
    oldest_delivery: float = 0.0  # seconds since the oldest open delivery arrived
    outbox: int = 0  # receipts not yet with the broker
    oldest_receipt: float = 0.0
    held: int = 0  # open quarantine cases
    critical: int = 0  # critical results that did not arrive, and nobody takes care of
    oldest_case: float = 0.0  # seconds since the oldest of them was opened
    scanner_silent: int = 0  # 1: there is a scanner, and it gives no verdict
    list_version: Mapping[str, int] = field(default_factory=dict)  # by source; 0: none in force
    list_age: Mapping[str, float] = field(default_factory=dict)
    list_stale_in: Mapping[str, float] = field(default_factory=dict)  # negative once stale
    list_waiting: Mapping[str, int] = field(default_factory=dict)  # domains that await approval
    directory_addresses: Mapping[str, int] = field(default_factory=dict)  # by source
    directory_age: Mapping[str, float] = field(default_factory=dict)
    certificate_expires_in: float = 0.0
    certificates: Mapping[str, int] = field(default_factory=dict)  # by how they stand
    bridges: int = 0  # that stand over an expired certificate
    journal_head_age: float = 0.0
    siem_waiting: int = 0  # rows of the journal that the SIEM was not told yet
    large_kept: int = 0  # octets that lie here for others to fetch
    large_fetching: int = 0  # messages that are fetched from others
    disk_free: int = 0
    account_sessions: int = 0  # people who are in by a browser
    console_sessions: int = 0  # operators who are


# name, unit-bearing help; the label's name where Standing has a mapping
_GAUGES: tuple[tuple[str, str, str, str], ...] = (
    ("sessions", "sceau_sessions_open", "Connections now open, by listener.", "listener"),
    ("deliveries", "sceau_spool_deliveries", "Deliveries not yet final, by state.", "state"),
    ("oldest_delivery", "sceau_spool_oldest_seconds", "Age of the oldest delivery not final.", ""),
    ("outbox", "sceau_outbox_unsent", "Receipts not yet taken by the broker.", ""),
    ("oldest_receipt", "sceau_outbox_oldest_seconds", "Age of the oldest unsent receipt.", ""),
    (
        "critical",
        "sceau_critical_waiting",
        "Critical results that did not arrive and that nobody takes care of yet.",
        "",
    ),
    (
        "scanner_silent",
        "sceau_scanner_silent",
        "1 while the virus scanner gives no verdict.",
        "",
    ),
    ("large_kept", "sceau_large_kept_octets", "What lies here for others to fetch.", ""),
    ("large_fetching", "sceau_large_fetching", "Messages being fetched from others.", ""),
    ("held", "sceau_quarantine_held", "Quarantine cases that wait for a person.", ""),
    ("oldest_case", "sceau_quarantine_oldest_seconds", "Age of the oldest of them.", ""),
    (
        "list_version",
        "sceau_trust_list_version",
        "Version in force, by source; 0: none, or one without a number.",
        "source",
    ),
    ("list_age", "sceau_trust_list_age_seconds", "Time since the list was issued.", "source"),
    (
        "list_stale_in",
        "sceau_trust_list_stale_in_seconds",
        "Time until the list is stale; negative once it is.",
        "source",
    ),
    (
        "list_waiting",
        "sceau_trust_waiting_domains",
        "Domains whose mail waits until operators have read a change.",
        "source",
    ),
    (
        "directory_addresses",
        "sceau_directory_addresses",
        "Addresses of each directory in use.",
        "source",
    ),
    (
        "directory_age",
        "sceau_directory_age_seconds",
        "Time since it was last seen to be what is published.",
        "source",
    ),
    ("certificates", "sceau_certificates", "Certificates met, by how they stand.", "state"),
    ("bridges", "sceau_bridges", "Bridges that stand over an expired certificate.", ""),
    (
        "certificate_expires_in",
        "sceau_certificate_expires_in_seconds",
        "Time until our certificate expires.",
        "",
    ),
    (
        "journal_head_age",
        "sceau_journal_head_age_seconds",
        "Time since the journal's head was last signed.",
        "",
    ),
    ("siem_waiting", "sceau_siem_waiting", "Rows of the journal that the SIEM was not told.", ""),
    ("account_sessions", "sceau_account_sessions", "People who are in by a browser.", ""),
    ("console_sessions", "sceau_console_sessions", "Operators who are in by a browser.", ""),
    ("disk_free", "sceau_disk_free_octets", "Free space where the data folder lies.", ""),
)


class Metrics:
    """The counters, given to the rooms that count; and the page that Prometheus reads."""

    def __init__(self, standing: Callable[[], Standing] = Standing) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # series that nobody reads
        self.standing = standing
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"sceau_{name}", words, labels, registry=registry)

        self.accepted = counter("messages_accepted", "Messages answered 250, by door.", "door")
        self.refused = counter(
            "recipients_refused",
            "Recipients or messages refused or deferred, by door and reason.",
            "door",
            "reason",
        )
        self.deliveries = counter("deliveries", "Deliveries that reached a state.", "state")
        self.put_off = counter("put_off", "Deliveries that wait for another try.", "reason")
        self.events = counter(
            "events", "Noteworthy events: failed log-ins and handshakes, wrong next hops.", "event"
        )
        self.web = counter(
            "web_requests",
            "Requests by HTTPS, by listener, route and status; 0: it went away unanswered.",
            "listener",
            "route",
            "status",
        )
        self.imap = counter("imap_commands", "Commands of mail clients, by name.", "command")
        self.large = counter(
            "large",
            "Messages too large for a next hop, by what became of them.",
            "event",
        )
        self.inspected = counter(
            "inspected",
            "Copies of messages that were looked into, by what became of them.",
            "state",
        )
        self.findings = counter(
            "findings", "Messages in which something was found, by reason.", "reason"
        )
        self.applications = counter(
            "applications",
            "What software said of documents: filed, or why not, ours and at other ends.",
            "answer",
        )
        self.crashes = counter(
            "crashes", "Unexpected errors caught at a loop's boundary; each is a bug.", "loop"
        )
        self.attempt_seconds = Histogram(
            "sceau_attempt_seconds",
            "Duration of one attempt at a next hop, by outcome.",
            ["outcome"],
            buckets=_SHORT,
            registry=registry,
        )
        self.delivery_seconds = Histogram(
            "sceau_delivery_seconds",
            "From our 250 to the next hop's 250 or our mailbox.",
            buckets=_LONG,
            registry=registry,
        )
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges, asked now (``prometheus_client``'s collector protocol)."""
        standing = self.standing()
        for attribute, name, words, label in _GAUGES:
            value = getattr(standing, attribute)
            family = GaugeMetricFamily(name, words, labels=[label] if label else None)
            for key, number in value.items() if label else (("", value),):
                family.add_metric([key] if label else [], number)
            yield family

    def page(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)


def names(metrics: Metrics) -> set[str]:
    """Return the names of our own metrics, as the documentation lists them."""
    counters = {"counter": "_total"}
    return {
        family.name + counters.get(family.type, "")
        for family in metrics.registry.collect()
        if family.name.startswith("sceau_")
    }
