"""The pages Trace, Spool, Journal and Indicators, in a real browser, on a month of mail."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import crowd
from tests.interop.desk import Seat, seated
from tests.interop.postfix import free_port
from tests.interop.site import Federation, Site


@pytest.fixture(scope="module")
def seat(federation: Federation) -> Iterator[Seat]:
    """A laboratory with a month behind it, whose peers do not answer; and its reviewer."""
    port, nobody = free_port(), free_port()
    site = Site(federation, "labo", "labo.example", {"listen.console": {"port": port}})
    peers = federation.credential("peers")
    for number in range(crowd.PEERS):
        federation.add(f"chu-{number}.example", peers, nobody)
    site.found(federation.publish())
    words = [sys.executable, "-m", "tests.bench.crowd", str(site.config), "1200"]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    with site, seated(site, port, "anne.moreau") as seat:
        yield seat


def waiting(seat: Seat) -> dict[str, str]:
    """Return a delivery that waits."""
    found: list[dict[str, str]] = seat.site.sceau("spool", "list", "--state", "deferred")
    return found[0]


def test_a_caller_is_answered(seat: Seat) -> None:
    """The misheard reference leads to the story; its subject is shown to who says why."""
    page, copy = seat.page, waiting(seat)
    seat.open("/console/trace")
    seat.look("trace")
    heard = copy["reference"].replace("0", "o").replace("-", " ").lower()
    page.fill("#what", heard)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/trace/{copy['message']}")
    assert copy["recipient"] in page.inner_text("main")
    assert "Bilan" not in page.inner_text("main")
    seat.look("story")
    page.click("main details summary")
    page.fill("#why", "le correspondant demande lequel c'était")
    page.click("main details button")
    assert "Bilan" in page.inner_text("section.once")

    page.click("nav a[href='/console/trace']")
    page.fill("#what", copy["recipient"])
    page.click("form[role=search] button")
    assert copy["reference"] in page.inner_text("main")
    assert "@" not in page.url
    seat.look("trace-address")


def test_what_is_stuck_is_moved(seat: Seat) -> None:
    """The page follows by itself; one message is stopped, the others no longer grow old, then go."""
    page, copy = seat.page, waiting(seat)
    domain = copy["domain"]
    seat.open("/console/spool")
    seat.look("spool")
    seat.site.sceau("spool", "hold", "quiet.example", "--why", "dimanche")
    page.wait_for_selector("text=quiet.example")

    page.click(f"a[href='/console/spool/of/{domain}']")
    page.click("main details:has(#why) summary")
    page.fill("#why", "leur certificat finit dimanche")
    page.click("main details:has(#why) button")
    assert "leur certificat finit dimanche" in page.inner_text("main")
    seat.look("spool-peer")
    page.click("form[action='/console/spool/resume'] button")
    page.wait_for_selector(".said")
    page.click("td.acts details summary")
    page.click("form[action='/console/spool/cancel'] button")
    page.wait_for_selector(".said")
    (stopped,) = seat.site.sceau("spool", "show", copy["message"])["deliveries"]
    assert "cancelled" == stopped["state"]

    seat.open(f"/console/spool/of/{waiting(seat)['domain']}")
    page.click("form[action='/console/spool/retry'] button.primary")
    page.wait_for_selector(".said")


def test_the_journal_and_the_month(seat: Seat, tmp_path: Path) -> None:
    """Searched, found whole, handed out; the month's figures as a picture and a file."""
    page = seat.page
    seat.open("/console/journal")
    page.select_option("#event", "login.failed")
    page.click("form[role=search] button")
    assert "Connexion refusée" in page.inner_text("table")
    seat.look("journal")
    page.click("form[action='/console/journal/verify'] button")
    assert "Le journal est entier" in page.inner_text(".said")
    with page.expect_download() as exported:
        page.click("form[action='/console/journal/export'] button")
    exported.value.save_as(tmp_path / "journal.jsonl")
    assert len((tmp_path / "journal.jsonl").read_bytes().splitlines()) > 2000

    seat.open("/console/indicators")
    seat.look("indicators")
    with page.expect_download() as given:
        page.click("a[download]")
    given.value.save_as(tmp_path / "month.csv")
    assert (tmp_path / "month.csv").read_text().startswith("month,indicator,kind,count")
    assert [] == seat.complaints
