"""A recipient whose server is no Sceau: asked to read by a browser, or refused before anything is sent."""

import email
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from gateway.relay.delivery import Event, State, step
from gateway.relay.lanes import Attempt
from gateway.relay.large.ending import LOOKED_AT
from gateway.relay.large.large import Large
from gateway.relay.large.lending import Lending
from gateway.relay.large.links import Links
from gateway.relay.large.readers import Readers
from gateway.relay.message import Copy
from gateway.relay.notices import Notices
from gateway.relay.recalls import Recalls
from gateway.settings.large import LargeSettings
from smtp.address import parse
from smtp.envelope import Notify, Peer
from smtp.reply import Reply
from smtp.send.outgoing import Offer
from tests.gateway.relay.test_answers import report
from tests.world.peers import Peer as Played
from tests.world.world import World
from trust.addresses import Kind, Listed

DR, ACCUEIL = "dr@labo.example", "accueil@chu.example"
MARTIN, DESK = "martin@clinique.example", "secretariat@clinique.example"
PETIT = "petit@clinique.example"
LIMIT = 60_000
READER = {
    "url": "https://auth.example/realms/sante",
    "audience": "sceau",
    "anchors": "anchors.pem",
    "origin": "https://courrier.labo.example",
}


@dataclass
class Clinic:
    """The clinic's server, which takes little, and what the laboratory sends it."""

    world: World
    peer: Played

    async def sent(self, *to: str, octets: int = 3 * LIMIT, **how: Any) -> Reply:
        """Submit a message with a file of so many octets."""
        made = EmailMessage(policy=SMTP)
        made["From"], made["To"], made["Subject"] = DR, ", ".join(to), "IRM DUPONT"
        made["Date"], made["Message-ID"] = "Mon, 02 Mar 2026 09:30:00 +0100", "<irm@labo.example>"
        made.set_content("Bonjour.")
        made.add_attachment(
            b"\0" * octets, maintype="application", subtype="zip", filename="DUPONT.zip"
        )
        said = await self.world.labo.submit(DR, to, made.as_bytes(), **how)
        await self.world.settle()
        return said

    @property
    def links(self) -> Links:
        large = self.world.labo.desk.large
        assert large is not None
        return large.links

    @property
    def lent(self) -> Copy:
        """The copy that went as a link."""
        (link,) = self.links.all()
        (copy,) = self.world.labo.books.spool.copies(link.message)
        return copy

    async def met(self) -> None:
        """Let the laboratory learn what the clinic's server takes."""
        await self.world.labo.submit(DR, [MARTIN])
        await self.world.settle()
        assert 1 == len(self.peer.heard)


async def _clinic(world: World, **settings: Any) -> Clinic:
    peer = await world.play()
    peer.offer = Offer(frozenset({"SIZE", "DSN"}), size=LIMIT)
    world.lists.addresses = [
        Listed(parse(MARTIN), Kind.PER, "rpps:10001234565"),
        Listed(parse(PETIT), Kind.PER, "rpps:10003456786"),
        Listed(parse(DESK), Kind.ORG, "finess:750712184"),
    ]
    await world.publish()
    rest, told = world.labo.rest, LargeSettings.model_validate({"reader": READER, **settings})
    object.__setattr__(world.labo.desk, "large", Large.of(told, rest.database, rest.ring))
    made = Clinic(world, peer)
    await made.met()
    return made


async def test_who_can_prove_who_they_are_is_sent_a_link(world: World) -> None:
    """The text, where the document waits, in words; its bytes and its name stay at home."""
    clinic = await _clinic(world)
    assert 250 == (await clinic.sent(MARTIN, size=250_000)).code
    told, stub = clinic.peer.heard[-1]
    (link,) = clinic.links.all()
    read = email.message_from_bytes(stub, policy=SMTP)
    text, words = (str(part.get_content()) for part in read.iter_parts())

    assert told.size == len(stub) < LIMIT
    assert "Bonjour." == text.strip()
    assert f"https://courrier.labo.example/document/{link.facts.token}" in words
    assert b"DUPONT.zip" not in stub
    assert b"x-sceau-large" not in stub.lower()
    assert link.reader
    assert State.RELAYED == clinic.lent.delivery.state


