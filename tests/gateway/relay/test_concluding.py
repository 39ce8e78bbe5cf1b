"""When a promised time is up: each recipient has one last answer, whatever comes after."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.receipts.receipt import Kind
from gateway.relay.concluding import Concluding
from gateway.relay.delivery import Event, State, step
from gateway.relay.ends import Terms
from gateway.relay.message import Message
from gateway.relay.notices import Notices
from smtp import reply
from smtp.address import parse
from smtp.reply import Reply
from tests.gateway.relay.test_answers import bring, report
from tests.world.peers import Peer
from tests.world.world import World, letter
from trust.addresses import Kind as Mailbox
from vault.database import Statement

LIS, GARDE, ACCUEIL = "lis@labo.example", "garde@clinique.example", "accueil@chu.example"
LATER = Reply(451, "4.2.1", "Not now")


async def software(world: World, **how: Any) -> Peer:
    """Open the mailbox of a laboratory's software, with an hour; play the clinic."""
    await world.labo.books.accounts.add(parse(LIS), Mailbox.APP)
    object.__setattr__(world.labo.desk, "terms", Terms(timedelta(hours=1)))
    return await world.play(**how)


def concluding(world: World) -> Concluding:
    return Concluding(world.labo.desk, Notices(world.labo.desk), world.labo.courier.ring)


async def later(world: World, **how_far: float) -> int:
    """Let time pass, and the promises that fall due be kept; return how many were looked at."""
    world.clock.advance(**how_far)
    looked = await concluding(world).round()
    await world.settle()
    return looked


def result(*lines: str) -> bytes:
    return letter(LIS, [GARDE], *lines)


def promised(world: World) -> int:
    ((count,),) = world.labo.rest.database.read("SELECT count(*) FROM deadline")
    return int(count)


async def test_what_was_relayed_may_have_arrived(world: World) -> None:
    """The peer took it and says nothing: the software hears so, in time, and by mail too."""
    await software(world)
    await world.labo.submit(LIS, [GARDE], result())
    await world.settle()
    await later(world, minutes=59)
    assert ["accepted", "relayed"] == world.labo.receipts()
    await later(world, minutes=1)
    assert ["accepted", "relayed", "unconfirmed"] == world.labo.receipts()
    assert State.UNCONFIRMED in world.labo.states()
    (seen,) = await world.labo.inbox("lis")
    assert b"may have arrived" in seen
    assert b"Action: relayed\r\n" in seen
    assert 0 == promised(world)


async def test_a_later_failure_is_told_as_corrected_once(world: World) -> None:
    """And the report of it is seen; a second report says nothing new."""
    await software(world)
    await world.labo.submit(LIS, [GARDE], result())
    await world.settle()
    await later(world, hours=1)
    (copy,) = [each for each in world.labo.copies() if not each.message.ours]
    for _ in range(2):
        await bring_to(world, report(copy.message.id, "failed", "5.1.1"))
        await world.settle()
    assert ["accepted", "relayed", "unconfirmed", "corrected"] == world.labo.receipts()
    assert 2 == len(await world.labo.inbox("lis"))


async def test_a_failure_after_delivery_is_told_as_corrected(world: World) -> None:
    """Their server said *delivered* too early."""
    await software(world)
    await world.labo.submit(LIS, [GARDE], result())
    await world.settle()
    (copy,) = world.labo.copies()
    for action in ("delivered", "failed"):
        await bring_to(world, report(copy.message.id, action, "5.0.0"))
    assert ["accepted", "relayed", "delivered", "corrected"] == world.labo.receipts()


async def test_a_later_success_only_enters_the_trace(world: World) -> None:
    """Who was told *unconfirmed* has acted on it; the journal knows that it arrived."""
    await software(world)
    await world.labo.submit(LIS, [GARDE], result())
    await world.settle()
    await later(world, hours=1)
    (copy,) = [each for each in world.labo.copies() if not each.message.ours]
    await bring_to(world, report(copy.message.id))
    assert ["accepted", "relayed", "unconfirmed"] == world.labo.receipts()
    assert ("delivery.delivered", GARDE) in await world.labo.story()


async def bring_to(world: World, content: bytes) -> None:
    """Bring a peer's report to the software's mailbox."""
    await bring(world, content, to=LIS)


async def test_what_still_waits_is_cancelled_and_failed(world: World) -> None:
    """It is certain then that it will not arrive by this road."""
    clinic = await software(world, says=LATER)
    await world.labo.submit(LIS, [GARDE], result())
    await world.settle()
    await later(world, hours=1)
    assert "failed" == world.labo.receipts()[-1]
    assert State.CANCELLED in world.labo.states()
    assert any(b"Status: 5.4.7" in each for each in await world.labo.inbox("lis"))
    asked = len(clinic.heard)
    await world.later(hours=5)
    assert asked == len(clinic.heard)
    assert 1 == world.labo.receipts().count(Kind.FAILED)


