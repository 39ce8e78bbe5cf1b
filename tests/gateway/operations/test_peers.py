"""What is stuck, and for whom."""

import pytest

from gateway.operations import peers
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
from tests.gateway.operations.conftest import Ask, held, spooled
from tests.world.clock import Clock


async def test_by_peer_those_with_most_first(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """How much waits, since when, what is held, and for whom mail does not grow old."""
    first = await spooled(rooms)
    clock.advance(minutes=1)
    await spooled(rooms)
    await spooled(rooms, "x@else.example")
    await spooled(rooms, "y@gone.example", State.DELIVERED)
    await held(rooms)
    await ask("spool.hold", domain="quiet.example", why="their certificate ends on Sunday")

    chu, other, quiet = await ask("spool.peers")

    assert ("chu.example", 2, 1) == (chu["domain"], chu["waiting"], chu["held"])
    assert (first.message.reference, first.delivery.id) == (chu["reference"], chu["oldest"])
    assert ("else.example", 1, None) == (other["domain"], other["waiting"], other["patience"])
    assert ("quiet.example", 0, "operator:anne", None) == (
        quiet["domain"],
        quiet["waiting"],
        quiet["patience"]["by"],
        quiet["since"],
    )


async def test_a_peers_mail_page_by_page(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """The oldest first; each once, what is held among it."""
    made = []
    for _ in range(3):
        made.append((await spooled(rooms)).delivery.id)
        clock.advance(minutes=1)
    made.append((await held(rooms))[1].delivery.id)
    await spooled(rooms, "x@else.example")

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await ask("spool.waiting", domain="CHU.example", after=after, limit=2)
        seen += [one["delivery"] for one in page["deliveries"]]
        after = page["after"]

    assert made == seen
    with pytest.raises(OperationError, match="is no domain"):
        await ask("spool.waiting", domain="nowhere")


@pytest.mark.parametrize(
    ("sql", "args"), [(peers._WAITING, (9,)), (peers._OF_ONE, ("chu.example", "", 9))]
)
async def test_what_waits_is_read_from_what_waits(
    rooms: Rooms, sql: str, args: tuple[object, ...]
) -> None:
    """However much was delivered: only the index of what is due, and the few that are in hand."""
    steps = [row[3] for row in rooms.database.read(f"EXPLAIN QUERY PLAN {sql}", args)]

    read = [step for step in steps if step.startswith(("SCAN delivery", "SEARCH delivery"))]
    assert {"delivery_due", "delivery_state"} >= {
        step.split("INDEX ")[1].split()[0] for step in read
    }
