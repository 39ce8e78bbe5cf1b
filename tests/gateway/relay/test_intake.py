"""The door in: what is taken, what is refused, and who is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.accounts.mailboxes import Status as Standing
from gateway.relay.arrival import LOOPING
from gateway.relay.authors import FROM_IS_NOT_YOU, FROM_NOT_ENTITLED, ONE_FROM
from gateway.relay.delivery import State
from gateway.relay.intake import MAILBOX_LEFT
from smtp import reply
from smtp.address import parse
from smtp.envelope import Body, Draft, Mail, Peer, Recipient
from smtp.receive.body import BodyError
from smtp.reply import Reply
from tests.world.world import World, letter, pieces, sending
from trust.addresses import Kind, Listed
from trust.identity import Certificate
from trust.members import Status
from vault.errors import StorageFull, VaultError

DR, ACCUEIL, OUTSIDER = "dr@labo.example", "accueil@chu.example", "x@gmail.example"


async def test_the_250_carries_a_reference_for_the_telephone(world: World) -> None:
    """Two groups of four, which the journal, the reports and the receipts know too."""
    said = await world.labo.submit(DR, [ACCUEIL])
    (copy,) = world.labo.copies()
    assert Reply(250, "2.0.0", f"Accepted, reference {copy.message.reference}") == said


async def test_a_submission_is_completed_and_not_otherwise_touched(world: World) -> None:
    """Bcc goes, Date and Message-ID come, every other byte stays (RFC 6409 §8)."""
    content = f"From: {DR}\r\nBcc: {OUTSIDER}\r\nX-Odd:  a \r\n\r\n.dots\r\n\r\n".encode()
    await world.labo.submit(DR, [ACCUEIL], content)
    await world.settle()
    (kept,) = await world.chu.inbox("accueil")
    assert kept.endswith(f"\r\nFrom: {DR}\r\nX-Odd:  a \r\n\r\n.dots\r\n\r\n".encode())
    assert b"Bcc" not in kept
    assert b"\r\nDate: Mon, 02 Mar 2026 08:30:00 +0000\r\n" in kept
    (copy,) = world.labo.copies()
    given = copy.message.summary.message_id
    assert f"\r\nMessage-ID: {given}\r\n".encode() in kept


async def test_eight_bits_are_understood_though_nobody_declared_them(world: World) -> None:
    """A next hop that cannot take them is then not sent them by mistake (RFC 6152)."""
    clinic = await world.play()
    to = "garde@clinique.example"
    await world.labo.submit(DR, [to], letter(DR, [to]) + "é".encode())
    long = b"x" * 70_000 + "é".encode()
    await world.labo.submit(DR, [to], letter(DR, [to]) + long)
    await world.labo.submit(DR, [to])
    await world.settle()
    assert [Body.EIGHT_BIT, Body.EIGHT_BIT, Body.SEVEN_BIT] == [s.body for s, _ in clinic.heard]


async def test_the_return_path_is_shown_where_mail_ends(world: World) -> None:
    """Added at final delivery and nowhere before (RFC 5321 §4.4)."""
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    (content,) = await world.chu.inbox("accueil")
    assert content.startswith(f"Return-Path: <{DR}>\r\nReceived: from ".encode())
    assert 1 == content.count(b"Return-Path")


async def test_mail_from_is_the_mailbox_that_logged_in(world: World) -> None:
    """Nobody writes in another's name (R-J1)."""
    said = await world.labo.submit("chef@labo.example", [ACCUEIL], login=DR)
    assert reply.SENDER_IS_NOT_YOU == said
    assert ("mail.refused", "login-not-sender") == (
        world.labo.events[0][0],
        world.labo.events[0][1]["reason"],
    )


async def test_a_wrong_from_is_refused_and_its_sender_finds_a_notice(world: World) -> None:
    """Many clients hide a refusal: the words lie in the mailbox too."""
    content = letter("chef@labo.example", [ACCUEIL])
    assert FROM_IS_NOT_YOU == await world.labo.submit(DR, [ACCUEIL], content)
    await world.settle()
    (notice,) = await world.labo.inbox("dr")
    assert f"Final-Recipient: rfc822; {ACCUEIL}".encode() in notice
    assert b"must be the mailbox you logged in" in notice.replace(b"\r\n ", b" ")
    assert ["refused"] == world.labo.receipts()
    assert [] == await world.chu.inbox("accueil")


