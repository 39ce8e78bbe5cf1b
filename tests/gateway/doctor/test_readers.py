"""Where readers of large documents log in, as the doctor finds it."""

import ssl
from pathlib import Path

import pytest

from gateway.app import clock
from gateway.demo.connect import Connect
from gateway.demo.pki import Authority
from gateway.doctor import neighbours
from gateway.doctor.finding import Level
from gateway.operations.error import OperationError
from gateway.running import checks
from gateway.settings import Settings
from tests.world.lists import Lists
from tests.world.site import Site

_READER = """
[large.reader]
url = "{url}"
audience = "sceau"
anchors = "anchors.pem"
origin = "https://mx.chu.example"
"""
_WEB = "\n[listen.web]\nport = 0\n"


def _settings(folder: Path, authority: Authority, url: str, more: str = _WEB) -> Settings:
    site = Site.make(folder, "chu.example", authority, Lists.make(authority))
    site.configure(_READER.format(url=url) + more)
    return site.settings


def test_an_issuer_that_answers_is_well_and_one_that_does_not_fails(tmp_path: Path) -> None:
    """By our pinned anchors, as readers will need it; its log-in page is named."""
    authority, connect = Authority.make(clock().replace(microsecond=0)), Connect("sceau", "", {})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue("connect", hosts=("127.0.0.1",))
    context.load_cert_chain(*issued.write(tmp_path, "connect"))
    with connect.serving(context):
        settings = _settings(tmp_path / "chu", authority, connect.url)
        (well,) = neighbours.readers(settings, clock())
        checks.readers(settings)
    (away,) = neighbours.readers(settings, clock())

    assert (Level.OK, Level.FAIL) == (well.level, away.level)
    assert f"{connect.url}/authorize" in well.sentence
    assert "links cannot be opened" in away.cure


def test_links_without_a_web_are_refused_at_the_start(tmp_path: Path) -> None:
    """Nobody is sent where nobody answers; without readers there is nothing to look at."""
    authority = Authority.make(clock().replace(microsecond=0))
    settings = _settings(tmp_path / "chu", authority, "https://127.0.0.1:9/x", "")
    with pytest.raises(OperationError, match=r"listen\.web"):
        checks.readers(settings)
    plain = settings.model_copy(update={"large": type(settings.large)()})
    checks.readers(plain)
    assert [] == list(neighbours.readers(plain, clock()))