async def test_who_cannot_is_refused_at_rcpt(world: World) -> None:
    """An establishment logs in nowhere: 552, how much may be sent, and what to do; nothing is sent."""
    clinic = await _clinic(world)
    said = await clinic.sent(DESK, size=250_000)
    assert (552, "5.3.4") == (said.code, said.enhanced)
    assert "1 MB" in said.text
    assert "in several parts" in said.text
    assert 1 == len(clinic.peer.heard)
    assert ("recipient.refused", DESK) in await world.labo.story()
    (notice,) = await world.labo.inbox("dr")
    assert b"552" in notice


async def test_an_undeclared_size_is_judged_when_the_content_is_here(world: World) -> None:
    """The others have their message all the same, and the sender is told who has not."""
    clinic = await _clinic(world)
    alone = await clinic.sent(DESK)
    both = await clinic.sent(DESK, ACCUEIL)
    assert (552, 250) == (alone.code, both.code)
    assert 1 == len(clinic.peer.heard)
    assert 1 == len(await world.chu.inbox("accueil"))
    assert 2 == len(await world.labo.inbox("dr"))
    assert State.REFUSED in world.labo.states()


@pytest.mark.parametrize(
    "settings", [{"reader": None}, {"largest": 100_000}], ids=["nobody-to-ask", "too-large-for-us"]
)
async def test_where_nobody_can_log_in_everybody_is_refused(
    world: World, settings: dict[str, Any]
) -> None:
    """Without an issuer, or beyond what we keep, there is no way (RFC 1870 §6.2)."""
    clinic = await _clinic(world, **settings)
    assert 552 == (await clinic.sent(MARTIN, size=250_000)).code
    assert 1 == len(clinic.peer.heard)


async def test_a_server_that_was_never_met_is_not_guessed_about(world: World) -> None:
    """The message is taken, and its sender told when it proves too large after all."""
    clinic = await _clinic(world)
    other = await world.play("cabinet.example")
    other.offer = Offer(frozenset({"SIZE"}), size=LIMIT)
    taken = await clinic.sent("x@cabinet.example", size=250_000)
    (after,) = (one.delivery for one in world.labo.copies() if one.domain == "cabinet.example")
    again = await clinic.sent("x@cabinet.example", size=250_000)
    assert (250, State.FAILED, 552) == (taken.code, after.state, again.code)
    assert after.said is not None
    assert after.said.text == again.text
    assert [] == other.heard


async def test_small_mail_and_our_own_are_none_of_its_business(world: World) -> None:
    """What fits goes whole; what stays in the house has no next hop."""
    clinic = await _clinic(world)
    assert 250 == (await clinic.sent(DESK, octets=10, size=2_000)).code
    assert 2 == len(clinic.peer.heard)
    assert 250 == (await clinic.sent(DR, size=250_000)).code


async def _reported(clinic: Clinic, action: str, status: str) -> State:
    """Let the clinic's server report on what it was sent last; return where that stands then."""
    labo = clinic.world.labo
    copy = clinic.lent
    said = report(copy.message.id, action, status, final=MARTIN, original=f"rfc822;{MARTIN}")
    peer = Peer("192.0.2.9", certificate=clinic.peer.certificate, listener="relay")
    assert 250 == (await labo.take(peer, "", [DR], said)).code
    await clinic.world.settle()
    return clinic.lent.delivery.state