async def test_an_outsider_is_refused_at_rcpt_and_the_others_are_served(world: World) -> None:
    """One refusal a recipient, before any content; the notice says who did receive it."""
    said = await world.labo.submit(DR, [OUTSIDER, ACCUEIL])
    assert 250 == said.code
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))
    (notice,) = await world.labo.inbox("dr")
    assert f"Final-Recipient: rfc822; {OUTSIDER}".encode() in notice
    assert b"not on the trust list" in notice
    assert ACCUEIL.encode() in notice
    assert ["accepted", "delivered", "refused", "relayed"] == sorted(world.labo.receipts())
    assert ("recipient.refused", OUTSIDER) in await world.labo.story()


async def _closed(world: World) -> None:
    """Let the list name the one address of a closed domain."""
    world.lists.change("chu.example", open=False)
    world.lists.addresses = [Listed(parse(ACCUEIL), Kind.ORG)]
    await world.publish()


async def test_a_refusal_carries_its_cure(world: World) -> None:
    """The one address that was meant stands in the reply and in the notice, in both languages."""
    await _closed(world)
    said = await world.labo.submit(DR, ["acceuil@chu.example"])
    await world.settle()
    (notice,) = await world.labo.inbox("dr")
    whole = notice.replace(b"\r\n ", b" ")

    assert replace(reply.RECIPIENT_ADDRESS_NOT_LISTED, cure=ACCUEIL) == said
    assert str(said).endswith(f"; did you mean <{ACCUEIL}>?")
    assert str(said).encode() in whole
    assert 2 <= whole.count(ACCUEIL.encode())


async def test_a_peer_is_given_no_cure(world: World) -> None:
    """Who asks from outside would learn who has an address here."""
    await _closed(world)
    said = await world.chu.take(world.relay_peer(world.labo), DR, ["acceuil@chu.example"])
    assert not said.cure
    assert said.permanent


async def test_a_mailbox_of_ours_that_is_closed_cures_nothing(world: World) -> None:
    """However long a list still names it."""
    mailbox = await world.labo.add("biologie")
    world.lists.change("labo.example", open=False)
    world.lists.addresses = [
        Listed(parse(each), Kind.PER) for each in (DR, "biologie@labo.example")
    ]
    await world.publish()
    before = await world.labo.submit(DR, ["biologiee@labo.example"])
    await world.labo.books.accounts.set_status(mailbox, Standing.CLOSED)
    after = await world.labo.submit(DR, ["biologiee@labo.example"])

    assert "biologie@labo.example" == before.cure
    assert not after.cure


async def test_a_mailbox_of_ours_that_is_hidden_cures_nothing(world: World) -> None:
    """Our own word on the *liste rouge* counts, whatever a list shows."""
    mailbox = await world.labo.add("biologie")
    world.lists.change("labo.example", open=False)
    world.lists.addresses = [
        Listed(parse(each), Kind.PER) for each in (DR, "biologie@labo.example")
    ]
    await world.publish()
    await world.labo.books.accounts.describe(mailbox, name="", holder="", hidden=True)
    said = await world.labo.submit(DR, ["biologiee@labo.example"])
    assert said.permanent
    assert not said.cure


async def test_only_a_few_cures_are_looked_for(world: World) -> None:
    """A message to a hundred wrong addresses holds up nobody else's."""
    await _closed(world)
    wrong = [f"accueil{'x' * n}@chu.example" for n in range(5, 0, -1)]
    last = await world.labo.submit(DR, ["acceuil@chu.example", *wrong, "acueil@chu.example"])
    assert not last.cure


async def test_a_transaction_that_came_to_nothing_is_told_too(world: World) -> None:
    """All refused, no content: the sender finds why, the journal and the receipts know."""
    assert reply.RECIPIENT_NOT_LISTED == await world.labo.submit(DR, [OUTSIDER])
    await world.settle()
    (notice,) = await world.labo.inbox("dr")
    assert OUTSIDER.encode() in notice
    assert ["refused"] == world.labo.receipts()
    assert ("recipient.refused", OUTSIDER) in await world.labo.story()


async def test_notices_of_refusals_do_not_flood_a_mailbox(world: World) -> None:
    """Thirty an hour; the journal has them all."""
    for _ in range(35):
        await world.labo.submit(DR, [OUTSIDER])
    await world.settle()
    assert 30 == len(await world.labo.inbox("dr"))
    refused = [event for event, _ in await world.labo.story() if event == "recipient.refused"]
    assert 35 == len(refused)


