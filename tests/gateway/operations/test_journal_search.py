"""An auditor finds a row by what it is, and by words in what lies sealed."""

import pytest

from gateway.operations.rooms import Rooms
from smtp.address import Address
from tests.gateway.operations.conftest import Ask, spooled


@pytest.fixture
async def told(rooms: Rooms) -> None:
    now, entry = rooms.clock(), rooms.journal.entry
    dr = Address("dr@chu.example")
    await rooms.database.commit(
        [
            entry(now, "login.failed", "gateway", who=dr, reason="password", ip="192.0.2.7"),
            entry(now, "login.accepted", "gateway", who=dr, ip="192.0.2.8"),
            entry(now, "tls.failed", "peer:ab", reason="expired"),
            entry(now, "operation.trust.deny", "operator:anne"),
        ]
    )


async def events(ask: Ask, **what: object) -> list[str]:
    return [row["event"] for row in (await ask("journal.search", **what))["rows"]]


@pytest.mark.usefixtures("told")
async def test_by_what_a_row_is(rooms: Rooms, ask: Ask) -> None:
    """Event or kind of event, actor, address, message, words."""
    copy = await spooled(rooms)

    assert ["tls.failed"] == await events(ask, event="tls.failed")
    assert ["login.accepted", "login.failed"] == await events(ask, event="login.")
    assert "operation.trust.deny" in await events(ask, actor="operator:anne")
    assert ["message.accepted", "login.accepted", "login.failed"] == await events(
        ask, who="dr@chu.example"
    )
    assert ["message.accepted"] == await events(ask, message=copy.message.reference)
    assert ["login.failed"] == await events(ask, event="login.", text="192.0.2.7")
    assert [] == await events(ask, event="no.such.")
    assert [] == await events(ask, event="login.", since="2027-01-01")


@pytest.mark.usefixtures("told")
async def test_page_by_page(ask: Ask) -> None:
    """The newest first, each once, words or none."""
    for words in ("", "192.0.2"):
        seen, before = [], None
        while True:
            page = await ask("journal.search", event="login.", text=words, before=before, limit=1)
            seen += [row["event"] for row in page["rows"]]
            before = page["before"]
            if before is None:
                break
        assert ["login.accepted", "login.failed"] == seen


@pytest.mark.usefixtures("told")
async def test_the_events_there_are(ask: Ask) -> None:
    """To choose from."""
    assert {"login.failed", "message.accepted", "operation.journal.events"} <= set(
        await ask("journal.events")
    )