async def test_what_is_held_is_cancelled_with_its_case(world: World) -> None:
    """Nobody has to decide any more about what will not be sent."""
    clinic = await software(world)
    clinic.gate = asyncio.Event()
    await world.labo.submit(LIS, [GARDE], result())
    await clinic.asked.wait()
    (copy,), books = world.labo.copies(), world.labo.books
    held = step(copy.delivery, Event.HOLD, world.clock(), LATER)
    await books.database.commit(books.moving(copy, held, reason="malware"))
    clinic.gate.set()
    await world.settle()
    assert 1 == books.review.register.count()
    await later(world, hours=1)
    assert ["held", "failed"] == [each for each in world.labo.receipts() if each != "accepted"]
    assert 0 == books.review.register.count()


async def test_a_message_may_ask_for_its_own_time(world: World) -> None:
    """Ten minutes for this one; a person's mail has none unless it asks."""
    await software(world)
    await world.labo.submit("dr@labo.example", [GARDE], letter("dr@labo.example", [GARDE]))
    await world.labo.submit(LIS, [GARDE], result("X-Sceau-Deadline: 600"))
    await world.settle()
    assert 1 == promised(world)
    await later(world, minutes=10)
    assert 1 == world.labo.receipts().count("unconfirmed")


async def test_a_time_that_cannot_be_read_is_refused_in_words(world: World) -> None:
    """Its software relies on it: nothing is sent that might be answered too late."""
    await software(world)
    said = await world.labo.submit(LIS, [GARDE], result("X-Sceau-Deadline: 10 min"))
    assert reply.DEADLINE_UNREADABLE == said
    await world.settle()
    assert ["refused"] == world.labo.receipts()
    (notice,) = await world.labo.inbox("lis")
    assert b"X-Sceau-Deadline, qui fixe le" in notice


@pytest.mark.parametrize("asked", ["600", "soon"])
async def test_what_came_from_a_peer_was_promised_nothing(world: World, asked: str) -> None:
    """Their software is told by their gateway, which alone judges what it asked for."""
    await software(world)
    peer = world.relay_peer(world.chu)
    content = letter(ACCUEIL, [LIS], f"X-Sceau-Deadline: {asked}")
    assert (await world.labo.take(peer, ACCUEIL, [LIS], content)).positive
    assert 0 == promised(world)


async def test_a_promise_that_was_kept_costs_nothing_more(world: World) -> None:
    """All have it: the row goes, nobody is told again."""
    await software(world)
    await world.labo.submit(LIS, [ACCUEIL], letter(LIS, [ACCUEIL]))
    await world.settle()
    before = world.labo.receipts()
    assert "delivered" == before[-1]
    assert 0 == await later(world, hours=1)
    assert (before, 0) == (world.labo.receipts(), promised(world))


async def test_an_attempt_that_is_under_way_ends_first(world: World) -> None:
    """It may succeed at this very moment; seconds later the answer is given."""
    clinic = await software(world)
    clinic.gate = asyncio.Event()
    await world.labo.submit(LIS, [GARDE], result())
    await clinic.asked.wait()
    world.clock.advance(hours=1)
    assert 1 == await concluding(world).round()
    assert ["accepted"] == world.labo.receipts()
    clinic.gate.set()
    await world.settle()
    await later(world, seconds=2)
    assert ["accepted", "relayed", "unconfirmed"] == world.labo.receipts()


async def test_a_bug_keeps_no_other_message_from_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and tried again in a minute."""
    await software(world)
    for _ in range(2):
        await world.labo.submit(LIS, [GARDE], result())
    await world.settle()
    real, first = Notices.reporting, world.labo.copies()[0].message.id

    async def buggy(self: Notices, message: Message, *more: Any) -> list[Statement]:
        if message.id == first:
            raise ZeroDivisionError
        return await real(self, message, *more)

    with monkeypatch.context() as patch:
        patch.setattr(Notices, "reporting", buggy)
        await later(world, hours=1)
    assert 1 == world.labo.receipts().count("unconfirmed")
    assert "deadline.crashed" in [event for event, _ in world.labo.events]
    await later(world, minutes=1)
    assert 2 == world.labo.receipts().count("unconfirmed")


async def test_it_looks_when_the_next_promise_falls_due(world: World) -> None:
    """The loop of the gateway, for once by its own clock."""
    await software(world)
    await world.labo.submit(LIS, [GARDE], result())
    await world.settle()
    world.clock.advance(hours=1)
    told = asyncio.Event()
    looking = Concluding(world.labo.desk, Notices(world.labo.desk), told.set)
    async with asyncio.TaskGroup() as group:
        loop = group.create_task(looking.run())
        await told.wait()
        loop.cancel()
    assert "unconfirmed" == world.labo.receipts()[-1]
