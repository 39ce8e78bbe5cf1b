"""A gateway's settings, and its set-up pages without a gateway."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from gateway.demo.pki import Authority
from gateway.settings import Settings, load
from gateway.web.pages import routes as styles
from gateway.web.server import Site
from gateway.web.setup.routes import SetUp
from gateway.web.setup.servers import Servers

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_SETTINGS = """
[site]
name = "chu"
host = "mx.chu.example"
domains = ["chu.example", "clinique.example"]
[paths]
data = "data"
keys = "keys/ring.json"
[tls]
certificate = "gateway.crt"
key = "gateway.key"
anchors = "anchors.pem"
[listen.imap]
port = 993
[listen.imap_starttls]
port = 143
[listen.submission]
port = 0
[listen.submission_starttls]
port = 587
[listen.web]
port = 443
"""

Settled = Callable[..., Settings]


@pytest.fixture
def settled(tmp_path: Path) -> Settled:
    authority = Authority.make(NOW)
    authority.issue("mx.chu.example", hosts=("mx.chu.example",)).write(tmp_path, "gateway")
    (tmp_path / "anchors.pem").write_bytes(authority.anchors_pem)

    def made(more: str = "", base: str = _SETTINGS) -> Settings:
        (tmp_path / "gateway.toml").write_text(base + more, "utf-8")
        return load(tmp_path / "gateway.toml")

    return made


@pytest.fixture
def servers(settled: Settled) -> Servers:
    return Servers.of(settled(), {"submission": 465})


@dataclass
class Desk:
    """A client of the set-up pages."""

    settings: Settings
    failed: list[str] = field(default_factory=list)

    async def ask(self, path: str, method: str = "GET", **more: object) -> httpx.Response:
        site = Site(
            [*SetUp(self.settings, {"submission": 465}).routes(), *styles()],
            lambda slug, facts: self.failed.append(slug),
            lambda route, status: None,
        )
        transport = httpx.ASGITransport(site)
        async with httpx.AsyncClient(
            transport=transport, base_url="https://mx.chu.example"
        ) as client:
            return await client.request(method, path, **more)  # type: ignore[arg-type]


@pytest.fixture
def desk(settled: Settled) -> Desk:
    return Desk(settled("\n[setup]\nanchors = 'anchors.pem'\n"))
