"""Mail of another Sceau is in its mailbox before the 250; nothing that should come between is passed over."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.absences import Absence
from gateway.relay.delivery import State
from gateway.relay.inspections import Inspections
from gateway.relay.large.large import Large
from gateway.relay.screening import Screening
from gateway.settings.large import LargeSettings
from imap.store import Limits, Mailboxes
from quarantine.policy import Policy
from smtp.address import Address, key, parse
from smtp.envelope import Notify, Peer, Recipient
from smtp.reply import Reply
from tests.gateway.relay.handing.test_lines import house
from tests.gateway.relay.handing.test_mllp import software
from tests.gateway.relay.large.test_reaching import READER
from tests.world.clock import START
from tests.world.world import Gateway, World, letter, pieces, sending
from trust.addresses import Kind, Listed
from vault.database import Database, Statement
from vault.errors import VaultError

DR, ACCUEIL, ROY = "dr@labo.example", "accueil@chu.example", "roy@chu.example"
MARK = "01ABC"
ASKS = frozenset({Notify.SUCCESS, Notify.FAILURE})


async def offered(world: World, *to: str, transfer: str | None = MARK, sender: str = DR) -> Reply:
    """Send as the laboratory's gateway does, over its own connection."""
    peer = world.relay_peer(world.labo)
    recipients = [Recipient(parse(one), ASKS) for one in to or (ACCUEIL,)]
    how = sending(world.chu, peer, sender, (), recipients, transfer=transfer)
    return await world.chu.intake.accept(how.draft, pieces([letter(sender, to or (ACCUEIL,))]))


def noted(gateway: Gateway) -> int:
    """Return how many deliveries are told by a reply that may not have been heard."""
    ((count,),) = gateway.rest.database.read("SELECT count(*) FROM unheard")
    return int(count)


async def test_it_lies_there_before_the_250(world: World) -> None:
    """Nothing has run in between; no copy holds the body any more, and the mailbox does."""
    said = await offered(world)
    (copy,) = world.chu.copies()
    assert f"Delivered, reference {copy.message.reference}" == said.text
    assert (State.DELIVERED, 1, None) == (
        copy.delivery.state,
        copy.delivery.attempts,
        copy.delivery.due,
    )
    (content,) = await world.chu.inbox("accueil")
    assert content.endswith(b"\r\n\r\nBonjour.\r\n")
    holders = [one for (one,) in world.chu.rest.database.read("SELECT holder FROM wrap")]
    assert ["entry"] == [one.partition("/")[0] for one in holders]
    assert [
        ("message.accepted", ACCUEIL),
        ("delivery.delivered", ACCUEIL),
    ] == await world.chu.story()
    assert ["delivered"] == world.chu.receipts()  # its reader's software: it arrived
    await world.settle()
    assert [State.DELIVERED] == world.chu.states()  # no report went out


async def test_the_other_side_knows_by_the_reply(world: World) -> None:
    """Delivered, with the receipts there always were, and no report on its way."""
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    (copy,) = world.labo.copies()
    assert State.DELIVERED is copy.delivery.state
    assert str(copy.delivery.said).startswith("250 2.0.0 Delivered, reference ")
    assert ["accepted", "relayed", "delivered"] == world.labo.receipts()
    assert 1 == len(world.chu.copies())
    assert 0 == world.labo.bodies()


async def test_a_sender_who_asked_for_a_report_has_it(world: World) -> None:
    """From its own gateway, which knows."""
    recipients = [Recipient(parse(ACCUEIL), ASKS)]
    await world.labo.submit(DR, [], letter(DR, [ACCUEIL]), recipients=recipients)
    await world.settle()
    (report,) = await world.labo.inbox("dr")
    assert b"Action: delivered\r\n" in report
    assert f"Final-Recipient: rfc822; {ACCUEIL}\r\n".encode() in report


async def test_many_go_together(world: World) -> None:
    """All of them lie there, each in its own mailbox."""
    await world.chu.add("roy")
    said = await offered(world, ACCUEIL, ROY)
    assert said.text.startswith("Delivered")
    assert [State.DELIVERED] * 2 == world.chu.states()
    assert 1 == len(await world.chu.inbox("roy"))
    assert 2 == noted(world.chu)


async def full(world: World) -> None:
    boxes = world.chu.books.mailboxes
    boxes._filing.limits = Limits(quota=1)