async def test_that_the_link_arrived_is_not_that_it_was_read(world: World) -> None:
    """No report of success is asked for, one that comes is noted; that the link failed is news."""
    clinic = await _clinic(world)
    await clinic.sent(MARTIN)
    told, _ = clinic.peer.heard[-1]
    assert all(Notify.SUCCESS not in (one.notify or ()) for one in told.recipients)

    assert State.RELAYED is await _reported(clinic, "delivered", "2.0.0")
    assert "delivered" not in world.labo.receipts()[3:]
    assert ("delivery.reported", MARTIN) in await world.labo.story()
    assert State.FAILED is await _reported(clinic, "failed", "5.1.1")


async def test_a_link_read_late_enters_the_trace_alone(world: World) -> None:
    """Who was told that it may have arrived is told nothing more (docs/receipts.md)."""
    clinic = await _clinic(world)
    await clinic.sent(MARTIN)
    labo, copy = world.labo, clinic.lent
    (link,) = clinic.links.all()
    late = step(copy.delivery, Event.DEADLINE, world.clock())
    await labo.rest.database.commit(labo.books.moving(copy, late))
    before = labo.receipts(), await labo.inbox("dr")

    readers = Readers(labo.desk, clinic.links, Notices(labo.desk), lambda: None)
    assert [] == readers.theirs(link, "899700218896")
    for _ in range(2):  # again, once it is known: nothing
        await readers.taken(link, readers.theirs(link, "810001234565"))
    assert State.DELIVERED is clinic.lent.delivery.state
    assert before == (labo.receipts(), await labo.inbox("dr"))
    found = readers.find(link.facts.token)
    assert found is not None
    assert world.clock() == found.taken


async def test_a_sender_takes_a_link_back_that_nobody_followed(world: World) -> None:
    """It leads nowhere then, for the one it was taken from; the other one keeps it."""
    clinic = await _clinic(world)
    await clinic.sent(MARTIN, PETIT)
    labo, (link,) = world.labo, clinic.links.all()
    first, second = labo.books.spool.copies(link.message)
    recalls = Recalls(labo.desk, Notices(labo.desk))
    readers = Readers(labo.desk, clinic.links, Notices(labo.desk), lambda: None)

    assert (await recalls.recall(first, "operator:anne")).positive
    assert [second.delivery.id] == [one.delivery.id for one in readers.copies(link)]
    assert (await recalls.recall(second, "operator:anne")).positive
    assert readers.find(link.facts.token) is None
    assert [] == clinic.links.all()
    await world.settle()
    states = [one.delivery.state for one in labo.books.spool.copies(link.message)]
    assert [State.FAILED, State.FAILED] == states
    assert any("vous avez repris ce document" in text(each) for each in await labo.inbox("dr"))


async def test_a_link_that_was_followed_is_not_taken_back(world: World) -> None:
    """Whoever looked may have it: its sender is told so, and nothing else changes."""
    clinic = await _clinic(world)
    await clinic.sent(MARTIN)
    (link,) = clinic.links.all()
    await world.labo.rest.database.commit([clinic.links.looked(link.id)])
    recalls = Recalls(world.labo.desk, Notices(world.labo.desk))

    assert LOOKED_AT == await recalls.recall(clinic.lent, "operator:anne")
    assert State.RELAYED is clinic.lent.delivery.state


def text(mail: bytes) -> str:
    """Return a report's words on one line."""
    body = email.message_from_bytes(mail, policy=SMTP).get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


async def test_who_was_promised_a_document_keeps_it(world: World) -> None:
    """Their gateway is another one today: who was sent a link yesterday still finds what it leads to."""
    clinic = await _clinic(world)
    await clinic.sent(MARTIN)
    large, copy = world.labo.desk.large, clinic.lent
    assert large is not None
    large.port = 443
    offer = Offer(frozenset({"SIZE", "XLARGE"}), size=LIMIT, large=10 * LIMIT)

    asked = Attempt(copy.message, copy.domain, (copy,))
    _, said = await Lending(world.labo.desk, large).parcel(asked, (copy,), offer)

    assert isinstance(said, Reply)
    assert said.transient
    (link,) = clinic.links.all()
    assert link.reader
