"""A sender takes a message back: what can be undone is, with proof; else it is told when it was read."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from gateway.relay.delivery import State
from gateway.relay.handing.servers import Servers
from gateway.relay.notices import Notices
from gateway.relay.proof import enclosed, signing, verified
from gateway.relay.recalls import ELSEWHERE, ENDED, Recalls
from gateway.relay.withdrawing import (
    CANCELLED,
    COPIED,
    GONE,
    NOTHING_OF_THAT_NAME,
    OPENED,
    WITHDRAWN,
)
from imap.folder import UidSet
from imap.store import Mode
from smtp.address import parse
from smtp.envelope import Notify, Recipient
from smtp.reply import Reply
from smtp.send.outgoing import NO_RECALL
from tests.world.world import Gateway, World, letter, pieces
from vault.database import Statement

DR, ACCUEIL, COLLEAGUE = "dr@labo.example", "accueil@chu.example", "resultats@labo.example"
GARDE = "garde@clinique.example"


@pytest.fixture(autouse=True)
def signed(world: World) -> None:
    """Both gateways sign what they say of recalls."""
    for gateway in world.gateways:
        sign = signing(gateway.folder / "gateway.crt", gateway.folder / "gateway.key")
        gateway.desk = replace(gateway.desk, sign=sign)
        gateway.intake._withdrawing = replace(gateway.intake._withdrawing, desk=gateway.desk)


def recalls(gateway: Gateway) -> Recalls:
    carrier = gateway.courier._carrier
    return Recalls(gateway.desk, Notices(gateway.desk), carrier.recall, gateway.courier.ring)


async def send(world: World, to: str) -> None:
    never = Recipient(parse(to), frozenset({Notify.NEVER}))
    assert (await world.labo.submit(DR, [to], recipients=[never])).positive
    await world.settle()


async def recall(world: World) -> Reply:
    """Take back the last thing the laboratory sent."""
    copy = next(c for c in reversed(world.labo.copies()) if c.message.mail.mail_from == DR)
    said = await recalls(world.labo).recall(copy, "operator:root")
    await world.settle()
    return said


async def see(gateway: Gateway, address: str) -> None:
    mailbox = gateway.books.accounts.find(parse(address))
    assert mailbox is not None
    folder = gateway.books.mailboxes.find(mailbox.id, "INBOX")
    assert folder is not None
    await gateway.books.mailboxes.flag(folder.id, UidSet([(1, 99)]), Mode.ADD, ["\\Seen"])


async def test_unopened_at_a_peer_it_is_withdrawn_with_proof(world: World) -> None:
    """The peer erases it, says so signed by its certificate, and our journal keeps the proof."""
    await send(world, ACCUEIL)
    said = await recall(world)

    assert (WITHDRAWN.code, WITHDRAWN.text) == (said.code, said.text)
    assert [] == await world.chu.inbox("accueil")
    assert 0 == world.chu.bodies()
    (report,) = await world.labo.inbox("dr")
    envelope = enclosed(report)
    assert envelope is not None
    proved = verified(envelope, world.chu.issued.der)
    (copy,) = [
        copy
        for copy in world.labo.copies()
        if not copy.message.ours and copy.domain == "chu.example"
    ]
    assert ("withdrawn", copy.message.id, ACCUEIL) == (
        proved.outcome,
        proved.transfer,
        proved.recipient,
    )
    events = [event for event, _ in await world.labo.story()]
    assert "recall.proved" in events
    assert "withdrawn" in world.labo.receipts()
    assert "delivery.withdrawn" in [event for event, _ in await world.chu.story()]


async def test_asked_twice_it_was_withdrawn_once(world: World) -> None:
    """A peer whose answer was lost is told the same again, and sends one proof."""
    await send(world, ACCUEIL)
    assert (await recall(world)).positive

    assert (await recall(world)).positive
    assert 1 == len(await world.labo.inbox("dr"))


async def test_opened_it_stays_and_its_sender_is_told_when(world: World) -> None:
    """Nobody loses what they have read."""
    await send(world, ACCUEIL)
    world.clock.advance(minutes=5)
    await see(world.chu, ACCUEIL)
    opened = world.clock()
    world.clock.advance(minutes=5)
    said = await recall(world)

    assert OPENED.text == said.text
    assert 1 == len(await world.chu.inbox("accueil"))
    (report,) = await world.labo.inbox("dr")
    envelope = enclosed(report)
    assert envelope is not None
    proved = verified(envelope, world.chu.issued.der)
    assert "opened" == proved.outcome
    assert abs(proved.at - opened) < timedelta(seconds=1)


async def test_of_what_was_copied_nothing_is_proven(world: World) -> None:
    """A copy that nobody opened would outlive the recall: both stay, and that is said."""
    await send(world, ACCUEIL)
    boxes = world.chu.books.mailboxes
    mailbox = world.chu.books.accounts.find(parse(ACCUEIL))
    assert mailbox is not None
    (entry,) = boxes.entries(mailbox.id)
    archive = boxes.find(mailbox.id, "Archive")
    assert archive is not None
    await boxes.copy(entry.folder, UidSet.of([entry.uid]), archive.id)
    assert COPIED.text == (await recall(world)).text

    await boxes.flag(entry.folder, UidSet.of([entry.uid]), Mode.ADD, ["\\Deleted"])
    await boxes.expunge(entry.folder)
    assert COPIED.text == (await recall(world)).text
    assert 1 == len(boxes.entries(mailbox.id, "Archive"))
    envelope = enclosed((await world.labo.inbox("dr"))[0])
    assert envelope is not None
    assert "copied" == verified(envelope, world.chu.issued.der).outcome


async def test_moved_it_is_found_where_it_lies(world: World) -> None:
    """There is one of it, and that one goes."""
    await send(world, ACCUEIL)
    boxes = world.chu.books.mailboxes
    mailbox = world.chu.books.accounts.find(parse(ACCUEIL))
    assert mailbox is not None
    (entry,) = boxes.entries(mailbox.id)
    archive = boxes.find(mailbox.id, "Archive")
    assert archive is not None
    await boxes.move(entry.folder, UidSet.of([entry.uid]), archive.id)

    assert (await recall(world)).positive
    assert [] == boxes.entries(mailbox.id, "Archive")
    assert 0 == world.chu.bodies()


async def test_erased_it_is_gone(world: World) -> None:
    """What its reader threw away unread cannot come back, and that is said."""
    await send(world, ACCUEIL)
    boxes = world.chu.books.mailboxes
    mailbox = world.chu.books.accounts.find(parse(ACCUEIL))
    assert mailbox is not None
    (entry,) = boxes.entries(mailbox.id)
    await boxes.flag(entry.folder, UidSet.of([entry.uid]), Mode.ADD, ["\\Deleted"])
    await boxes.expunge(entry.folder)

    assert GONE.text == (await recall(world)).text


async def test_what_has_not_left_is_cancelled(world: World) -> None:
    """Its key is destroyed, and its sender is told in plain words."""
    clinic = await world.play(down=True)
    await send(world, GARDE)
    assert State.DEFERRED in world.labo.states()
    said = await recall(world)

    assert CANCELLED == said
    assert State.CANCELLED in world.labo.states()
    assert 0 == len(clinic.heard)
    assert CANCELLED == await recall(world)


async def test_between_mailboxes_of_ours(world: World) -> None:
    """The same, without a peer: unopened it goes, opened it stays."""
    await world.labo.add("resultats")
    await send(world, COLLEAGUE)
    assert WITHDRAWN == await recall(world)
    assert [] == await world.labo.inbox("resultats")
    assert 1 == world.labo.receipts().count("withdrawn")

    world.clock.advance(minutes=1)
    await send(world, COLLEAGUE)
    await see(world.labo, COLLEAGUE)
    assert OPENED == await recall(world)


async def test_a_peer_of_another_make_is_not_asked(world: World) -> None:
    """Only another Sceau knows what is meant; nothing is sent to any other."""
    await send(world, ACCUEIL)
    (copy,) = [copy for copy in world.labo.copies() if copy.domain == "chu.example"]

    async def ask(_: object) -> Reply:
        return NO_RECALL

    said = await replace(recalls(world.labo), ask=ask).recall(copy, "operator:root")
    assert NO_RECALL == said


async def test_nobody_recalls_what_another_sent(world: World) -> None:
    """The mark is made of the sender's domain: who learnt an id has nothing of it."""
    await send(world, ACCUEIL)
    (copy,) = [copy for copy in world.labo.copies() if copy.domain == "chu.example"]
    await world.labo.add("resultats")
    peer = world.relay_peer(world.labo)
    said = await world.chu.take(
        peer, COLLEAGUE, [ACCUEIL], b"\r\n", transfer=copy.message.id, recall=True
    )

    assert NOTHING_OF_THAT_NAME == said
    unknown = await world.chu.take(peer, DR, [ACCUEIL], b"\r\n", transfer="01J", recall=True)
    assert NOTHING_OF_THAT_NAME == unknown
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_a_stranger_recalls_nothing(world: World) -> None:
    """A certificate that does not speak for the sender's domain is refused as ever."""
    await send(world, ACCUEIL)
    (copy,) = [copy for copy in world.labo.copies() if copy.domain == "chu.example"]
    peer = replace(world.relay_peer(world.labo), certificate=world.chu.issued.der)
    said = await world.chu.take(peer, DR, [ACCUEIL], b"\r\n", transfer=copy.message.id, recall=True)

    assert 550 == said.code
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_a_peer_that_is_down_is_asked_again(world: World) -> None:
    """For a day; what is asked survives a restart."""
    clinic = await world.play()
    await send(world, GARDE)
    clinic.down = True
    said = await recall(world)
    assert said.transient
    clinic.down = False
    world.clock.advance(minutes=6)

    assert 1 == await recalls(world.labo).round()
    assert 0 == await recalls(world.labo).round()


