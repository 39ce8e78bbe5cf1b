"""Asks the authorities after certificates: ahead of time, seldom, and never twice at once.

What they said is kept by issuer and serial number, a CRL by issuer and address, both across
restarts; while an authority is silent its last word stands, until it runs out and then for the
grace (``trust.revocation``). One that does not answer, or answers with a page for people, is left
alone for 30 seconds, and each time for twice as long, up to half an hour. R-A5.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import msgspec

from trust import judge
from trust.chain import Chain, Link, chains, fingerprint
from trust.fetching import Fetch, Fetched, FetchError
from trust.judge import AnswerError
from trust.revocation import Standing, State, combined
from trust.rolls import SMALL, Reading, Roll, digest, reading

_ANSWER = 64 << 10  # octets of an OCSP answer
_SOON = timedelta(seconds=30)  # until somebody who failed is asked again ...
_LATE = timedelta(minutes=30)  # ... and at most
_MOST = 256 << 20  # octets of CRLs that are kept; beyond that the one longest not used goes
_SCOPES = 16  # kinds of certificates that a CRL was verified for, and need not be again
_KEEP = timedelta(days=30)  # how long an answer that ran out is kept all the same


class Revocation(StrEnum):
    """What is demanded of a certificate."""

    REQUIRED = "required"  # an authority must vouch for each, issuing authorities included
    WHEN_NAMED = "when-named"  # one that names nobody to ask is taken as its chain is
    OFF = "off"  # chains alone


@dataclass(frozen=True, slots=True)
class Manners:
    """How authorities are asked."""

    revocation: Revocation = Revocation.WHEN_NAMED
    refresh: timedelta = timedelta(hours=1)  # an answer is renewed so often, though it lasts longer
    within: float = 10.0  # seconds that one has to answer
    limit: int = 10 << 20  # octets of a CRL


class Shelf(Protocol):
    """Where answers are kept across restarts."""

    def load(self) -> Mapping[str, bytes]:
        """Return all that is kept, but whole CRLs (``octets`` and their names)."""

    async def keep(self, kept: Mapping[str, bytes]) -> None:
        """Keep each under its name, instead of what was there: all of them, or none."""

    async def of(self, name: str) -> bytes | None:
        """Return what is kept under a name."""

    async def forget(self, names: Iterable[str]) -> None:
        """Keep these no more."""


class Finding(msgspec.Struct, frozen=True):
    """What was said of one certificate, and when to ask again."""

    standing: Standing
    again: datetime


class Listing(msgspec.Struct, frozen=True):
    """A CRL that was verified, and when to fetch it again; the whole lies on the shelf."""

    roll: Roll
    etag: str
    again: datetime
    scopes: tuple[bytes, ...] = ()  # what it was verified for: ``judge.scope``


@dataclass(slots=True)
class _Rest:
    """An address that failed, and until when it is left alone."""

    failures: int
    until: datetime
    why: str


class Authorities:
    """One a gateway."""

    def __init__(
        self,
        fetch: Fetch,
        shelf: Shelf,
        clock: Callable[[], datetime],
        manners: Manners,
        tell: Callable[[str, Mapping[str, object]], None] = lambda _event, _facts: None,
    ) -> None:
        self.manners = manners
        self._fetch, self._shelf, self._clock, self._tell = fetch, shelf, clock, tell
        self._found: dict[str, Finding] = {}  # by Link.key
        self._lists: dict[str, Listing] = {}  # by issuer and address; last the last used
        self._large = asyncio.Lock()  # to read one takes hundreds of megabytes for a while
        self._resting: dict[str, _Rest] = {}  # by address
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __repr__(self) -> str:
        return f"<Authorities {len(self._found)} answers, {len(self._resting)} silent>"

    async def restore(self) -> None:
        """Take up what was known before a restart; what ran out long ago is forgotten."""
        old, before = [], self._clock() - _KEEP
        for name, octets in self._shelf.load().items():
            kind, _, rest = name.partition(" ")
            try:
                if kind == "list":
                    listing = msgspec.msgpack.decode(octets, type=Listing)
                    self._lists[rest], until = listing, listing.roll.until
                else:
                    finding = msgspec.msgpack.decode(octets, type=Finding)
                    self._found[rest] = finding
                    until = finding.standing.until or finding.again
                    if finding.standing.state is State.REVOKED:
                        continue
            except msgspec.MsgspecError:
                until = before  # of another release, or tampered with: asked anew
            if until <= before:
                old += [name, f"octets {rest}"] if kind == "list" else [name]
                (self._lists if kind == "list" else self._found).pop(rest, None)
        await self._shelf.forget(old)

    async def standing(
        self, leaf: bytes, others: Iterable[bytes], anchors: Iterable[bytes]
    ) -> Standing:
        """Return how a certificate stands, asking its authorities if need be."""
        now = self._clock()
        found = await asyncio.to_thread(chains, leaf, others, anchors, now)
        if not found.found:
            return Standing(State.UNKNOWN, now, why=found.why)
        judged = [(await self._links(chain), chain.anchor) for chain in found.found]
        for links, _ in judged:
            if links[0].state is State.REVOKED:
                return replace(links[0], anchors=found.anchors)
        whole = [(combined(links), anchor) for links, anchor in judged]
        for state in (State.GOOD, State.REVOKED):
            here = [standing for standing, _ in whole if standing.state is state]
            if here:
                leads = frozenset(anchor for standing, anchor in whole if standing.state is state)
                return replace(here[0], anchors=leads)
        return replace(whole[0][0], anchors=found.anchors)

    def held(self, keys: Iterable[str]) -> Standing:
        """Return what is known by now of a path's links (``Link.key``), asking nobody."""
        return combined([self._held(key) for key in keys])

    def _held(self, key: str) -> Standing:
        finding = self._found.get(key)
        return Standing(State.UNKNOWN, why="unseen") if finding is None else finding.standing

    async def _links(self, chain: Chain) -> list[Standing]:
        return [await self._link(chain, link) for link in chain.links]

    async def _link(self, chain: Chain, link: Link) -> Standing:
        """Return how one certificate of a chain stands; whoever comes meanwhile waits for this answer."""
        manners, now = self.manners, self._clock()
        if manners.revocation is Revocation.OFF:
            return Standing(State.GOOD, now, why="not-asked")
        if not link.named:
            lenient = manners.revocation is Revocation.WHEN_NAMED
            state = State.GOOD if lenient else State.UNKNOWN
            return Standing(state, now, why="names-nobody")
        async with self._turn(link.key):
            held = self._found.get(link.key)
            if held is not None and (held.standing.final or self._clock() < held.again):
                return held.standing
            return await self._renewed(chain, link, held)

    async def _renewed(self, chain: Chain, link: Link, held: Finding | None) -> Standing:
        now, why = self._clock(), "names-nobody-by-http"
        hold = held.standing.since if held is not None and held.standing.hold else None
        for ask, urls in ((self._by_ocsp, link.ocsps), (self._by_crl, link.crls)):
            for url in urls:
                try:
                    standing = await ask(chain, link, url, hold)
                except AnswerError as error:
                    why = str(error)
                    continue
                finding = Finding(standing, self._again(standing.until, now))
                await self._note(link.key, finding, held)
                return standing
        if held is None:
            return Standing(State.UNKNOWN, now, why=why)
        self._found[link.key] = Finding(held.standing, now + _SOON)
        return held.standing

    async def _note(self, key: str, finding: Finding, held: Finding | None) -> None:
        self._found[key] = finding
        if held is None or held.standing != finding.standing:
            await self._shelf.keep({f"answer {key}": msgspec.msgpack.encode(finding)})

    async def _by_ocsp(self, chain: Chain, link: Link, url: str, hold: datetime | None) -> Standing:
        self._awake(url)
        self._awake(f"{url} {link.key}")
        request = await asyncio.to_thread(link.request)
        try:
            der = await self._post(url, request)
        except (FetchError, AnswerError) as error:
            raise self._failed(url, error) from None
        now = self._clock()
        try:
            standing = await asyncio.to_thread(judge.by_ocsp, chain, link, der, now, hold)
            if standing.until is not None and standing.until <= now:
                raise AnswerError("ran-out")  # given now, and ended before: somebody's old answer
        except AnswerError as error:
            raise self._failed(f"{url} {link.key}", error) from None
        self._answered(url, f"{url} {link.key}")
        return standing

    async def _post(self, url: str, request: bytes) -> bytes:
        answer = await self._fetch.post(
            url,
            request,
            media_type="application/ocsp-request",
            limit=_ANSWER,
            within=self.manners.within,
            plain=True,
        )
        return _der(answer)

    async def _by_crl(self, chain: Chain, link: Link, url: str, hold: datetime | None) -> Standing:
        name = f"{fingerprint(link.issuer)} {url}"
        async with self._turn(name):
            held = self._lists.get(name)
            if held is None or self._clock() >= held.again:
                try:
                    self._awake(url)
                    held = await self._list(chain, link, name, url, held)
                except (FetchError, AnswerError) as error:
                    failure = self._failed(url, error)
                    if held is None:
                        raise failure from None
            self._lists[name] = self._lists.pop(name, held)
            return await self._looked_up(chain, link, name, hold)

    async def _looked_up(
        self, chain: Chain, link: Link, name: str, hold: datetime | None
    ) -> Standing:
        """Return what a list says of a certificate; it is read whole only if it may name it."""
        listing, now, scope = self._lists[name], self._clock(), judge.scope(link)
        roll, asked = listing.roll, f"{name} {link.key}"
        if scope in listing.scopes and not roll.may_name(link.serial):
            return judge.unnamed(roll.begins, roll.until, now, hold)
        self._awake(asked)
        der = await self._shelf.of(f"octets {name}")
        if der is None or await asyncio.to_thread(digest, der) != roll.digest:
            await self._drop(name)
            raise AnswerError("lost")
        try:
            standing = (await self._read(chain, link, der, hold)).standing
        except AnswerError as error:
            raise self._failed(asked, error) from None
        self._answered(asked)
        if standing.state is State.GOOD and self._lists.get(name) is listing:
            scopes = (*listing.scopes, scope)[-_SCOPES:]
            self._lists[name] = msgspec.structs.replace(listing, scopes=scopes)
        return standing

    async def _read(
        self, chain: Chain, link: Link, der: bytes, hold: datetime | None = None
    ) -> Reading:
        async with self._large if len(der) > SMALL else nullcontext():
            return await reading(chain, link, der, self._clock(), hold)

    async def _list(
        self, chain: Chain, link: Link, name: str, url: str, held: Listing | None
    ) -> Listing:
        """Fetch a CRL; it replaces the last one only if it is signed, and not older."""
        etag = held.etag if held is not None else ""
        manners, now = self.manners, self._clock()
        fetched = await self._fetch.get(
            url, limit=manners.limit, within=manners.within, etag=etag, plain=True
        )
        der = _der(fetched) if isinstance(fetched, Fetched) else None
        if der is not None and held is not None:
            same = await asyncio.to_thread(digest, der) == held.roll.digest
            der = None if same else der
        if der is not None:
            read = await self._read(chain, link, der)
            if held is not None and read.roll.begins < held.roll.begins:
                raise AnswerError("older-than-the-last")
            scopes = (judge.scope(link),) if read.standing.state is State.GOOD else ()
            listing = Listing(read.roll, fetched.etag, self._again(read.roll.until, now), scopes)
            kept = {f"list {name}": msgspec.msgpack.encode(listing), f"octets {name}": der}
            await self._shelf.keep(kept)
        elif held is not None:
            again = self._again(held.roll.until, now)
            listing = msgspec.structs.replace(held, etag=fetched.etag, again=again)
        else:
            raise AnswerError("not-modified-unasked")
        self._lists.pop(name, None)
        self._lists[name] = listing
        await self._bound()
        if listing.roll.until <= now:
            self._failed(
                url, AnswerError("ran-out")
            )  # better than none, for the length of the grace
        else:
            self._answered(url)
        return listing

    async def _bound(self) -> None:
        """Forget lists that nobody used for long, if all are too much."""
        octets = sum(listing.roll.octets for listing in self._lists.values())
        for name, listing in list(self._lists.items())[:-1]:
            if octets <= _MOST:
                return
            octets -= listing.roll.octets
            await self._drop(name)

    async def _drop(self, name: str) -> None:
        self._lists.pop(name, None)
        await self._shelf.forget([f"list {name}", f"octets {name}"])

    def _again(self, until: datetime | None, now: datetime) -> datetime:
        """Return when to ask again: well before an answer ends."""
        pause = self.manners.refresh
        if until is not None:
            pause = min(pause, (until - now) / 2)
        return now + max(pause, _SOON)

    def _turn(self, name: str) -> asyncio.Lock:
        lock = self._turns.get(name)
        if lock is None:
            lock = self._turns[name] = asyncio.Lock()
        return lock

    def _awake(self, name: str) -> None:
        rest = self._resting.get(name)
        if rest is not None and self._clock() < rest.until:
            raise RestingError(rest.why)

    def _answered(self, *names: str) -> None:
        for name in names:
            self._resting.pop(name, None)

    def _failed(self, name: str, error: FetchError | AnswerError) -> AnswerError:
        """Leave an address alone for longer than the last time; return why, in a word."""
        if isinstance(error, RestingError):
            return error
        why = error.state.value if isinstance(error, FetchError) else str(error)
        before = self._resting.get(name)
        failures = 1 if before is None else before.failures + 1
        pause = min(_SOON * 2 ** min(failures - 1, 10), _LATE)
        self._resting[name] = _Rest(failures, self._clock() + pause, why)
        host = urlsplit(name.partition(" ")[0]).hostname or ""
        self._tell("revocation.unanswered", {"host": host, "reason": why})
        return AnswerError(why)


class RestingError(AnswerError):
    """This address failed a moment ago, and is left alone."""


def _der(fetched: Fetched) -> bytes:
    """Return what came, if it can be an answer: ours are DER, and pages for people are not."""
    if fetched.body[:1] != b"\x30":
        raise AnswerError("a-page" if fetched.body.lstrip()[:1] == b"<" else "not-der")
    return fetched.body
