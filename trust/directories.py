"""Keeps directories fresh: fetches them, has another process read them, swaps, keeps them.

Nothing that goes wrong here refuses anybody: the last good directory stays, however old, and
``standing`` says that it is. What stands for an address grants nothing. R-D5.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from trust.book import Buffer
from trust.calm import calmly, let_go
from trust.directory.reading import Directory
from trust.errors import ApartError, ListError
from trust.verification import OfferError, Outcome
from trust.watch import Seen

LOSS = 0.5  # a directory that has lost more than this share of its addresses is not believed


@dataclass(frozen=True, slots=True)
class Gathered:
    """A directory as it came, made into one buffer, and how it looked where it lay."""

    packed: Buffer = field(repr=False)
    seen: Seen


class Origin(Protocol):
    """Where a directory comes from."""

    async def look(self, before: Seen | None) -> Gathered | None:
        """Return what is there; None: the same as before.

        ``OfferError``, ``ListError`` or ``ApartError`` say what is wrong.
        """


@dataclass(frozen=True, slots=True)
class Source:
    """One directory, as the settings name it; their order is the order of belief."""

    name: str
    origin: Origin
    poll: float
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class Kept:
    """A directory that was in use, and since when it has been known."""

    taken: datetime
    packed: Buffer = field(repr=False)


class DirectoryStore(Protocol):
    """Where directories are kept over restarts; the floors above fill it."""

    async def load(self, name: str) -> Kept | None:
        """Return the directory of that name that was kept last."""

    async def save(self, name: str, kept: Kept) -> None:
        """Keep it in the place of the one before."""


@dataclass(frozen=True, slots=True)
class Look:
    """What became of one look at a directory, in a word and a sentence."""

    at: datetime
    source: str
    outcome: Outcome
    sentence: str


@dataclass(frozen=True, slots=True)
class DirectoryStanding:
    """How one directory stands."""

    name: str
    directory: Directory | None
    taken: datetime | None  # when it was last seen to be what is published
    stale: bool
    last: Look | None


@dataclass(slots=True)
class _Shelf:
    """One source, and what we have of it; the loop's own."""

    source: Source
    directory: Directory | None = None
    taken: datetime | None = None
    seen: Seen | None = None
    last: Look | None = None
    bell: asyncio.Event = field(default_factory=asyncio.Event)


class Directories:
    """Owns the directories beside the list."""

    def __init__(
        self,
        sources: Iterable[Source],
        store: DirectoryStore,
        clock: Callable[[], datetime],
        *,
        beside: Callable[[Sequence[Directory]], None],
        tell: Callable[[Look], None] = lambda _: None,
    ) -> None:
        self._shelves = {source.name: _Shelf(source) for source in sources}
        self._store, self._clock = store, clock
        self._beside, self._tell = beside, tell
        self._restored = False
        self._turn = asyncio.Lock()  # one is read at a time: it takes a processor's whole minute

    @property
    def all(self) -> tuple[Directory, ...]:
        """The directories in use, in the order of belief."""
        return tuple(each.directory for each in self._shelves.values() if each.directory)

    def standing(self) -> tuple[DirectoryStanding, ...]:
        """Say how each one stands now."""
        now = self._clock()
        return tuple(
            DirectoryStanding(
                shelf.source.name,
                shelf.directory,
                shelf.taken,
                shelf.taken is None or now - shelf.taken > shelf.source.max_age,
                shelf.last,
            )
            for shelf in self._shelves.values()
        )

    async def restore(self) -> None:
        """Put back in use what was, after a restart; the second time there is nothing to do."""
        if self._restored:
            return
        self._restored = True
        for name, shelf in self._shelves.items():
            try:
                if (kept := await self._store.load(name)) is not None:
                    shelf.directory, shelf.taken = Directory(kept.packed), kept.taken
            except Exception as error:  # noqa: BLE001 - whatever the store is made of
                sentence = f"the one that was kept cannot be read ({type(error).__name__})"
                self._note(shelf, Outcome.BROKEN, sentence)
        self._beside(self.all)

    async def run(self) -> None:
        """Look at all of them, again and again."""
        await self.restore()
        async with asyncio.TaskGroup() as group:
            for name in self._shelves:
                group.create_task(self._keep(name))

    async def _keep(self, name: str) -> None:
        shelf = self._shelves[name]
        while True:
            shelf.bell.clear()
            await self.look(name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(shelf.source.poll):
                    await shelf.bell.wait()

    def wake(self) -> None:
        """Look at all of them now rather than at the next round."""
        for shelf in self._shelves.values():
            shelf.bell.set()

    async def look(self, name: str, *, anyway: bool = False) -> Look:
        """Take the directory in if it is new; nothing it holds can stop this.

        ``anyway``: also if it has lost most of its addresses; an operator says so.
        """
        shelf = self._shelves[name]
        async with self._turn:
            try:
                return await self._look(shelf, anyway=anyway)
            except OfferError as error:
                return self._note(shelf, error.outcome, str(error))
            except ListError as error:
                return self._note(shelf, Outcome.MALFORMED, str(error))
            except ApartError as error:
                return self._note(shelf, Outcome.BROKEN, f"it could not be read: {error}")
            except Exception as error:  # noqa: BLE001 - the loop's one boundary
                sentence = f"looking for it failed ({type(error).__name__})"
                return self._note(shelf, Outcome.BROKEN, sentence)

    async def _look(self, shelf: _Shelf, *, anyway: bool) -> Look:
        found = await shelf.source.origin.look(shelf.seen)
        if found is None:
            shelf.taken = self._clock()
            return self._note(shelf, Outcome.UNCHANGED, "it has not changed")
        fresh = await calmly(Directory, found.packed)
        before = len(shelf.directory) if shelf.directory else 0
        if len(fresh) < LOSS * before and not anyway:
            sentence = f"it has {len(fresh)} addresses and had {before}: it is not believed"
            return self._note(shelf, Outcome.IMPLAUSIBLE, sentence)
        outdated = list[object]()
        if shelf.directory is not None:
            outdated += shelf.directory.packed, shelf.directory
        shelf.directory, shelf.seen, shelf.taken = fresh, found.seen, self._clock()
        self._beside(self.all)
        await let_go(outdated)
        try:
            await self._store.save(shelf.source.name, Kept(shelf.taken, found.packed))
        except Exception as error:  # noqa: BLE001 - whatever the store is made of
            sentence = f"{fresh.report}; not kept for a restart ({type(error).__name__})"
            return self._note(shelf, Outcome.NOT_SAVED, sentence)
        sentence = f"{len(fresh)} addresses in {len(fresh.domains)} domains; {fresh.report}"
        return self._note(shelf, Outcome.ACCEPTED, sentence)

    def _note(self, shelf: _Shelf, outcome: Outcome, sentence: str) -> Look:
        """Remember what became of a look; tell it, unless it is the same story once more."""
        look = Look(self._clock(), shelf.source.name, outcome, sentence)
        last, shelf.last = shelf.last, look
        if outcome is not Outcome.UNCHANGED and (last is None or replace(last, at=look.at) != look):
            self._tell(look)
        return look
