"""Keeps the list in force: takes new ones in, refuses what must be refused, swaps without a pause.

The one place where a verified list lives. Whatever goes wrong, the last verified list stays and
``standing`` says why; only its own date makes it stale. A new list is durable before it counts, so
that no restart brings back an older one. R-C4, R-C5, R-C7.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from trust import dropped as dropping
from trust.formats import native
from trust.overlay import Overlay
from trust.signatures import Quorum
from trust.sources import Edition, TrustList
from trust.verification import NATIVE, Known, OfferError, Outcome, examine


@dataclass(frozen=True, slots=True)
class Stored:
    """A list that was in force, exactly as it was signed."""

    version: int
    digest: str  # SHA-256 of the content, in hex
    imported: datetime
    content: bytes = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)


class TrustStore(Protocol):
    """Where versions are kept for good; the floors above fill it."""

    def load(self) -> Stored | None:
        """Return the highest version ever saved."""

    async def save(self, stored: Stored) -> None:
        """Keep a version; return once it is durable."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one offer, in a word for software and a sentence for operators."""

    at: datetime
    outcome: Outcome
    sentence: str
    version: int | None = None

    @property
    def good(self) -> bool:
        """Whether what was offered is (now or already) the list in force."""
        return self.outcome in _GOOD


_GOOD = frozenset({Outcome.ACCEPTED, Outcome.ACCEPTED_STALE, Outcome.UNCHANGED})
# The same files may fare better later; all others are judged for good until they change.
_PASSING = frozenset({Outcome.FUTURE, Outcome.NOT_SAVED, Outcome.UNREADABLE, Outcome.BROKEN})


@dataclass(frozen=True, slots=True)
class Standing:
    """How the list stands, for operators and for the status page."""

    listed: TrustList | None
    stale: bool  # also when there is none
    last: Arrival | None  # the last offer that brought news
    looked: datetime | None  # when the dropped file was last looked at
    useless: int = 0  # files beside it, when it was last read, that add no signer


Changed = Callable[[TrustList, TrustList | None], None]  # the new list, the one before


