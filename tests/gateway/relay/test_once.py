"""The same mail is sent once to each recipient, whichever door it comes by and however often."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.labs.offering import Offering, Outcome, Result, blocks
from gateway.labs.offers import Facts, Offers
from gateway.relay.once import OTHER_MAIL, Once
from smtp.address import Address, key
from smtp.envelope import Draft, Mail, Peer, Recipient
from smtp.reply import Reply
from tests.world.world import Gateway, World, letter

LABO, CHU = Address("dr@labo.example"), Address("accueil@chu.example")
GARDE = Address("garde@chu.example")


def _mail(*to: Address, body: str = "TSH.\r\n", message_id: str = "<tsh@labo.example>") -> bytes:
    return letter(LABO, to, body=body).replace(b"<1@test.example>", message_id.encode())


async def _submit(
    seat: Gateway,
    content: bytes,
    *to: Address,
    door: str = "submission",
    transfer: str | None = None,
) -> Reply:
    draft = Draft(
        Peer("127.0.0.1", login=LABO, listener=door),
        Mail(LABO, transfer=transfer),
        tuple(map(Recipient, to)),
    )
    return await seat.intake.accept(draft, blocks(content))


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[World]:
    async with World.opened(folder) as world:
        await world.chu.add("garde")
        yield world


async def _counted(world: World) -> tuple[int, int]:
    await world.settle()
    return len(await world.chu.inbox("accueil")), len(await world.chu.inbox("garde"))


@pytest.mark.parametrize("door", ["folder", "api", "outbox"])
async def test_overlapping_recipients_have_it_once(tmp_path: Path, door: str) -> None:
    """To one, then to both, then to both again with another To and Date: each has one."""
    async with opened(tmp_path) as world:
        first = await _submit(world.labo, _mail(CHU), CHU, door=door)
        world.clock.advance(seconds=1)
        second = await _submit(world.labo, _mail(CHU, GARDE), CHU, GARDE, door=door)
        third = await _submit(world.labo, _mail(GARDE, CHU), GARDE, CHU, door=door)
        assert (1, 1) == await _counted(world)
        entries = [event for event, _ in await world.labo.story()]
    assert [250] * 3 == [first.code, second.code, third.code]
    assert third.text.startswith("Accepted before, reference ")
    assert 3 == entries.count("message.repeated")


async def test_other_bytes_under_the_same_message_id_are_refused(tmp_path: Path) -> None:
    """A correction that would never be seen is told to its sender; to somebody else it is news."""
    async with opened(tmp_path) as world:
        await _submit(world.labo, _mail(CHU), CHU, door="api")
        other = await _submit(world.labo, _mail(CHU, body="TSH 2.\r\n"), CHU, door="api")
        elsewhere = await _submit(world.labo, _mail(CHU, body="TSH 2.\r\n"), GARDE, door="api")
        assert (1, 1) == await _counted(world)
    assert (OTHER_MAIL, 250) == (other, elsewhere.code)


async def test_people_send_what_they_like_twice(tmp_path: Path) -> None:
    """By SMTP only the mailboxes that the settings name are known again."""
    async with opened(tmp_path) as world:
        for _ in range(2):
            await _submit(world.labo, _mail(CHU), CHU)
        assert (2, 0) == await _counted(world)
        rest = world.labo.rest
        world.labo.intake._once = Once(rest.database, rest.ring, frozenset({key(LABO)}))
        for _ in range(2):
            await _submit(world.labo, _mail(CHU, message_id="<b@labo.example>"), CHU)
        assert (3, 0) == await _counted(world)


async def test_without_a_message_id_nothing_is_known_again(tmp_path: Path) -> None:
    """Two mails that say the same are two mails, if nothing says that they are one."""
    content = letter(LABO, [CHU])
    lines = [each for each in content.split(b"\r\n") if b"Message-ID" not in each]
    async with opened(tmp_path) as world:
        for _ in range(2):
            await _submit(world.labo, b"\r\n".join(lines), CHU, door="api")
        assert (2, 0) == await _counted(world)


async def test_after_the_window_it_is_sent_again(tmp_path: Path) -> None:
    """Who offers it months later means it."""
    async with opened(tmp_path) as world:
        await _submit(world.labo, _mail(CHU), CHU, door="api")
        rest, now = world.labo.rest, world.clock()
        once = Once(rest.database, rest.ring)
        await rest.database.commit([once.forgetting(now, timedelta(days=1))])
        await _submit(world.labo, _mail(CHU), CHU, door="api")
        assert (1, 0) == await _counted(world)
        await rest.database.commit([once.forgetting(now + timedelta(days=2), timedelta(days=1))])
        await _submit(world.labo, _mail(CHU), CHU, door="api")
        assert (2, 0) == await _counted(world)


async def test_an_offer_is_answered_for_each_recipient(tmp_path: Path) -> None:
    """By another key the same mail is the message of before; with one more recipient, both count."""
    async with opened(tmp_path) as world:
        desk, rest = world.labo.desk, world.labo.rest
        offering = Offering(desk, world.labo.intake, Offers(desk.books.database, rest.ring))

        async def offered(name: str, *to: Address) -> Outcome:
            world.clock.advance(seconds=1)
            peer = Peer("127.0.0.1", login=LABO, listener="api")
            content = blocks(_mail(CHU))
            result = Result("*api", peer, LABO, name, to, content, Facts("", name))
            return await offering.offer(result)

        one, same, more = [
            await offered("a", CHU),
            await offered("b", CHU),
            await offered("c", CHU, GARDE),
        ]
        assert (1, 1) == await _counted(world)
        rows = [each.row for each in (one, same, more) if each.row is not None]
        whom = [sorted(c.recipient.address for c in offering.copies(row)) for row in rows]
    assert [False, True, False] == [one.again, same.again, more.again]
    assert rows[0].message == rows[1].message != rows[2].message
    assert [[CHU], [CHU], [CHU, GARDE]] == whom
