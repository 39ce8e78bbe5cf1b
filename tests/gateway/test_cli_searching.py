"""What the console's pages find the command line finds too."""

import asyncio
import io
import json

import pytest
from click.testing import CliRunner, Result

from gateway.app import opened
from gateway.cli import main
from gateway.demo.pki import Authority
from gateway.observe.logs import open_log
from tests.bench.crowd import BUSY, fill
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from tests.world.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("searching") / "labo"
    authority = Authority.make(START)
    site = Site.make(folder, "labo.example", authority, Lists.make(authority))

    async def lived() -> None:
        async with opened(site.settings, open_log(io.StringIO()), Clock()) as rooms:
            await fill(rooms, 400)

    asyncio.run(lived())
    return site


def run(site: Site, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-c", str(site.config)])


def test_a_domain_is_traced(site: Site) -> None:
    """Its latest messages, each with how its copies stand."""
    found = json.loads(run(site, "trace", f"@{BUSY}", "--json").stdout)

    assert "domain" == found["kind"]
    assert len(found["messages"]) > 3
    assert found["messages"][0]["reference"] in run(site, "trace", BUSY).stdout


def test_the_journal_is_searched(site: Site) -> None:
    """By event and words, and older pages are offered."""
    rows = json.loads(run(site, "journal", "search", "--event", "login.", "--json").stdout)["rows"]

    assert {"login.accepted", "login.failed"} == {row["event"] for row in rows}
    said = run(
        site, "journal", "search", "--event", "login.", "--text", "password", "--limit", "1"
    ).stdout
    assert "login.failed" in said
    assert "--before" in said


def test_peers_are_listed(site: Site) -> None:
    """What waits, by where it goes."""
    assert "The next hop could not be reached" in run(site, "spool", "peers").stdout


def test_indicators_are_a_table_and_a_file(site: Site) -> None:
    """The same figures for eyes and for a spreadsheet."""
    month = ("--month", "2026-03")

    assert "mailboxes-used" in run(site, "indicators", *month).stdout
    assert run(site, "indicators", *month, "--csv").stdout.startswith("month,indicator,kind,count")
    assert 1 == run(site, "indicators", "--month", "03/2026").exit_code
