"""A keeper with all that surrounds it: an authority, a folder, a store, a clock, and who is told."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from tests.trust.simulator import NOW, ListAuthority, MemoryStore
from trust.change import Policy
from trust.formats import native
from trust.keeper import Keeper
from trust.places import Dropped
from trust.sources import TrustList
from trust.watch import Arrival, Source


def _version(listed: TrustList | None) -> int | None:
    return listed.editions[0].claims.version if listed else None


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """A keeper with all that surrounds it."""

    authority: ListAuthority
    dropped: Path
    limit: int = native.LIMIT
    poll: float = 60
    policy: Policy = field(default_factory=Policy)
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: Clock = field(default_factory=Clock)
    told: list[Arrival] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    changes: list[tuple[int, int | None]] = field(default_factory=list)

    def keeper(self, authority: ListAuthority | None = None, dropped: Path | None = None) -> Keeper:
        demands = (authority or self.authority).demands
        form = demands.form
        assert isinstance(form, native.Source)
        place = Dropped(dropped or self.dropped, self.limit, form.sift)
        source = Source(replace(demands, limit=self.limit), place, self.poll)
        made = Keeper([source], self.store, self.clock, policy=self.policy, tell=self.tell)
        made.subscribe(self.changed)
        return made

    def tell(self, arrival: Arrival) -> None:
        self.told.append(arrival)
        self.news.set()

    def changed(self, listed: TrustList, before: TrustList | None) -> None:
        self.changes.append((_version(listed) or 0, _version(before)))

    def drop(self, content: bytes, envelopes: list[bytes]) -> None:
        """Put a list where the keeper looks, as an operator would."""
        self.dropped.write_bytes(content)
        for number, envelope in enumerate(envelopes):
            self.beside(f"{number}.p7s").write_bytes(envelope)

    def beside(self, suffix: str) -> Path:
        return Path(f"{self.dropped}.{suffix}")

    def drop_huge(self, path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(1 << 40)

    @property
    def outcomes(self) -> list[str]:
        return [arrival.outcome for arrival in self.told]
