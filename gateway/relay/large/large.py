"""What the rest of the road has at hand for messages too large for a next hop."""

from dataclasses import dataclass
from typing import Self

from gateway.relay.large.fetches import Fetches
from gateway.relay.large.hops import Hops
from gateway.relay.large.links import Links
from gateway.settings.large import LargeSettings
from vault.database import Database
from vault.keys import KeyRing


@dataclass(slots=True)
class Large:
    """One a gateway; on its desk."""

    settings: LargeSettings
    links: Links
    fetches: Fetches
    hops: Hops
    port: int = 0  # where other gateways fetch, once that is known; 0: nowhere, and nothing is lent

    @classmethod
    def of(cls, settings: LargeSettings, database: Database, ring: KeyRing) -> Self:
        """Make it of the settings."""
        return cls(
            settings,
            Links(database, ring),
            Fetches(database, ring),
            Hops(database),
            settings.port,
        )
