"""Who may not have heard that a message was delivered has a report; who has heard it has none."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from gateway.relay.delivery import State, holder
from gateway.relay.lanes import Link
from gateway.relay.unheard import Unheard
from smtp.address import parse
from smtp.envelope import Draft, Peer, Recipient
from smtp.send.client import Entitled
from smtp.send.dialogue import LOST
from smtp.send.outgoing import Offer, Outcome, Outgoing
from tests.gateway.relay.test_doorstep import ACCUEIL, ASKS, DR, MARK, ROY, noted
from tests.world.world import Gateway, World, letter, pieces, sending
from vault.database import Database, Statement
from vault.errors import StorageFull


async def handed(
    world: World, transfer: str = MARK, *, asks: bool = True, to: Sequence[str] = (ACCUEIL,)
) -> Draft:
    """Deliver at the hospital's door what the laboratory sent, and say nothing more."""
    peer = world.relay_peer(world.labo)
    recipients = [Recipient(parse(one), ASKS if asks else frozenset()) for one in to]
    draft = sending(world.chu, peer, DR, (), recipients, transfer=transfer, envid="E1").draft
    said = await world.chu.intake.accept(draft, pieces([letter(DR, [ACCUEIL])]))
    assert said.text.startswith("Delivered")
    return draft


@dataclass(slots=True)
class Broken:
    """A connection to the hospital that breaks after each message, before its reply is read."""

    chu: Gateway
    peer: Peer
    certificate: bytes
    idle_since: float = 0.0
    usable: bool = True
    recipients_max: int | None = None
    offer: Offer = field(default_factory=lambda: Offer(frozenset({"DSN", "XTRANSFER"})))

    async def send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        mail = {"transfer": outgoing.transfer, "envid": outgoing.envid}
        draft = sending(self.chu, self.peer, DR, (), outgoing.recipients, **mail).draft
        said = await self.chu.intake.accept(draft, body)
        assert said.text.startswith("Delivered")
        self.chu.intake.heard(draft, certain=False)
        lost = tuple((one.address, LOST) for one in outgoing.recipients)
        return Outcome(lost, dsn=True, reusable=False)

    async def close(self) -> None:
        self.usable = False


async def test_what_was_heard_is_forgotten(world: World) -> None:
    """All of it together, and nobody is written to."""
    drafts = [await handed(world, f"01AB{n}") for n in range(3)]
    unheard = world.chu.intake.unheard
    for draft in drafts[:2]:
        world.chu.intake.heard(draft, certain=True)
    assert 3 == noted(world.chu)
    await unheard.settle()
    assert 1 == noted(world.chu)
    assert 3 == len(world.chu.copies())


async def test_who_left_without_a_word_is_written_to(world: World) -> None:
    """Their gateway had put the copy off: the report delivers it, though they never ask again."""
    peer = world.relay_peer(world.labo)

    async def dial(_name: str, _port: int, _entitled: Entitled) -> Link:
        return Broken(world.chu, peer, world.chu.issued.der)

    world.labo.links["127.0.0.1", world.chu.port] = dial
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    assert [State.DEFERRED] == world.labo.states()
    await world.chu.intake.unheard.settle()
    await world.settle()
    assert 0 == noted(world.chu)
    assert [State.DELIVERED] == world.labo.states()
    assert ["accepted", "relayed", "delivered"] == world.labo.receipts()
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_who_asks_again_is_told_by_the_reply(world: World) -> None:
    """The mailbox has it once, and its sender the truth."""
    peer = world.relay_peer(world.labo)

    async def dial(name: str, port: int, _entitled: Entitled) -> Link:
        del world.labo.links[name, port]  # the next one does not break
        return Broken(world.chu, peer, world.chu.issued.der)

    world.labo.links["127.0.0.1", world.chu.port] = dial
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    await world.later(minutes=2)
    assert [State.DELIVERED] == world.labo.states()
    assert 1 == len(await world.chu.inbox("accueil"))


async def test_what_an_earlier_run_left_is_reported(world: World) -> None:
    """It was killed between the commit and the next command."""
    await handed(world)
    await handed(world, "01ABD")
    live = world.chu.intake.unheard
    fresh = Unheard(live.desk, live.notices, live.wake)
    fresh.resume()
    await fresh.settle()
    assert 0 == noted(world.chu)
    assert 2 == sum(copy.message.ours for copy in world.chu.copies())


