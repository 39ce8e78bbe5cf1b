"""The pages Trace, Spool, Journal and Indicators, by a browser without JavaScript."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.accounts.operators import Role
from gateway.relay.delivery import State
from tests.gateway.console.desk import Operators, console
from tests.gateway.operations.conftest import held, spooled
from tests.interop.postfix import free_port

PATIENT = "279033512151834@patient.example"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Operators]:
    async with console(tmp_path) as desk:
        yield desk


async def test_a_message_is_found_and_its_story_told(desk: Operators) -> None:
    """By the misheard reference, to the story; the subject only to a reviewer who says why."""
    rooms = desk.place.chu.rooms
    copy = await spooled(rooms, PATIENT)
    browser, _ = await desk.seated("anne", Role.REVIEWER)
    heard = copy.message.reference.replace("0", "O").replace("-", " ").lower()

    await browser.open("/console/trace")
    await browser.send("/console/trace", what=heard)

    story = f"/console/trace/{copy.message.id}"
    assert story == browser.path, browser.page.text
    assert "Bilan" not in browser.page.text
    assert "279033512151834" not in browser.page.text
    assert "•••@patient.example" in browser.page.text
    await browser.send(story, why="the caller asks which one it was")
    assert "Bilan" in browser.page.text
    assert PATIENT in browser.page.text
    told = await rooms.journal.by_message(copy.message.id)
    assert "content.viewed" in {entry.event for entry in told}


async def test_a_viewer_is_not_offered_the_subject(desk: Operators) -> None:
    """Nor given it, whatever they send."""
    copy = await spooled(desk.place.chu.rooms)
    browser, _ = await desk.seated("vera", Role.VIEWER)
    story = f"/console/trace/{copy.message.id}"

    page = await browser.open(story)
    assert 'name="why"' not in page.text
    await browser.open("/console/journal")
    ticket = browser.form("/console/journal")["ticket"]
    answer = await browser.client.post(story, data={"ticket": ticket, "why": "curious"})
    assert 403 == answer.status_code
    assert "Bilan" not in answer.text


async def test_domain_pages_and_what_is_not_known(desk: Operators) -> None:
    """A domain by its link, an address only by the form; what is unknown is said with advice."""
    rooms = desk.place.chu.rooms
    for _ in range(26):
        await spooled(rooms)
    browser, _ = await desk.seated("vera", Role.VIEWER)

    page = await browser.open("/console/trace?what=chu.example")
    assert 25 == page.text.count('<a class="mono" href="/console/trace/')
    await browser.send("/console/trace", 1)
    assert 1 == browser.page.text.count('<a class="mono" href="/console/trace/')
    page = await browser.open("/console/trace?what=dr@chu.example")
    assert 'value="dr@chu.example"' not in page.text
    await browser.send("/console/trace", what="dr@chu.example")
    assert 'value="dr@chu.example"' in browser.page.text
    await browser.send("/console/trace", what="<script>alert(1)</script>")
    assert 404 == browser.page.status_code
    assert "<script>alert" not in browser.page.text
    assert 404 == (await browser.open("/console/trace/NOTHING")).status_code


async def test_a_stuck_peer(desk: Operators) -> None:
    """What waits for it is stopped; its mail does not grow old, and does again."""
    rooms = desk.place.chu.rooms
    _, copy = await held(rooms, ["dr@labo.example"])  # which no courier takes meanwhile
    browser, _ = await desk.seated("anne", Role.REVIEWER)

    assert "labo.example" in (await browser.open("/console/spool")).text
    await browser.open("/console/spool/of/labo.example")
    await browser.send("/console/spool/hold", why="their certificate ends on Sunday")
    assert ("/console/spool/of/labo.example", "hold") == (
        browser.path,
        browser.page.url.params["said"].removeprefix("spool-"),
    )
    assert "their certificate ends on Sunday" in browser.page.text
    await browser.send("/console/spool/resume")
    await browser.open("/console/spool/of/labo.example")
    await browser.send("/console/spool/cancel")
    stopped = rooms.spool.find(copy.delivery.id)
    assert stopped is not None
    assert State.CANCELLED is stopped.delivery.state
    assert 404 == (await browser.open("/console/spool/of/nowhere")).status_code


async def test_all_that_waits_is_tried_again(desk: Operators) -> None:
    """One press for a domain; a viewer has no such press."""
    rooms = desk.place.chu.rooms
    silent = desk.place.authority.issue("mx.nowhere.example")
    for domain in ("labo.example", "nowhere.example"):
        desk.place.lists.add(domain, silent, [("127.0.0.1", free_port())])
    await rooms.keeper.offer("list", desk.place.lists.offer(rooms.clock().replace(microsecond=0)))
    await spooled(rooms, "dr@nowhere.example")
    browser, _ = await desk.seated("anne", Role.REVIEWER)
    viewer, _ = await desk.seated("vera", Role.VIEWER)

    assert (
        "/console/spool/retry" not in (await viewer.open("/console/spool/of/nowhere.example")).text
    )
    await browser.open("/console/spool/of/nowhere.example")
    await browser.send("/console/spool/retry")
    assert ("/console/spool/of/nowhere.example", "spool-retry") == (
        browser.path,
        browser.page.url.params["said"],
    )


async def test_the_journal_is_searched_checked_and_exported(desk: Operators) -> None:
    """By its fields, page by page; whole, or said not to be; exported by administrators alone."""
    rooms = desk.place.chu.rooms
    for _ in range(51):
        await spooled(rooms)
    browser, _ = await desk.seated("anne")
    viewer, _ = await desk.seated("vera", Role.VIEWER)

    await browser.open("/console/journal")
    await browser.send("/console/journal", event="message.", who="bio@labo.example")
    assert 50 == browser.page.text.count('<td class="num soft">')
    await browser.send("/console/journal", 1)
    assert 1 == browser.page.text.count('<td class="num soft">')
    await browser.send("/console/journal", since="yesterday")
    assert 400 == browser.page.status_code
    await browser.send("/console/journal/verify")
    assert 'class="notice said"' in browser.page.text
    await browser.send("/console/journal/export")
    lines = browser.page.text.splitlines()
    assert "application/jsonl" == browser.page.headers["content-type"]
    assert len(lines) > 53
    assert "/console/journal/export" not in (await viewer.open("/console/journal")).text


async def test_a_month_is_shown_and_given_as_a_file(desk: Operators) -> None:
    """The table and the file say the same; a month that is none is refused."""
    await desk.place.chu.ask("mailbox.add", address="bio@chu.example", kind="APP")
    browser, _ = await desk.seated("vera", Role.VIEWER)

    page = await browser.open("/console/indicators?lang=en")
    assert "Active mailboxes" in page.text
    file = await browser.open("/console/indicators.csv?months=2")
    assert file.text.startswith("month,indicator,kind,count\r\n")
    assert "mailboxes-active,APP,1" in file.text
    assert 'attachment; filename="indicators-' in file.headers["content-disposition"]
    for path in ("/console/indicators?month=13", "/console/indicators.csv?month=13&months=x"):
        assert 400 == (await browser.open(path)).status_code
