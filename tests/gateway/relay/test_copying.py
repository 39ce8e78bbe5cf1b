"""What arrives for a person and is for software to file is copied to that software's mailbox."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.documents import packing, xdm
from gateway.documents.codes import Failure
from gateway.relay.applications import Applications
from gateway.relay.delivery import State
from gateway.relay.message import Door
from gateway.settings.boxes import Forward, MailboxesSettings
from smtp.address import key, parse
from tests.gateway.documents.made import parcel
from tests.gateway.relay.handing.test_lines import house
from tests.gateway.relay.handing.test_mllp import Program, software
from tests.world.world import Gateway, World, letter

DR, PERSON, APP = "dr@labo.example", parse("accueil@chu.example"), parse("logiciel@chu.example")


def forwarding(gateway: Gateway, *rules: tuple[str, str]) -> None:
    """Have a gateway copy documents."""
    forwards = {key(parse(whose)): parse(to) for whose, to in rules}
    gateway.refit(replace(gateway.desk, forwards=forwards))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(tmp_path) as made:
        await made.chu.add("logiciel")
        forwarding(made.chu, (PERSON, APP))
        yield made


def result(*to: str, name: bytes = b"IHE_XDM.zip") -> bytes:
    sender = parse(DR)
    made = parcel(
        sender=sender,
        recipients=tuple(map(parse, to)),
        message_id="<1@labo.example>",
        answers=sender,
    )
    return packing.pack(made, xdm.Sender("Labo", sender)).replace(b"IHE_XDM.zip", name)


async def test_a_document_is_copied_as_it_came(world: World) -> None:
    """Byte for byte the person's own, with a delivery of its own; its sender hears of one."""
    await world.labo.submit(DR, [PERSON], result(PERSON))
    await world.settle()

    (theirs,), (software_s,) = [await world.chu.inbox(who) for who in ("accueil", "logiciel")]
    assert theirs == software_s
    by_door = {one.message.door: one for one in world.chu.copies()}
    first, copy = by_door["relay"], by_door[Door.COPY]
    assert (Door.COPY, APP, State.DELIVERED) == (
        copy.message.door,
        copy.recipient.address,
        copy.delivery.state,
    )
    assert first.message.summary == copy.message.summary
    assert ("message.copied", APP) in await world.chu.story()
    assert ["accepted", "relayed", "delivered"] == world.labo.receipts()
    assert 2 == world.chu.receipts().count("delivered")  # both mailboxes' software: it arrived


async def test_a_long_document_is_known_by_its_archive(world: World) -> None:
    """A subject that says nothing, and content that is not at hand any more."""
    sent = result(PERSON).replace(b"Subject: XDM/1.0/DDM+", b"Subject: ")
    sent += b"\r\n".join([b"x" * 70] * 6000)
    await world.labo.submit(DR, [PERSON], sent)
    await world.settle()
    assert Door.COPY in {one.message.door for one in world.chu.copies()}


@pytest.mark.parametrize("content", [letter(DR, [PERSON]), letter(PERSON, [PERSON])])
async def test_a_letter_is_not(world: World, content: bytes) -> None:
    """Software files documents; what a person writes to a person is not its business."""
    sender = DR if DR.encode() in content else PERSON
    await (world.labo if sender == DR else world.chu).submit(sender, [PERSON], content)
    await world.settle()
    assert [] == await world.chu.inbox("logiciel")


async def test_who_has_it_already_has_it_once(world: World) -> None:
    """A sender that writes to both needs no copy made."""
    await world.labo.submit(DR, [PERSON, APP], result(PERSON, APP))
    await world.settle()
    assert 1 == len(await world.chu.inbox("logiciel"))


async def test_copies_do_not_go_round(world: World) -> None:
    """Whatever the rules say of each other, a copy is not copied."""
    forwarding(world.chu, (PERSON, APP), (APP, PERSON))
    await world.labo.submit(DR, [PERSON], result(PERSON))
    await world.settle()
    assert (1, 1) == (len(await world.chu.inbox("accueil")), len(await world.chu.inbox("logiciel")))


async def test_what_software_says_of_the_copy_is_said_of_the_first(world: World) -> None:
    """Its sender knows the person alone: the answer names whom it wrote to (R-F3)."""
    async with Program("AE", "904^x").listening() as port:
        house(world.chu, software(port, mailboxes=[APP]))
        forwarding(world.chu, (PERSON, APP))
        await world.labo.submit(DR, [PERSON], result(PERSON))
        await world.settle()
        await world.chu.courier._carrier.close(world.chu.courier._lanes.values())

    assert ["accepted", "relayed", "delivered", "application.failed"] == [
        one for one in world.labo.receipts() if one != "arrived"
    ][:4]
    (mail,) = await world.labo.inbox("dr")
    assert f"Original-Recipient: rfc822;{PERSON}\r\n".encode() in mail
    assert ("application.failed", PERSON) in await world.chu.story()


async def test_a_sender_of_the_house_hears_of_one_delivery(world: World) -> None:
    """A copy is nobody's result: no receipt, no report; what software says reaches the sender."""
    colleague = "interne@chu.example"
    await world.chu.add("interne")
    sent = result(PERSON).replace(DR.encode(), colleague.encode())
    async with Program().listening() as port:
        house(world.chu, software(port, mailboxes=[APP]))
        forwarding(world.chu, (PERSON, APP))
        await world.chu.submit(colleague, [PERSON], sent)
        await world.settle()
        await world.chu.courier._carrier.close(world.chu.courier._lanes.values())

    told = world.chu.receipts()
    assert (1, 1) == (told.count("accepted"), told.count("application.filed"))


def test_rules_name_each_mailbox_once() -> None:
    """And nobody copies to themselves."""
    one = Forward(mailboxes=(PERSON,), to=APP)
    assert {key(PERSON): APP} == MailboxesSettings(forward=(one,)).forwards
    with pytest.raises(ValidationError, match="one mailbox"):
        MailboxesSettings(forward=(one, one))
    with pytest.raises(ValidationError, match="its own mail"):
        Forward(mailboxes=(PERSON,), to=PERSON)


async def test_a_mailbox_that_is_not_there_stops_nothing(world: World) -> None:
    """The person has the document, and operators hear why software has not."""
    forwarding(world.chu, (PERSON, "personne@chu.example"))
    await world.labo.submit(DR, [PERSON], result(PERSON))
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))
    assert "copy.no_mailbox" in [event for event, _ in world.chu.events]


async def test_what_software_says_is_told_to_who_sent_that_document(world: World) -> None:
    """Somebody else's mail may bear the same Message-ID, and be the newer one: it is not meant."""
    colleague = "interne@chu.example"
    await world.chu.add("interne")
    await world.labo.submit(DR, [PERSON], result(PERSON))
    await world.settle()
    (copy,) = [one for one in world.chu.copies() if one.message.door == Door.COPY]
    world.clock.advance(seconds=1)
    forwarding(world.chu)
    same = re.sub(rb"<1@[^>]*>", b"<1@labo.example>", letter(colleague, [PERSON]))
    assert 1 == same.count(b"Message-ID: <1@labo.example>")
    await world.chu.submit(colleague, [PERSON], same)
    await world.settle()

    books = world.chu.desk.books
    await books.database.commit(books.applied(copy, Failure.NO_INS, world.clock()))
    assert "application.failed" not in world.chu.receipts()
    (first,) = [one for one in world.chu.copies() if one.message.door == "relay"]
    assert Applications(books.database).find(first.delivery.id) is not None
