"""What the gateway would connect to, and whether this machine lets it: for whoever opens a firewall.

Every place that the settings, our own certificate and the list name, each with why and with the key that
names it; nothing else is ever spoken to. Each is only knocked at, by TCP; nothing is said there. Whose
certificates are believed behind the door is the other looks' affair.
"""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from dns.exception import DNSException
from dns.resolver import Resolver

from gateway.doctor.beliefs import Ask
from gateway.doctor.finding import Finding, looked, ok, warn
from gateway.doctor.house import chained
from gateway.settings import Settings

_PATIENCE = 5.0
_AT_ONCE = 16
_MEMBERS = 50  # members' hosts that are knocked at; a national list has hundreds
_SMTP = 25


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere that is spoken to."""

    host: str
    port: int
    why: str
    key: str  # where that is set

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


Knock = Callable[[Place], str]


def egress(settings: Settings, ask: Ask, now: datetime) -> Iterator[Finding]:
    """Name every place, and say whether it is reached."""
    yield from looked("dns", _servers)
    places = list(dict.fromkeys((*named(settings), *_authorities(settings, now))))
    yield from knocked("egress", places)
    yield from looked("members", lambda: _members(settings, ask))
    yield ok("egress", "nothing else is spoken to: no update, no statistics, no cloud")


def named(settings: Settings) -> Iterator[Place]:
    """Yield the places that the settings name."""
    yield from _fetched(settings)
    receipts, siem, alerts = settings.receipts, settings.siem, settings.alerts
    if receipts.host:
        yield Place(receipts.host, receipts.port, "the broker of receipts", "[receipts] host")
    if siem.host:
        yield Place(siem.host, siem.port, "the SIEM", "[siem] host")
    if alerts.webhook:
        yield _web(alerts.webhook, "alerts to operators", "[alerts] webhook")
    if alerts.heartbeat:
        yield _web(alerts.heartbeat, "the heartbeat", "[alerts] heartbeat")
    for server in settings.mailboxes.server:
        if server.host:
            why = f"the mailbox server {server.name}"
            yield Place(server.host, server.at, why, "[[mailboxes.server]] host")
    for outbox in settings.labs.outbox:
        yield Place(outbox.host, outbox.at, f"the outbox {outbox.name}", "[[labs.outbox]] host")


def _fetched(settings: Settings) -> Iterator[Place]:
    for source in settings.trust.sources:
        for url in (source.url, *source.signatures):
            if url:
                yield _web(url, f"the list {source.name}", "[[trust.source]] url")
    for directory in settings.trust.directory:
        if directory.url:
            why = f"the directory {directory.name}"
            yield _web(directory.url, why, "[[trust.directory]] url")
    for issuer in settings.login.issuer:
        yield _web(issuer.url, "keys of who vouches for log-ins", "[[login.issuer]] url")
    if (reader := settings.large.reader) is not None:
        yield _web(reader.url, "who vouches for readers of large documents", "[large.reader] url")


def _authorities(settings: Settings, now: datetime) -> Iterator[Place]:
    if settings.certificates.revocation == "off":
        return
    for chain in chained(settings, now).found:
        for link in chain.links:
            for url in (*link.crls, *link.ocsps):
                yield _web(
                    url, "revocation of our own certificate, and of peers' alike", "certificate"
                )


def _web(url: str, why: str, key: str) -> Place:
    found = urlsplit(url)
    return Place(
        found.hostname or "", found.port or (80 if found.scheme == "http" else 443), why, key
    )


def _servers() -> Iterator[Finding]:
    try:
        servers = [str(each) for each in Resolver().nameservers]
    except (DNSException, OSError):
        yield warn("dns", "this machine has no name server", "peers are found by the list alone")
        return
    yield ok("dns", f"names are asked of {', '.join(servers)}, UDP and TCP 53")


def _members(settings: Settings, ask: Ask) -> Iterator[Finding]:
    """Knock at members' hosts: mail goes there."""
    members = ask("trust.show", limit=10_000)["members"]
    wanted: dict[Place, None] = {}
    without = 0
    for member in members:
        if member["domain"] in settings.site.domains:
            continue
        without += not member["hosts"]
        for each in member["hosts"]:
            host, _, port = each.rpartition(":") if _ported(each) else (each, "", "")
            at = int(port) if port else settings.relay.default_port
            wanted[Place(host, at, f"mail for {member['domain']}", "the trust list")] = None
    yield from knocked("members", list(wanted)[:_MEMBERS])
    if len(wanted) > _MEMBERS:
        yield ok("members", f"hosts of members that were not tried: {len(wanted) - _MEMBERS:,}")
    if without:
        yield ok("members", f"members without a host, whose MX is asked, port {_SMTP}: {without:,}")


def _ported(host: str) -> bool:
    return host.rpartition(":")[2].isdecimal() and host.count(":") == 1


def knocked(what: str, places: list[Place], knock: "Knock | None" = None) -> Iterator[Finding]:
    """Knock at several places at once, and say of each what came of it."""
    with ThreadPoolExecutor(_AT_ONCE, "sceau-knock") as threads:
        for place, why in zip(places, threads.map(knock or _knock, places), strict=True):
            told = f"{place} for {place.why} ({place.key})"
            if why:
                cure = "let this machine out to it, or correct the setting"
                yield warn(what, f"{told} is not reached: {why}", cure)
            else:
                yield ok(what, f"{told} is reached")


def _knock(place: Place) -> str:
    try:
        socket.create_connection((place.host, place.port), _PATIENCE).close()
    except socket.gaierror:
        return "it has no address"
    except TimeoutError:
        return "no answer: a firewall?"
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    return ""
