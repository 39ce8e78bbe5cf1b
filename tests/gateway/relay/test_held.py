"""What waits for a person, on the road: its sender is told, and what was released goes on."""

import email
from email.policy import SMTP

from msgspec.structs import replace

from gateway.relay.delivery import Event, State, step
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.results import Result
from gateway.relay.screening import Screening
from gateway.relay.withdrawing import CANCELLED, Withdrawing
from quarantine.case import Event as Ruled
from quarantine.case import Ruling
from quarantine.case import State as Ended
from quarantine.policy import Action, Finding, Policy, Rule
from smtp.address import parse
from smtp.envelope import Notify, Recipient
from smtp.message.dsn_reader import read
from smtp.message.header import Header
from tests.world.world import Gateway, World, letter
from trust.members import Status

DR, ACCUEIL = "dr@labo.example", "accueil@chu.example"


async def suspended(world: World, **how: object) -> Copy:
    """Let a suspended member's message come in at the hospital; return its copy there."""
    world.lists.change("labo.example", status=Status.SUSPENDED)
    await world.publish()
    peer = world.relay_peer(world.labo)
    assert 250 == (await world.chu.take(peer, DR, [ACCUEIL], **how)).code  # type: ignore[arg-type]
    await world.settle()
    (copy,) = [one for one in world.chu.copies() if not one.message.ours]
    return copy


async def release(gateway: Gateway, copy: Copy, world: World) -> None:
    """Release what is held, as a reviewer's verb does."""
    review = gateway.books.review
    case = review.register.of_delivery(copy.delivery.id)
    assert case is not None
    copy = gateway.books.spool.find(copy.delivery.id) or copy
    after = step(copy.delivery, Event.RELEASED, world.clock())
    moving = gateway.books.moving(copy, after, reason="released")
    ruling = Ruling("operator:anne", world.clock(), "vu avec le labo")
    await review.decide(case, Ruled.RELEASE, ruling, moving)
    gateway.courier.ring()
    await world.settle()


def stands(gateway: Gateway, copy: Copy) -> State:
    found = gateway.books.spool.find(copy.delivery.id)
    assert found is not None
    return found.delivery.state


async def test_a_released_message_is_not_held_again_for_the_same_reason(world: World) -> None:
    """Its sender is still suspended, and a person said that this one may pass."""
    copy = await suspended(world)
    assert State.HELD is stands(world.chu, copy)
    await release(world.chu, copy, world)

    assert State.DELIVERED is stands(world.chu, copy)
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_a_released_message_is_asked_about_once_more(world: World) -> None:
    """The list in force decides, not the reviewer: who was removed meanwhile does not pass."""
    copy = await suspended(world)
    world.lists.remove("labo.example")
    await world.publish()
    await release(world.chu, copy, world)

    assert State.REFUSED is stands(world.chu, copy)
    assert [] == await world.chu.inbox("accueil")


async def test_held_released_and_held_again_for_another_reason(world: World) -> None:
    """A new case, and nothing in the first one's way."""
    copy = await suspended(world)
    books, register = world.chu.books, world.chu.books.review.register
    first = register.of_delivery(copy.delivery.id)
    assert first is not None
    released = step(copy.delivery, Event.RELEASED, world.clock())
    ruling = Ruling("operator:anne", world.clock(), "vu")
    await books.review.decide(
        first, Ruled.RELEASE, ruling, books.moving(copy, released, reason="released")
    )
    sending = step(released, Event.ATTEMPT, world.clock(), due=world.clock())
    held = step(sending, Event.HOLD, world.clock())
    await books.database.commit(
        [
            *books.moving(replace(copy, delivery=released), sending),
            *books.moving(replace(copy, delivery=sending), held, reason="attempts-lost"),
        ]
    )
    second = register.of_delivery(copy.delivery.id)
    assert second is not None
    assert (first.id, ("attempts-lost",)) != (second.id, second.reasons)
    assert ("attempts-lost",) == second.reasons
    again = books.spool.find(copy.delivery.id)
    assert again is not None
    await release(world.chu, again, world)
    assert State.DELIVERED is stands(world.chu, copy)