async def away(world: World) -> None:
    mailbox = world.chu.books.accounts.find(parse(ACCUEIL))
    assert mailbox is not None
    await world.chu.books.absences.begin(mailbox, Absence("Absent.", START - timedelta(days=1)))


async def elsewhere(world: World) -> None:
    house(world.chu, software(1, mailboxes=[parse(ACCUEIL)]))


async def copied(world: World) -> None:
    forwards = {key(parse(ACCUEIL)): Address(ROY)}
    world.chu.refit(replace(world.chu.desk, forwards=forwards))


async def looked_into(world: World) -> None:
    rows = Inspections(world.chu.rest.database, world.chu.rest.ring)
    world.chu.refit(replace(world.chu.desk, screening=Screening(Policy(scanner=True), rows)))


@pytest.mark.parametrize("what", [full, away, elsewhere, copied, looked_into])
async def test_what_must_wait_is_accepted_alone(world: World, what: object) -> None:
    """And the courier, or whoever else it concerns, goes on with it."""
    assert callable(what)
    await what(world)
    said = await offered(world)
    assert said.text.startswith("Accepted, reference ")
    assert 0 == noted(world.chu)
    assert 1 == len(world.chu.copies())
    assert State.DELIVERED not in world.chu.states()
    assert [] == await world.chu.inbox("accueil")


async def test_one_that_must_wait_keeps_all_to_the_courier(world: World) -> None:
    """The 250 is one word about all of them: each has its report."""
    mailbox = await world.chu.add("roy")
    absence = Absence("Absent.", START - timedelta(days=1))
    await world.chu.books.absences.begin(mailbox, absence)
    said = await offered(world, ACCUEIL, ROY)
    assert said.text.startswith("Accepted")
    assert State.DELIVERED not in world.chu.states()
    await world.settle()
    assert 1 == len(await world.chu.inbox("accueil"))
    assert 1 == len(await world.chu.inbox("roy"))


async def test_who_gives_no_mark_is_told_as_ever(world: World) -> None:
    """It would not know what the word means."""
    said = await offered(world, transfer=None)
    assert said.text.startswith("Accepted")


async def test_a_submission_is_accepted_as_ever(world: World) -> None:
    """A person's 250 waits for nobody's mailbox."""
    await world.chu.add("roy")
    peer = Peer("192.0.2.7", tls="TLSv1.3", login=Address(ROY), listener="submission")
    said = await world.chu.take(peer, ROY, [ACCUEIL])
    assert said.text.startswith("Accepted")


async def test_a_letter_of_the_reading_room_is_accepted_as_ever(world: World) -> None:
    """It is marked too, against a second click; its sender's software has the last answer."""
    await world.chu.add("roy")
    peer = Peer("192.0.2.7", tls="TLSv1.3", login=Address(ROY), listener="web")
    how = sending(world.chu, peer, ROY, (), [Recipient(parse(ACCUEIL))], transfer=MARK)
    for expected in ("Accepted, reference ", "Accepted before"):
        said = await world.chu.intake.accept(how.draft, pieces([letter(ROY, [ACCUEIL])]))
        assert said.text.startswith(expected)
        await world.settle()
    assert [State.DELIVERED] == world.chu.states()
    assert ["accepted", "delivered", "delivered"] == world.chu.receipts()  # sender's, and reader's
    assert {} == world.chu.intake.unheard._told


async def test_asked_again_it_says_so_again(world: World) -> None:
    """Their connection broke before they read it; a mailbox has it once."""
    first = await offered(world)
    again = await offered(world)
    assert first == again
    assert 1 == len(await world.chu.inbox("accueil"))
    assert 1 == noted(world.chu)


async def test_asked_again_of_what_waits_it_says_less(world: World) -> None:
    """It is not there yet; its report will say when it is."""
    await away(world)
    await offered(world)
    assert "Accepted before" == (await offered(world)).text


async def test_who_had_it_before_is_not_spoken_for(world: World) -> None:
    """One of two had it under the same mark, and it waits there: the word would be about both."""
    await world.chu.add("roy")
    await away(world)
    await offered(world)
    said = await offered(world, ACCUEIL, ROY)
    assert said.text.startswith("Accepted, reference ")
    assert "Accepted before" == (await offered(world, ACCUEIL, ROY)).text
    await world.settle()
    assert (await offered(world, ACCUEIL, ROY)).text.startswith("Delivered")
    assert 1 == len(await world.chu.inbox("roy"))


