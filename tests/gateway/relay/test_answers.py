"""Reports that come back: what they settle, who sees them, and which are refused."""

import pytest
from msgspec.structs import replace

from gateway.relay.applications import Applications
from gateway.relay.authors import FROM_NOT_ENTITLED
from gateway.relay.delivery import State
from gateway.relay.message import Copy
from gateway.relay.reports import NO_ANSWER, NOT_A_REPORT, NOT_THEIRS, ONE_AT_A_TIME
from smtp.address import parse
from smtp.envelope import Notify, Peer, Recipient
from smtp.reply import Reply
from tests.world.world import World, letter, sending
from vault.database import Statement

DR, ACCUEIL, GARDE = "dr@labo.example", "accueil@chu.example", "garde@clinique.example"


def report(
    envid: str,
    action: str = "delivered",
    status: str = "2.0.0",
    final: str = GARDE,
    original: str = f"rfc822;{GARDE}",
    sender: str = "postmaster@clinique.example",
) -> bytes:
    return (
        f"From: {sender}\r\nSubject: Report\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nWords.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.clinique.example\r\nOriginal-Envelope-Id: {envid}\r\n\r\n"
        f"Original-Recipient: {original}\r\nFinal-Recipient: rfc822; {final}\r\n"
        f"Action: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 Parti\r\n"
        "\r\n--b--\r\n"
    ).encode()


def read(message_id: str, disposition: str, final: str, sender: str) -> bytes:
    return (
        f"From: {sender}\r\nSubject: Lu\r\nMessage-ID: <lu@test>\r\nDate: now\r\n"
        "Content-Type: multipart/report; report-type=disposition-notification;"
        ' boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nLu.\r\n"
        "--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        f"Final-Recipient: rfc822;{final}\r\nOriginal-Message-ID: {message_id}\r\n"
        f"Disposition: manual-action/MDN-sent-manually; {disposition}\r\n"
        "\r\n--b--\r\n"
    ).encode()


def answering(sender: str) -> bytes:
    """Write a plain mail whose subject alone says that software could not file what it answers."""
    said = letter(sender, [DR], "In-Reply-To: <1@test.example>")
    said = said.replace(b"ID: <1@", b"ID: <2@")
    return said.replace(b"Compte rendu", b"[KO Integration systeme !][902] XDM/1.0/DDM+x")


async def relayed(world: World, notify: Notify | None = None) -> Copy:
    """Send a message to a peer that the test plays, and return the copy it was given."""
    await world.play()
    asked = Recipient(parse(GARDE), frozenset({notify}) if notify else None)
    await world.labo.submit(DR, [], letter(DR, [GARDE]), recipients=[asked])
    await world.settle()
    (copy,) = world.labo.copies()
    return copy


async def bring(
    world: World, content: bytes, domain: str = "clinique.example", to: str = DR
) -> Reply:
    """Bring a report to the laboratory, as the gateway of a domain."""
    played = world.played.get(domain)
    certificate = played.certificate if played else world.chu.issued.der
    peer = Peer("192.0.2.9", tls="TLSv1.3", certificate=certificate, listener="relay")
    return await world.labo.take(peer, "", [to], content)


def state(world: World) -> State:
    (copy,) = [c for c in world.labo.copies() if c.recipient.address == GARDE]
    return copy.delivery.state


async def test_a_report_of_delivery_makes_it_delivered(world: World) -> None:
    """RELAYED, then the peer's word: DELIVERED; consumed, for nobody asked to see it."""
    copy = await relayed(world)
    assert 250 == (await bring(world, report(copy.message.id))).code
    await world.settle()
    assert State.DELIVERED is state(world)
    assert [] == await world.labo.inbox("dr")
    assert ["accepted", "relayed", "delivered"] == world.labo.receipts()


async def test_a_report_may_come_in_the_name_of_the_peers_machine(world: World) -> None:
    """MAILER-DAEMON@mx.clinique.example: no member, but below the one that was given the copy."""
    copy = await relayed(world)
    from_host = report(copy.message.id, sender="MAILER-DAEMON@mx.clinique.example")
    assert 250 == (await bring(world, from_host)).code
    assert State.DELIVERED is state(world)


@pytest.mark.parametrize(
    "sender",
    ["MAILER-DAEMON@evilclinique.example", "MAILER-DAEMON@mx.chu.example", "d@clinique.example.x"],
)
async def test_a_report_in_a_look_alikes_name_is_refused(world: World, sender: str) -> None:
    """Whole labels below the peer's own domain, and nothing that only ends or begins like it."""
    copy = await relayed(world)
    assert FROM_NOT_ENTITLED == await bring(world, report(copy.message.id, sender=sender))
    assert State.RELAYED is state(world)