async def test_a_sender_of_another_gateway_is_told_that_it_waits(world: World) -> None:
    """By a report that its gateway reads as a delay, and a person as what it is."""
    await suspended(world, recipients=[Recipient(parse(ACCUEIL))])
    (report,) = [one for one in world.chu.copies() if one.message.ours]
    assert DR == report.recipient.address
    text = await world.chu.rest.vault.read(f"delivery/{report.delivery.id}")
    header, _, rest = text.partition(b"\r\n\r\n")
    found = read(Header.skim(header + b"\r\n\r\n"), rest)
    assert found is not None
    assert [("delayed", "4.7.0")] == [(fate.action, fate.status) for fate in found.recipients]
    words = text.decode().replace("=\r\n", "")
    assert "before it is delivered a person must look" in words.lower()
    assert "suspended on the trust list" in words
    assert "Will-Retry-Until" not in words, "nobody tries"


async def test_a_clinician_hears_of_it_from_a_gateway_to_the_other(world: World) -> None:
    """The hospital holds what the laboratory's doctor wrote: at once, and when it goes on."""
    rule = Rule(frozenset({"many-recipients"}), Action.HOLD)
    object.__setattr__(world.chu.desk, "screening", Screening(Policy((rule,)), recipients=0))
    assert 250 == (await world.labo.submit(DR, [ACCUEIL])).code
    await world.settle()
    (copy,) = [one for one in world.chu.copies() if not one.message.ours]
    assert State.HELD is stands(world.chu, copy)
    (waits,) = await world.labo.inbox("dr")
    assert "nombre inhabituel de destinataires" in decoded(waits)
    assert State.RELAYED in world.labo.states(), "it is theirs, and not yet delivered"

    copy = world.chu.books.spool.find(copy.delivery.id) or copy
    after = step(copy.delivery, Event.RELEASED, world.clock())
    told = await Notices(world.chu.desk).reporting(copy.message, [Result(copy, after, "released")])
    await world.chu.rest.commit(told)
    await release(world.chu, copy, world)
    assert State.DELIVERED in world.labo.states()
    goes, *_ = (await world.labo.inbox("dr"))[1:]
    assert "Il reprend sa route" in decoded(goes)


def decoded(report: bytes) -> str:
    """Return a report's words, as a mail program shows them."""
    body = email.message_from_bytes(report, policy=SMTP).get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


async def test_a_held_message_that_is_taken_back_asks_nobody(world: World) -> None:
    """Its sender recalls it from the other gateway: the case ends, and its key with it."""
    copy = await suspended(world)
    withdrawing = Withdrawing(world.chu.desk, Notices(world.chu.desk))
    assert CANCELLED == await withdrawing.withdraw(copy, "peer:labo")
    case = world.chu.books.review.register.of_delivery(copy.delivery.id)
    assert case is not None
    assert Ended.CANCELLED is case.state
    assert (State.CANCELLED, 0) == (
        stands(world.chu, copy),
        world.chu.books.review.register.count(),
    )


async def test_who_wants_no_delays_told_is_not_told(world: World) -> None:
    """RFC 3461: NOTIFY without DELAY; the receipts say it all the same."""
    only = Recipient(parse(ACCUEIL), frozenset({Notify.FAILURE}))
    await suspended(world, recipients=[only])
    assert [] == [one for one in world.chu.copies() if one.message.ours]


async def test_a_leaking_mailbox_is_not_drowned_in_notices(world: World) -> None:
    """Its first held messages are told of by mail; receipts and journal have them all."""
    await world.labo.submit(DR, [ACCUEIL], letter(DR, [ACCUEIL]))
    await world.settle()
    (copy,) = [one for one in world.labo.copies() if not one.message.ours]
    notices = Notices(world.labo.desk)
    held = Result(
        replace(copy, delivery=replace(copy.delivery, state=State.INSPECTING)),
        replace(copy.delivery, state=State.HELD),
        "mailbox-rate",
        found=(Finding("mailbox-rate"), Finding("macros", "x.docm")),
    )
    written = [
        await notices.reporting(copy.message, [held], b"Subject: x\r\n\r\n") for _ in range(40)
    ]
    assert 30 == sum(bool(statements) for statements in written)
    world.clock.advance(hours=2)
    assert await notices.reporting(copy.message, [held], b"")
