"""The first page, in a browser: drawn, kept up to date, for everybody."""

from datetime import timedelta
from pathlib import Path

from playwright.async_api import Page

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


async def _hidden(page: Page, *, hidden: bool) -> None:
    """Let another tab be looked at, or this one again."""
    await page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
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
                async with page.expect_event("requestfailed", lambda one: "live" in one.url):
                    await _hidden(page, hidden=True)
                async with page.expect_event("request", lambda one: "live" in one.url):
                    await _hidden(page, hidden=False)
                visitors = desk.place.chu.gateway._webs.console.visitors
                visitors.sessions._idle *= 0
                await page.wait_for_selector(".live-over", state="visible", timeout=60_000)
                visitors.sessions._idle = timedelta(minutes=15)
            async with look.window(scripts=False) as page:
                await page.goto("/console")
                assert "3\u202f471" == await page.inner_text(".tile:nth-child(1) b")
        assert [] == look.complaints
    assert "12" == before
