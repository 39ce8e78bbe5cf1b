"""The page of patients: for reviewers alone, and what was typed stands nowhere else."""

from pathlib import Path

from gateway.accounts.operators import Role
from gateway.relay.exchanges import Exchange
from gateway.relay.threads import Pair, Written, wrote
from smtp.address import parse
from tests.gateway.console.chromium import DESK, PHONE, seen
from tests.gateway.console.desk import console

PATIENTS, NUMBER = "/console/citizens", "185017507500161"
CITIZEN = f"{NUMBER}@patient.mssante.fr"


async def test_whose_a_thread_is_only_reviewers_see(tmp_path: Path) -> None:
    """Nobody else finds the page, nor may ask by hand."""
    async with console(tmp_path) as desk:
        for name, role, code in (
            ("vera", Role.VIEWER, 403),
            ("lise", Role.LISTS, 403),
            ("rose", Role.REVIEWER, 200),
        ):
            browser, _ = await desk.seated(name, role)
            await browser.open("/console")
            assert (code == 200) == (PATIENTS in browser.page.text), name
            await browser.open(PATIENTS)
            assert code == browser.page.status_code, name


async def test_a_patient_is_looked_at(tmp_path: Path) -> None:
    """Objections without whose, threads for who typed the number; on any screen, for anybody."""
    async with console(tmp_path) as desk:
        rooms = desk.place.chu.rooms
        now = rooms.clock()
        with_doctor = Pair(parse("dr@chu.example"), parse(CITIZEN), by_citizen=False)
        threads = wrote((), Written("1", at=now.timestamp()))
        await rooms.database.commit([rooms.exchanges.moving(Exchange(with_doctor), threads, now)])
        await desk.place.chu.ask("citizen.oppose", address=CITIZEN, reason="courrier du 2 mars")
        browser, _ = await desk.seated("rose", Role.REVIEWER)
        async with seen(desk, browser) as look:
            await look.page(PATIENTS, "citizens")
            for size in (DESK, PHONE):
                async with look.window(size) as page:
                    await page.goto(PATIENTS)
                    assert NUMBER not in await page.content()
                    await page.fill("#address", NUMBER)
                    await page.click("form[role=search] button")
                    await page.wait_for_selector("#one")
                    assert "dr@chu.example" in await page.inner_text("main")
                    await look.looked_at(page, f"citizen-{size['width']}", size)
                    assert (NUMBER in page.url, NUMBER in await page.title()) == (False, False)
            assert [] == look.complaints