async def test_a_machines_name_is_for_reports_that_answer_us(world: World) -> None:
    """Not for ordinary mail, nor for a report on what went elsewhere or never was."""
    copy = await relayed(world)
    machine = "MAILER-DAEMON@mx.clinique.example"
    peer = Peer(
        "192.0.2.9",
        tls="TLSv1.3",
        certificate=world.played["clinique.example"].certificate,
        listener="relay",
    )
    mail = letter(machine, [DR])
    assert FROM_NOT_ENTITLED == await world.labo.take(peer, GARDE, [DR], mail)
    assert NOT_A_REPORT == await bring(world, mail)
    assert NO_ANSWER == await bring(world, report("never-sent", sender=machine))
    neighbour = report(copy.message.id, sender="MAILER-DAEMON@mx.chu.example")
    assert NOT_THEIRS == await bring(world, neighbour, "chu.example")
    assert State.RELAYED is state(world)


async def test_a_report_that_was_asked_for_is_passed_on(world: World) -> None:
    """NOTIFY=SUCCESS: the peer's own report lies in the sender's mailbox."""
    copy = await relayed(world, Notify.SUCCESS)
    await bring(world, report(copy.message.id))
    await world.settle()
    (seen,) = await world.labo.inbox("dr")
    assert b"Action: delivered\r\n" in seen
    assert State.DELIVERED is state(world)


async def test_a_report_told_twice_is_seen_once(world: World) -> None:
    """A peer that did not hear our 250 tells it again."""
    copy = await relayed(world, Notify.SUCCESS)
    for _ in range(2):
        assert 250 == (await bring(world, report(copy.message.id))).code
    await world.settle()
    assert 1 == len(await world.labo.inbox("dr"))
    assert ["accepted", "relayed", "delivered"] == world.labo.receipts()


async def test_a_report_of_failure_fails_it_and_is_seen(world: World) -> None:
    """Taken by their server, refused by their mailbox: FAILED, and the sender reads why."""
    copy = await relayed(world)
    await bring(world, report(copy.message.id, "failed", "5.1.1"))
    await world.settle()
    assert State.FAILED is state(world)
    (seen,) = await world.labo.inbox("dr")
    assert b"Parti" in seen
    assert ["accepted", "relayed", "failed"] == world.labo.receipts()


async def test_a_report_of_delay_is_told_and_changes_nothing(world: World) -> None:
    """Still theirs, still on its way."""
    copy = await relayed(world)
    await bring(world, report(copy.message.id, "delayed", "4.4.1"))
    await world.settle()
    assert State.RELAYED is state(world)
    assert ["accepted", "relayed", "delayed"] == world.labo.receipts()
    assert 1 == len(await world.labo.inbox("dr"))


async def test_a_delay_that_is_reported_after_the_last_answer_is_told_to_nobody(
    world: World,
) -> None:
    """Software, and its sender, acted on that answer; the trace has it."""
    copy = await relayed(world)
    await bring(world, report(copy.message.id, "failed", "5.1.1"))
    await world.settle()
    told, inbox = world.labo.receipts(), await world.labo.inbox("dr")
    assert 250 == (await bring(world, report(copy.message.id, "delayed", "4.4.1"))).code
    await world.settle()
    assert (told, inbox) == (world.labo.receipts(), await world.labo.inbox("dr"))
    assert ("delivery.reported", GARDE) in await world.labo.story()


async def test_a_report_of_relaying_onward_changes_nothing(world: World) -> None:
    """Relayed onward is not delivered, and nobody asked."""
    copy = await relayed(world)
    await bring(world, report(copy.message.id, "relayed"))
    await world.settle()
    assert State.RELAYED is state(world)
    assert [] == await world.labo.inbox("dr")


async def test_a_report_that_overtakes_our_own_record(world: World) -> None:
    """Their report comes while we still write down their 250: nothing is lost or doubled."""
    copy = await relayed(world)
    database = world.labo.rest.database
    await database.commit(
        [
            Statement("UPDATE delivery SET state = 'sending'", ()),
            Statement("DELETE FROM outbox WHERE type = 'relayed'", ()),
        ]
    )
    await bring(world, report(copy.message.id))
    assert State.DELIVERED is state(world)
    assert ["accepted", "relayed", "delivered"] == world.labo.receipts()


