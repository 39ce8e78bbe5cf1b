"""kill -9 in the middle of a decision: all of it is there afterwards, or nothing."""

import asyncio
import io
import json
import subprocess
import sys
from typing import Any

import pytest

from gateway.app import opened
from gateway.observe.logs import open_log
from gateway.operations.perform import perform
from gateway.relay.delivery import State, holder
from tests.gateway.operations.conftest import held
from tests.world.clock import Clock
from tests.world.site import Site
from vault.errors import VaultError


def killed(site: Site, where: str, verb: str, **arguments: str) -> int:
    """Perform a verb in a process that ends at that point; return how it ended."""
    words = [str(site.config), where, verb, json.dumps(arguments)]
    module = "tests.gateway.operations.killed"
    return subprocess.run([sys.executable, "-m", module, *words], check=False).returncode


async def prepared(site: Site, clock: Clock) -> tuple[str, str]:
    async with opened(site.settings, open_log(io.StringIO()), clock) as rooms:
        await perform(rooms, "operator:anne", "mailbox.add", {"address": "bio@labo.example"})
        case, copy = await held(rooms, to=["dr@chu.example", "ide@chu.example"])
        return case, copy.delivery.id


async def found(site: Site, clock: Clock, case: str, delivery: str) -> dict[str, Any]:
    """Return what stands after the crash, in each of the books."""
    async with opened(site.settings, open_log(io.StringIO()), clock) as rooms:
        copy = rooms.spool.find(delivery)
        known = rooms.register.find(case)
        assert copy is not None
        assert known is not None
        events = [one.event for one in await rooms.journal.by_message(copy.message.id)]
        letters = [one for one in await rooms.spool.standing([State.QUEUED]) if one.message.ours]
        try:
            rooms.vault.size(holder(copy.delivery.id))
            kept = "delivery"
        except VaultError:
            rooms.vault.size(f"hold/{case}")
            kept = "case"
        assert not (await rooms.journal.verify()).problem
        return {
            "case": known.state.value,
            "delivery": copy.delivery.state.value,
            "journal": "case.refused" in events,
            "letters": len(letters),
            "content": kept,
        }


@pytest.mark.parametrize("where", ["1", "4", "commit", "end"])
async def test_a_decision_survives_a_kill_wholly_or_not_at_all(
    site: Site, clock: Clock, where: str
) -> None:
    """Ruling, delivery, content, letter and journal: of one mind, at every point."""
    case, delivery = await prepared(site, clock)
    ended = await asyncio.to_thread(
        killed, site, where, "quarantine.refuse", case=case, note="faux"
    )
    assert -9 == ended
    nothing = {
        "case": "held",
        "delivery": "held",
        "journal": False,
        "letters": 0,
        "content": "delivery",
    }
    everything = {
        "case": "refused",
        "delivery": "refused",
        "journal": True,
        "letters": 1,
        "content": "case",
    }
    expected = everything if where == "end" else nothing
    assert expected == await found(site, clock, case, delivery)
