"""A browser without JavaScript: it keeps cookies, reads forms out of pages and sends them."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pyotp
from argon2 import PasswordHasher

from gateway.accounts.factors import Kind
from gateway.app import clock
from gateway.demo.pki import Authority
from smtp.address import parse
from tests.world.lists import Lists
from tests.world.running import DOORS, Running, running
from tests.world.site import Site

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
DR = "dr@chu.example"
PASSPHRASE = "quatre mots bien à moi"
_WEB = "".join(f"\n[listen.{name}]\nport = 0\n" for name in ("web", "imap"))


class _Forms(HTMLParser):
    """Every form of a page: where it goes, and the fields it has."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((found["action"], {}))
        elif tag in {"input", "textarea"} and self.forms and "name" in found:
            self.forms[-1][1][found["name"]] = found.get("value", "")


@dataclass(slots=True)
class Browser:
    """One person's."""

    client: httpx.AsyncClient
    page: httpx.Response = field(default_factory=lambda: httpx.Response(204))

    async def open(self, path: str, **how: Any) -> httpx.Response:
        """Go to a page, and on to where it sends one."""
        self.page = await self.client.get(path, follow_redirects=True, **how)
        return self.page

    def form(self, action: str, number: int = 0) -> dict[str, str]:
        """Return the fields of one of the page's forms."""
        reader = _Forms()
        reader.feed(self.page.text)
        return dict([fields for where, fields in reader.forms if where == action][number])

    async def send(self, action: str, number: int = 0, **fields: str) -> httpx.Response:
        """Fill a form of this page in, send it, and go where that leads."""
        told = self.form(action, number) | fields
        self.page = await self.client.post(action, data=told, follow_redirects=True)
        return self.page

    @property
    def path(self) -> str:
        """Where it is."""
        return self.page.url.path

    @property
    def seed(self) -> str:
        """The key that the page shows to be typed."""
        return self.page.text.partition('class="seed">')[2].partition("<")[0].replace(" ", "")


@dataclass(slots=True)
class Place:
    """One gateway, its people's browsers, and their apps of codes."""

    chu: Running
    authority: Authority
    lists: Lists
    clients: AsyncExitStack

    @property
    def port(self) -> int:
        return self.chu.ports["web"]

    def browser(self, **how: Any) -> Browser:
        client = httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{self.port}", verify=self.context(), timeout=20, **how
        )
        self.clients.push_async_callback(client.aclose)
        return Browser(client)

    def context(self) -> ssl.SSLContext:
        """Return what believes this place's authority."""
        context = ssl.create_default_context(cadata=self.authority.anchors_pem.decode())
        context.check_hostname = False
        return context

    def code(self, seed: str) -> str:
        """Return the app's code of now."""
        return pyotp.TOTP(seed).at(clock())

    async def invited(self, address: str = DR) -> str:
        """Make a mailbox with an invitation; return its code."""
        await self.chu.ask("mailbox.add", address=address)
        return str((await self.chu.ask("mailbox.invite", address=address))["code"])

    async def person(self, address: str = DR) -> tuple[Browser, str]:
        """Return a browser that is in, and the seed of its person's codes."""
        code, browser = await self.invited(address), self.browser()
        await browser.open(f"/account/invitation?code={code}")
        await browser.send("/account/invitation")
        seed = browser.seed
        await browser.send(
            "/account/invitation/choose",
            1,
            passphrase=PASSPHRASE,
            again=PASSPHRASE,
            code=self.code(seed),
        )
        assert "/account" == browser.path, browser.page.text
        return browser, seed

    async def forget_codes(self, address: str = DR) -> None:
        """Let the app's last code count again, as if it were half a minute later."""
        rooms = self.chu.rooms
        mailbox = rooms.accounts.find(parse(address))
        assert mailbox is not None
        for factor in rooms.factors.of(mailbox):
            if factor.kind is Kind.TOTP:
                assert await rooms.factors.moved(mailbox, factor, 0)

    async def journal(self, address: str = DR) -> list[str]:
        """Return what happened around an address."""
        await self.chu.rooms.notes.write()
        return [row["event"] for row in await self.chu.ask("trace", what=address)]


@asynccontextmanager
async def placed(folder: Path, sections: str = "") -> AsyncIterator[Place]:
    """Run a gateway with a web."""
    authority = Authority.make(clock().replace(microsecond=0))
    lists = Lists.make(authority)
    site = Site.make(folder / "chu", "chu.example", authority, lists, DOORS + _WEB + sections)
    lists.add("chu.example", site.issued)
    async with running(site) as chu:
        chu.rooms.factors.hasher = CHEAP
        await chu.rooms.keeper.offer("list", lists.offer(clock().replace(microsecond=0)))
        async with AsyncExitStack() as clients:
            yield Place(chu, authority, lists, clients)
