"""The whole examination, from the inside out; each look is for itself."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from dns.resolver import Resolver

from gateway.app import settings_of
from gateway.control.lock import Lock
from gateway.doctor import (
    beliefs,
    critical,
    doors,
    egress,
    house,
    large,
    machine,
    neighbours,
    software,
)
from gateway.doctor.finding import Finding, Level, Look, looked, ok, warn
from gateway.operations.error import OperationError
from gateway.settings import Settings

Make = Callable[[], neighbours.Asking]


def examine(
    config: Path, ask: beliefs.Ask, now: datetime, asking: Make = Resolver
) -> Iterator[Finding]:
    """Look at everything; ``ask`` performs an operator's verb, ``asking`` makes a resolver."""
    settings: Settings | None = None

    def read() -> Iterator[Finding]:
        nonlocal settings
        settings = settings_of(config)
        yield ok("settings", f"{config} is understood")

    yield from looked("settings", read)
    if settings is not None:
        yield from _inside(settings, ask, now)
        yield from _outside(settings, now, asking)


def reaching(config: Path, ask: beliefs.Ask, now: datetime) -> Iterator[Finding]:
    """Look at nothing but what the gateway would connect to."""
    yield from egress.egress(settings_of(config), ask, now)


def _inside(settings: Settings, ask: beliefs.Ask, now: datetime) -> Iterator[Finding]:
    opens = True
    looks: list[tuple[str, Look]] = [
        ("clock", machine.clock),
        ("data", lambda: house.data(settings)),
        ("durability", lambda: machine.durability(settings)),
        ("secrets", lambda: house.secrets(settings)),
        ("certificate", lambda: house.certificate(settings, now)),
        ("anchors", lambda: house.anchors(settings, now)),
        ("escrow", lambda: house.escrow(settings)),
        ("key ring", lambda: house.ring(settings)),
    ]
    for what, look in looks:
        for finding in looked(what, look):
            yield finding
            opens = opens and not (what == "key ring" and finding.level is Level.FAIL)
    if not opens:
        yield warn("lists", "not looked at, nor the journal", "they open with the key ring alone")
        return
    yield from looked("lists", lambda: beliefs.lists(ask, now))
    yield from looked("our domain", lambda: beliefs.ourselves(ask, settings))
    yield from looked("revocation", lambda: beliefs.revocation(ask))
    yield from looked("journal", lambda: beliefs.journal(ask))
    yield from looked("watched folder", lambda: software.watched(settings, ask))
    yield from looked("critical results", lambda: critical.persons(settings, ask))
    yield from looked("console", lambda: machine.desk(settings, ask))


def _outside(settings: Settings, now: datetime, asking: Make) -> Iterator[Finding]:
    if runs(settings):
        yield from looked("ports", lambda: doors.doors(settings, bound(settings)))
        yield from looked("outside", lambda: neighbours.outside(settings, bound(settings)))
    else:
        yield warn("ports", "no gateway runs here: none was tried", "sceau serve starts it")
    yield from looked("revocation", lambda: neighbours.authorities(settings, now))
    yield from looked("mailbox servers", lambda: software.servers(settings))
    yield from looked("readers", lambda: neighbours.readers(settings, now))
    yield from looked("broker", lambda: neighbours.broker(settings))
    yield from looked("large documents", lambda: large.large(settings))
    yield from looked("siem", lambda: machine.siem(settings))
    yield from looked("scanner", lambda: neighbours.scanner(settings))
    yield from looked("outbox", lambda: neighbours.outboxes(settings))
    yield from looked("dns", lambda: neighbours.names(settings, bound(settings), asking))


def runs(settings: Settings) -> bool:
    """Return whether a gateway works in the data folder."""
    lock = Lock(settings.paths.data)
    if not (settings.paths.data / "lock").exists():
        return False  # taking it would make the file, perhaps as another user than the gateway's
    try:
        if lock.take("sceau doctor"):
            lock.release()
            return False
    except OSError as error:
        raise OperationError(
            f"the data folder cannot be used: {error.strerror}", "run it as the gateway's user"
        ) from None
    return lock.holder.startswith("sceau serve")


def bound(settings: Settings) -> Mapping[str, int]:
    """Return the ports that the gateway took, as it wrote them down."""
    with suppress(OSError, ValueError):
        found: dict[str, int] = json.loads((settings.paths.data / "ports.json").read_bytes())
        return found
    return {}