async def test_what_this_run_has_just_said_is_left_alone(world: World) -> None:
    """The loop may begin, or begin again, while peers read their replies."""
    draft = await handed(world)
    unheard = world.chu.intake.unheard
    unheard.resume()
    await unheard.settle()
    assert 1 == noted(world.chu)
    world.chu.intake.heard(draft, certain=True)
    await unheard.settle()
    assert 0 == noted(world.chu)
    assert 1 == len(world.chu.copies())


async def test_who_asked_again_and_heard_it_has_no_letter_too(world: World) -> None:
    """The first connection broke, the second did not."""
    first = await handed(world)
    world.chu.intake.heard(first, certain=False)
    second = await handed(world)
    world.chu.intake.heard(second, certain=True)
    await world.chu.intake.unheard.settle()
    assert 0 == noted(world.chu)
    assert 1 == len(world.chu.copies())


async def test_who_wants_no_report_has_no_row(world: World) -> None:
    """Not every Sceau need ask for them."""
    draft = await handed(world, asks=False)
    assert 0 == noted(world.chu)
    world.chu.intake.heard(draft, certain=False)
    await world.chu.intake.unheard.settle()
    assert 1 == len(world.chu.copies())


async def test_a_report_that_comes_too_late_tells_nobody_twice(world: World) -> None:
    """The reply was read after all: the journal has it, the receipts do not."""
    await world.labo.submit(DR, [ACCUEIL])
    await world.settle()
    before = world.labo.receipts()
    live = world.chu.intake.unheard
    fresh = Unheard(live.desk, live.notices, live.wake)
    fresh.resume()
    await fresh.settle()
    await world.settle()
    assert before == world.labo.receipts()
    assert [State.DELIVERED] == world.labo.states()
    assert ("delivery.reported", ACCUEIL) in await world.labo.story()


async def test_of_two_the_one_who_asked_again_is_left_out(world: World) -> None:
    """Each copy has a back-off of its own; the other one's report is written all the same."""
    await world.chu.add("roy")
    first = await handed(world, to=(ACCUEIL, ROY))
    again = await handed(world)
    unheard = world.chu.intake.unheard
    world.chu.intake.heard(again, certain=True)
    world.chu.intake.heard(first, certain=False)
    await unheard.settle()
    (report,) = [copy for copy in world.chu.copies() if copy.message.ours]
    (content,) = [body async for body in world.chu.rest.vault.stream(holder(report.delivery.id))]
    assert 1 == content.count(b"Final-Recipient: ")
    assert f"Final-Recipient: rfc822; {ROY}\r\n".encode() in content
    assert 0 == noted(world.chu)


async def test_what_does_not_open_stops_no_other(world: World) -> None:
    """Operators are told, and the others have their reports."""
    drafts = [await handed(world, f"01AB{n}") for n in range(2)]
    broken = min(copy.delivery.id for copy in world.chu.copies())
    spoil = Statement("UPDATE delivery SET facts = X'00' WHERE id = ?", (broken,))
    await world.chu.rest.commit([spoil])
    for draft in drafts:
        world.chu.intake.heard(draft, certain=False)
    await world.chu.intake.unheard.settle()
    assert 1 == noted(world.chu)
    assert "unheard.crashed" in [event for event, _ in world.chu.events]


async def test_a_full_disk_makes_nothing_unheard_of_what_was_heard(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is forgotten once there is room, and nobody has a letter for it."""
    draft = await handed(world)
    unheard = world.chu.intake.unheard
    world.chu.intake.heard(draft, certain=True)

    async def commit(*_: object) -> None:
        raise StorageFull("full")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "commit", commit)
        with pytest.raises(StorageFull):
            await unheard.settle()
    unheard.resume()
    await unheard.settle()
    assert (0, 1) == (noted(world.chu), len(world.chu.copies()))


async def test_a_row_whose_message_is_forgotten_goes_too(world: World) -> None:
    """It is too late to tell anybody."""
    draft = await handed(world)
    await world.chu.rest.commit([Statement("DELETE FROM delivery", ())])
    world.chu.intake.heard(draft, certain=False)
    await world.chu.intake.unheard.settle()
    assert 0 == noted(world.chu)
