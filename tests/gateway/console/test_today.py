"""The first page, in a browser: drawn, kept up to date, for everybody."""

from pathlib import Path

from gateway.accounts.operators import Role
from tests.gateway.console.chromium import seen
from tests.gateway.console.desk import Operators, console
from vault.database import Statement

_ADD = "INSERT INTO tally (hour, what, kind, count) VALUES (?, ?, '', ?)"


async def _busy(desk: Operators, **counts: int) -> None:
    """Let this have happened in the hour that runs."""
    rooms = desk.place.chu.rooms
    hour = int(rooms.clock().timestamp()) // 3600 * 3600
    await rooms.database.commit(
        [Statement(_ADD, (hour, what.replace("_", "-"), many)) for what, many in counts.items()]
    )


async def test_the_day_is_drawn_and_draws_itself_anew(tmp_path: Path) -> None:
    """At every size, with nothing that shuts anybody out; what happens meanwhile appears by itself."""
    async with console(tmp_path) as desk:
        await _busy(desk, sent=3471, came=12, within_1=3000, within_5=40, refused=2)
        browser, _ = await desk.seated("anne", Role.VIEWER)
        async with seen(desk, browser) as look:
            await look.page("/console", "today")
            async with look.window() as page:
                await page.goto("/console")
                before = await page.inner_text(".tile:nth-child(2) b")
                rooms = desk.place.chu.rooms
                await rooms.database.commit(
                    [Statement("UPDATE tally SET count = 77 WHERE what = 'came'")]
                )
                await page.wait_for_selector("text='77'")
            async with look.window(scripts=False) as page:
                await page.goto("/console")
                assert "3\u202f471" == await page.inner_text(".tile:nth-child(1) b")
        assert [] == look.complaints
    assert "12" == before
