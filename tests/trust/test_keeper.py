"""One verified list is in force; whatever is offered, the last good one stays until a better one."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smtp.address import parse
from smtp.envelope import Peer
from tests.trust.simulator import LIFE, NOW, ListAuthority, gateway, member
from trust.decision import decide
from trust.formats import native
from trust.keeper import Arrival, Keeper, Stored
from trust.signatures import ENVELOPES_LIMIT, Quorum
from trust.sources import TrustList
from trust.verification import Outcome

CHU, LABO = member("chu.example"), member("labo.example")


@dataclass
class MemoryStore:
    """Keeps versions as the database would; ``broken`` fails as a full disk does."""

    versions: dict[int, Stored] = field(default_factory=dict)
    broken: bool = False
    unreadable: bool = False

    def load(self) -> Stored | None:
        if self.unreadable:
            raise OSError("bad disk")
        return self.versions[max(self.versions)] if self.versions else None

    async def save(self, stored: Stored) -> None:
        if self.broken:
            raise OSError("disk full")
        assert stored.version not in self.versions
        self.versions[stored.version] = stored


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
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: Clock = field(default_factory=Clock)
    told: list[Arrival] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    changes: list[tuple[int, int | None]] = field(default_factory=list)

    def keeper(self, quorum: Quorum | None = None, dropped: Path | None = None) -> Keeper:
        made = Keeper(
            quorum or self.authority.quorum,
            self.store,
            self.clock,
            dropped=dropped or self.dropped,
            tell=self.tell,
        )
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


def _version(listed: TrustList | None) -> int | None:
    return listed.editions[0].claims.version if listed else None


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(ListAuthority().add(CHU, LABO), tmp_path / "list.json")


def test_nobody_is_trusted_before_a_list_came(site: Site) -> None:
    """Without a list everything waits."""
    keeper = site.keeper()
    standing = keeper.standing()
    assert (None, True, None, None) == (
        standing.listed,
        standing.stale,
        standing.last,
        standing.looked,
    )
    assert keeper.restore() is None
    assert repr(keeper) == "<Keeper without a list, last None>"


async def test_an_accepted_list_is_in_force(site: Site) -> None:
    """Stored, swapped in, told."""
    keeper = site.keeper()
    content, envelopes = site.authority.publish()
    arrival = await keeper.offer(content, envelopes)

    assert (Outcome.ACCEPTED, 1, True) == (arrival.outcome, arrival.version, arrival.good)
    assert arrival.sentence == "version 1 is in force until 2026-11-29 12:00:00 UTC"
    assert keeper.current is not None
    assert native.digest(content) == keeper.current.editions[0].digest
    assert Stored(1, native.digest(content), NOW, content, tuple(envelopes)) == site.store.load()
    assert [(1, None)] == site.changes
    assert [arrival] == site.told
    assert not keeper.standing().stale


async def test_the_same_list_again(site: Site) -> None:
    """Nothing happens, and it is not told as news."""
    keeper = site.keeper()
    offer = site.authority.publish()
    await keeper.offer(*offer)
    assert (await keeper.offer(*offer)).outcome is Outcome.UNCHANGED
    assert [(1, None)] == site.changes
    assert ["accepted"] == site.outcomes


async def test_a_change_takes_effect_at_the_next_question(site: Site) -> None:
    """A removed member is refused on the connection that is already open."""
    keeper = site.keeper()
    peer = Peer("192.0.2.1", certificate=gateway("labo.example").der)
    answers = []
    for _ in range(2):
        await keeper.offer(*site.authority.publish())
        found = decide(parse("a@labo.example"), parse("b@chu.example"), peer, keeper.current, NOW)
        answers.append(found.reason)
        site.authority.members.pop("labo.example", None)
    assert ["listed", "sender-not-listed"] == answers
    assert [(1, None), (2, 1)] == site.changes


Change = Callable[[ListAuthority], tuple[bytes, list[bytes]]]


def truncated(authority: ListAuthority) -> tuple[bytes, list[bytes]]:
    content, envelopes = authority.publish()
    return content[: len(content) // 2], envelopes


def equivocating(authority: ListAuthority) -> tuple[bytes, list[bytes]]:
    authority.members.pop("labo.example")
    authority.version -= 1
    return authority.publish()


@pytest.mark.parametrize(
    ("offer", "outcome"),
    [
        (lambda authority: (authority.publish()[0], []), Outcome.UNSIGNED),
        (truncated, Outcome.UNSIGNED),
        (lambda authority: (b"{}", authority.sign(b"{}")), Outcome.MALFORMED),
        (lambda authority: authority.publish(version=1, previous=None), Outcome.ROLLED_BACK),
        (equivocating, Outcome.EQUIVOCATION),
        (lambda authority: authority.publish(previous="0" * 64), Outcome.BROKEN_CHAIN),
        (lambda authority: authority.publish(issued=NOW + timedelta(hours=1)), Outcome.FUTURE),
        (lambda authority: authority.publish(issued=NOW - timedelta(hours=1)), Outcome.BACKDATED),
    ],
)
async def test_whatever_is_refused_the_last_list_stays(
    site: Site, offer: Change, outcome: Outcome
) -> None:
    """In force and in store, with the reason where operators look."""
    keeper = site.keeper()
    await keeper.offer(*site.authority.publish())
    await keeper.offer(*site.authority.publish())
    before = keeper.current

    arrival = await keeper.offer(*offer(site.authority))

    assert (outcome, False) == (arrival.outcome, arrival.good)
    assert keeper.current is before
    assert arrival == keeper.standing().last
    assert [1, 2] == sorted(site.store.versions)
    assert ["accepted", "accepted", outcome] == site.outcomes


async def test_a_stale_list_is_taken_and_told(site: Site) -> None:
    """It is newer than ours; that it vouches for nobody is what it says itself."""
    keeper = site.keeper()
    await keeper.offer(*site.authority.publish(issued=NOW - 2 * LIFE))
    arrival = await keeper.offer(*site.authority.publish(issued=NOW - LIFE, stale_after=NOW))
    assert (Outcome.ACCEPTED_STALE, True) == (arrival.outcome, arrival.good)
    assert "stale" in arrival.sentence
    assert keeper.standing().stale


async def test_a_list_that_cannot_be_stored_does_not_count(site: Site) -> None:
    """Or a restart would bring the older one back; it may be offered again."""
    keeper = site.keeper()
    offer = site.authority.publish()
    site.store.broken = True
    arrival = await keeper.offer(*offer)
    assert (Outcome.NOT_SAVED, None) == (arrival.outcome, keeper.current)
    assert "OSError" in arrival.sentence
    assert "disk full" not in arrival.sentence
    site.store.broken = False
    assert (await keeper.offer(*offer)).good


async def test_two_offers_at_once(site: Site) -> None:
    """They take turns: the later version wins, whichever came first."""
    keeper = site.keeper()
    first, second = site.authority.publish(), site.authority.publish()
    arrivals = await asyncio.gather(keeper.offer(*second), keeper.offer(*first))
    assert [Outcome.ACCEPTED, Outcome.ROLLED_BACK] == [each.outcome for each in arrivals]


async def test_after_a_restart(site: Site) -> None:
    """The stored list is verified anew, in force at once, and still the floor for what follows."""
    first, second = site.authority.publish(), site.authority.publish()
    await site.keeper().offer(*second)

    keeper = site.keeper()
    arrival = keeper.restore()

    assert arrival is not None
    assert (Outcome.ACCEPTED, 2) == (arrival.outcome, arrival.version)
    assert keeper.current is not None
    assert (await keeper.offer(*first)).outcome is Outcome.ROLLED_BACK


async def test_a_stored_list_that_was_tampered_with(site: Site) -> None:
    """The database is not believed either."""
    await site.keeper().offer(*site.authority.publish())
    stored = site.store.versions[1]
    site.store.versions[1] = Stored(1, stored.digest, NOW, stored.content + b" ", stored.signatures)
    keeper = site.keeper()
    arrival = keeper.restore()
    assert arrival is not None
    assert (Outcome.UNSIGNED, None) == (arrival.outcome, keeper.current)
    assert arrival.sentence.startswith("the stored list cannot be used: 0 of the 2")


async def test_changing_the_signers_opens_no_door(site: Site) -> None:
    """The stored list is no longer believed, and nothing older than it comes in."""
    first, second, third = (site.authority.publish() for _ in range(3))
    await site.keeper().offer(*second)
    others = ListAuthority(count=6, threshold=5)

    keeper = site.keeper(others.quorum)
    keeper.restore()

    assert keeper.current is None
    outcomes = [
        (await keeper.offer(content, others.sign(content))).outcome
        for content, _ in (first, second, third)
    ]
    assert [Outcome.ROLLED_BACK, Outcome.ACCEPTED, Outcome.ACCEPTED] == outcomes
    assert [2, 3] == sorted(site.store.versions)


# The dropped file.


async def test_a_dropped_list(site: Site) -> None:
    """Found, verified, in force; looked at again only when it changes."""
    keeper = site.keeper()
    site.drop(*site.authority.publish())
    arrival = await keeper.look()
    assert arrival is not None
    assert arrival.good
    assert await keeper.look() is None
    site.drop(*site.authority.publish())
    assert await keeper.look() is not None
    assert [(1, None), (2, 1)] == site.changes
    assert NOW == keeper.standing().looked


async def test_the_missing_signature_arrives_later(site: Site) -> None:
    """A list waits for its second signer; a new signature is a change."""
    keeper = site.keeper()
    content, envelopes = site.authority.publish()
    site.drop(content, envelopes[:1])
    await keeper.look()
    assert await keeper.look() is None
    site.drop(content, envelopes)
    await keeper.look()
    assert ["unsigned", "accepted"] == site.outcomes


async def test_only_its_own_signatures_are_read(site: Site) -> None:
    """Another list's signatures, or other files, beside it do not count."""
    keeper = site.keeper(dropped=site.dropped.with_name("[list].json"))
    content, envelopes = site.authority.publish()
    site.dropped.with_name("[list].json").write_bytes(content)
    site.dropped.with_name("l.json.a.p7s").write_bytes(envelopes[0])
    site.dropped.with_name("[list].json.p7s").write_bytes(envelopes[0])
    site.dropped.with_name("[list].json.b.p7s").write_bytes(envelopes[1])
    arrival = await keeper.look()
    assert arrival is not None
    assert arrival.sentence == "1 of the 2 signatures needed"