async def test_only_whoever_was_given_the_copy_may_report_on_it(world: World) -> None:
    """Another listed operator cannot say that somebody else's mail arrived."""
    copy = await relayed(world)
    said = await bring(world, report(copy.message.id, sender="x@chu.example"), "chu.example")
    assert NOT_THEIRS == said
    assert State.RELAYED is state(world)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (report("unknown"), NO_ANSWER),
        (b"From: x@clinique.example\r\n\r\nHello\r\n", NOT_A_REPORT),
        (
            b"From: x@clinique.example\r\nContent-Type: multipart/report\r\n\r\nHello\r\n",
            NOT_A_REPORT,
        ),
    ],
)
async def test_without_a_return_path_only_answers_are_taken(
    world: World, content: bytes, refusal: Reply
) -> None:
    """The null reverse-path is no way around the rules."""
    await relayed(world)
    assert refusal == await bring(world, content)
    await world.settle()
    assert [] == await world.labo.inbox("dr")


async def test_a_report_names_a_recipient_of_the_message(world: World) -> None:
    """The right ENVID with another recipient answers nothing."""
    copy = await relayed(world)
    other = report(copy.message.id, original="rfc822;y@clinique.example")
    assert NO_ANSWER == await bring(world, other)


async def test_a_report_goes_to_one_recipient(world: World) -> None:
    """More than one cannot all be the sender of what it answers."""
    await relayed(world)
    played = world.played["clinique.example"]
    peer = Peer("", certificate=played.certificate, listener="relay")
    draft = sending(world.labo, peer, "", [DR, DR]).draft
    assert [ONE_AT_A_TIME] == [refusal.reply for refusal in draft.refused]


async def test_a_report_to_several_is_kept_from_none_of_them(world: World) -> None:
    """With a return path it may have more readers than the one whose software has its receipt."""
    copy = await relayed(world)
    await world.labo.add("chef")
    played = world.played["clinique.example"]
    peer = Peer("", certificate=played.certificate, listener="relay")
    both = [DR, "chef@labo.example"]
    sender = "postmaster@clinique.example"
    said = await world.labo.take(peer, sender, both, report(copy.message.id))
    assert 250 == said.code
    await world.settle()
    assert State.DELIVERED is state(world)
    assert 1 == len(await world.labo.inbox("chef"))


async def test_a_report_on_each_reader_of_a_list_counts_once(world: World) -> None:
    """Two groups with one Original-Recipient, as a mailing list's server writes them."""
    copy = await relayed(world)
    content = report(copy.message.id)
    group = content[content.index(b"Original-Recipient") : content.index(b"\r\n--b--")]
    twice = content.replace(group, group + b"\r\n" + group)
    assert 250 == (await bring(world, twice)).code
    assert State.DELIVERED is state(world)


async def test_one_envid_for_every_message_settles_only_the_one_reported(world: World) -> None:
    """Some software invents one ENVID and keeps it: the returned header tells which it was."""
    await world.play()
    for number in (1, 2):
        content = letter(DR, [GARDE]).replace(b"<1@test.", b"<%d@test." % number)
        await world.labo.submit(DR, [GARDE], content, envid="always")
    await world.settle()
    returned = (
        b"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        b"Message-ID: <2@test.example>\r\n\r\n--b--"
    )
    await bring(world, report("always").replace(b"\r\n--b--", returned))
    moved = [c for c in world.labo.copies() if c.delivery.state is State.DELIVERED]
    assert ["<2@test.example>"] == [copy.message.summary.message_id for copy in moved]


async def test_reports_are_matched_by_message_id_when_there_is_no_envid(world: World) -> None:
    """Some systems forget the ENVID and return the header."""
    await relayed(world)
    content = (
        report("")
        .replace(b"Original-Envelope-Id: \r\n", b"")
        .replace(
            b"\r\n--b--",
            b"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
            b"Message-ID: <1@test.example>\r\n\r\n--b--",
        )
    )
    assert 250 == (await bring(world, content)).code
    assert State.DELIVERED is state(world)


async def test_a_clinicians_reading_report_crosses_and_is_receipted(world: World) -> None:
    """Thunderbird answers with a null reverse-path: taken, passed on, told to software (R-F1)."""
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    mdn = read("<1@test.example>", "displayed", ACCUEIL, ACCUEIL)
    said = await world.chu.submit("", [DR], mdn, login=ACCUEIL)
    assert 250 == said.code
    await world.settle()
    (seen,) = await world.labo.inbox("dr")
    assert b"displayed" in seen
    assert "read" == world.labo.receipts()[-1]


