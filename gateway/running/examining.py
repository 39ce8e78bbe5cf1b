"""Who looks into messages, put together as the settings say: the scanner, the limits, the pace."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from gateway.documents import coherence
from gateway.operations.rooms import Rooms
from gateway.relay.inspecting import Inspecting, Pace
from gateway.relay.looking import Looking
from gateway.settings.quarantine import QuarantineSettings
from quarantine.scanner import Scanner

_AGAIN = timedelta(seconds=15)  # a scanner that is away is asked again so soon, at the latest


def scanner(settings: QuarantineSettings) -> Scanner | None:
    """Return the scanner that the settings name, if they do."""
    if settings.scanner is None:
        return None
    return Scanner(settings.scanner, settings.scanner_timeout)


def inspecting(rooms: Rooms, wake: Callable[[], None]) -> Inspecting:
    """Return the loop that looks into what the doors have taken."""
    settings = rooms.settings.quarantine
    looking = Looking(
        rooms.vault,
        partial(coherence.findings, citizens=rooms.exchanges.rules.citizens),
        scanner(settings),
        settings.limits,
        settings.seconds,
        ThreadPoolExecutor(settings.at_once, "sceau-look"),
    )
    patience = timedelta(seconds=settings.scanner_patience)
    pace = Pace(
        settings.at_once,
        timedelta(seconds=settings.scanner_timeout + settings.seconds),
        patience,
        min(_AGAIN, patience / 4),
    )
    return Inspecting(rooms.desk, rooms.notices, looking, pace, wake)
