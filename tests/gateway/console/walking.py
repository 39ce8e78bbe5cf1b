"""Somebody who walks through the console: fills in, presses, and reads what the page then says.

Whatever they meet, no element on a page is of somebody else's making: text that came from outside is
text. What they asked for is kept, so that a test can say which pages nobody has been to.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from playwright.async_api import Download, Locator, Page, Request, Response

from tests.gateway.console.chromium import Look
from tests.gateway.console.desk import Operators

_FOREIGN = "img, [onerror], [onload], script:not([src]), iframe, object, embed"
_BAD = 400


@dataclass(slots=True)
class Trail:
    """Where everybody went, and what was refused to them."""

    asked: set[tuple[str, str]] = field(default_factory=set)  # method, path
    refused: list[tuple[int, str]] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Keep what this page asks for."""

        def asked(request: Request) -> None:
            self.asked.add((request.method, _path(request.url)))

        def answered(response: Response) -> None:
            if response.status >= _BAD:
                self.refused.append((response.status, _path(response.url)))

        page.context.on("request", asked)
        page.context.on("response", answered)


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2].partition("?")[0].partition("#")[0]


@dataclass(frozen=True, slots=True)
class Walker:
    """One operator, before one page."""

    desk: Operators
    page: Page
    trail: Trail

    async def at(self, path: str, *said: str) -> None:
        """Go somewhere; it says so."""
        await self.page.goto(path)
        await self.reads(*said)

    async def reads(self, *said: str) -> None:
        """Read the page: it says this, and nothing on it is another's."""
        text = await self.page.inner_text("main")
        heard = text.casefold()  # a style may write in capitals
        assert [] == [each for each in said if each.casefold() not in heard], text
        foreign = self.page.locator(_FOREIGN)
        assert 0 == await foreign.count(), await foreign.first.evaluate("one => one.outerHTML")

    async def presses(self, what: str | Locator, *said: str) -> None:
        """Follow a link or press a button; the page it leads to says so."""
        spot = self.page.locator(what) if isinstance(what, str) else what
        await self._unfolds(spot)
        async with self.page.expect_navigation():
            await spot.click()
        await self.reads(*said)

    async def sends(
        self,
        action: str,
        *said: str,
        number: int = 0,
        press: str = "button",
        **fields: str | bool,
    ) -> None:
        """Fill a form in and send it; the page it leads to says so."""
        form = self.page.locator(f"form[action$='{action}']").nth(number)
        await self.fills(form, **fields)
        await self.presses(form.locator(press), *said)

    async def fills(self, form: Locator, **fields: str | bool) -> None:
        """Fill a form in, as far as it is said."""
        await self._unfolds(form)
        for name, value in fields.items():
            spot = form.locator(f"[name='{name}']")
            if isinstance(value, bool):
                await spot.set_checked(value)
            elif "SELECT" == await spot.evaluate("one => one.tagName"):
                await spot.select_option(value)
            else:
                await spot.fill(value)

    async def takes(self, what: str, folder: Path, **fields: str) -> bytes:
        """Press what gives a file; return what is in it."""
        spot = self.page.locator(what)
        await self._unfolds(spot)
        for name, value in fields.items():
            await spot.locator("xpath=ancestor::form").locator(f"[name='{name}']").fill(value)
        async with self.page.expect_download() as coming:
            await spot.click()
        given: Download = await coming.value
        if "A" == await spot.evaluate("one => one.tagName"):  # which is no request of the page
            self.trail.asked.add(("GET", _path(given.url)))
        await given.save_as(folder / given.suggested_filename)
        return (folder / given.suggested_filename).read_bytes()

    async def secret(self) -> str:
        """Return what this page alone shows."""
        return await self.page.inner_text(".secret >> nth=0")

    async def code(self) -> str:
        """Return the code of the app that this page has shown the seed of."""
        return self.desk.place.code((await self.page.inner_text(".seed")).replace(" ", ""))

    async def _unfolds(self, spot: Locator) -> None:
        folds = spot.locator("xpath=ancestor::details[not(@open)]/summary")
        while await folds.count():
            await folds.first.click()


@asynccontextmanager
async def walker(
    desk: Operators, look: Look, trail: Trail, *, stranger: bool = False
) -> AsyncIterator[Walker]:
    """Let somebody come: with the session of ``look``, or with none."""
    async with (replace(look, cookies=[]) if stranger else look).window() as page:
        trail.follow(page)
        yield Walker(desk, page, trail)
