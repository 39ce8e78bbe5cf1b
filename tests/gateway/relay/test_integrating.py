"""What a program made of a document comes back to its sender as the report that the framework words."""

import re
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from gateway.documents import packing, xdm
from gateway.documents.codes import Failure
from gateway.relay.applications import Applications
from gateway.relay.delivery import State
from smtp.address import parse
from tests.gateway.documents.made import parcel
from tests.gateway.relay.handing.test_lines import house
from tests.gateway.relay.handing.test_mllp import Program, software
from tests.world.world import World

DR, APP = "dr@labo.example", parse("logiciel@chu.example")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(tmp_path) as made:
        await made.chu.add("logiciel")
        yield made


def result(*, asks: bool = True) -> bytes:
    sender = parse(DR)
    made = parcel(
        sender=sender,
        recipients=(APP,),
        message_id="<1@labo.example>",
        answers=sender if asks else None,
    )
    return packing.pack(made, xdm.Sender("Labo", sender))


async def handed(world: World, program: Program, content: bytes) -> list[str]:
    """Send a document to a program at the other gateway; return what software was told."""
    async with program.listening() as port:
        house(world.chu, software(port, mailboxes=[APP]))
        await world.labo.submit(DR, [APP], content)
        await world.settle()
        await world.later(minutes=10)  # two reports of one copy: who came too close waits a little
        await world.chu.courier._carrier.close(world.chu.courier._lanes.values())
    return [one for one in world.labo.receipts() if one.startswith("application")]


async def test_a_document_that_was_filed_is_answered(world: World) -> None:
    """By mail, with the subject it had; by receipt; and the delivery has its own end."""
    assert ["application.filed"] == await handed(world, Program(), result())
    (mail,) = [one for one in await world.labo.inbox("dr") if b"disposition" in one]
    assert b"Disposition: automatic-action/MDN-sent-automatically; processed\r\n" in mail
    assert b"text/rfc822-headers" in mail
    assert "XDM/1.0/DDM+" == subject(mail)[:12]
    assert ("application.filed", APP) in await world.chu.story()
    (copy,) = [one for one in world.labo.copies() if one.recipient.address == APP]
    assert State.DELIVERED is copy.delivery.state


async def test_a_document_that_was_not_is_answered_by_number(world: World) -> None:
    """In the subject, in the Disposition, in its own field, in words; with the message itself."""
    sent = result()
    assert ["application.failed"] == await handed(world, Program("AE", "903^x"), sent)
    (mail,) = await world.labo.inbox("dr")  # nobody reads the same twice
    assert b"Error: 903^INS non present" in mail
    assert b"processed/Error: 903^INS non present dans le document" in re.sub(rb"\r\n ", b" ", mail)
    assert subject(mail).startswith("[KO Intégration système !][903] XDM/1.0/DDM+")
    parts = [part.get_content_type() for part in message_from_bytes(mail).walk()]
    assert ["text/plain", "message/disposition-notification"] == [
        parts[1],
        next(part for part in parts[2:] if part.startswith("message/")),
    ]
    assert "message/rfc822" in parts
    assert sent.partition(b"\r\n\r\n")[2] in mail
    (copy,) = [one for one in world.labo.copies() if one.recipient.address == APP]
    said = Applications(world.labo.books.database).find(copy.delivery.id)
    assert said is not None
    assert Failure.NO_INS is said.failure
    assert State.FAILED is copy.delivery.state


async def test_between_mailboxes_of_one_house_it_is_told_once(world: World) -> None:
    """The program's answer says why; a delivery report beside it would say the same."""
    async with Program("AE", "903^x").listening() as port:
        house(world.chu, software(port, mailboxes=[APP]))
        content = result().replace(DR.encode(), b"accueil@chu.example")
        await world.chu.submit("accueil@chu.example", [APP], content)
        await world.settle()
        await world.chu.courier._carrier.close(world.chu.courier._lanes.values())
    (mail,) = await world.chu.inbox("accueil")
    assert b"Error: 903^INS non present" in mail
    assert "failed" in world.chu.receipts()


async def test_who_did_not_ask_is_not_answered_by_mail(world: World) -> None:
    """The delivery's own report says all there is to say, and its number is understood (R-F2)."""
    assert [] == await handed(world, Program(), result(asks=False))
    assert [] == await world.labo.inbox("dr")
    again = result(asks=False).replace(b"<1@labo", b"<2@labo")
    assert ["application.failed"] == await handed(world, Program("AE", "905^x"), again)
    (mail,) = await world.labo.inbox("dr")
    assert b"report-type=delivery-status" in mail


async def test_a_long_message_comes_back_by_its_header_alone(world: World) -> None:
    """What is answered is known by it; a result of many megabytes is not sent twice."""
    long = result() + b"\r\n".join([b"x" * 70] * 16000)
    assert long.endswith(b"x")
    assert ["application.failed"] == await handed(world, Program("AE", "900^x"), long)
    (mail,) = [one for one in await world.labo.inbox("dr") if b"Error: 900^" in one]
    assert b"text/rfc822-headers" in mail
    assert len(mail) < 20_000


def subject(mail: bytes) -> str:
    return str(message_from_bytes(mail, policy=policy.default)["subject"])
