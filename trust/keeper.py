"""Keeps what is believed: takes new versions in, refuses what must be refused, asks, swaps.

The one place where the verified list lives. Whatever goes wrong with a source, its last verified
version stays and ``standing`` says why; only its own date makes it stale. A version is durable
before it counts, so that no restart brings back an older one, and a change that operators want to be
asked about waits until they were: meanwhile what it would change is put off, and whom it revokes
is revoked. Reading and verifying happen off the loop, the swap in one step. R-C4 to R-C7.

One long file on purpose: whatever may change what is believed stands under one lock, in one place,
and is read with what is written down before it counts.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from trust.calm import calmly, let_go
from trust.change import Change, Judgement, Policy
from trust.overlay import Overlay
from trust.scales import Scales
from trust.sources import Directory, Edition, TrustList
from trust.trail import Entry, Kept, Past, Step, TrustStore, flaw, outdated
from trust.verification import Known, Offer, OfferError, Outcome, examine
from trust.watch import Arrival, Pending, Source, SourceStanding, Watch


@dataclass(frozen=True, slots=True)
class Standing:
    """How everything stands, for operators and for the status page."""

    listed: TrustList | None
    stale: bool  # all of it; also when there is none
    sources: tuple[SourceStanding, ...]  # in order of rank

    @property
    def last(self) -> Arrival | None:
        """What became of the offer that came last, whichever source it was of."""
        found = [each.last for each in self.sources if each.last]
        return max(found, key=lambda arrival: arrival.at, default=None)


Changed = Callable[[TrustList, TrustList | None], None]  # the new list, the one before


class Keeper:
    """Owns ``current``; everyone else reads it and keeps no copy across an await."""

    def __init__(
        self,
        sources: Iterable[Source],
        store: TrustStore,
        clock: Callable[[], datetime],
        *,
        ours: frozenset[str] = frozenset(),
        policy: Policy | None = None,
        tell: Callable[[Arrival], None] = lambda _: None,
    ) -> None:
        self.current: TrustList | None = None
        self.overlay = Overlay()
        self._watches = {source.name: Watch(source) for source in sources}  # in order of rank
        self._scales = Scales(
            tuple(self._watches),
            frozenset(name for name, watch in self._watches.items() if watch.source.rolling),
            ours,
            policy or Policy(),
        )
        self._store = store
        self._clock = clock
        self._tell = tell
        self._directories: tuple[Directory, ...] = ()
        self._subscribers: list[Changed] = []
        self._turn = asyncio.Lock()  # one change at a time
        self._bells = {name: asyncio.Event() for name in self._watches}

    def __repr__(self) -> str:
        return f"<Keeper {self.current or 'without a list'}, last {self.standing().last}>"

    def subscribe(self, changed: Changed) -> None:
        """Call this with the new and the old list, right after each swap."""
        self._subscribers.append(changed)

    def standing(self) -> Standing:
        """Say how everything stands now."""
        now = self._clock()
        stale = self.current is None or self.current.stale(now)
        sources = (watch.standing(now) for watch in self._watches.values())
        return Standing(self.current, stale, tuple(sources))

    @property
    def pending(self) -> tuple[Pending, ...]:
        """The changes that wait for operators."""
        return tuple(watch.pending for watch in self._watches.values() if watch.pending)

    def overlaid(self, overlay: Overlay, *, quietly: bool = False) -> None:
        """Lay another overlay over the list in force, at once; ``quietly``: it stops nobody."""
        self.overlay = overlay
        if self.current is not None:
            self._put(self.current.under(overlay), quietly=quietly)

    def beside(self, directories: Iterable[Directory]) -> None:
        """Put other directories beside the list in force; they grant nothing, so nobody is told."""
        self._directories = tuple(directories)
        if self.current is not None:
            self._put(self.current.beside(self._directories), quietly=True)

    def _put(self, listed: TrustList, *, quietly: bool = False) -> None:
        before, self.current = self.current, listed
        with contextlib.ExitStack() as told:  # one's failure keeps it from no other
            for changed in () if quietly else reversed(self._subscribers):
                told.callback(changed, listed, before)

    async def restore(self) -> None:
        """Put back in force what was, after a restart, verified anew.

        A version whose signers are pinned no longer vouches for nobody, but its number still
        counts: changing signers must not open the door to an older list.
        """
        async with self._turn:
            await self._restore(self._watches.values())

    async def _restore(self, watches: Collection[Watch], *, again: bool = False) -> None:
        now = self._clock()
        try:
            history = await self._store.history()
        except Exception as error:  # noqa: BLE001 - whatever the store is made of
            sentence = f"the stored lists cannot be read ({type(error).__name__})"
            for watch in () if again else watches:
                self._note(watch, Arrival(now, watch.source.name, Outcome.BROKEN, sentence))
            return
        if not again and (number := flaw(history)) is not None:
            sentence = f"the history of the lists was altered at entry {number}"
            self._tell(Arrival(now, "", Outcome.ALTERED, sentence))
        entries = [kept.entry for kept in history if kept.entry]
        found = [await self._reread(watch, entries, now) for watch in watches]
        for watch, arrival in zip(watches, found, strict=True):
            if arrival is not None and not (again and watch.edition is None):
                self._note(watch, arrival)
        if any(watch.edition for watch in watches):
            await self._settle()

    async def _reread(
        self, watch: Watch, entries: Sequence[Entry], now: datetime
    ) -> Arrival | None:
        past = Past.of(entries, watch.source.name)
        watch.known, watch.rejected = past.known, past.rejected
        await self._reread_waiting(watch, past)
        entry = past.in_force
        watch.once = entry is not None
        if entry is None or (watch.edition is not None and watch.edition.digest == entry.digest):
            return None
        arrived = past.arrived.get(entry.digest, entry.at)
        try:
            watch.edition = await self._stored(watch.source, entry.digest, arrived)
        except OfferError as refused:
            sentence = f"the stored list cannot be used: {refused}"
            arrival = Arrival(
                now, entry.source, refused.outcome, sentence, entry.version, entry.digest
            )
            # What may yet be read again is not replaced unasked.
            watch.lost = entry.digest if arrival.passing else None
            return arrival
        watch.lost = None
        return Arrival.in_force(watch.edition, now)

    async def _reread_waiting(self, watch: Watch, past: Past) -> None:
        waiting = past.waiting
        watch.unread = waiting is not None
        if waiting is None:
            return
        try:
            edition = await self._stored(watch.source, waiting.digest, waiting.at)
        except OfferError as refused:
            # What may yet be read again, with all that was agreed, is tried at each look.
            watch.unread = Arrival(
                waiting.at, watch.source.name, refused.outcome, str(refused)
            ).passing
            return
        watch.unread = False
        watch.pending = Pending(
            watch.source.name,
            edition,
            Change(),
            Judgement(),
            edition.arrived,
            past.approvals,
            frozenset(waiting.revoked),
        )

    async def _stored(self, source: Source, digest: str, arrived: datetime) -> Edition:
        offer = await self._store.offer(source.name, digest)
        if offer is None:
            raise OfferError(Outcome.BROKEN, "it no longer opens")
        now = self._clock()
        came = min(arrived, now)  # it cannot have come tomorrow: a clock was wrong that day
        edition = await calmly(examine, offer, source.demands, now, arrived=came)
        if edition.digest != digest:
            raise OfferError(Outcome.BROKEN, "it is another than the one that was kept")
        return edition

    async def offer(self, source: str, offer: Offer) -> Arrival:
        """Bring a version into force if it may: verified off the loop, durable before the swap."""
        async with self._turn:
            watch = self._watches[source]
            return self._note(watch, await self._judged(watch, offer))

    async def _judged(self, watch: Watch, offer: Offer) -> Arrival:
        now, name = self._clock(), watch.source.name
        mark = await asyncio.to_thread(offer.hash)
        renewed = watch.due(now)
        known = None if renewed else watch.known_as(watch.offered.get(mark))
        if known is not None:
            return Arrival(now, name, *known)
        try:
            edition = await calmly(
                examine,
                offer,
                watch.source.demands,
                now,
                known=watch.since,
                before=watch.edition,
            )
        except OfferError as refused:
            return Arrival(now, name, refused.outcome, str(refused), refused.version)
        watch.offered = {mark: edition.digest}
        known = watch.known_as(edition.digest)
        if known is not None and not (renewed and known[0] is Outcome.UNCHANGED):
            return Arrival(now, name, *known, edition.claims.version, edition.digest)
        return await self._take(watch, edition, offer)

    async def _take(self, watch: Watch, edition: Edition, offer: Offer) -> Arrival:
        now, waited = edition.arrived, watch.pending
        revoked = waited.judgement.revoked | waited.revoked if waited else frozenset[str]()
        change = await calmly(self._scales.change, self._editions, edition, revoked)
        judgement = self._scales.policy.judge(change)
        replaces = watch.edition is not None or watch.lost not in (None, edition.digest)
        waits = replaces and judgement.approvals > 0
        last = Step.WAITING if waits else Step.IN_FORCE
        signed = ", ".join(sorted(signer[:16] for signer in edition.signers)) or "nobody"
        told = f"signed by {signed}; {change.line}"
        entries = [
            Entry.of(edition, Step.VERIFIED, now, why=told),
            Entry.of(edition, last, now, why=judgement.why, revoked=revoked if waits else ()),
        ]
        if (failed := await self._saved(edition, entries, offer)) is not None:
            return failed
        watch.known = Known(edition.claims.version, edition.digest, edition.claims.issued)
        if not waits:
            return await self._enforce(watch, edition)
        watch.pending = Pending(watch.source.name, edition, change, judgement, now, revoked=revoked)
        watch.unread = False
        await self._settle()
        sentence = f"{edition.claims.name} waits for operators: {judgement.why}"
        return Arrival.of(edition, now, Outcome.WAITING, sentence)

    async def _saved(
        self, edition: Edition, entries: Sequence[Entry], offer: Offer | None = None
    ) -> Arrival | None:
        try:
            await self._store.keep(entries, offer)
        except Exception as error:  # noqa: BLE001 - whatever the store is made of
            sentence = f"could not be stored ({type(error).__name__}), so it does not count"
            return Arrival.of(edition, self._clock(), Outcome.NOT_SAVED, sentence)
        return None

    async def _enforce(self, watch: Watch, edition: Edition) -> Arrival:
        watch.enforce(edition)
        await self._settle()
        return Arrival.in_force(edition, self._clock())

    async def approve(self, actor: str, digest: str) -> Arrival:
        """Agree to a change that waits; when enough operators have, it is in force."""
        async with self._turn:
            watch, pending = self._waiting(digest)
            now = self._clock()
            if actor in pending.approvals and pending.missing:
                sentence = f"{actor} has agreed already; another operator must"
                return Arrival.of(pending.edition, now, Outcome.WAITING, sentence)
            who = dict.fromkeys((*pending.approvals, actor))
            agreed = replace(pending, approvals=tuple(who))
            entries = [Entry.of(pending.edition, Step.APPROVED, now, actor=actor)]
            if not agreed.missing:
                entries.append(Entry.of(pending.edition, Step.IN_FORCE, now, actor=actor))
            if (failed := await self._saved(pending.edition, entries)) is not None:
                return self._note(watch, failed)
            if not agreed.missing:
                return self._note(watch, await self._enforce(watch, pending.edition))
            watch.pending = agreed
            sentence = f"{actor} agrees; {agreed.missing} more must"
            return self._note(watch, Arrival.of(pending.edition, now, Outcome.WAITING, sentence))

    async def reject(self, actor: str, digest: str, why: str) -> Arrival:
        """Refuse a change that waits: these bytes are not offered to operators again."""
        async with self._turn:
            watch, pending = self._waiting(digest)
            now = self._clock()
            entry = Entry.of(pending.edition, Step.REJECTED, now, why=why, actor=actor)
            if (failed := await self._saved(pending.edition, [entry])) is not None:
                return self._note(watch, failed)
            watch.rejected.add(pending.digest)
            watch.pending = None
            await self._settle()
            sentence = f"{pending.edition.claims.name} was rejected by {actor}: {why}"
            return self._note(watch, Arrival.of(pending.edition, now, Outcome.REJECTED, sentence))

    def _waiting(self, digest: str) -> tuple[Watch, Pending]:
        for watch in self._watches.values():
            if watch.pending is not None and watch.pending.digest == digest:
                return watch, watch.pending
        raise OfferError(Outcome.NOT_FOUND, f"no change with the digest {digest} waits")

    async def history(self) -> tuple[Kept, ...]:
        """Return what became of every version ever verified here, oldest first."""
        return tuple(await self._store.history())

    async def recall(self, source: str, digest: str) -> Edition:
        """Return a version of the past, verified as on the day it came; or ``OfferError``."""
        watch = self._watches.get(source)
        entries = [kept.entry for kept in await self._store.history() if kept.entry]
        past = Past.of(entries, source)
        if watch is None or digest not in past.arrived:
            raise OfferError(Outcome.NOT_FOUND, f"no version {digest} of {source} is known")
        return await self._stored(watch.source, digest, past.arrived[digest])

    async def erase(self, before: datetime, versions: int) -> int:
        """Erase the content of versions that are older, but for each source's last ones.

        Return how many; the history goes on naming them.
        """
        async with self._turn:
            now = self._clock()
            entries = [kept.entry for kept in await self._store.history() if kept.entry]
            old = outdated(entries, before, versions)
            erased = [
                msgspec.structs.replace(each, at=now, step=Step.ERASED, why="") for each in old
            ]
            if erased:
                await self._store.keep(erased)
            return len(erased)

    @property
    def _editions(self) -> tuple[Edition, ...]:
        return tuple(watch.edition for watch in self._watches.values() if watch.edition)

    async def _settle(self) -> None:
        """Combine what every source says now, off the loop, and swap it in."""
        editions, pending = self._editions, self.pending
        lost = [name for name, each in self._watches.items() if each.lost_sight]
        listed, weighed = await calmly(self._scales.weigh, editions, pending, lost)
        for each in weighed:
            self._watches[each.source].pending = each
        waiting = frozenset[str]().union(*(each.judgement.waiting for each in weighed))
        self.overlay = replace(self.overlay, waiting=waiting)
        if listed is not None:
            outdated = self.current.pieces(listed) if self.current else []
            self._put(listed.beside(self._directories).under(self.overlay))
            await let_go(outdated)

    def _note(self, watch: Watch, arrival: Arrival) -> Arrival:
        """Remember what became of an offer; tell it, unless it is the same story once more."""
        last, watch.last = watch.last, arrival
        if arrival.outcome is not Outcome.UNCHANGED and not arrival.repeats(last):
            self._tell(arrival)
        return arrival

    def wake(self) -> None:
        """Look at every source now rather than at its next round."""
        for bell in self._bells.values():
            bell.set()

    async def run(self) -> None:
        """Look at every source again and again; nothing that one holds can stop the others."""
        async with asyncio.TaskGroup() as group:
            for watch in self._watches.values():
                group.create_task(self._keep(watch))

    async def _keep(self, watch: Watch) -> None:
        source, bell = watch.source, self._bells[watch.source.name]
        while True:
            bell.clear()
            try:
                await self.look(source.name)
            except Exception as error:  # noqa: BLE001 - the loop's one boundary
                sentence = f"looking for a list failed ({type(error).__name__})"
                self._note(watch, Arrival(self._clock(), source.name, Outcome.BROKEN, sentence))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(source.poll):
                    await bell.wait()

    async def look(self, source: str) -> Arrival | None:
        """Offer what the source holds now; None if it was judged before and did not change."""
        watch = self._watches[source]
        if watch.edition is None or watch.unread:
            async with self._turn:  # the clock, or the disk, may have been set right meanwhile
                await self._restore([watch], again=True)
        arrival = await self._looked(watch)
        if (age := watch.ageing(self._clock())) is not None:
            self._tell(age)
        return arrival

    async def _looked(self, watch: Watch) -> Arrival | None:
        source = watch.source
        if source.place is None:
            return None
        watch.looked = now = self._clock()
        try:
            confirmed = source.place.confirms and watch.due(now)
            found = await source.place.look(None if confirmed else watch.seen)
        except OfferError as missing:
            watch.seen = None
            return self._note(watch, Arrival(now, source.name, missing.outcome, str(missing)))
        if found is None:
            watch.well = now if watch.last is None or watch.last.good else watch.well
            return None
        watch.useless, seen, offer = found.useless, found.seen, found.offer
        arrival = await self.offer(source.name, offer)
        held: list[object] = [offer.content, offer, found]
        del offer, found  # a hundred MiB, maybe
        await let_go(held)
        watch.seen = None if arrival.passing else seen
        watch.well = now if arrival.good else watch.well
        return arrival