async def test_a_peer_is_told_of_its_refusals_on_the_line_alone(world: World) -> None:
    """A gateway reads replies; its own sender hears from it."""
    peer = world.relay_peer(world.labo)
    said = await world.chu.take(peer, DR, ["absent@chu.example"])
    assert reply.NO_SUCH_MAILBOX == said
    await world.settle()
    assert [State.DELIVERED] * 0 == world.chu.states()
    assert ("recipient.refused", "absent@chu.example") in await world.chu.story()


async def test_a_recipient_named_twice_is_served_once(world: World) -> None:
    """Two spellings of one mailbox are one mailbox."""
    await world.labo.submit(DR, [ACCUEIL, ACCUEIL.upper()])
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_a_closed_mailbox_takes_no_mail_and_a_suspended_one_does(world: World) -> None:
    """Suspended: nothing is lost, nobody logs in. Closed: gone (R-D8)."""
    accounts = world.labo.books.accounts
    mailbox = await world.labo.add("parti")
    mailbox = await accounts.set_status(mailbox, Standing.SUSPENDED)
    assert 250 == (await world.labo.submit(DR, ["parti@labo.example"])).code
    await accounts.set_status(mailbox, Standing.CLOSED)
    assert reply.NO_SUCH_MAILBOX == await world.labo.submit(DR, ["parti@labo.example"])


async def test_a_stale_list_spools_for_a_person_who_is_told(world: World) -> None:
    """Reparable, and our fault: taken, put off, said so at once; it goes when the list is new."""
    world.clock.advance(days=31)
    assert 250 == (await world.labo.submit(DR, [ACCUEIL])).code
    await world.settle()
    assert {State.DEFERRED, State.DELIVERED} == set(world.labo.states())
    (notice,) = await world.labo.inbox("dr")
    assert b"Action: delayed\r\n" in notice
    assert ["accepted", "delayed"] == world.labo.receipts()
    await world.publish()
    await world.later(hours=2)  # who tried before the other gateway had the list waits once more
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_a_stale_list_puts_a_gateway_off(world: World) -> None:
    """It will come again."""
    world.clock.advance(days=31)
    said = await world.chu.take(world.relay_peer(world.labo), DR, [ACCUEIL])
    assert reply.LIST_STALE == said


async def test_a_suspended_members_mail_waits_for_a_person(world: World) -> None:
    """HELD, with its case, in the transaction of the 250; nothing is lost and nothing moves."""
    world.lists.change("labo.example", status=Status.SUSPENDED)
    await world.publish()
    said = await world.chu.take(world.relay_peer(world.labo), DR, [ACCUEIL])
    assert 250 == said.code
    await world.settle()
    copy = next(one for one in world.chu.copies() if not one.message.ours)
    assert State.HELD is copy.delivery.state
    case = world.chu.books.review.register.of_message(copy.message.id)
    assert case is not None
    assert ("sender-suspended",) == case.reasons


async def test_recipient_removed_while_data_was_arriving(world: World) -> None:
    """The list that counts is the one in force when we say 250."""
    await world.play()
    message = sending(
        world.labo,
        Peer("", login=parse(DR), listener="submission"),
        DR,
        ["garde@clinique.example", ACCUEIL],
    )

    async def body() -> object:
        yield letter(DR, [ACCUEIL])
        world.lists.remove("clinique.example")
        await world.publish()
        yield b"The end.\r\n"

    said = await world.labo.intake.accept(message.draft, body())  # type: ignore[arg-type]
    assert 250 == said.code
    await world.settle()
    (notice,) = await world.labo.inbox("dr")
    assert b"Final-Recipient: rfc822; garde@clinique.example" in notice
    assert [State.REFUSED, State.DELIVERED, State.DELIVERED] == sorted(
        world.labo.states(), key=lambda state: state is State.DELIVERED
    )
    assert 1 == len(await world.chu.inbox("accueil"))


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.CLOSED])
async def test_a_mailbox_that_ends_while_its_data_was_arriving(
    world: World, standing: Standing
) -> None:
    """A stolen password's last message cannot be kept open until nobody looks."""
    message = sending(world.labo, Peer("", login=parse(DR), listener="submission"), DR, [ACCUEIL])
    mailbox = world.labo.books.accounts.find(parse(DR))
    assert mailbox is not None

    async def body() -> object:
        yield letter(DR, [ACCUEIL])
        await world.labo.books.accounts.set_status(mailbox, standing)
        yield b"The end.\r\n"

    said = await world.labo.intake.accept(message.draft, body())  # type: ignore[arg-type]
    assert MAILBOX_LEFT == said
    await world.settle()
    assert [] == await world.chu.inbox("accueil")


