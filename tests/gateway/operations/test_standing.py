"""How the gateway stands, asked of the tables and the list."""

from datetime import timedelta

from gateway.operations.rooms import Rooms
from gateway.relay.delivery import State
from gateway.running.standing import problems, standing
from tests.gateway.operations.conftest import Ask, held, spooled
from tests.world.clock import START, Clock
from tests.world.lists import Lists

_EXPIRES = START + timedelta(days=90)


async def test_an_empty_gateway_stands_at_nought(rooms: Rooms) -> None:
    """No age is told where there is nothing."""
    found = standing(rooms, (), _EXPIRES)

    assert (0, 0, 0, 0) == (found.oldest_delivery, found.oldest_receipt, found.held, found.outbox)
    assert ({"list": 0}, {}, {}) == (found.list_version, found.list_age, found.list_stale_in)
    assert 90 * 86400 == found.certificate_expires_in


async def test_what_waits_is_counted_and_its_age_told(
    rooms: Rooms, ask: Ask, clock: Clock, lists: Lists
) -> None:
    """What has ended is nobody's worry."""
    await ask("mailbox.add", address="bio@labo.example")
    await spooled(rooms, state=State.DELIVERED)
    clock.advance(minutes=1)
    await spooled(rooms)
    await held(rooms)
    await ask("spool.cancel", what=(await spooled(rooms)).message.id)
    offer = lists.offer(START)
    await rooms.keeper.offer("list", offer)
    await rooms.journal.sign_head(clock())
    clock.advance(minutes=9)
    found = standing(rooms, (), _EXPIRES)

    assert (1, 1, 1) == (
        found.deliveries["deferred"],
        found.deliveries["held"],
        found.deliveries["queued"],  # the report to the sender
    )
    assert (540, 540, 1, 1) == (
        found.oldest_delivery,
        found.oldest_receipt,
        found.held,
        found.outbox,
    )
    assert ({"list": 1}, {"list": 600}, {}) == (
        found.list_version,
        found.list_age,
        found.list_waiting,
    )


async def test_readiness_says_what_is_missing(rooms: Rooms, clock: Clock, lists: Lists) -> None:
    """No list, a stale list, a full disk, an end in sight."""
    assert ["stopping", "list"] == list(problems(rooms, _EXPIRES, stopping=True))
    offer = lists.offer(START)
    await rooms.keeper.offer("list", offer)
    assert {} == problems(rooms, _EXPIRES, stopping=False)
    clock.now += timedelta(days=31)
    assert "stale" in problems(rooms, _EXPIRES, stopping=False)["list"]
    clock.now += timedelta(days=60)
    assert "expired" in problems(rooms, _EXPIRES, stopping=False)["certificate"]


async def test_a_disk_at_its_reserve_is_said_so(rooms: Rooms) -> None:
    """New mail is put off then."""
    vault = rooms.settings.vault.model_copy(update={"reserve": 1 << 62})
    object.__setattr__(rooms, "settings", rooms.settings.model_copy(update={"vault": vault}))

    assert "disk" in problems(rooms, _EXPIRES, stopping=False)
