"""What the gateway needs of others: authorities that answer, the broker, the name service.

Nothing is published, nothing is changed anywhere. A place without DNS is told of, not stumbled over.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import dns.exception
import dns.resolver

from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.doctor.house import chained
from gateway.receipts.mqtt import Broker, BrokerError
from gateway.settings import Settings
from gateway.web.fetching import Fetching
from gateway.web.setup.records import Record, records
from gateway.web.setup.servers import Servers
from trust.fetching import FetchError

_PATIENCE = 5.0


def authorities(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Fetch the revocation lists that our own chain names, as every peer of ours does."""
    urls = {
        url for chain in chained(settings, now).found for link in chain.links for url in link.crls
    }
    if not urls and settings.certificates.revocation == "when-named":
        yield ok("revocation", "our certificate names no list to ask")
    for url in sorted(urls):
        yield _fetched(url, settings.certificates.limit)


def _fetched(url: str, limit: int) -> Finding:
    try:
        asyncio.run(Fetching().get(url, limit=limit, within=_PATIENCE, plain=True))
    except FetchError as error:
        cure = "open the way out to it: without its answers peers' certificates become unknown"
        return warn("revocation", f"{error}", cure)
    return ok("revocation", f"{url} answers")


def broker(settings: Settings) -> Iterator[Finding]:
    """Log in to the broker, under a name of our own: the gateway's line stays."""
    if not settings.receipts.host:
        yield ok("broker", "none is configured: receipts stay in the outbox")
        return
    there = Broker.of(settings)
    try:
        asyncio.run(_met(replace(there, client=f"{there.client}-doctor")))
    except BrokerError as error:
        yield fail(
            "broker", str(error), "look at it, and at [receipts]; receipts wait, mail goes on"
        )
    else:
        yield ok("broker", f"{there.host}:{there.port} lets us in")


async def _met(there: Broker) -> None:
    async with there.connected():
        pass


def names(settings: Settings, bound: Mapping[str, int]) -> Iterator[Finding]:
    """Compare the zones of our domains with what they should have."""
    asking = _resolver()
    if asking is None:
        yield warn("dns", "this machine has no name server", "peers are found by the list alone")
        return
    yield from _host(asking, settings.setup.host or settings.site.host)
    wanted = list(records(Servers.of(settings, bound)))
    for domain in settings.site.domains:
        of_domain = [each for each in wanted if each.name.endswith(f".{domain}")]
        try:
            missing = [each for each in of_domain if not _there(asking, each)]
        except (dns.resolver.NoNameservers, dns.exception.Timeout):
            yield warn(
                "dns", f"nobody answers about {domain}", "look at this machine's name server"
            )
            return
        if missing:
            first = missing[0]
            yield warn(
                "dns",
                f"{domain}: {len(missing)} of {len(of_domain)} records are missing or others,"
                f" first {first.kind} {first.name}",
                "sceau doctor --dns prints them; without them programs are set up by hand",
            )
        else:
            yield ok("dns", f"{domain}: mail programs find us")


def _resolver() -> dns.resolver.Resolver | None:
    with suppress(dns.exception.DNSException, OSError):
        made = dns.resolver.Resolver()
        made.lifetime = _PATIENCE
        return made
    return None


def _host(asking: dns.resolver.Resolver, host: str) -> Iterator[Finding]:
    try:
        found = [str(each) for each in asking.resolve_name(host).addresses()]
    except dns.exception.DNSException:
        yield warn("dns", f"{host} has no address", "mail programs and peers look for us there")
    else:
        yield ok("dns", f"{host} is {', '.join(found)}")


def _there(asking: dns.resolver.Resolver, wanted: Record) -> bool:
    """Return whether the record is there; a name that leads to the same addresses will do."""
    try:
        if wanted.kind == "CNAME":
            here = set(asking.resolve_name(wanted.name).addresses())
            return here == set(asking.resolve_name(wanted.value).addresses())
        answer = asking.resolve(wanted.name, wanted.kind)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        # What is said not to be there may as well be left out.
        return wanted.value.endswith(" .")
    found = {str(each).lower().split()[2:] == wanted.value.split()[2:] for each in answer}
    return True in found
