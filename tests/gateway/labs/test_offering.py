"""Whatever the door, a result is handed in once: known by its key, and held to its bytes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.labs.offering import IN_HAND, OTHER_BYTES, Offering, Outcome, Result
from gateway.labs.offers import Facts, Offers
from smtp.address import Address
from smtp.envelope import Peer
from smtp.reply import Reply
from tests.world.world import World, letter
from vault.database import Statement
from vault.errors import StorageFull, VaultError

LABO, CHU = Address("dr@labo.example"), Address("accueil@chu.example")
MAIL = letter(LABO, [CHU])


def _offering(world: World) -> Offering:
    desk = world.labo.desk
    return Offering(desk, world.labo.intake, Offers(desk.books.database, world.labo.rest.ring))


async def _blocks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100):
        yield content[start : start + 100]


async def _broken(content: bytes) -> AsyncIterator[bytes]:
    yield content[:200]
    raise ConnectionResetError


def _result(
    content: bytes | AsyncIterator[bytes] = MAIL,
    claim: str = "a",
    to: tuple[Address, ...] = (CHU,),
    **more: str,
) -> Result:
    blocks = _blocks(content) if isinstance(content, bytes) else content
    peer = Peer("127.0.0.1", login=LABO, listener="api")
    return Result(
        "*api",
        peer,
        LABO,
        "2026-1",
        to,
        blocks,
        Facts("", claim),
        digest=more.get("digest", ""),
        answered=True,
    )


def _taken(outcome: Outcome) -> str:
    assert outcome.row is not None
    assert outcome.row.message is not None
    return outcome.row.message


async def test_a_stream_is_known_again_by_what_came(tmp_path: Path) -> None:
    """The same bytes are the same message; other bytes under the key are refused in words."""
    async with World.opened(tmp_path) as world:
        offering = _offering(world)
        first = await offering.offer(_result())
        again = await offering.offer(_result(claim="b"))
        other = await offering.offer(_result(MAIL + b"x\r\n", claim="c"))
        await world.settle()
        assert 1 == len(await world.chu.inbox("accueil"))
    assert _taken(first) == _taken(again)
    assert (False, True) == (first.again, again.again)
    assert (OTHER_BYTES, None) == (other.said, other.row)


async def test_a_stream_that_breaks_off_is_nothing(tmp_path: Path) -> None:
    """No message comes of half a result, and what is sent whole afterwards is taken."""
    async with World.opened(tmp_path) as world:
        offering = _offering(world)
        with pytest.raises(ConnectionResetError):
            await offering.offer(_result(_broken(MAIL)))
        whole = await offering.offer(_result(MAIL.replace(b"Bonjour", b"Bonsoir"), claim="b"))
        await world.settle()
        assert 1 == len(await world.chu.inbox("accueil"))
    assert not whole.again
    assert _taken(whole)


@pytest.mark.parametrize("stands", [True, False])
async def test_a_crash_leaves_the_offer_and_its_message_or_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stands: bool
) -> None:
    """Whether what broke off stands or not: offered again it is one message, held to its bytes."""
    async with World.opened(tmp_path) as world:
        offering, database = _offering(world), world.labo.rest.database
        real = database.commit

        async def broken(statements: list[Statement]) -> None:
            if stands:
                await real(statements)
            raise VaultError("the machine failed")

        with monkeypatch.context() as patch:
            patch.setattr(database, "commit", broken)
            first = await offering.offer(_result())
        again = await offering.offer(_result())
        other = await offering.offer(_result(MAIL + b"x\r\n", claim="b"))
        await world.settle()
        assert 1 == len(await world.chu.inbox("accueil"))
    assert (451, None) == (first.said.code, first.row)
    assert not again.again
    assert _taken(again)
    assert OTHER_BYTES == other.said


async def test_one_door_knows_what_another_began(tmp_path: Path) -> None:
    """What broke off as a stream is held, by the next door, to the bytes that door knows."""
    async with World.opened(tmp_path) as world:
        offering = _offering(world)
        with pytest.raises(ConnectionResetError):
            await offering.offer(_result(_broken(MAIL)))
        first = await offering.offer(_result(claim="b", digest="one"))
        other = await offering.offer(_result(claim="c", digest="another"))
        again = await offering.offer(_result(claim="d", digest="one"))
    assert _taken(first) == _taken(again)
    assert OTHER_BYTES == other.said


async def test_two_at_once_are_one(tmp_path: Path) -> None:
    """While a result is being handed in, its key is told to wait."""
    async with World.opened(tmp_path) as world:
        offering = _offering(world)
        both = await asyncio.gather(offering.offer(_result()), offering.offer(_result(claim="b")))
    assert [IN_HAND] == [each.said for each in both if each.row is None]


async def test_who_is_refused_is_told_and_the_key_is_free(tmp_path: Path) -> None:
    """Nothing came of the offer: corrected, it may be handed in under its own key."""
    nobody = Address("personne@inconnu.example")
    async with World.opened(tmp_path) as world:
        offering = _offering(world)
        refused = await offering.offer(_result(to=(nobody,)))
        mixed = await offering.offer(_result(MAIL + b"x\r\n", claim="b", to=(nobody, CHU)))
        again = await offering.offer(_result(MAIL + b"x\r\n", claim="c", to=(nobody, CHU)))
    assert refused.row is None
    assert [nobody] == [address for address, _ in refused.refused]
    assert [nobody] == [address for address, _ in mixed.refused]
    assert mixed.refused == again.refused
    assert _taken(mixed) == _taken(again)


async def test_a_full_disk_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be kept now is asked for again, and taken then."""
    async with World.opened(tmp_path) as world:
        offering = _offering(world)

        async def full(*_: object, **__: object) -> None:
            raise StorageFull("no room")

        with monkeypatch.context() as patch:
            patch.setattr(type(world.labo.desk.books.vault), "put", full)
            put_off = await offering.offer(_result())
        taken = await offering.offer(_result(claim="b"))
    assert isinstance(put_off.said, Reply)
    assert (452, None) == (put_off.said.code, put_off.row)
    assert _taken(taken)
