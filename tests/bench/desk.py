"""The console with a million messages in the database: every page, from the outside, in milliseconds.

A real ``sceau serve`` on a database that ``tests.bench.crowd`` made; an operator logs in by the forms, as a
browser without JavaScript does, and opens each page several times. The first time counts apart: nothing
of it is in memory then.
"""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

import httpx
import pyotp

from tests.bench import crowd
from tests.bench.report import Figure
from tests.gateway.web.account.browser import PASSPHRASE, Browser
from tests.interop.postfix import free_port
from tests.interop.site import Federation, Site, now

MESSAGES, TIMES = 1_000_000, 5
BOUND = 0.2  # seconds for any page
DOMAIN = "labo.example"

KNOWN = ("message", "reference", "message_id", "since", "until")  # of a message, to a caller

Visit = Callable[[Browser], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """What is opened, and in which words the report names it."""

    name: str
    visit: Visit
    status: int = 200


def _opens(path: str) -> Visit:
    async def visit(browser: Browser) -> httpx.Response:
        return await browser.open(path)

    return visit


def _asks(path: str, fields: dict[str, str]) -> Visit:
    """Send a page's first form; the form itself was fetched before, and is not what is timed."""

    async def visit(browser: Browser) -> httpx.Response:
        told = browser.form(path) | fields
        return await browser.client.post(path, data=told, follow_redirects=True)

    return visit


def pages(known: Mapping[str, str]) -> list[Page]:
    """Return every page, with what a desk asks of it."""
    trace, journal = "/console/trace", "/console/journal"
    busy, rare = "boite0@" + DOMAIN, f"seul@{crowd.RARE}"
    return [
        Page("Today", _opens("/console")),
        Page("Trace, the latest", _opens(trace)),
        Page("Trace, a busy domain", _opens(f"{trace}?what={crowd.BUSY}")),
        Page("Trace, our own domain", _opens(f"{trace}?what={DOMAIN}")),
        Page("Trace, a rare domain", _opens(f"{trace}?what={crowd.RARE}")),
        Page("Trace, an unknown domain", _opens(f"{trace}?what=nobody.example")),
        Page("Trace, a busy address", _asks(trace, {"what": busy})),
        Page("Trace, a rare address", _asks(trace, {"what": rare})),
        Page("Trace, a reference", _asks(trace, {"what": known["reference"]})),
        Page("Trace, a Message-ID", _asks(trace, {"what": known["message_id"]})),
        Page("Trace, an hour", _asks(trace, {"since": known["since"], "until": known["until"]})),
        Page("Trace, one message", _opens(f"{trace}/{known['message']}")),
        Page("Spool, by peer", _opens("/console/spool")),
        Page("Spool, one peer", _opens(f"/console/spool/of/{crowd.BUSY}")),
        Page("Journal, the latest", _opens(journal)),
        Page("Journal, a rare event", _asks(journal, {"event": "login.failed"})),
        Page("Journal, a noun", _asks(journal, {"event": "login."})),
        Page("Journal, an operator", _asks(journal, {"actor": "operator:anne"})),
        Page("Journal, nobody", _asks(journal, {"actor": "peer:00"})),
        Page("Journal, a busy address", _asks(journal, {"who": busy, "event": "login.failed"})),
        Page("Journal, an hour", _asks(journal, {"since": known["since"]})),
        Page("Journal, words", _asks(journal, {"event": "recipient.refused", "text": "nowhere"})),
        Page("Indicators, a year", _opens("/console/indicators")),
        Page("Quarantine", _opens("/console/quarantine")),
        Page("Trust list", _opens("/console/trust")),
        Page("Mailboxes", _opens("/console/mailboxes")),
        Page("Citizens", _opens("/console/citizens")),
        Page("Settings", _opens("/console/settings")),
    ]


def measure(folder: Path, messages: int) -> list[Figure]:
    """Make the database, run the gateway on it, open every page."""
    folder.mkdir()
    federation, port = Federation(folder), free_port()
    doors = {"listen.console": {"port": port, "max_connections_per_address": 1000}}
    site = Site(federation, "labo", DOMAIN, doors)
    client = federation.credential("peers")
    for number in range(crowd.PEERS):
        federation.add(f"chu-{number}.example", client)
    site.found(federation.publish())
    fill(site, messages)
    with site:
        return visited(site, port, messages)


def fill(site: Site, messages: int) -> None:
    """Write the month of mail, in a process of its own."""
    words = [sys.executable, "-m", "tests.bench.crowd", str(site.config), str(messages)]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)


def visited(site: Site, port: int, messages: int) -> list[Figure]:
    """Open every page of a gateway that runs; return how long each took."""
    return asyncio.run(_visited(site, port, messages))


async def _visited(site: Site, port: int, messages: int) -> list[Figure]:
    trust = ssl.create_default_context(cafile=str(site.federation.anchors))
    trust.check_hostname = False
    base = f"https://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base, verify=trust, timeout=60) as client:
        browser = Browser(client)
        await _come_in(site, browser)
        known = _known(site)
        return [await _figure(browser, page, messages) for page in pages(known)]


async def _come_in(site: Site, browser: Browser) -> None:
    name = f"bench-{now():%H%M%S}"  # whoever came before keeps their factors
    invited = site.sceau("operator", "invite", name, "--role", "administrator")
    await browser.open(f"/console/invitation?code={invited['code']}")
    await browser.send("/console/invitation")
    code = pyotp.TOTP(browser.seed).at(now())
    choice = {"passphrase": PASSPHRASE, "again": PASSPHRASE, "code": code}
    await browser.send("/console/invitation/choose", 1, **choice)
    assert "/console" == browser.path, browser.page.text


def _known(site: Site) -> dict[str, str]:
    """Return what a caller might know of a message in the middle of the month."""
    half = f"{(now() - crowd.HALF):%Y-%m-%dT%H:%M}"
    after = f"{(now() - crowd.HALF + crowd.HOUR):%Y-%m-%dT%H:%M}"
    found = site.sceau("journal", "search", "--until", half, "--event", "message.accepted")
    message = found["rows"][0]["message"]
    shown = site.sceau("spool", "show", message)
    return {
        "message": message,
        "reference": shown["reference"],
        "message_id": shown["message_id"],
        "since": half,
        "until": after,
    }


async def _figure(browser: Browser, page: Page, messages: int) -> Figure:
    took = []
    for _ in range(TIMES + 1):
        await browser.open(page_of_forms(page.name))
        began = monotonic()
        answer = await page.visit(browser)
        took.append(monotonic() - began)
        assert answer.status_code == page.status, (page.name, answer.status_code)
    first, *others = took
    return Figure(
        what=f"{page.name}, {messages:,} messages",
        unit="ms",
        ours=median(others) * 1e3,
        theirs=first * 1e3,
        target=f"under {BOUND * 1e3:.0f} ms",
        met=median(others) < BOUND,
    )


def page_of_forms(name: str) -> str:
    """Return the page that has the form that is asked, or a light one."""
    forms = {"Trace": "/console/trace", "Journal": "/console/journal"}
    return forms.get(name.partition(",")[0], "/console/factors")
