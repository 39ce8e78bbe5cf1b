"""Messages that are too large for a next hop."""

from typing import Annotated

from annotated_types import Ge

from gateway.settings.large_reader import Reader
from gateway.settings.section import MiB, Octets, Port, Seconds, Section


class LargeSettings(Section):
    """How they stay here for others to fetch, and how others' are fetched."""

    enabled: bool = True
    largest: Octets = 600 * MiB  # what is kept for others, and what is fetched
    above: Octets = (
        0  # what is longer goes this way even where the next hop would take it; 0: only else
    )
    part: Octets = MiB  # a part of at least so much stays here
    keep_days: Annotated[int, Ge(1)] = 30
    quota: Octets = 10240 * MiB  # of one mailbox's messages that lie here
    port: Port = 0  # as peers see [listen.web_certificate]; 0: the one that it listens at
    piece: Annotated[int, Ge(64 * 1024)] = 8 * MiB  # what is fetched at once, and kept
    at_once: Annotated[int, Ge(1)] = 2
    timeout: Seconds = 60  # without an octet
    reader: Reader | None = None  # where people log in whose gateway cannot fetch