class Keeper:
    """Owns ``current``; everyone else reads it and keeps no copy across an await."""

    def __init__(
        self,
        quorum: Quorum,
        store: TrustStore,
        clock: Callable[[], datetime],
        *,
        dropped: Path | None = None,
        poll: float = 60,
        tell: Callable[[Arrival], None] = lambda _: None,
    ) -> None:
        self.current: TrustList | None = None
        self.overlay = Overlay()
        self._quorum = quorum
        self._store = store
        self._clock = clock
        self._dropped = dropped
        self._poll = poll
        self._tell = tell
        self._subscribers: list[Changed] = []
        self._known: Known | None = None
        self._last: Arrival | None = None
        self._looked: datetime | None = None
        self._useless = 0
        self._judged: dropping.Files | None = None  # the dropped files as they were when judged
        self._turn = asyncio.Lock()  # one offer at a time
        self._bell = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Keeper {self.current or 'without a list'}, last {self._last}>"

    def subscribe(self, changed: Changed) -> None:
        """Call this with the new and the old list, right after each swap."""
        self._subscribers.append(changed)

    def standing(self) -> Standing:
        """Say how the list stands now."""
        stale = self.current is None or self.current.stale(self._clock())
        return Standing(self.current, stale, self._last, self._looked, self._useless)

    def restore(self) -> Arrival | None:
        """Put the stored list back in force after a restart, verified anew; None: none is stored.

        A list whose signers are pinned no longer vouches for nobody, but its number still counts:
        changing signers must not open the door to an older list.
        """
        now = self._clock()
        try:
            stored = self._store.load()
        except Exception as error:  # noqa: BLE001 - whatever the store is made of
            sentence = f"the stored list cannot be read ({type(error).__name__})"
            return self._note(Arrival(now, Outcome.BROKEN, sentence))
        if stored is None:
            return None
        self._known = Known(stored.version, stored.digest)
        try:
            edition = examine(stored.content, stored.signatures, self._quorum, None, now)
        except OfferError as refused:
            sentence = f"the stored list cannot be used: {refused}"
            return self._note(Arrival(now, refused.outcome, sentence, stored.version))
        return self._swap(edition, now)

    async def offer(self, content: bytes, signatures: Sequence[bytes]) -> Arrival:
        """Bring a list into force if it may: verified off the loop, durable before the swap."""
        async with self._turn:
            now = self._clock()
            here = self.current and self.current.edition(NATIVE)
            if here and native.digest(content) == here.digest:
                return Arrival(now, Outcome.UNCHANGED, "already in force", here.claims.version)
            try:
                edition = await asyncio.to_thread(
                    examine, content, tuple(signatures), self._quorum, self._known, now
                )
            except OfferError as refused:
                return self._note(Arrival(now, refused.outcome, str(refused), refused.version))
            version = edition.claims.version
            if self._known is None or self._known.digest != edition.digest:
                stored = Stored(version or 0, edition.digest, now, content, tuple(signatures))
                try:
                    await self._store.save(stored)
                except Exception as error:  # noqa: BLE001 - whatever the store is made of
                    sentence = f"could not be stored ({type(error).__name__}), so it does not count"
                    return self._note(Arrival(now, Outcome.NOT_SAVED, sentence, version))
            return self._swap(edition, now)

    def overlaid(self, overlay: Overlay) -> None:
        """Lay another overlay over the list in force, at once."""
        self.overlay = overlay
        if self.current is not None:
            before, self.current = self.current, self.current.under(overlay)
            for changed in self._subscribers:
                changed(self.current, before)

    def _swap(self, edition: Edition, now: datetime) -> Arrival:
        listed, claims = TrustList.of([edition], overlay=self.overlay), edition.claims
        before, self.current = self.current, listed
        self._known = Known(claims.version or 0, edition.digest, claims.issued)
        outcome = Outcome.ACCEPTED
        sentence = f"{claims.name} is in force until {claims.stale_after:%F %T} UTC"
        if edition.stale(now):
            outcome = Outcome.ACCEPTED_STALE
            sentence = f"{claims.name} is in force but stale: mail waits for a new one"
        arrival = self._note(Arrival(now, outcome, sentence, claims.version))
        for changed in self._subscribers:
            changed(listed, before)
        return arrival

    def _note(self, arrival: Arrival) -> Arrival:
        """Remember what became of an offer; tell it, unless it is the same story once more."""
        last, self._last = self._last, arrival
        if last is None or (last.outcome, last.sentence) != (arrival.outcome, arrival.sentence):
            self._tell(arrival)
        return arrival

    def wake(self) -> None:
        """Look at the dropped file now rather than at the next round."""
        self._bell.set()

    async def run(self) -> None:
        """Look at the dropped file again and again; nothing it holds can stop this."""
        while True:
            self._bell.clear()
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the loop's one boundary
                sentence = f"looking for a list failed ({type(error).__name__})"
                self._note(Arrival(self._clock(), Outcome.BROKEN, sentence))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._bell.wait()

    async def look(self) -> Arrival | None:
        """Offer what lies at the dropped path; None if it was judged before and did not change."""
        async with self._turn:
            if self.current is None:
                self.restore()  # the clock, or the disk, may have been set right meanwhile
        if self._dropped is None:
            return None
        self._looked = now = self._clock()
        files = await asyncio.to_thread(dropping.files, self._dropped)
        if files == self._judged:
            return None
        try:
            found = await asyncio.to_thread(dropping.read, self._dropped, self._quorum)
        except FileNotFoundError:
            sentence = f"there is no list at {self._dropped}"
            arrival = self._note(Arrival(now, Outcome.NOT_FOUND, sentence))
        except OSError as error:
            sentence = f"{self._dropped} cannot be read: {error.strerror}"
            arrival = self._note(Arrival(now, Outcome.UNREADABLE, sentence))
        else:
            self._useless = found.useless
            arrival = await self.offer(found.content, found.signatures)
        # Taken before the reading: what changed in between is looked at again.
        self._judged = None if arrival.outcome in _PASSING else files
        return arrival