async def test_the_keyword_recalls(world: World) -> None:
    """A mail program marks the message in Sent, and the gateway does the rest."""
    await send(world, ACCUEIL)
    mailbox = world.labo.books.accounts.find(parse(DR))
    assert mailbox is not None
    room, boxes = recalls(world.labo), world.labo.books.mailboxes
    boxes.on_recall(room.flagged)
    sent = boxes.find(mailbox.id, "Sent")
    assert sent is not None
    batch = boxes.batch(sent.id)
    content = letter(DR, [ACCUEIL])
    await batch.add((), None, pieces([content]), len(content))
    uids = (await batch.commit()).uids
    await boxes.recall(sent.id, uids, mailbox.id)

    assert 1 == await room.round()
    assert [] == await world.chu.inbox("accueil")


async def test_what_never_arrived_is_not_taken_back(world: World) -> None:
    """A failed delivery has nothing to recall, another server's mailbox gives nothing back."""
    await world.labo.add("resultats")
    await send(world, COLLEAGUE)
    (copy,) = world.labo.copies()
    unsent = msgspec.structs.replace(copy.delivery, state=State.FAILED)
    failed = msgspec.structs.replace(copy, delivery=unsent)
    assert ENDED == await recalls(world.labo).recall(failed, "operator:root")

    servers = Servers(domains={"labo.example": "dovecot"})
    world.labo.desk = replace(world.labo.desk, servers=servers)
    assert ELSEWHERE == await recalls(world.labo).recall(copy, "operator:root")


async def test_a_row_that_another_hand_changed_stops_no_other(world: World) -> None:
    """Nobody can say any more what it was; what was marked after it is taken back."""
    for _ in range(2):
        await send(world, ACCUEIL)
    sent = [copy for copy in world.labo.copies() if copy.message.mail.mail_from == DR]
    damage = Statement("UPDATE delivery SET facts = X'00' WHERE id = ?", (sent[0].delivery.id,))
    asking = [recalls(world.labo).asking(copy, "operator:root", world.clock()) for copy in sent]
    await world.labo.rest.commit([*asking, damage])
    assert 2 == await recalls(world.labo).round()
    await world.settle()

    assert "recall.crashed" in [event for event, _ in world.labo.events]
    assert 1 == len(await world.chu.inbox("accueil"))
