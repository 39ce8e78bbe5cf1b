"""An operator before the console of a gateway in a process of its own, in a real browser, and axe beside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyotp
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from tests.gateway.console.chromium import CHROMIUM, SCREENSHOTS, grave
from tests.gateway.web.account.browser import PASSPHRASE
from tests.interop.site import Site, now

_PATIENCE = 20_000.0


@dataclass(slots=True)
class Seat:
    """Somebody who is in."""

    site: Site
    page: Page
    port: int
    complaints: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """Where the console is; nothing of it is under another name."""
        return f"https://mx.{self.site.domain}:{self.port}"

    def open(self, path: str) -> None:
        """Go to a page of the console."""
        self.page.goto(f"{self.base}{path}")

    def look(self, name: str) -> None:
        """Keep a picture of the page, and let nothing serious be wrong with it."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"console-{name}.png", full_page=True)
        assert [] == [*grave(Axe().run(self.page).response), *self.complaints]

    def come_in(self, name: str, role: str) -> None:
        """Open an invitation that the command line gave, and choose a passphrase and codes."""
        code = self.site.sceau("operator", "invite", name, "--role", role)["code"]
        self.open(f"/console/invitation?code={code}")
        self.page.click("button.primary")
        seed = self.page.inner_text("code.seed").replace(" ", "")
        self.page.fill("#passphrase", PASSPHRASE)
        self.page.fill("#again", PASSPHRASE)
        self.page.fill("#code", pyotp.TOTP(seed).at(now()))
        self.page.click("button.primary")
        self.page.wait_for_url(f"{self.base}/console")


@contextmanager
def seated(site: Site, port: int, name: str, role: str = "administrator") -> Iterator[Seat]:
    """Sit somebody down before a gateway that runs with ``[listen.console]`` at that port."""
    host = f"mx.{site.domain}"
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", f"--host-resolver-rules=MAP {host} 127.0.0.1"],
        )
        context = browser.new_context(ignore_https_errors=True, locale="fr-FR")
        context.set_default_timeout(_PATIENCE)
        seat = Seat(site, context.new_page(), port)
        seat.page.on("pageerror", lambda error: seat.complaints.append(str(error)))
        seat.page.on(
            "console",
            lambda told: seat.complaints.append(told.text) if told.type == "error" else None,
        )
        seat.come_in(name, role)
        yield seat
        browser.close()