async def test_all_recipients_removed_while_data_was_arriving(world: World) -> None:
    """Nobody is to have it any more: 550 and nothing kept."""
    message = sending(world.labo, Peer("", login=parse(DR), listener="submission"), DR, [ACCUEIL])
    world.lists.remove("chu.example")
    offer = world.lists.offer(world.clock())
    await world.labo.keeper.offer("list", offer)
    said = await world.labo.intake.accept(message.draft, pieces([letter(DR, [ACCUEIL])]))
    assert reply.RECIPIENT_NOT_LISTED == said
    await world.settle()
    assert [State.DELIVERED] == world.labo.states()  # the notice
    assert 1 == world.labo.bodies()


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"Subject: x\r\n\r\n", ONE_FROM),
        (b"From: dr@labo.example\r\nFrom: x@chu.example\r\n\r\n", ONE_FROM),
        (b"From: x@chu.example\r\n\r\n", FROM_NOT_ENTITLED),
        (b"From: dr@labo.example\r\nSender: x@chu.example\r\n\r\n", FROM_NOT_ENTITLED),
        (b"Received: by x\r\n" * 50 + b"From: dr@labo.example\r\n\r\n", LOOPING),
    ],
)
async def test_what_a_peer_may_not_bring(world: World, content: bytes, refusal: Reply) -> None:
    """Exactly one From, in domains that its certificate speaks for; and no loops."""
    said = await world.chu.take(world.relay_peer(world.labo), DR, [ACCUEIL], content)
    assert refusal == said
    assert [] == world.chu.states()
    assert 0 == world.chu.bodies()


async def test_a_pinned_address_is_not_written_as_by_another_gateway(world: World) -> None:
    """From is held to its pins as MAIL FROM is: two gateways may serve one domain."""
    pin = Certificate.parse(world.chu.issued.der).spki_sha256
    world.lists.addresses.append(
        Listed(parse("chef@labo.example"), Kind.PER, "1", frozenset({pin}))
    )
    await world.publish()
    content = letter("chef@labo.example", [ACCUEIL])
    said = await world.chu.take(world.relay_peer(world.labo), DR, [ACCUEIL], content)
    assert FROM_NOT_ENTITLED == said
    assert [] == world.chu.states()


async def test_a_header_that_is_none_is_refused(world: World) -> None:
    """Where the header ends must not be a matter of opinion."""
    peer = world.relay_peer(world.labo)
    said = await world.chu.take(peer, DR, [ACCUEIL], b"not a header\r\n\r\n")
    assert (550, "5.6.0") == (said.code, said.enhanced)


async def test_a_transfer_is_taken_once(world: World) -> None:
    """Another Sceau whose connection broke before our 250 sends again, and nothing doubles."""
    peer = world.relay_peer(world.labo)
    for _ in range(2):
        said = await world.chu.take(peer, DR, [ACCUEIL], transfer="01ABC")
        assert 250 == said.code
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))
    other = await world.chu.take(peer, DR, [ACCUEIL], transfer="01ABD")
    assert 250 == other.code
    await world.settle()
    assert 2 == len(await world.chu.inbox("accueil"))


async def test_a_list_that_went_stale_since_rcpt_puts_a_gateway_off(world: World) -> None:
    """Asked again with the header in hand: later, not never."""
    message = sending(world.chu, world.relay_peer(world.labo), DR, [ACCUEIL])
    world.clock.advance(days=31)
    said = await world.chu.intake.accept(message.draft, pieces([letter(DR, [ACCUEIL])]))
    assert reply.LIST_STALE == said


