"""One verified list is in force; whatever is offered, the last good one stays until a better one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smtp.address import parse
from smtp.envelope import Peer
from tests.trust.simulator import LIFE, NOW, ListAuthority, gateway, member
from tests.trust.site import Site
from trust.decision import decide
from trust.formats import native
from trust.keeper import Keeper
from trust.sources import TrustList
from trust.trail import Step
from trust.verification import Offer, Outcome

CHU, LABO = member("chu.example"), member("labo.example")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(ListAuthority().add(CHU, LABO), tmp_path / "list.json")


async def test_nobody_is_trusted_before_a_list_came(site: Site) -> None:
    """Without a list everything waits."""
    keeper = site.keeper()
    await keeper.restore()
    standing = keeper.standing()
    (source,) = standing.sources
    assert (None, True, None) == (standing.listed, standing.stale, standing.last)
    assert (None, True, None) == (source.edition, source.stale, source.looked)
    assert repr(keeper) == "<Keeper without a list, last None>"


async def test_an_accepted_list_is_in_force(site: Site) -> None:
    """Stored, swapped in, told."""
    keeper = site.keeper()
    offer = site.authority.offer()
    arrival = await keeper.offer("list", offer)
    digest = native.digest(offer.content)

    assert (Outcome.ACCEPTED, 1, True) == (arrival.outcome, arrival.version, arrival.good)
    assert arrival.sentence == "version 1 is in force until 2026-11-29 12:00:00 UTC"
    assert keeper.current is not None
    assert digest == arrival.digest == keeper.current.editions[0].digest
    assert offer == await site.store.offer("list", digest)
    assert [(Step.VERIFIED, 1), (Step.IN_FORCE, 1)] == site.store.steps
    assert [(1, None)] == site.changes
    assert [arrival] == site.told
    assert not keeper.standing().stale


async def test_the_same_list_again(site: Site) -> None:
    """Nothing happens, and it is not told as news."""
    keeper = site.keeper()
    offer = site.authority.offer()
    await keeper.offer("list", offer)
    assert (await keeper.offer("list", offer)).outcome is Outcome.UNCHANGED
    assert [(1, None)] == site.changes
    assert ["accepted"] == site.outcomes


async def test_a_change_takes_effect_at_the_next_question(site: Site) -> None:
    """A removed member is refused on the connection that is already open."""
    keeper = site.keeper()
    peer = Peer("192.0.2.1", certificate=gateway("labo.example").der)
    answers = []
    for _ in range(2):
        await keeper.offer("list", site.authority.offer())
        found = decide(parse("a@labo.example"), parse("b@chu.example"), peer, keeper.current, NOW)
        answers.append(found.reason)
        site.authority.members.pop("labo.example", None)
    assert ["listed", "sender-not-listed"] == answers
    assert [(1, None), (2, 1)] == site.changes


Forge = Callable[[ListAuthority], Offer]


def truncated(authority: ListAuthority) -> Offer:
    content, envelopes = authority.publish()
    return Offer(content[: len(content) // 2], tuple(envelopes))


def equivocating(authority: ListAuthority) -> Offer:
    authority.members.pop("labo.example")
    authority.version -= 1
    return authority.offer()


@pytest.mark.parametrize(
    ("forge", "outcome"),
    [
        (lambda authority: Offer(authority.publish()[0]), Outcome.UNSIGNED),
        (truncated, Outcome.UNSIGNED),
        (lambda authority: Offer(b"{}", tuple(authority.sign(b"{}"))), Outcome.MALFORMED),
        (lambda authority: authority.offer(version=1, previous=None), Outcome.ROLLED_BACK),
        (equivocating, Outcome.EQUIVOCATION),
        (lambda authority: authority.offer(previous="0" * 64), Outcome.BROKEN_CHAIN),
        (lambda authority: authority.offer(issued=NOW + timedelta(hours=1)), Outcome.FUTURE),
        (lambda authority: authority.offer(issued=NOW - timedelta(hours=1)), Outcome.BACKDATED),
    ],
)
async def test_whatever_is_refused_the_last_list_stays(
    site: Site, forge: Forge, outcome: Outcome
) -> None:
    """In force and in store, with the reason where operators look."""
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    await keeper.offer("list", site.authority.offer())
    before = keeper.current

    arrival = await keeper.offer("list", forge(site.authority))

    assert (outcome, False) == (arrival.outcome, arrival.good)
    assert keeper.current is before
    assert arrival == keeper.standing().last
    assert [1, 1, 2, 2] == [version for _, version in site.store.steps]
    assert ["accepted", "accepted", outcome] == site.outcomes


async def test_a_stale_list_is_taken_and_told(site: Site) -> None:
    """It is newer than ours; that it vouches for nobody is what it says itself."""
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer(issued=NOW - 2 * LIFE))
    arrival = await keeper.offer("list", site.authority.offer(issued=NOW - LIFE, stale_after=NOW))
    assert (Outcome.ACCEPTED_STALE, True) == (arrival.outcome, arrival.good)
    assert "stale" in arrival.sentence
    assert keeper.standing().stale


async def test_a_list_that_cannot_be_stored_does_not_count(site: Site) -> None:
    """Or a restart would bring the older one back; it may be offered again."""
    keeper = site.keeper()
    offer = site.authority.offer()
    site.store.broken = True
    arrival = await keeper.offer("list", offer)
    assert (Outcome.NOT_SAVED, None) == (arrival.outcome, keeper.current)
    assert "OSError" in arrival.sentence
    assert "disk full" not in arrival.sentence
    site.store.broken = False
    assert (await keeper.offer("list", offer)).good


async def test_two_offers_at_once(site: Site) -> None:
    """They take turns: the later version wins, whichever came first."""
    keeper = site.keeper()
    first, second = site.authority.offer(), site.authority.offer()
    arrivals = await asyncio.gather(keeper.offer("list", second), keeper.offer("list", first))
    assert [Outcome.ACCEPTED, Outcome.ROLLED_BACK] == [each.outcome for each in arrivals]


async def test_after_a_restart(site: Site) -> None:
    """The stored list is verified anew, in force at once, and still the floor for what follows."""
    first, second = site.authority.offer(), site.authority.offer()
    await site.keeper().offer("list", second)

    keeper = site.keeper()
    await keeper.restore()

    arrival = keeper.standing().last
    assert arrival is not None
    assert (Outcome.ACCEPTED, 2) == (arrival.outcome, arrival.version)
    assert keeper.current is not None
    assert (await keeper.offer("list", first)).outcome is Outcome.ROLLED_BACK


async def test_a_stored_list_that_was_tampered_with(site: Site) -> None:
    """The database is not believed either."""
    await site.keeper().offer("list", site.authority.offer())
    for name, kept in site.store.offers.items():
        site.store.offers[name] = replace(kept, content=kept.content + b" ")
    keeper = site.keeper()
    await keeper.restore()
    arrival = keeper.standing().last
    assert arrival is not None
    assert (Outcome.UNSIGNED, None) == (arrival.outcome, keeper.current)
    assert arrival.sentence.startswith("the stored list cannot be used: 0 of the 2")


async def test_changing_the_signers_opens_no_door(site: Site) -> None:
    """The stored list is no longer believed, and nothing older than it comes in."""
    first, second, third = (site.authority.offer() for _ in range(3))
    await site.keeper().offer("list", second)
    others = ListAuthority(count=6, threshold=5)

    keeper = site.keeper(others)
    await keeper.restore()

    assert keeper.current is None
    outcomes = [
        (
            await keeper.offer("list", replace(each, signatures=tuple(others.sign(each.content))))
        ).outcome
        for each in (first, second, third)
    ]
    assert [Outcome.ROLLED_BACK, Outcome.ACCEPTED, Outcome.ACCEPTED] == outcomes


async def test_a_clock_set_right_brings_the_stored_list_back(site: Site) -> None:
    """After a start with a clock in the past, the next look is enough."""
    await site.keeper().offer("list", site.authority.offer())
    site.clock.now = NOW - timedelta(days=3000)
    keeper = site.keeper()
    await keeper.restore()
    assert keeper.current is None
    site.clock.now = NOW
    await keeper.look("list")
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
    faults: list[Exception] = [ZeroDivisionError("a secret")]
    heard: list[TrustList] = []

    def fail_once(*_: object) -> None:
        if faults:
            raise faults.pop()

    running.subscribe(fail_once)
    running.subscribe(lambda listed, _: heard.append(listed))
    site.drop(*site.authority.publish())
    running.wake()
    await until(site, "broken")
    assert site.told[-1].sentence == "looking for a list failed (ZeroDivisionError)"
    assert [running.current] == heard
    site.drop(*site.authority.publish())
    running.wake()
    await until(site, "accepted")
    assert ["not-found", "broken", "accepted"] == site.outcomes


async def test_a_store_that_cannot_be_read(site: Site) -> None:
    """The gateway starts all the same, trusts nobody, and says why."""
    await site.keeper().offer("list", site.authority.offer())
    site.store.unreadable = True
    keeper = site.keeper()
    await keeper.restore()
    arrival = keeper.standing().last
    assert arrival is not None
    assert (Outcome.BROKEN, None) == (arrival.outcome, keeper.current)
    assert arrival.sentence == "the stored lists cannot be read (OSError)"


async def test_the_loop_looks_by_itself(site: Site) -> None:
    """Without a bell, at every round."""
    site.poll = 0
    keeper = site.keeper()
    task = asyncio.ensure_future(keeper.run())
    await until(site, "not-found")
    site.drop(*site.authority.publish())
    await until(site, "accepted")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_nothing_to_look_at(site: Site) -> None:
    """Lists may come by the operator's hand alone."""
    keeper = Keeper([site.authority.source], site.store, site.clock)
    assert await keeper.look("list") is None
    assert (await keeper.offer("list", site.authority.offer())).good