async def test_no_list_was_dropped(site: Site) -> None:
    """Told once; the list in force stays when the file goes."""
    keeper = site.keeper()
    assert await keeper.look() is not None
    assert await keeper.look() is None
    site.drop(*site.authority.publish())
    await keeper.look()
    site.dropped.unlink()
    await keeper.look()
    assert ["not-found", "accepted", "not-found"] == site.outcomes
    assert keeper.current is not None


async def test_a_file_that_cannot_be_read(site: Site) -> None:
    """Told once, tried again every time."""
    keeper = site.keeper()
    site.dropped.mkdir()
    for _ in range(2):
        arrival = await keeper.look()
        assert arrival is not None
        assert arrival.outcome is Outcome.UNREADABLE
    assert ["unreadable"] == site.outcomes


async def test_what_is_dropped_may_be_huge(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the limit and one octet of each file is read, and not of every file."""
    monkeypatch.setattr(native, "LIMIT", 1000)
    site.drop_huge(site.dropped)
    keeper = site.keeper()
    arrival = await keeper.look()
    assert arrival is not None
    assert arrival.outcome is Outcome.TOO_BIG

    monkeypatch.undo()
    content, envelopes = site.authority.publish()
    site.drop(content, envelopes)
    site.drop_huge(site.beside("huge.p7s"))
    arrival = await keeper.look()
    assert arrival is not None
    assert arrival.good


async def test_junk_crowds_no_signature_out(site: Site) -> None:
    """However many files lie beside the list, those that sign it count, and the rest is told of."""
    keeper = site.keeper()
    junk = [bytes([n]) * n for n in range(2 * ENVELOPES_LIMIT)]
    foreign = ListAuthority().add(CHU).publish()[1]
    content, envelopes = site.authority.publish()
    site.drop(content, [*junk, *foreign, *envelopes])
    arrival = await keeper.look()
    assert arrival is not None
    assert arrival.good
    assert len(junk) + len(foreign) == keeper.standing().useless
    assert len(envelopes) == len(site.store.versions[1].signatures)


async def test_what_is_no_file_beside_a_list_stops_nothing(site: Site) -> None:
    """A pipe, a folder, a link to nowhere, a file of another's: passed over without waiting."""
    keeper = site.keeper()
    os.mkfifo(site.beside("a.p7s"))
    site.beside("b.p7s").mkdir()
    site.beside("c.p7s").symlink_to(site.beside("nowhere"))
    site.drop(*site.authority.publish())
    arrival = await keeper.look()
    assert arrival is not None
    assert arrival.good
    assert 3 == keeper.standing().useless


async def test_a_list_that_is_a_pipe(site: Site) -> None:
    """The gateway does not wait for somebody to write into it."""
    os.mkfifo(site.dropped)
    arrival = await site.keeper().look()
    assert arrival is not None
    assert arrival.outcome is Outcome.UNREADABLE


async def test_no_more_is_read_than_some(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest files first, up to so many octets in all."""
    keeper = site.keeper()
    content, envelopes = site.authority.publish()
    monkeypatch.setattr("trust.dropped._OCTETS", sum(map(len, envelopes)) - 1)
    site.drop(content, envelopes)
    arrival = await keeper.look()
    assert arrival is not None
    assert arrival.sentence == "1 of the 2 signatures needed"


async def test_a_list_of_tomorrow_is_tried_again(site: Site) -> None:
    """The file did not change, but the day did."""
    keeper = site.keeper()
    site.drop(*site.authority.publish(issued=NOW + timedelta(hours=1)))
    await keeper.look()
    await keeper.look()
    site.clock.now += timedelta(hours=1)
    await keeper.look()
    assert ["future", "accepted"] == site.outcomes


async def test_a_clock_set_right_brings_the_stored_list_back(site: Site) -> None:
    """After a start with a clock in the past, the next look is enough."""
    await site.keeper().offer(*site.authority.publish())
    site.clock.now = NOW - timedelta(days=3000)
    keeper = site.keeper()
    keeper.restore()
    assert keeper.current is None
    site.clock.now = NOW
    await keeper.look()
    assert keeper.current is not None


@pytest.fixture
async def running(site: Site) -> AsyncIterator[Keeper]:
    keeper = site.keeper()
    task = asyncio.ensure_future(keeper.run())
    yield keeper
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(site: Site, outcome: str) -> None:
    """Wait until that is the last thing told."""
    async with asyncio.timeout(10):
        while [outcome] != site.outcomes[-1:]:
            site.news.clear()
            await site.news.wait()


async def test_the_loop_goes_on(site: Site, running: Keeper) -> None:
    """What it does not expect is told by its kind only, and the next round is as good as any."""
    await until(site, "not-found")
    faults = [ZeroDivisionError("a secret")]

    def fail_once(*_: object) -> None:
        if faults:
            raise faults.pop()

    running.subscribe(fail_once)
    site.drop(*site.authority.publish())
    running.wake()
    await until(site, "broken")
    assert site.told[-1].sentence == "looking for a list failed (ZeroDivisionError)"
    site.drop(*site.authority.publish())
    running.wake()
    await until(site, "accepted")
    assert ["not-found", "accepted", "broken", "accepted"] == site.outcomes


async def test_a_store_that_cannot_be_read(site: Site) -> None:
    """The gateway starts all the same, trusts nobody, and says why."""
    await site.keeper().offer(*site.authority.publish())
    site.store.unreadable = True
    keeper = site.keeper()
    arrival = keeper.restore()
    assert arrival is not None
    assert (Outcome.BROKEN, None) == (arrival.outcome, keeper.current)
    assert arrival.sentence == "the stored list cannot be read (OSError)"


async def test_the_loop_looks_by_itself(site: Site) -> None:
    """Without a bell, at every round."""
    keeper = Keeper(
        site.authority.quorum,
        site.store,
        site.clock,
        dropped=site.dropped,
        poll=0,
        tell=site.tell,
    )
    task = asyncio.ensure_future(keeper.run())
    await until(site, "not-found")
    site.drop(*site.authority.publish())
    await until(site, "accepted")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_nothing_to_look_at(site: Site) -> None:
    """Lists may come by the operator's hand alone."""
    keeper = Keeper(site.authority.quorum, site.store, site.clock)
    assert await keeper.look() is None
    assert (await keeper.offer(*site.authority.publish())).good


async def test_a_list_replaced_by_rename(site: Site) -> None:
    """Even with the same size and time, a renamed file is another file."""
    keeper = site.keeper()
    content, envelopes = site.authority.publish()
    site.drop(content, envelopes)
    await keeper.look()
    new = site.dropped.with_name("new")
    new.write_bytes(content)
    stat = site.dropped.stat()
    os.utime(new, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    new.replace(site.dropped)
    arrival = await keeper.look()
    assert arrival is not None
    assert arrival.outcome is Outcome.UNCHANGED
