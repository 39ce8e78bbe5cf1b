"""Operators at the console, by a browser without JavaScript."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.accounts.factors import Kind
from gateway.accounts.operators import Role
from gateway.demo.pki import Issued
from tests.gateway.web.account.browser import PASSPHRASE, Browser, Place, placed

LISTENERS = "\n[listen.console]\nport = 0\n"
SESSION = "__Host-sceau-console"


@dataclass(slots=True)
class Operators:
    """A gateway with a console, and who sits before it."""

    place: Place

    @property
    def port(self) -> int:
        return self.place.chu.ports["console"]

    def browser(self, **how: str) -> Browser:
        """Return a browser that nobody has logged in with."""
        browser = self.place.browser(**how)
        browser.client.base_url = browser.client.base_url.copy_with(port=self.port)
        return browser

    async def invited(self, name: str, role: Role) -> str:
        """Make an operator; return their invitation's code."""
        made = await self.place.chu.ask("operator.invite", name=name, role=role.value)
        return str(made["code"])

    async def seated(
        self, name: str = "anne", role: Role = Role.ADMINISTRATOR
    ) -> tuple[Browser, str]:
        """Return a browser that is in, and the seed of the operator's codes."""
        code, browser = await self.invited(name, role), self.browser()
        await browser.open(f"/console/invitation?code={code}")
        await browser.send("/console/invitation")
        seed = browser.seed
        await browser.send(
            "/console/invitation/choose",
            1,
            passphrase=PASSPHRASE,
            again=PASSPHRASE,
            code=self.place.code(seed),
        )
        assert "/console" == browser.path, browser.page.text
        return browser, seed

    async def forget_codes(self, name: str = "anne") -> None:
        """Let the app's last code count again, as if it were half a minute later."""
        rooms = self.place.chu.rooms
        operator = rooms.operators.find(name)
        assert operator is not None
        for factor in rooms.factors.of(operator):
            if factor.kind is Kind.TOTP:
                assert await rooms.factors.moved(operator, factor, 0)

    def shows(self, issued: Issued, folder: Path) -> Browser:
        """Return a browser that shows a certificate, at the listener that asks for one."""
        browser = self.browser()
        context = self.place.context()
        context.load_cert_chain(*issued.write(folder, "operator"))
        port = self.place.chu.ports["console_certificate"]
        browser.client = httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{port}", verify=context, timeout=20
        )
        self.place.clients.push_async_callback(browser.client.aclose)
        return browser

    async def certificate(self, name: str, issued: Issued, *, remove: bool = False) -> None:
        """Say that a certificate is an operator's, or no longer."""
        octets = b64encode(issued.certificate.public_bytes(Encoding.PEM)).decode()
        await self.place.chu.ask("operator.certificate", name=name, octets=octets, remove=remove)

    async def journal(self) -> dict[str, list[tuple[str, dict[str, object]]]]:
        """Return who did what, by the kind of event."""
        rooms, found = self.place.chu.rooms, defaultdict(list)
        await rooms.notes.write()
        for entry in await rooms.journal.page(0):
            found[entry.event].append((entry.actor, entry.detail))
        return dict(found)


@asynccontextmanager
async def console(folder: Path, sections: str = "") -> AsyncIterator[Operators]:
    """Run a gateway with a console."""
    async with placed(folder, LISTENERS + sections) as place:
        yield Operators(place)
