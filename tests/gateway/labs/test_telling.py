"""What every look finds anew does not fill the journal."""

from pathlib import Path

from gateway.labs.telling import Telling
from tests.world.world import World


async def test_it_is_told_once_an_hour(tmp_path: Path) -> None:
    """Each reason of each event by itself; and the door is named."""
    async with World.opened(tmp_path) as world:
        telling = Telling(world.labo.desk, {"folder": "nuit"})
        for reason in ("OSError", "OSError", "PermissionError"):
            telling.once("folder.away", reason)
        world.clock.advance(minutes=60)
        telling.once("folder.away", "OSError")
        telling.tell("folder.failed", "refused")
        telling.tell("folder.failed", "refused")
    told = [(event, facts["reason"]) for event, facts in world.labo.events]
    assert [
        ("folder.away", "OSError"),
        ("folder.away", "PermissionError"),
        ("folder.away", "OSError"),
        ("folder.failed", "refused"),
        ("folder.failed", "refused"),
    ] == told
    assert {"nuit"} == {facts["folder"] for _, facts in world.labo.events}
