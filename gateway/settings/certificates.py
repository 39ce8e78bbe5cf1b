"""What is demanded of a certificate besides being the right one."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from gateway.settings.section import MiB, Octets, Seconds, Section
from trust.authorities import Revocation


class Certificates(Section):
    """How authorities are asked, how long silence is borne, when an expiry is told ahead."""

    revocation: Revocation = Revocation.WHEN_NAMED
    grace: Seconds = 4 * 3600
    refresh: Annotated[float, Ge(60)] = 3600
    timeout: Annotated[float, Ge(1)] = 10
    wait: Seconds = 5
    limit: Annotated[Octets, Ge(1)] = 10 * MiB
    inside: tuple[str, ...] = ()
    intermediates: Path | None = None
    warn_days: tuple[Annotated[int, Ge(0)], ...] = (60, 30, 7)
    bridge: bool = False
