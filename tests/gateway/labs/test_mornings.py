"""In the morning a folder has its file, whatever happened at night: whole, once, and without a gap."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from gateway.labs.mornings import Mornings, last
from gateway.labs.night import Night
from gateway.labs.offers import Offers
from gateway.labs.unsent import Unsent
from smtp.address import Address
from tests.gateway.documents.made import PDF
from tests.gateway.documents.test_order import ABOUT
from tests.gateway.labs.test_folder import CHU, LABO, Lab, lab
from tests.world.world import letter

OUTSIDER = "qui@nulle-part.example"
_HALF_PAST_SIX = time(6, 30)


def _mornings(labo: Lab) -> Mornings:
    gateway = labo.world.labo
    database, ring = gateway.rest.database, gateway.rest.ring
    night = Night(gateway.books, Offers(database, ring), Unsent(database, ring))
    hour = timedelta(hours=1)
    address = Address(LABO)
    return Mornings("nuit", labo.path, address, _HALF_PAST_SIX, hour, gateway.desk, night)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_each_morning_has_its_file(tmp_path: Path) -> None:
    """From where the last one ended; a restart writes none twice, and a day away loses nothing."""
    async with lab(tmp_path) as labo:
        mornings, folder = _mornings(labo), labo.path / "morning"
        assert not await mornings.round()  # it begins today: of no night is anything known
        labo.put("a.pdf", PDF, to=[CHU], key="2026-1")
        labo.put("b.eml", letter(LABO, [CHU]))
        await labo.settle()
        labo.world.clock.advance(days=1)
        assert await mornings.round()
        assert not await _mornings(labo).round()
        (first,) = folder.iterdir()
        await labo.world.labo.keeper.offer("list", labo.world.lists.offer(labo.world.clock()))
        labo.put("c.pdf", PDF, to=[CHU, OUTSIDER], key="2026-3", document=ABOUT)
        await labo.settle()
        labo.world.clock.advance(days=3)
        assert await mornings.round()
        assert await labo.look() == 0  # what is told is no result
        _, second = sorted(folder.iterdir())
        written = [facts for event, facts in labo.world.labo.events if "morning.written" == event]
    one, count = _rows(first)
    assert ("not-sent", "a.pdf", "2026-1") == (one["answer"], one["file"], one["key"])
    assert "account" == count["answer"]
    assert count["why"].startswith("2 results, 2 recipients: 1 delivered, 0 on their way, 1 to go")
    assert [OUTSIDER, ""] == [row["recipient"] for row in _rows(second)]
    assert [(2, 1), (1, 1)] == [(each["results"], each["another_way"]) for each in written]


@pytest.mark.parametrize(("hours", "minutes", "day"), [(6, 29, 1), (6, 30, 2), (23, 0, 2)])
def test_the_last_time_that_it_was_that_hour(hours: int, minutes: int, day: int) -> None:
    """Today's, once it is past; by the clock on the wall of the house."""
    now = datetime.combine(date(2026, 3, 2), time(hours, minutes)).astimezone()
    here = last(now.astimezone(UTC), _HALF_PAST_SIX).astimezone()
    assert (day, 6, 30) == (here.day, here.hour, here.minute)


async def test_a_folder_that_is_away_is_told_once(tmp_path: Path) -> None:
    """And its morning is written when it is back."""
    async with lab(tmp_path) as labo:
        mornings = _mornings(labo)
        await mornings.round()
        labo.world.clock.advance(days=1)
        away = labo.path.rename(tmp_path / "away")
        for _ in range(2):
            assert not await mornings.look()
        away.rename(labo.path)
        assert await mornings.look()
        told = [event for event, _ in labo.world.labo.events if event.startswith("morning.")]
    assert ["morning.unwritten", "morning.written"] == told
