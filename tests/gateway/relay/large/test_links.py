"""What lies here for others to fetch, and what is known of next hops."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.relay.delivery import State
from gateway.relay.large.hops import Hop, Hops
from gateway.relay.large.links import Facts, Link, Links, new_link_id, new_token
from gateway.relay.large.stub import Cut
from smtp.address import parse
from smtp.send.outgoing import Offer
from tests.world.clock import START
from tests.world.world import World, letter, pieces
from vault.database import Statement
from vault.errors import Conflict, SealError

_SENDER = parse("dr@labo.example")
_CUT = Cut(10, 20, 5000, "application/dicom", "irm.dcm", "base64", 3735, "c" * 64)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(tmp_path) as made:
        yield made


async def _link(world: World) -> tuple[Links, Link]:
    """Put a message in, and a link to it."""
    labo = world.labo
    await labo.submit("dr@labo.example", ["accueil@chu.example"])
    (copy,) = labo.copies()
    links = Links(labo.rest.database, labo.rest.ring)
    facts = Facts(new_token(), "a" * 64, (_CUT,))
    expires = START + timedelta(days=30)
    link = Link(new_link_id(), copy.message.id, "chu.example", 5000, START, expires, facts)
    sealed = await labo.rest.vault.put(pieces([letter("dr@labo.example", ["accueil@chu.example"])]))
    holding = labo.rest.vault.holding(sealed, [link.holder])
    await labo.rest.database.commit([*holding, links.adding(link, _SENDER)])
    return links, link


async def test_a_link_is_found_by_its_token_and_by_its_message(world: World) -> None:
    """Who asks has the token; an operator has a name that opens nothing."""
    links, link = await _link(world)

    assert link == links.find(link.facts.token)
    assert link == links.named(link.id)
    assert link == links.of(link.message, "chu.example")
    assert [link] == links.all()
    assert links.find(link.id) is None
    assert links.of(link.message, "clinique.example") is None
    assert (1, 5000) == links.standing()


async def test_what_of_a_mailbox_lies_here_is_counted(world: World) -> None:
    """The quota is the sender's."""
    links, _ = await _link(world)

    assert 5000 == links.used(parse("DR@labo.example"))
    assert 0 == links.used(parse("x@labo.example"))


async def test_a_domain_has_one_link_to_a_message(world: World) -> None:
    """However often it is tried, the peer is told the same name."""
    links, link = await _link(world)
    again = replace(link, id=new_link_id(), facts=Facts(new_token(), "a" * 64, ()))

    with pytest.raises(Conflict):
        await world.labo.rest.database.commit([links.adding(again, _SENDER)])


async def test_looks_are_counted_and_the_first_whole_one_is_dated(world: World) -> None:
    """An operator sees whether anybody came."""
    links, link = await _link(world)
    later = START + timedelta(hours=1)

    await world.labo.rest.database.commit(
        [links.looked(link.id), links.looked(link.id), links.taking(link.id, START)]
    )
    await world.labo.rest.database.commit([links.taking(link.id, later)])

    found = links.named(link.id)
    assert found is not None
    assert (2, START) == (found.looks, found.taken)


async def test_a_link_that_is_dropped_takes_the_message_along(world: World) -> None:
    """Its key is the last one: nothing of it stays."""
    links, link = await _link(world)
    await world.settle()
    assert 1 == world.labo.bodies()

    await world.labo.rest.database.commit(links.dropping(link))

    assert 0 == world.labo.bodies()
    assert links.named(link.id) is None


async def test_links_end_by_time_or_when_nobody_waits(world: World) -> None:
    """What lies here lies here for somebody."""
    links, link = await _link(world)

    assert [] == links.unwanted()
    assert [] == links.expired(link.expires - timedelta(seconds=1))
    assert [link.id] == links.expired(link.expires)
    await world.settle()
    assert State.DELIVERED in world.labo.states()
    assert [link.id] == links.unwanted()


async def test_a_stolen_copy_shows_neither_token_nor_files(world: World) -> None:
    """Who reads the table can ask for nothing."""
    _, link = await _link(world)

    rows = world.labo.rest.database.read("SELECT * FROM link")

    assert link.facts.token not in str(rows)
    assert "irm.dcm" not in str(rows)
    assert "dr@labo" not in str(rows)


def test_what_a_next_hop_says_is_read() -> None:
    """No limit told is no limit; a peer without our word fetches nothing."""
    sceau = Hop.of(Offer.parse(["SIZE 1000", "XLARGE 5000"]), START)
    other = Hop.of(Offer.parse(["SIZE"]), START)

    assert (1000, 5000) == (sceau.size, sceau.large)
    assert sceau.takes(1000)
    assert not sceau.takes(1001)
    assert sceau.fetches(5000)
    assert not sceau.fetches(5001)
    assert other.takes(10**12)
    assert not other.fetches(1)


async def test_what_a_next_hop_said_is_remembered(world: World) -> None:
    """After a restart too; and written only when it is new."""
    database = world.labo.rest.database
    hops, hop = Hops(database), Hop(1000, 5000, START)

    assert hops.of("chu.example") is None
    await database.commit(hops.met("chu.example", hop))
    assert [] == hops.met("chu.example", replace(hop, at=START + timedelta(days=1)))
    assert hop == Hops(database).of("chu.example")
    await database.commit(hops.met("chu.example", Hop(2000, 0, START)))
    assert Hop(2000, 0, START) == Hops(database).of("chu.example")


async def test_a_link_that_another_hand_moved_opens_nothing(world: World) -> None:
    """Who can write to the database cannot let another domain fetch."""
    links, link = await _link(world)
    sql = "UPDATE link SET domain = 'clinique.example'"
    await world.labo.rest.database.commit([Statement(sql)])

    with pytest.raises(SealError):
        links.find(link.facts.token)
