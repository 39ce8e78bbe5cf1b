"""Sending in the name of another mailbox, and writing to one that was closed."""

from gateway.accounts.mailboxes import Status
from gateway.accounts.rights import MEMBER, READER, Rights
from smtp import reply
from smtp.address import parse
from tests.world.clock import START
from tests.world.world import Gateway, World, letter
from trust.addresses import Kind

WARD, NURSE, DOCTOR = "cardio@labo.example", "ines@labo.example", "roy@labo.example"
TO = ["dr@chu.example"]


async def share(labo: Gateway, rights: Rights = MEMBER) -> None:
    """Share the ward's and the doctor's mailbox with the nurse."""
    accounts, shares = labo.books.accounts, labo.books.shares
    ward = await accounts.add(parse(WARD), Kind.ORG)
    doctor = await accounts.add(parse(DOCTOR), Kind.PER)
    nurse = await accounts.add(parse(NURSE), Kind.PER)
    await shares.give(ward, nurse, rights, START)
    await shares.give(doctor, nurse, rights, START)


async def test_a_secretary_writes_in_the_doctors_name(world: World) -> None:
    """From is the doctor, Sender says who really wrote, and the journal names the secretary."""
    await share(world.labo)
    await world.chu.add("dr")
    said = await world.labo.submit(DOCTOR, TO, letter(DOCTOR, TO), login=NURSE)
    await world.settle()

    assert said.positive, said
    (content,) = await world.chu.inbox("dr")
    assert b"\r\nSender: <ines@labo.example>\r\n" in content
    assert b"\r\nFrom: roy@labo.example\r\n" in content
    nurse = world.labo.books.accounts.find(parse(NURSE))
    assert nurse is not None
    accepted = world.labo.rest.database.read(
        "SELECT actor FROM journal WHERE event = 'message.accepted'"
    )
    assert (f"mailbox:{nurse.key}",) in accepted


async def test_an_organisation_speaks_for_itself(world: World) -> None:
    """Its people need not show who they are; the journal knows."""
    await share(world.labo)
    await world.chu.add("dr")
    said = await world.labo.submit(WARD, TO, letter(WARD, TO), login=NURSE)
    await world.settle()

    assert said.positive, said
    (content,) = await world.chu.inbox("dr")
    assert b"Sender:" not in content


async def test_a_sender_that_is_there_stays(world: World) -> None:
    """A client that says who wrote is not corrected."""
    await share(world.labo)
    content = letter(DOCTOR, TO, f"Sender: Ines <{NURSE}>")
    await world.chu.add("dr")
    await world.labo.submit(DOCTOR, TO, content, login=NURSE)
    await world.settle()
    (arrived,) = await world.chu.inbox("dr")
    assert 1 == arrived.count(b"Sender:")


async def test_a_reader_does_not_send(world: World) -> None:
    """Reading a mailbox is not speaking for it."""
    await share(world.labo, READER)
    assert reply.SENDER_IS_NOT_YOU == await world.labo.submit(WARD, TO, login=NURSE)


async def test_another_from_than_the_mailbox_is_refused(world: World) -> None:
    """Who may send as the ward may not show yet another colleague in From."""
    await share(world.labo)
    await world.labo.add("paul")
    said = await world.labo.submit(WARD, TO, letter("paul@labo.example", TO), login=NURSE)
    assert 550 == said.code


async def test_a_right_that_was_taken_away_during_data(world: World) -> None:
    """What counts is the right at the time of our 250."""
    await share(world.labo)
    labo = world.labo
    ward, nurse = (labo.books.accounts.find(parse(one)) for one in (WARD, NURSE))
    assert ward is not None
    assert nurse is not None
    assert labo.books.shares.may_post(nurse, ward.address)
    await labo.books.shares.give(ward, nurse, Rights(), START)
    assert reply.SENDER_IS_NOT_YOU == await labo.submit(WARD, TO, login=NURSE)


async def test_a_closed_mailbox_names_its_successor(world: World) -> None:
    """Who writes to somebody who left is told where to write instead."""
    await world.labo.add("bio")
    accounts = world.chu.books.accounts
    left = await world.chu.add("parti")
    await accounts.set_status(left, Status.CLOSED, parse("suite@chu.example"))

    said = await world.chu.submit("roy@chu.example", ["parti@chu.example"])
    assert (550, "5.1.6") == (said.code, said.enhanced)
    assert "suite@chu.example" in said.text


async def test_a_successor_that_no_reply_can_hold_is_not_named(world: World) -> None:
    """A reply is printable ASCII, whatever an address is made of."""
    left = await world.chu.add("parti")
    await world.chu.books.accounts.set_status(left, Status.CLOSED, parse("éric@chu.example"))
    await world.chu.add("roy")
    said = await world.chu.submit("roy@chu.example", ["parti@chu.example"])
    assert reply.NO_SUCH_MAILBOX == said
