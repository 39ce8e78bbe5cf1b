"""How the gateway stands, as an operator reads it: one line a thing, good, to be seen to, or bad.

Pure: what is measured is given, and so are the thresholds, which are those of the alerts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.observe.metrics import Standing

DAY = 86_400.0
_SEALED_WITHIN = 2 * 3600.0  # the journal's head is signed far more often


class State(StrEnum):
    """How bad it is."""

    WELL = "well"
    WAIT = "wait"
    ILL = "ill"
    MUTE = "mute"  # nothing to say


@dataclass(frozen=True, slots=True)
class Check:
    """One line; ``said`` is a key of the page's words, ``values`` go into it."""

    key: str
    state: State
    said: str
    values: Mapping[str, object] = field(default_factory=dict)
    seconds: float | None = None  # shown as a span of time
    name: str = ""  # which of several
    more: str = ""
    link: str = ""
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on something is to be seen to."""

    stale_before: float
    broker_after: float
    stuck_after: float
    reserve: int
    broker: bool  # whether one is set at all


def checks(
    standing: Standing, bounds: Thresholds, refused: Mapping[str, str] | None = None
) -> list[Check]:
    """Return every line; ``refused``: sources whose last offer was turned away, with why."""
    return [
        *_lists(standing, bounds, refused or {}),
        _certificate(standing.certificate_expires_in),
        _moving(standing, bounds),
        _broker(standing, bounds),
        *_scanner(standing),
        _disk(standing.disk_free, bounds.reserve),
        _journal(standing.journal_head_age),
    ]


def _lists(standing: Standing, bounds: Thresholds, refused: Mapping[str, str]) -> Iterator[Check]:
    trust = "/console/trust"
    if not standing.list_stale_in:
        yield Check("list", State.ILL, "list-missing", link=trust)
    for name, left in standing.list_stale_in.items():
        version: Mapping[str, object] = {"version": standing.list_version.get(name, 0)}
        if left <= 0:
            yield Check("list", State.ILL, "list-stale", version, -left, name, link=trust)
        elif name in standing.list_waiting:
            said = {"domains": standing.list_waiting[name]}
            yield Check("list", State.WAIT, "list-waits", said, None, name, link=trust)
        else:
            state = State.WAIT if left < bounds.stale_before else State.WELL
            yield Check("list", state, "list-good", version, left, name, link=trust)
    for name, outcome in refused.items():
        yield Check(
            "offer", State.ILL, "offer-refused", {"outcome": outcome}, None, name, link=trust
        )


def _certificate(left: float) -> Check:
    if left <= 0:
        return Check("certificate", State.ILL, "certificate-over", seconds=-left)
    state = State.ILL if left < 7 * DAY else State.WAIT if left < 30 * DAY else State.WELL
    return Check("certificate", state, "certificate-good", seconds=left)


def _moving(standing: Standing, bounds: Thresholds) -> Check:
    spool, waiting = "/console/spool", sum(standing.deliveries.values())
    if not waiting:
        return Check("mail", State.WELL, "mail-nothing", link=spool)
    state = State.WAIT if standing.oldest_delivery > bounds.stuck_after else State.WELL
    said = {"waiting": waiting}
    return Check("mail", state, "mail-waits", said, standing.oldest_delivery, link=spool)


def _broker(standing: Standing, bounds: Thresholds) -> Check:
    if not bounds.broker:
        return Check("broker", State.MUTE, "broker-none")
    if not standing.outbox:
        return Check("broker", State.WELL, "broker-good")
    state = State.ILL if standing.oldest_receipt > bounds.broker_after else State.WELL
    said = {"waiting": standing.outbox}
    return Check("broker", state, "broker-waits", said, standing.oldest_receipt)


def _scanner(standing: Standing) -> Iterator[Check]:
    if standing.scanner_silent:
        yield Check("scanner", State.ILL, "scanner-silent", link="/console/quarantine")


def _disk(free: int, reserve: int) -> Check:
    state = State.ILL if free < reserve else State.WAIT if free < 4 * reserve else State.WELL
    return Check("disk", state, "disk-free", octets=free)


def _journal(age: float) -> Check:
    state = State.WAIT if age > _SEALED_WITHIN else State.WELL
    return Check("journal", state, "journal-signed", seconds=age, link="/console/journal")
