"""``sceau large``: what lies here for others, and what is fetched from them."""

from datetime import timedelta

import pytest

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State, holder
from gateway.relay.large.links import Facts, Link, new_link_id, new_token
from gateway.relay.large.stub import Cut, Mark
from gateway.relay.message import Copy
from tests.gateway.operations.conftest import Ask, spooled

_CUT = Cut(10, 20, 5000, "application/dicom", "DESMAUX.dcm", "base64", 3735, "c" * 64)


async def _lent(rooms: Rooms) -> tuple[Link, Copy]:
    """Let a message that a peer took lie here for it."""
    copy = await spooled(rooms, "dr@chu.example", State.RELAYED)
    now = rooms.clock()
    facts = Facts(new_token(), "a" * 64, (_CUT,))
    link = Link(
        new_link_id(), copy.message.id, "chu.example", 5000, now, now + timedelta(days=1), facts
    )
    assert rooms.desk.large is not None
    await rooms.database.commit(
        [
            *rooms.vault.sharing(holder(copy.delivery.id), link.holder),
            rooms.desk.large.links.adding(link, copy.recipient.address),
        ]
    )
    return link, copy


async def _wanted(rooms: Rooms) -> Copy:
    """Let a stub wait for its whole."""
    copy = await spooled(rooms, "bio@labo.example", State.FETCHING, "<2@labo>")
    mark = Mark(new_token(), 443, 7000, "b" * 64)
    assert rooms.desk.large is not None
    due = rooms.clock() + timedelta(hours=1)
    entering = rooms.desk.large.fetches.entering(
        copy.message.id, mark, due, findings=(), looked=False
    )
    await rooms.database.commit([entering])
    return copy


async def test_what_lies_here_is_listed_and_shown(rooms: Rooms, ask: Ask) -> None:
    """For whom, until when, its parts by hash; neither its token nor a file's name."""
    link, copy = await _lent(rooms)

    (row,) = (await ask("large.list"))["lent"]
    shown = await ask("large.show", what=copy.message.reference.lower())

    assert (link.id, "chu.example", "gateway", 5000) == (
        *(row[name] for name in ("id", "domain", "for", "size")),
    )
    assert [{"type": "application/dicom", "size": 3735, "sha256": "c" * 64}] == shown["parts"]
    assert link.facts.token not in str(shown)
    assert "DESMAUX" not in str(shown)


async def test_what_is_ended_is_gone_and_told(rooms: Rooms, ask: Ask) -> None:
    """It can be fetched no more, and whoever was waiting has failed."""
    link, copy = await _lent(rooms)

    assert {"links": 1, "deliveries": 1} == await ask("large.cancel", what=link.id)

    assert [] == (await ask("large.list"))["lent"]
    found = rooms.spool.find(copy.delivery.id)
    assert found is not None
    assert State.FAILED is found.delivery.state


async def test_what_is_fetched_is_shown_and_hastened(rooms: Rooms, ask: Ask) -> None:
    """How far it is; and that it is tried now."""
    copy = await _wanted(rooms)

    (row,) = (await ask("large.list"))["fetching"]
    shown = await ask("large.show", what=copy.message.id)
    assert (7000, 0, 0) == (row["size"], row["here"], row["tries"])
    assert ("b" * 64, 443) == (shown["sha256"], shown["port"])

    assert {"fetches": 1} == await ask("large.retry", what=copy.message.reference)
    assert rooms.desk.large is not None
    assert 1 == len(rooms.desk.large.fetches.due(rooms.clock(), 5))


@pytest.mark.parametrize("verb", ["show", "cancel", "retry"])
async def test_what_nobody_knows_is_said_in_words(verb: str, rooms: Rooms, ask: Ask) -> None:
    """An operator reads what to do instead."""
    with pytest.raises(OperationError, match="nothing large here is known"):
        await ask(f"large.{verb}", what="nothing")
    object.__setattr__(rooms.desk, "large", None)
    with pytest.raises(OperationError, match="neither kept nor fetched"):
        await ask(f"large.{verb}", what="nothing")