async def test_who_has_not_logged_in_submits_nothing(world: World) -> None:
    """The session asks first; the intake does not rely on it."""
    peer = Peer("192.0.2.7", listener="submission")
    assert reply.SENDER_IS_NOT_YOU == sending(world.labo, peer, DR, [ACCUEIL]).said
    draft = replace(Draft(peer, Mail(parse(DR))), recipients=(Recipient(parse(ACCUEIL)),))
    said = await world.labo.intake.accept(draft, pieces([letter(DR, [ACCUEIL])]))
    assert reply.MUST_LOG_IN == said


async def test_a_long_message_taken_before_is_read_to_its_end(world: World) -> None:
    """Only a whole message is answered 250, the second time too."""
    peer = world.relay_peer(world.labo)
    content = letter(DR, [ACCUEIL]) + b"x" * 200_000
    for _ in range(2):
        draft = sending(world.chu, peer, DR, [ACCUEIL], transfer="01ABC").draft
        said = await world.chu.intake.accept(draft, pieces([content[:70_000], content[70_000:]]))
        assert 250 == said.code
    await world.settle()
    (kept,) = await world.chu.inbox("accueil")
    assert kept.endswith(content)


async def test_a_full_disk_says_try_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """452, and nothing kept."""

    async def put(body: object, *, own: bool = False, seen: object = None) -> object:
        raise StorageFull("the disk is down to its reserve")

    monkeypatch.setattr(type(world.labo.books.vault), "put", lambda _, b, **how: put(b, **how))
    assert reply.INSUFFICIENT_STORAGE == await world.labo.submit(DR, [ACCUEIL])
    assert [] == world.labo.states()


async def test_a_database_without_room_leaves_no_body_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sender that comes again would else leave another one, on a disk that is full."""

    async def commit(statements: object) -> object:
        raise StorageFull("the database has no room")

    monkeypatch.setattr(
        type(world.labo.rest.database), "commit", lambda _, statements: commit(statements)
    )
    content = letter(DR, [ACCUEIL], body="x" * 300_000 + "\r\n")
    for to in ([ACCUEIL], [ACCUEIL, OUTSIDER]):
        assert reply.INSUFFICIENT_STORAGE == await world.labo.submit(DR, to, content)
    left = world.labo.folder.rglob("blobs/*")
    assert [(".spare", 0)] == [(one.suffix, one.stat().st_size) for one in left]


async def test_a_broken_disk_says_try_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """451: what cannot be promised is not."""
    database = world.labo.rest.database

    async def commit(statements: object) -> object:
        raise VaultError("the disk failed")

    monkeypatch.setattr(type(database), "commit", lambda _, statements: commit(statements))
    assert reply.LOCAL_ERROR == await world.labo.submit(DR, [ACCUEIL])


async def test_a_body_that_breaks_off_leaves_nothing(world: World) -> None:
    """Half a message is no message."""
    message = sending(world.labo, Peer("", login=parse(DR), listener="submission"), DR, [ACCUEIL])

    async def body() -> object:
        yield letter(DR, [ACCUEIL])
        raise BodyError("closed")

    with pytest.raises(BodyError):
        await world.labo.intake.accept(message.draft, body())  # type: ignore[arg-type]
    assert [] == world.labo.states()
    assert 0 == world.labo.bodies()


async def test_a_flood_of_refused_recipients_is_written_down_together(world: World) -> None:
    """A stranger's certificate is no licence to fill the disk; a minute later each has its entry."""
    stranger = world.authority.issue("mx.stranger.example", days=3500)
    peer = replace(world.relay_peer(world.labo), certificate=stranger.der)
    everybody = [f"n{number}@chu.example" for number in range(100)]
    for _ in range(5):
        assert reply.PEER_NOT_ENTITLED == await world.chu.take(peer, DR, everybody)
    story = await world.chu.story()
    assert 300 == sum(event == "recipient.refused" for event, _ in story)
    assert 200 == sum(event == "recipient.refused" for event, _ in world.chu.events)
    world.clock.advance(minutes=1)
    await world.chu.take(peer, DR, everybody)
    assert 400 == len(await world.chu.story())


async def test_what_is_refused_expires_with_its_window(world: World) -> None:
    """After an hour without refusals a sender is told by mail again."""
    for _ in range(31):
        await world.labo.submit(DR, [OUTSIDER])
    world.clock.advance(hours=1)
    await world.labo.submit(DR, [OUTSIDER])
    await world.settle()
    assert 31 == len(await world.labo.inbox("dr"))
    assert timedelta(hours=1) == timedelta(minutes=60)
