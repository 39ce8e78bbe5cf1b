"""One verified list is in force; whatever is offered, the last good one stays until a better one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smtp.address import parse
from smtp.envelope import Peer
from tests.trust.simulator import LIFE, NOW, ListAuthority, gateway, listed, member
from tests.trust.site import Site
from trust.addresses import Addresses
from trust.change import Cause, Policy
from trust.decision import decide
from trust.formats import native
from trust.keeper import Keeper
from trust.members import Claims, Status
from trust.overlay import Denials, Overlay
from trust.signatures.verified import Verified
from trust.sources import TrustList
from trust.trail import Step
from trust.verification import Offer, OfferError, Outcome
from trust.watch import Found, Seen, Source

CHU, LABO = member("chu.example"), member("labo.example")
OURS = frozenset({"chu.example"})


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
    signers = ", ".join(sorted(name[:16] for name in keeper.current.editions[0].signers))
    assert site.store.entries[0].why.startswith(f"signed by {signers}; 1 domain of ")
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
        site.store.offers[name] = replace(kept, content=bytes(kept.content) + b" ")
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
            await keeper.offer(
                "list", replace(each, signatures=tuple(others.sign(bytes(each.content))))
            )
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


# Several sources.


def national() -> ListAuthority:
    """Another authority, which other keys sign for."""
    return ListAuthority(count=1, threshold=1, first=7)


def source(authority: ListAuthority, name: str) -> Source:
    return Source(replace(authority.demands, name=name))


async def test_sources_are_combined_by_rank(site: Site) -> None:
    """The first that names a domain speaks for it; each is verified with its own signers."""
    first = national().add(replace(CHU, open=False))
    keeper = Keeper(
        [source(first, "national"), site.authority.source], site.store, site.clock, ours=OURS
    )
    await keeper.offer("list", site.authority.offer())
    await keeper.offer("national", first.offer())

    assert keeper.current is not None
    assert ["national", "list"] == [edition.source for edition in keeper.current.editions]
    assert {"chu.example": "national", "labo.example": "list"} == {
        domain: member.source for domain, member in keeper.current.members.items()
    }
    assert (OURS, False) == (keeper.current.ours, keeper.current.members["chu.example"].open)
    forged = await keeper.offer("national", site.authority.offer())
    assert Outcome.UNSIGNED is forged.outcome

    again = Keeper([site.authority.source, source(first, "national")], site.store, site.clock)
    await again.restore()
    assert again.current is not None
    assert ["list", "national"] == [edition.source for edition in again.current.editions]
    assert again.current.members["chu.example"].open


async def test_what_goes_wrong_with_one_source_is_not_the_other_s(site: Site) -> None:
    """Its last verified version stays, and says so by itself."""
    other = national().add(member("autre.example"))
    keeper = Keeper([site.authority.source, source(other, "national")], site.store, site.clock)
    await keeper.offer("national", other.offer())
    await keeper.offer("list", Offer(b"{}"))
    standing = keeper.standing()
    assert ["unsigned", "accepted"] == [
        each.last and each.last.outcome for each in standing.sources
    ]
    assert [True, False] == [each.stale for each in standing.sources]
    assert not standing.stale
    assert keeper.current is not None
    assert ["autre.example"] == list(keeper.current.members)


async def test_an_overlay_is_laid_at_once(site: Site) -> None:
    """Before there is a list as well; and nobody is stopped by what only adds to what is known."""
    keeper = site.keeper()
    early = Overlay(denied=Denials(domains=frozenset({"a.example"})))
    keeper.overlaid(early)
    await keeper.offer("list", site.authority.offer())
    assert keeper.current is not None
    assert early == keeper.current.overlay
    late = Overlay(denied=Denials(domains=frozenset({"b.example"})))
    keeper.overlaid(late)
    assert [(1, None), (1, 1)] == site.changes
    keeper.overlaid(Overlay(), quietly=True)
    assert Overlay() == keeper.current.overlay
    assert [(1, None), (1, 1)] == site.changes


async def test_directories_are_put_beside_the_list(site: Site) -> None:
    """Whenever they come; nobody is told, for they grant nothing."""
    his = parse("dr@chu.example")
    directory = Addresses.of([listed(his)])
    keeper = site.keeper()
    keeper.beside([directory])
    await keeper.offer("list", site.authority.offer())
    assert keeper.current is not None
    assert keeper.current.find(his) is not None
    keeper.beside([])
    assert keeper.current.find(his) is None
    assert [(1, None)] == site.changes


# Changes that wait.


def grown(authority: ListAuthority, number: int = 30) -> ListAuthority:
    """The same authority with so many more members."""
    for n in range(number):
        authority.add(replace(CHU, domain=f"d{n}.example"))
    return authority


async def test_a_large_change_waits(site: Site) -> None:
    """What it would add is put off, everything else goes on, and whom it revokes is revoked."""
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    grown(site.authority).add(replace(LABO, status=Status.REVOKED))
    offer = site.authority.offer()
    arrival = await keeper.offer("list", offer)

    assert (Outcome.WAITING, False) == (arrival.outcome, arrival.good)
    assert "version 2 waits for operators: 30 domains would change, of 2 now" == arrival.sentence
    (pending,) = keeper.pending
    assert (arrival.digest, 1) == (pending.digest, pending.missing)
    assert [Cause.REVOKED, Cause.ADDED] == [row.cause for row in pending.change.rows]
    assert keeper.current is not None
    assert {"chu.example", "labo.example"} == set(keeper.current.members)
    assert Status.REVOKED is keeper.current.members["labo.example"].status
    assert {f"d{n}.example" for n in range(30)} == keeper.current.overlay.waiting

    assert Outcome.WAITING is (await keeper.offer("list", offer)).outcome
    assert ["accepted", "waiting"] == site.outcomes


async def test_an_operator_approves(site: Site) -> None:
    """Then it is in force, and nothing waits."""
    site.policy = Policy(approvals=2)
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    arrival = await keeper.offer("list", grown(site.authority).offer())
    assert arrival.digest is not None

    told = [await keeper.approve(who, arrival.digest) for who in ("anne", "anne", "bruno")]

    assert [Outcome.WAITING, Outcome.WAITING, Outcome.ACCEPTED] == [each.outcome for each in told]
    assert ["anne agrees; 1 more must", "anne has agreed already; another operator must"] == [
        each.sentence for each in told[:2]
    ]
    assert keeper.current is not None
    assert (32, frozenset(), ()) == (
        len(keeper.current.members),
        keeper.current.overlay.waiting,
        keeper.pending,
    )
    assert ["", "", "", "", "anne", "bruno", "bruno"] == [e.actor for e in site.store.entries]
    with pytest.raises(OfferError, match="no change with the digest"):
        await keeper.approve("anne", arrival.digest)


async def test_an_operator_rejects(site: Site) -> None:
    """Those bytes are not offered again; what only they revoked is restored; the next may come."""
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    grown(site.authority).add(replace(LABO, status=Status.REVOKED))
    offer = site.authority.offer()
    arrival = await keeper.offer("list", offer)
    assert arrival.digest is not None

    rejected = await keeper.reject("anne", arrival.digest, "nobody announced it")

    assert Outcome.REJECTED is rejected.outcome
    assert "version 2 was rejected by anne: nobody announced it" == rejected.sentence
    assert keeper.current is not None
    assert Status.ACTIVE is keeper.current.members["labo.example"].status
    assert frozenset() == keeper.current.overlay.waiting
    for one in (keeper, site.keeper()):
        await one.restore()
        assert Outcome.REJECTED is (await one.offer("list", offer)).outcome
    for n in range(30):
        del site.authority.members[f"d{n}.example"]
    assert (await keeper.offer("list", site.authority.offer())).good


async def test_what_waits_outlives_a_restart(site: Site) -> None:
    """With who has agreed, what it revokes, and what waits for it."""
    site.policy = Policy(approvals=2)
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    grown(site.authority).add(replace(LABO, status=Status.REVOKED))
    arrival = await keeper.offer("list", site.authority.offer())
    assert arrival.digest is not None
    await keeper.approve("anne", arrival.digest)

    again = site.keeper()
    await again.restore()

    (pending,) = again.pending
    assert (("anne",), 1) == (pending.approvals, pending.missing)
    assert again.current is not None
    assert 30 == len(again.current.overlay.waiting)
    assert Status.REVOKED is again.current.members["labo.example"].status
    assert (await again.approve("bruno", arrival.digest)).good
    assert 32 == len(again.current.members)


async def test_a_newer_version_takes_the_place_of_the_one_that_waits(site: Site) -> None:
    """Nobody approves what is no longer offered; an older one than that comes no more."""
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    skipped = site.authority.offer()
    first = await keeper.offer("list", grown(site.authority).offer())
    second = await keeper.offer("list", grown(site.authority, 40).offer())
    assert [second.digest] == [each.digest for each in keeper.pending]
    assert first.digest is not None
    with pytest.raises(OfferError):
        await keeper.approve("anne", first.digest)
    assert Outcome.ROLLED_BACK is (await keeper.offer("list", skipped)).outcome


async def test_an_approval_that_cannot_be_stored_does_not_count(site: Site) -> None:
    """Nor does a rejection: both must outlive a restart."""
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    arrival = await keeper.offer("list", grown(site.authority).offer())
    assert arrival.digest is not None
    site.store.broken = True
    assert Outcome.NOT_SAVED is (await keeper.approve("anne", arrival.digest)).outcome
    assert Outcome.NOT_SAVED is (await keeper.reject("anne", arrival.digest, "no")).outcome
    assert [()] == [each.approvals for each in keeper.pending]


async def test_a_list_lost_by_the_disk_is_not_replaced_unasked(site: Site) -> None:
    """Who damages what is stored must not thereby put another list in force."""
    authority = grown(site.authority)
    first = authority.offer()
    await site.keeper().offer("list", first)
    site.store.offers.clear()
    keeper = site.keeper()
    await keeper.restore()
    assert keeper.current is None

    arrival = await keeper.offer("list", authority.offer())

    assert (Outcome.WAITING, None) == (arrival.outcome, keeper.current)
    assert arrival.digest is not None
    assert (await keeper.approve("anne", arrival.digest)).good


async def test_the_very_list_that_was_lost_comes_back_by_itself(site: Site) -> None:
    """It was in force before: nothing changes."""
    offer = grown(site.authority).offer()
    await site.keeper().offer("list", offer)
    site.store.offers.clear()
    keeper = site.keeper()
    await keeper.restore()
    assert (await keeper.offer("list", offer)).good


async def test_a_history_that_was_altered_is_told(site: Site) -> None:
    """It is an alarm, and what is verified all the same stays in force."""
    await site.keeper().offer("list", site.authority.offer())
    site.store.altered = True
    keeper = site.keeper()
    await keeper.restore()
    assert ["accepted", "altered-history", "accepted"] == site.outcomes
    assert "the history of the lists was altered at entry 1" == site.told[1].sentence
    assert keeper.current is not None


async def test_a_version_of_the_past_can_be_read_again(site: Site) -> None:
    """Verified as on the day it came; what was never verified here cannot."""
    keeper = site.keeper()
    first = await keeper.offer("list", site.authority.offer())
    await keeper.offer("list", site.authority.offer())
    assert first.digest is not None
    assert 1 == (await keeper.recall("list", first.digest)).claims.version
    for name, digest in (("list", "00" * 32), ("nowhere", first.digest)):
        with pytest.raises(OfferError, match="is known"):
            await keeper.recall(name, digest)
    assert [Step.VERIFIED, Step.IN_FORCE] * 2 == [
        kept.entry.step for kept in await keeper.history() if kept.entry
    ]


async def test_a_revocation_is_not_undone_by_the_next_version(site: Site) -> None:
    """Though the version that brought it never came into force; nor by a restart in between."""
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    grown(site.authority).add(replace(LABO, status=Status.REVOKED))
    await keeper.offer("list", site.authority.offer())
    for n in range(30):
        del site.authority.members[f"d{n}.example"]
    site.authority.add(LABO)

    arrival = await keeper.offer("list", site.authority.offer())

    assert Outcome.WAITING is arrival.outcome
    assert arrival.sentence.endswith("it reinstates 1 domain that had been revoked")
    again = site.keeper()
    await again.restore()
    for one in (keeper, again):
        assert one.current is not None
        assert Status.REVOKED is one.current.members["labo.example"].status
    assert arrival.digest is not None
    assert (await again.approve("anne", arrival.digest)).good
    assert again.current is not None
    assert Status.ACTIVE is again.current.members["labo.example"].status


async def test_two_must_agree_however_small_a_change_has_become(site: Site) -> None:
    """What another source did meanwhile, or a restart, makes no one enough."""
    site.policy = Policy(approvals=2)
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    arrival = await keeper.offer("list", grown(site.authority).offer())
    assert arrival.digest is not None
    await keeper.approve("anne", arrival.digest)
    site.policy = Policy(approvals=2, share=100)
    again = site.keeper()
    await again.restore()
    assert [1] == [each.missing for each in again.pending]
    assert Outcome.WAITING is (await again.approve("anne", arrival.digest)).outcome

    site.policy = Policy(approvals=1)
    alone = site.keeper()
    await alone.restore()
    assert (await alone.approve("anne", arrival.digest)).good


async def test_what_waits_is_read_again_when_it_can_be(site: Site) -> None:
    """A clock that was wrong at the start loses neither what waits nor who has agreed."""
    site.policy = Policy(approvals=2)
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    site.clock.now += timedelta(days=2)
    site.authority.now = site.clock.now
    arrival = await keeper.offer("list", grown(site.authority).offer())
    assert arrival.digest is not None
    await keeper.approve("anne", arrival.digest)

    site.clock.now -= timedelta(days=1)
    again = site.keeper()
    await again.restore()
    assert not again.pending
    site.clock.now += timedelta(days=1)
    await again.look("list")

    assert [("anne",)] == [each.approvals for each in again.pending]
    assert again.current is not None
    assert 30 == len(again.current.overlay.waiting)


async def test_a_list_from_the_future_is_not_replaced_unasked(site: Site) -> None:
    """While our clock is behind, what was in force is out of sight, and not forgotten."""
    await site.keeper().offer("list", grown(site.authority).offer())
    site.clock.now -= timedelta(days=1)
    keeper = site.keeper()
    await keeper.restore()
    assert keeper.current is None
    site.clock.now += timedelta(days=1)
    arrival = await keeper.offer("list", site.authority.offer())
    assert (Outcome.WAITING, None) == (arrival.outcome, keeper.current)


async def test_our_own_clock_makes_no_roll_back(site: Site) -> None:
    """An undated list in the same second, or after the clock was set back a little, is a new one."""
    demands = replace(site.authority.demands, form=Undated(site.authority.quorum))
    keeper = Keeper([Source(demands, undated=True)], site.store, site.clock)
    for back in (0, 0, 20):
        site.clock.now -= timedelta(seconds=back)
        assert (await keeper.offer("list", site.authority.offer())).good


async def test_a_clock_that_was_ahead_freezes_no_undated_list(site: Site) -> None:
    """Or what came that day would never grow old, and everything true be a roll-back."""
    demands = replace(site.authority.demands, form=Undated(site.authority.quorum))
    shelf = Shelf(site.authority.offer())
    site.clock.now += timedelta(days=3650)
    keeper = Keeper([Source(demands, shelf, undated=True)], site.store, site.clock)
    await keeper.look("list")
    site.clock.now = NOW
    await keeper.look("list")
    assert keeper.current is not None
    assert NOW + LIFE == keeper.current.editions[0].claims.stale_after

    site.clock.now += timedelta(days=3650)
    shelf.offer = site.authority.offer()
    await keeper.look("list")
    site.clock.now = NOW
    again = Keeper([Source(demands, shelf, undated=True)], site.store, site.clock)
    await again.restore()
    assert again.current is not None
    assert NOW + LIFE == again.current.editions[0].claims.stale_after
    shelf.offer = site.authority.offer()
    assert (await again.offer("list", shelf.offer)).good


async def test_while_a_source_cannot_be_read_nobody_speaks_in_its_place(site: Site) -> None:
    """Nor is anybody refused whom it may have named; another disk gives it back at the next look."""
    local = ListAuthority(first=3).add(
        replace(LABO, identities=CHU.identities), member("x.example")
    )
    sources = [
        Source(replace(authority.demands, name=name))
        for name, authority in (("national", site.authority), ("local", local))
    ]
    keeper, again = (Keeper(sources, site.store, site.clock, ours=OURS) for _ in range(2))
    await keeper.offer("national", site.authority.offer())
    await keeper.offer("local", local.offer())
    kept = dict(site.store.offers)
    del site.store.offers[next(name for name in kept if name[0] == "national")]
    await again.restore()

    def asked(sender: str, recipient: str) -> str:
        peer = Peer("192.0.2.1", certificate=gateway(sender).der)
        ends = parse(f"a@{sender}"), parse(f"b@{recipient}")
        return decide(*ends, peer, again.current, site.clock()).reason

    pairs = [("labo.example", "x.example"), ("x.example", "chu.example"), ("chu.example",) * 2]
    assert ["list-stale"] * 3 == [asked(*each) for each in pairs]

    site.store.offers = kept
    await again.look("national")
    assert ["listed"] * 3 == [asked(*each) for each in pairs]


async def test_an_ageing_list_is_told_of_while_its_source_gives_the_same(site: Site) -> None:
    """Whoever freezes a source cannot do so unseen."""
    keeper = site.keeper()
    site.drop(*site.authority.publish())
    for _ in range(4):
        await keeper.look("list")
        site.clock.now += LIFE * 0.4
    assert ["accepted", "ageing", "stale"] == site.outcomes
    assert Outcome.STALE is keeper.standing().sources[0].age


async def test_a_look_that_finds_the_list_in_force_is_well(site: Site) -> None:
    """Operators see since when a source has not been well."""
    keeper = site.keeper()
    site.drop(*site.authority.publish())
    await keeper.look("list")
    site.clock.now += timedelta(minutes=1)
    await keeper.look("list")
    well = site.clock.now
    assert well == keeper.standing().sources[0].well
    site.drop(b"{}", [])
    for _ in range(2):
        site.clock.now += timedelta(minutes=1)
        await keeper.look("list")
    assert well == keeper.standing().sources[0].well


async def test_a_stored_list_that_is_another(site: Site) -> None:
    """Well signed, and not the one that was kept under that name."""
    keeper = site.keeper()
    first = await keeper.offer("list", site.authority.offer())
    second = await keeper.offer("list", site.authority.offer())
    names = [("list", str(each.digest)) for each in (first, second)]
    site.store.offers[names[1]] = site.store.offers[names[0]]
    again = site.keeper()
    await again.restore()
    assert again.current is None
    last = again.standing().last
    assert last is not None
    assert (
        "the stored list cannot be used: it is another than the one that was kept" == last.sentence
    )


@dataclass(frozen=True)
class Undated(native.Source):
    """A format without dates: it counts from the day it came."""

    def read(self, verified: Verified, arrived: datetime) -> Claims:
        claims = native.parse(verified, arrived)
        return replace(
            claims, version=None, previous=None, issued=arrived, stale_after=arrived + LIFE
        )


@dataclass
class Shelf:
    """A place that holds one offer."""

    offer: Offer
    confirms: bool = True

    async def look(self, before: Seen | None) -> Found | None:
        return None if before == self.offer else Found(self.offer, self.offer)


@pytest.mark.parametrize(("confirms", "stale"), [(True, False), (False, True)])
async def test_an_undated_list_is_as_fresh_as_its_author_s_word(
    site: Site, *, confirms: bool, stale: bool
) -> None:
    """Asked and confirmed it counts anew, also after a restart; a file that lies there does not."""
    demands = replace(site.authority.demands, form=Undated(site.authority.quorum))
    shelf = Shelf(site.authority.offer(), confirms)
    keeper = Keeper([Source(demands, shelf, undated=True)], site.store, site.clock)
    await keeper.look("list")
    for _ in range(10):
        site.clock.now += LIFE / 8
        await keeper.look("list")
    assert stale == keeper.standing().stale
    assert confirms == (len(site.store.entries) > 2)
    assert len(site.store.offers) == 1

    again = Keeper([Source(demands, shelf, undated=True)], site.store, site.clock)
    await again.restore()
    assert stale == again.standing().stale


async def test_a_crash_between_the_disk_and_the_swap(site: Site) -> None:
    """What was kept is in force after the restart, and what was not is not."""
    keeper = site.keeper()
    await keeper.offer("list", site.authority.offer())
    site.store.dies = True
    with pytest.raises(KeyboardInterrupt):
        await keeper.offer("list", site.authority.offer())
    site.store.dies = False

    again = site.keeper()
    await again.restore()

    assert again.current is not None
    assert 2 == again.current.editions[0].claims.version
