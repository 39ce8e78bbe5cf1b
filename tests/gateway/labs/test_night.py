"""What became of a night's results: nobody is missing from the count, and each row says what to do."""

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from gateway.labs.morning import Answer, Morning
from gateway.labs.night import Night
from gateway.labs.offers import Offers
from gateway.labs.unsent import Unsent
from gateway.relay import ambiguous
from gateway.relay.delivery import State
from smtp.address import Address
from tests.gateway.documents.made import PDF
from tests.gateway.documents.test_order import ABOUT
from tests.gateway.labs.test_folder import CHU, GARDE, LABO, Lab, lab
from tests.gateway.relay.test_answers import bring, report
from tests.gateway.relay.test_escalating import _agreed as agreed
from tests.gateway.relay.test_escalating import _told as told
from tests.world.world import letter
from trust import identifiers

OUTSIDER = "qui@nulle-part.example"


async def _morning(labo: Lab, hours: float = 24) -> Morning:
    gateway = labo.world.labo
    database, ring = gateway.rest.database, gateway.rest.ring
    night = Night(gateway.books, Offers(database, ring), Unsent(database, ring))
    now = labo.world.clock()
    return await night.of([Address(LABO)], now - timedelta(hours=hours), now + timedelta(seconds=1))


async def test_everybody_is_accounted_for(tmp_path: Path) -> None:
    """Delivered, refused at the door, refused as a whole, unreadable: the sum is the whole night."""
    async with lab(tmp_path) as labo:
        labo.put("a.pdf", PDF, to=[CHU], key="2026-1", document=ABOUT)
        labo.put("b.eml", letter(LABO, [CHU, OUTSIDER]))
        labo.put("c.eml", letter(LABO, [OUTSIDER]))
        labo.put("d.pdf", PDF, to=[CHU], key="2026-4")
        await labo.settle()
        found = await _morning(labo)
    account = found.account
    assert account.whole
    assert (4, 5, 2, 3, 0) == (
        account.results,
        account.recipients,
        account.delivered,
        account.another_way,
        account.on_the_way,
    )
    assert {
        (Answer.REFUSED, OUTSIDER, "b.eml"),
        (Answer.NOT_SENT, OUTSIDER, "c.eml"),
        (Answer.NOT_SENT, "", "d.pdf"),
    } == {(each.answer, each.recipient, each.file) for each in found.left}


async def test_what_was_mended_and_taken_is_in_no_row(tmp_path: Path) -> None:
    """A file that failed, handed in again under its name, needs no person any more."""
    async with lab(tmp_path) as labo:
        labo.put("d.pdf", PDF, to=[CHU], key="2026-4")
        await labo.settle()
        before = await _morning(labo)
        labo.put("d.pdf", PDF, to=[CHU], key="2026-4", document=ABOUT)
        await labo.settle()
        after = await _morning(labo)
    assert (1, 0) == (len(before.left), len(after.left))
    assert (1, 1) == (after.account.results, after.account.delivered)


async def test_a_failure_told_late_is_corrected_and_counted_as_earlier(tmp_path: Path) -> None:
    """Its night is over and was counted: the row stands in the next one, beside its own count."""
    async with lab(tmp_path) as labo:
        world = labo.world
        await world.play()
        labo.put("a.pdf", PDF, to=[GARDE], key="2026-1", document=ABOUT)
        await labo.settle()
        (copy,) = world.labo.copies()
        await bring(world, report(copy.message.id), to=LABO)
        assert State.DELIVERED is world.labo.copies()[0].delivery.state
        world.clock.advance(days=2)
        await bring(world, report(copy.message.id, "failed", "5.1.1"), to=LABO)
        found = await _morning(labo)
    assert [(Answer.CORRECTED, "2026-1", True)] == [
        (each.answer, each.key, each.earlier) for each in found.left
    ]
    assert (0, 1) == (found.account.recipients, found.account.earlier)
    assert found.account.whole


async def test_what_is_still_on_its_way_is_counted_and_has_no_row(tmp_path: Path) -> None:
    """Relayed, and a report was promised: until the time is up nobody need do anything."""
    async with lab(tmp_path) as labo:
        await labo.world.play()
        labo.put("a.eml", letter(LABO, [GARDE]))
        await labo.settle()
        found = await _morning(labo)
    assert found.account.whole
    assert (1, 0) == (found.account.on_the_way, len(found.left))


async def test_a_number_that_nobody_picked_a_mailbox_for_is_named_as_it_was(tmp_path: Path) -> None:
    """The laboratory, and the person who is told, know the number; nobody knows our address for it."""
    holder = identifiers.parse("finess:540002698")
    async with lab(tmp_path) as labo:
        world = labo.world
        await world.labo.add("dr.garde")
        labo.put("a.eml", letter(LABO, [CHU], "X-Sceau-Priority: critical"))
        await labo.settle()
        (copy,) = world.labo.copies()
        spool, database = world.labo.books.spool, world.labo.books.database
        held = replace(copy.delivery, state=State.HELD)
        await database.commit([spool.recording(copy.delivery, held)])
        (copy,) = world.labo.copies()
        await database.commit([spool.readdressing(copy, ambiguous.standing(holder))])
        (copy,) = world.labo.copies()
        expired = replace(copy.delivery, state=State.EXPIRED)
        await database.commit([spool.recording(copy.delivery, expired)])
        (row,) = (await _morning(labo)).left
        assert 1 == await agreed(world).round()
        (mail,) = await told(world)
    assert str(holder) == row.recipient
    assert str(holder).encode() in mail
    assert b".invalid" not in mail