async def test_asked_again_beside_what_is_new_it_is_reported(world: World) -> None:
    """They heard of the first, and forgot it in a crash; the word would be about the second too."""
    await world.chu.add("roy")
    await offered(world)
    unheard = world.chu.intake.unheard
    (told,) = unheard._told
    unheard.heard(told, certain=True)
    await unheard.settle()
    assert 0 == noted(world.chu)
    said = await offered(world, ACCUEIL, ROY)
    assert said.text.startswith("Accepted, reference ")
    await unheard.settle()
    (report,) = [copy for copy in world.chu.copies() if copy.message.ours]
    content = await world.chu.books.vault.read(f"delivery/{report.delivery.id}")
    assert f"Final-Recipient: rfc822; {ACCUEIL}\r\n".encode() in content
    assert ROY.encode() not in content


async def test_a_peer_that_is_no_sceau_is_not_believed(world: World) -> None:
    """A word in a reply means nothing where no mark was asked for."""
    played = await world.play(says=Reply(250, "2.0.0", "Delivered, reference 1"))
    await world.labo.submit(DR, ["info@clinique.example"])
    await world.settle()
    assert [State.RELAYED] == world.labo.states()
    assert 1 == len(played.heard)


async def test_a_letter_with_a_link_is_no_document(tmp_path: Path) -> None:
    """It lies in the mailbox, and its reader has read nothing of what it stands for."""
    async with World.opened(tmp_path, max_size=60_000) as world:
        world.lists.addresses = [Listed(parse(ACCUEIL), Kind.PER, "rpps:10001234565")]
        await world.publish()
        settings = LargeSettings.model_validate({"reader": READER})
        rest = world.labo.rest
        large = Large.of(settings, rest.database, rest.ring)
        object.__setattr__(world.labo.desk, "large", large)
        content = letter(DR, [ACCUEIL], body="x" * 70 + "\r\n") + b"Bonjour.\r\n" * 10_000
        assert (await world.labo.submit(DR, [ACCUEIL], content)).positive
        await world.settle()
        (link,) = large.links.all()
        assert link.reader
        assert 1 == len(await world.chu.inbox("accueil"))
        assert [State.RELAYED] == world.labo.states()


@pytest.mark.parametrize("what", ["breaks", "conflicts"])
async def test_filing_that_fails_is_the_couriers_to_count(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """By a bug, or because the folder has just gone: the message is ours all the same."""
    real = Mailboxes.filing

    def filing(*told: Any) -> list[Statement]:
        if what == "breaks":
            raise RuntimeError("a bug")
        gone = Statement("UPDATE folder SET id = id WHERE id = -1", (), expect=1)
        return [gone, *real(*told)]

    with monkeypatch.context() as patched:
        patched.setattr(Mailboxes, "filing", filing)
        said = await offered(world)
    assert said.text.startswith("Accepted, reference ")
    assert (what == "breaks") is ("doorstep.crashed" in [event for event, _ in world.chu.events])
    assert 0 == noted(world.chu)
    await world.settle()
    await world.later(minutes=2)
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_what_must_wait_keeps_to_the_couriers_bounds(world: World) -> None:
    """A peer that writes on to a full mailbox fills no lane."""
    await full(world)
    world.chu.courier._in_hand = world.chu.courier._most
    await offered(world)
    assert [State.QUEUED] == world.chu.states()


async def test_a_commit_of_which_nobody_knows_is_found_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was done, and the disk failed before it said so: asked again, or by report, they learn."""
    real = Database.commit

    async def commit(self: Database, statements: Sequence[Statement]) -> Any:
        done = await real(self, statements)
        if any("INTO unheard" in one.sql for one in statements):
            raise VaultError("the disk")
        return done

    with monkeypatch.context() as patched:
        patched.setattr(Database, "commit", commit)
        assert (await offered(world)).transient
    await world.chu.intake.unheard.settle()
    assert 1 == sum(copy.message.ours for copy in world.chu.copies())
    assert (await offered(world)).text.startswith("Delivered")
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_the_same_at_once_is_filed_once(world: World) -> None:
    """Four connections bring one copy."""
    said = await asyncio.gather(*(offered(world) for _ in range(4)))
    assert 1 == len(await world.chu.inbox("accueil"))
    assert 1 == sum(one.positive for one in said)
    assert 1 == noted(world.chu)
