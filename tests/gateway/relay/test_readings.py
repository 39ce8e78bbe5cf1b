"""A sender who asked learns that a message was opened: once, and only if its reader allows it."""

import pytest

from gateway.accounts.habits import Habits, Read
from gateway.relay.notices import Notices
from gateway.relay.readings import Readings
from imap.folder import UidSet
from imap.store import Entry, Mode
from smtp.address import parse
from smtp.envelope import Notify, Recipient
from tests.world.world import Gateway, World, letter
from vault.database import Statement

DR, ACCUEIL, COLLEAGUE = "dr@labo.example", "accueil@chu.example", "resultats@labo.example"
ASKS = f"Disposition-Notification-To: <{DR}>"


async def sent(world: World, to: str, read: Read, *lines: str) -> tuple[int, Entry]:
    """Send a message that asks for a reading receipt; return where it lies."""
    at = world.chu if to.endswith("chu.example") else world.labo
    mailbox = at.books.accounts.find(parse(to))
    assert mailbox is not None
    await at.books.accounts.accustom(mailbox, Habits(read=read))
    never = Recipient(parse(to), frozenset({Notify.NEVER}))
    content = letter(DR, [to], *(lines or (ASKS,)))
    said = await world.labo.submit(DR, [to], content, recipients=[never])
    assert said.positive
    await world.settle()
    (entry,) = at.books.mailboxes.entries(mailbox.id)
    return entry.folder, entry


async def opened(at: Gateway, folder: int, uid: int) -> int:
    """Mark it as seen, as a mail program does, and let the gateway tell."""
    await at.books.mailboxes.flag(folder, UidSet.of([uid]), Mode.ADD, ["\\Seen"])
    return await Readings(at.desk, Notices(at.desk), at.courier.ring).round()


async def test_the_sender_is_told_by_mail_and_software_by_a_receipt(world: World) -> None:
    """The MDN crosses to the sender's gateway, which knows what it answers."""
    folder, entry = await sent(world, ACCUEIL, Read.ALWAYS)
    assert 1 == await opened(world.chu, folder, entry.uid)
    await world.settle()

    (report,) = await world.labo.inbox("dr")
    assert b"Disposition: manual-action/MDN-sent-automatically; displayed" in report
    assert b"Original-Message-ID: <1@test.example>" in report
    assert b"In-Reply-To: <1@test.example>" in report
    assert "read" in world.labo.receipts()
    assert ("$MDNSent",) == entry.flags


async def test_once_is_enough(world: World) -> None:
    """Seen, unseen and seen again, it was opened once."""
    folder, entry = await sent(world, ACCUEIL, Read.ALWAYS)
    boxes = world.chu.books.mailboxes
    assert 1 == await opened(world.chu, folder, entry.uid)
    await boxes.flag(folder, UidSet.of([entry.uid]), Mode.REMOVE, ["\\Seen"])

    assert 0 == await opened(world.chu, folder, entry.uid)


async def test_a_row_that_another_hand_changed_stops_no_other(world: World) -> None:
    """Nobody can say any more who is to hear of it; of what else was opened its sender hears."""
    folder, first = await sent(world, ACCUEIL, Read.ALWAYS)
    await world.chu.rest.commit([Statement("UPDATE delivery SET facts = X'00'")])
    await world.labo.submit(DR, [ACCUEIL], letter(DR, [ACCUEIL], ASKS))
    await world.settle()
    both = UidSet.of([first.uid, first.uid + 1])
    await world.chu.books.mailboxes.flag(folder, both, Mode.ADD, ["\\Seen"])
    chu = world.chu
    assert 1 == await Readings(chu.desk, Notices(chu.desk), chu.courier.ring).round()
    assert ["reading.crashed"] == [event for event, _ in chu.events]


async def test_a_message_that_was_moved_is_known_where_it_lies(world: World) -> None:
    """It is the message that is opened, whichever folder it lies in by then."""
    folder, entry = await sent(world, ACCUEIL, Read.ALWAYS)
    boxes = world.chu.books.mailboxes
    mailbox = world.chu.books.accounts.find(parse(ACCUEIL))
    assert mailbox is not None
    archive = boxes.find(mailbox.id, "Archive")
    assert archive is not None
    moved = await boxes.move(folder, UidSet.of([entry.uid]), archive.id)

    assert 1 == await opened(world.chu, archive.id, moved.target.nth(1))


@pytest.mark.parametrize(("read", "flags"), [(Read.NEVER, ("$MDNSent",)), (Read.ASK, ())])
async def test_who_did_not_allow_it_tells_nothing(
    world: World, read: Read, flags: tuple[str, ...]
) -> None:
    """Never: mail programs do not ask either; ask: it is theirs to ask."""
    folder, entry = await sent(world, ACCUEIL, read)

    assert flags == entry.flags
    assert 0 == await opened(world.chu, folder, entry.uid)


async def test_who_allows_it_no_more_tells_nothing(world: World) -> None:
    """The choice that stands when it is opened counts."""
    folder, entry = await sent(world, ACCUEIL, Read.ALWAYS)
    mailbox = world.chu.books.accounts.find(parse(ACCUEIL))
    assert mailbox is not None
    await world.chu.books.accounts.accustom(mailbox, Habits(read=Read.NEVER))

    assert 0 == await opened(world.chu, folder, entry.uid)
    assert [] == world.chu.books.mailboxes.origins.due()


@pytest.mark.parametrize(
    "line",
    [
        "X-Nothing: asked",
        "Disposition-Notification-To: <other@labo.example>",
        f"Disposition-Notification-To: <{DR}>, <other@labo.example>",
        "Disposition-Notification-To: nobody at all",
        f"{ASKS}\r\nAuto-Submitted: auto-generated",
    ],
)
async def test_a_wish_that_could_hurt_others_is_none(world: World, line: str) -> None:
    """Only the return path itself, and no machine, is answered (R-F2)."""
    folder, entry = await sent(world, ACCUEIL, Read.ALWAYS, line)

    assert 0 == await opened(world.chu, folder, entry.uid)


async def test_between_mailboxes_of_ours_software_is_told_too(world: World) -> None:
    """No peer's report will come: the receipt is ours to write."""
    await world.labo.add("resultats")
    folder, entry = await sent(world, COLLEAGUE, Read.ALWAYS)
    assert 1 == await opened(world.labo, folder, entry.uid)
    await world.settle()

    assert 1 == world.labo.receipts().count("read")
    assert 1 == len(await world.labo.inbox("dr"))
