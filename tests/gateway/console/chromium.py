"""Chromium before the console: what a page complains of is an error, and axe-core looks at every one.

``async with seen(desk, browser) as look: await look.page("/console/trace", "trace")`` goes there at a desk's
and at a telephone's width, in the light and in the dark, and keeps pictures in ``build/screenshots``.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Dialog, Page, ViewportSize, async_playwright

from tests.gateway.console.desk import Operators
from tests.gateway.web.account.browser import Browser

CHROMIUM = "/usr/bin/chromium"
HOST = "mx.chu.example"  # as the gateway calls itself: passkeys hang on it
SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
_WIDTH = "document.documentElement.scrollWidth"
_SERIOUS = {"serious", "critical"}


@dataclass(slots=True)
class Look:
    """A browser that is in, and what its pages complained of."""

    base: str
    chromium: Chromium
    cookies: list[dict[str, Any]]
    complaints: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def context(
        self, size: ViewportSize = DESK, *, dark: bool = False, scripts: bool = True
    ) -> AsyncIterator[BrowserContext]:
        """A window of this size, with or without scripts."""
        context = await self.chromium.new_context(
            base_url=self.base,
            viewport=size,
            ignore_https_errors=True,
            locale="fr-FR",
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
        )
        context.set_default_timeout(20_000)
        for cookie in self.cookies:
            await context.add_cookies([cookie])  # type: ignore[list-item]
        yield context
        await context.close()

    @asynccontextmanager
    async def window(self, size: ViewportSize = DESK, **how: bool) -> AsyncIterator[Page]:
        """One page in it; an error on its console is a complaint, and so is what a script of others says."""
        async with self.context(size, **how) as context:
            page = await context.new_page()

            async def interrupted(dialog: Dialog) -> None:
                self.complaints.append(f"a script ran: {dialog.message}")
                await dialog.dismiss()

            page.on("dialog", interrupted)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on(
                "console",
                lambda told: self.complaints.append(told.text) if told.type == "error" else None,
            )
            yield page

    async def page(self, path: str, name: str) -> None:
        """Go to a page in every way, take its picture, and look for what shuts people out."""
        for label, size, dark in (
            ("desk", DESK, False),
            ("dark", DESK, True),
            ("phone", PHONE, False),
        ):
            async with self.window(size, dark=dark) as page:
                answer = await page.goto(path)
                assert answer is not None, path
                assert 200 == answer.status, f"{path}: {answer.status}"
                await self.looked_at(page, f"{name}-{label}", size)
        assert [] == self.complaints

    async def looked_at(self, page: Page, name: str, size: ViewportSize = DESK) -> None:
        """Take this page's picture; nothing may be wider than the screen or shut anybody out."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SCREENSHOTS / f"console-{name}.png", full_page=True)
        assert size["width"] >= await page.evaluate(_WIDTH), f"{name} overflows"
        if size is not PHONE:  # the same elements as at a desk
            assert [] == await barriers(page), name


async def barriers(page: Page) -> list[str]:
    """Return what axe-core finds serious on a page."""
    found = await Axe().run(page)
    return list(grave(found.response))


def grave(found: dict[str, Any]) -> Iterator[str]:
    """Yield what shuts people out, of what axe-core found."""
    for each in found["violations"]:
        if each["impact"] in _SERIOUS:
            where = "; ".join(str(node["target"]) for node in each["nodes"][:3])
            yield f"{each['id']}: {each['help']} ({where})"


@asynccontextmanager
async def seen(desk: Operators, browser: Browser) -> AsyncIterator[Look]:
    """Show Chromium what a browser without scripts has the session of."""
    base = f"https://{HOST}:{desk.port}"
    cookies = [
        {"name": cookie.name, "value": cookie.value or "", "url": base}
        for cookie in browser.client.cookies.jar
    ]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"],
        )
        yield Look(base, chromium, cookies)
        await chromium.close()
