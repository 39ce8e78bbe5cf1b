"""What the gateway needs of others: authorities that answer, the broker, the name service.

Nothing is published, nothing is changed anywhere. A place without DNS is told of, not stumbled over.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer

from gateway.accounts.issuers import Issuer, UnreachableError
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.doctor.house import chained
from gateway.receipts.mqtt import Broker, BrokerError
from gateway.relay.handing.account import Accounts, Refused
from gateway.relay.handing.lines import Unusable, anchors, pinned
from gateway.running import certifying, checks
from gateway.settings import Settings
from gateway.settings.labs import Outbox
from gateway.web.fetching import Fetching
from gateway.web.setup.records import Record, records
from gateway.web.setup.servers import Server, Servers
from quarantine.scanner import Scanner
from smtp import tls
from smtp.address import Address
from trust.fetching import FetchError, FetchState

_PATIENCE = 5.0


class Asking(Protocol):
    """What is asked of a name service."""

    def resolve(self, qname: str, rdtype: str, *, lifetime: float) -> Iterable[object]:
        """Return the records of a name; raise for none."""


def authorities(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Fetch the revocation lists that our own chain names, as every peer of ours does."""
    urls = {
        url for chain in chained(settings, now).found for link in chain.links for url in link.crls
    }
    if not urls and settings.certificates.revocation == "when-named":
        yield ok("revocation", "our certificate names no list to ask")
    for url in sorted(urls):
        yield _fetched(url, settings)


def _fetched(url: str, settings: Settings) -> Finding:
    limit, outside = settings.certificates.limit, certifying.outside(settings)
    try:
        asyncio.run(Fetching(outside).get(url, limit=limit, within=_PATIENCE, plain=True))
    except FetchError as error:
        cure = "open the way out to it: without its answers peers' certificates become unknown"
        if error.state is FetchState.BAD_ADDRESS:
            cure = "name its host under [certificates] inside, if it is meant"
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


def scanner(settings: Settings) -> Iterator[Finding]:
    """Ask the virus scanner who it is."""
    quarantine = settings.quarantine
    if quarantine.scanner is None:
        yield ok("scanner", "none is configured: no message is scanned")
        return
    said = asyncio.run(Scanner(quarantine.scanner, _PATIENCE).version())
    if said is None:
        yield fail(
            "scanner",
            f"nobody answers at {quarantine.scanner}",
            "start clamd, let the gateway's user use its socket; until then messages wait for it",
        )
    else:
        yield ok("scanner", f"{said} answers")


def readers(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Ask where readers of large documents log in, by our own anchors."""
    reader = settings.large.reader
    if reader is None:
        return
    pinned_to = checks.readable(reader.anchors, "the anchors of the readers' issuer")
    issuer = Issuer(reader, pinned_to, Fetching(), lambda: now)
    try:
        place = asyncio.run(issuer.place("authorization_endpoint"))
    except UnreachableError:
        yield fail(
            "readers",
            f"{reader.name} at {reader.url} does not answer as an OpenID Connect issuer should",
            "see [large.reader] url and anchors, and the way out to it; links cannot be opened",
        )
    else:
        yield ok("readers", f"{reader.name} answers; people log in at {place}")


def outboxes(settings: Settings) -> Iterator[Finding]:
    """Log in where mail to be sent is filed, and look for the folder; nothing there is touched."""
    for each in settings.labs.outbox:
        try:
            found = asyncio.run(_opened(each))
        except (Refused, Unusable) as error:
            yield fail("outbox", f"{each.name}: {error}", "see [[labs.outbox]] in the settings")
            continue
        if found:
            yield ok("outbox", f"{each.name}: {each.folder} of {each.mailbox} is there")
        else:
            cure = f"make it in the account of {each.mailbox}"
            yield fail("outbox", f"{each.name}: there is no folder {each.folder}", cure)


async def _opened(outbox: Outbox) -> bool:
    accounts = Accounts(outbox, anchors(outbox), pinned(outbox))
    async with accounts.within(Address(outbox.mailbox)) as account:
        return await account.select(outbox.folder)


async def _met(there: Broker) -> None:
    async with there.connected():
        pass


def outside(settings: Settings, bound: Mapping[str, int]) -> Iterator[Finding]:
    """Connect as mail programs are told to: by that host, at that port, by its certificate's name."""
    servers = Servers.of(settings, bound)
    host = settings.setup.host or settings.site.host
    try:
        found = {each[4][0] for each in socket.getaddrinfo(host, None)}
    except OSError:
        yield warn("outside", f"{host} has no address", "mail programs and peers look for us there")
        return
    yield ok("outside", f"{host} is {', '.join(sorted(map(str, found)))}")
    context = tls.asking_context(settings.tls.anchors.read_bytes())
    web = (servers.web,) if servers.web is not None else ()
    for server in (*servers.reading, *servers.sending, *web):
        yield _reached(server, context)


def _reached(server: Server, context: ssl.SSLContext) -> Finding:
    where = f"{server.host}:{server.port}"
    try:
        with socket.create_connection((server.host, server.port), _PATIENCE) as line:
            if not server.starttls:
                context.wrap_socket(line, server_hostname=server.host).close()
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        return warn("outside", f"{where} is not believed: {why}", "who answers there is not we")
    except OSError as error:
        cure = "open the way in, or say in [setup] which one it is; not every network leads back inside"
        return warn("outside", f"{where} is not reached ({type(error).__name__})", cure)
    return ok("outside", f"{where} is reached")


def names(
    settings: Settings, bound: Mapping[str, int], make: Callable[[], Asking]
) -> Iterator[Finding]:
    """Compare the zones of our domains with what they should have."""
    try:
        asking = make()
    except (DNSException, OSError):
        yield warn("dns", "this machine has no name server", "peers are found by the list alone")
        return
    wanted = list(records(Servers.of(settings, bound)))
    for domain in settings.site.domains:
        of_domain = [each for each in wanted if each.name.endswith(f".{domain}")]
        try:
            missing = [each for each in of_domain if not _there(asking, each)]
        except DNSException:
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


def _there(asking: Asking, wanted: Record) -> bool:
    """Return whether the record is there; a name that leads to the same addresses will do."""
    try:
        if wanted.kind == "CNAME":
            here, there = (_addresses(asking, name) for name in (wanted.name, wanted.value))
            return here == there
        answer = asking.resolve(wanted.name, wanted.kind, lifetime=_PATIENCE)
    except (NXDOMAIN, NoAnswer):
        # What is said not to be there may as well be left out.
        return wanted.value.endswith(" .")
    found = [str(each).lower().split() for each in answer]
    # Priority and weight are the zone's own affair.
    return any(each[2:] == wanted.value.split()[2:] for each in found)


def _addresses(asking: Asking, name: str) -> set[str]:
    found: set[str] = set()
    for kind in ("A", "AAAA"):
        with suppress(NoAnswer):
            found |= {str(each) for each in asking.resolve(name, kind, lifetime=_PATIENCE)}
    return found