async def test_a_reading_report_of_somebody_else_is_refused(world: World) -> None:
    """Only who was given a message can say that it was read."""
    await world.chu.add("curieux")
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    other = "curieux@chu.example"
    mdn = read("<1@test.example>", "displayed", ACCUEIL, other)
    assert NO_ANSWER == await world.chu.submit("", [DR], mdn, login=other)


async def test_a_delivery_report_is_not_submitted_by_people(world: World) -> None:
    """Servers report deliveries; people report reading."""
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    (copy,) = world.labo.copies()
    forged = report(copy.message.id, final=ACCUEIL, sender=ACCUEIL)
    assert NOT_A_REPORT == await world.chu.submit("", [DR], forged, login=ACCUEIL)


async def test_reading_within_the_house_is_receipted_too(world: World) -> None:
    """Both mailboxes here: the submission itself tells."""
    await world.labo.add("secretariat")
    to = "secretariat@labo.example"
    await world.labo.submit(DR, [to])
    await world.settle()
    mdn = read("<1@test.example>", "displayed", to, to)
    assert 250 == (await world.labo.submit("", [DR], mdn, login=to)).code
    await world.settle()
    assert "read" in world.labo.receipts()


async def test_a_reading_report_with_a_return_path_is_a_message_and_a_receipt(
    world: World,
) -> None:
    """Some clients give their own address as return path."""
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    mdn = read("<1@test.example>", "processed/Error: 902^Patient inconnu", ACCUEIL, ACCUEIL)
    assert 250 == (await world.chu.submit(ACCUEIL, [DR], mdn)).code
    await world.settle()
    assert 1 == len(await world.labo.inbox("dr"))
    assert "application.failed" in world.labo.receipts()
    assert "read" not in world.labo.receipts()


async def test_software_that_filed_it_says_so_once(world: World) -> None:
    """One receipt, one row; the delivery stays as it was, and a repeat says nothing new."""
    copy = await relayed(world)
    for disposition in ("processed", "processed", "processed/Error: 904^x"):
        mdn = read("<1@test.example>", disposition, GARDE, GARDE)
        assert 250 == (await bring(world, mdn)).code
    await world.settle()
    assert State.RELAYED is state(world)
    told = [one for one in world.labo.receipts() if one.startswith("application")]
    assert ["application.filed", "application.failed"] == told
    said = Applications(world.labo.books.database).find(copy.delivery.id)
    assert said is not None
    assert (904, False) == (said.failure, said.filed)
    assert ("application.filed", GARDE) in await world.labo.story()


@pytest.mark.parametrize("path", ["", GARDE])
async def test_software_that_answers_by_its_subject_alone(world: World, path: str) -> None:
    """A plain mail, with or without a return path: its reader has it, and so do the receipts."""
    await relayed(world)
    said = answering(GARDE)
    played = world.played["clinique.example"]
    peer = Peer("192.0.2.9", tls="TLSv1.3", certificate=played.certificate, listener="relay")
    assert 250 == (await world.labo.take(peer, path, [DR], said)).code
    await world.settle()
    assert "application.failed" in world.labo.receipts()
    assert 1 == len(await world.labo.inbox("dr"))


async def test_who_was_not_given_it_says_nothing_of_it(world: World) -> None:
    """A neighbour's word about somebody else's copy is a mail like any other."""
    await relayed(world)
    await world.chu.submit(ACCUEIL, [DR], answering(ACCUEIL))
    await world.settle()
    assert not [one for one in world.labo.receipts() if one.startswith("application")]


async def test_a_report_type_that_answers_nothing_is_a_message_when_it_can_be_answered(
    world: World,
) -> None:
    """With a return path it may be about something long forgotten: it is delivered."""
    mdn = read("<unknown@test>", "displayed", ACCUEIL, ACCUEIL)
    assert 250 == (await world.chu.submit(ACCUEIL, [DR], mdn)).code
    await world.settle()
    assert 1 == len(await world.labo.inbox("dr"))


@pytest.mark.parametrize("disposition", ["processed", "processed/Error: 902^x", "displayed"])
async def test_nobody_answers_for_what_they_were_not_given(world: World, disposition: str) -> None:
    """A copy that is held here: its domain's gateway knows its Message-ID from another recipient."""
    copy = await relayed(world)
    held = replace(copy.delivery, state=State.HELD, attempts=0)
    books = world.labo.desk.books
    await books.database.commit([books.spool.recording(copy.delivery, held)])
    said = read("<1@test.example>", disposition, GARDE, GARDE)
    assert NOT_THEIRS == await bring(world, said)
    assert Applications(books.database).find(copy.delivery.id) is None
