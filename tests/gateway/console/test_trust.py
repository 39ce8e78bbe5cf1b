"""The trust list's pages: how it stands, why somebody is trusted, what would change, whom we deny."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.accounts.operators import Role
from gateway.app import clock
from gateway.certificates.emergencies import Asked
from gateway.console.trust import source
from tests.gateway.console import stage
from tests.gateway.console.chromium import DESK, PHONE, seen
from tests.gateway.console.desk import console

TRUST = "/console/trust"
CHANGES = f"{TRUST}/changes"
DENIALS = f"{TRUST}/denials"
EXPLAIN = f"{TRUST}/explain"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def told(**more: Any) -> dict[str, Any]:
    """Return a source as the operation tells it."""
    return {
        "state": "good",
        "pending": None,
        "issued": "2026-11-20T12:00:00.000Z",
        "stale_after": "2026-11-24T12:00:00.000Z",
        **more,
    }


@pytest.mark.parametrize(
    ("more", "state", "tone", "left"),
    [
        ({}, "good", "well", 50),
        ({"pending": "ab"}, "waiting", "wait", 50),
        ({"state": "stale", "stale_after": "2026-11-21T12:00:00.000Z"}, "stale", "ill", 0),
        ({"state": "download-timeout", "pending": "ab"}, "problem", "ill", 50),
        ({"state": "none", "issued": None, "stale_after": None}, "none", "ill", 0),
        ({"issued": "2026-11-24T12:00:00.000Z"}, "good", "well", 0),
    ],
)
def test_how_a_source_stands(more: dict[str, Any], state: str, tone: str, left: int) -> None:
    """In one word, one tone, and the share of its life that is left."""
    found = source(told(**more), NOW)
    assert (state, tone, left) == (found.state, found.tone, found.left)


async def test_members_are_found_and_shown(tmp_path: Path) -> None:
    """By a piece, page by page; one whole; who is not there is not found."""
    async with console(tmp_path) as desk:
        await stage.pending(desk.place, desk.place.lists)
        browser, _ = await desk.seated("vera", Role.VIEWER)
        await browser.open(TRUST)
        assert "41 membres" in browser.page.text
        assert CHANGES in browser.page.text
        for search, count in (("d000", 10), ("SISRA", 40), ("zzz", 0), ("%3Cscript%3E", 0)):
            await browser.open(f"{TRUST}?q={search}")
            assert count == browser.page.text.count('<th scope="row">'), search
            assert "<script>" not in browser.page.text
        await browser.open(f"{TRUST}/members/d0001.example")
        assert "CN=mss.sisra.example" in browser.page.text
        assert DENIALS + "?" not in browser.page.text
        await browser.open(f"{TRUST}/members/nowhere.example")
        assert 404 == browser.page.status_code


async def test_a_decision_is_explained(tmp_path: Path) -> None:
    """Of a person, of a relay, of nobody; in the reader's language; what is wrong stays in the form."""
    async with console(tmp_path) as desk:
        await stage.pending(desk.place, desk.place.lists)
        browser, _ = await desk.seated("vera", Role.VIEWER)
        await browser.open(f"{EXPLAIN}?domain=labo.example")
        assert "postmaster@labo.example" == browser.form(EXPLAIN)["recipient"]
        await browser.send(EXPLAIN, sender="dr@chu.example", recipient="x@d0001.example")
        assert "recipient-awaits-approval" in browser.page.text
        assert "Le message attendrait" in browser.page.text
        pem = desk.place.chu.site.issued.certificate.public_bytes(Encoding.PEM).decode()
        await browser.send(
            EXPLAIN, sender="dr@chu.example", recipient="a@chu.example", certificate=pem
        )
        assert "Le message passerait." in browser.page.text
        await browser.send(EXPLAIN, recipient="a@nowhere.example", sender="", certificate="")
        assert "nowhere.example n&#39;est pas membre." in browser.page.text
        await browser.send(EXPLAIN, recipient=stage.HOSTILE)
        assert (400, False) == (browser.page.status_code, "<script>alert" in browser.page.text)
        await browser.send(EXPLAIN, recipient="a@chu.example", certificate="-----BEGIN")
        assert 400 == browser.page.status_code
        await browser.open(f"{EXPLAIN}?lang=en")
        await browser.send(EXPLAIN, sender="dr@chu.example", recipient="a@chu.example")
        assert "It stays between" not in browser.page.text
        assert "The message would pass." in browser.page.text


async def test_a_change_is_read_then_decided(tmp_path: Path) -> None:
    """By who keeps the list; one that was decided is no longer there to be decided."""
    async with console(tmp_path) as desk:
        await stage.pending(desk.place, desk.place.lists)
        viewer, _ = await desk.seated("vera", Role.VIEWER)
        await viewer.open(CHANGES)
        assert "Changement d&#39;opérateur pour 40\xa0domaines" in viewer.page.text
        assert f'action="{CHANGES}' not in viewer.page.text
        keeper, _ = await desk.seated("luc", Role.LISTS)
        await keeper.open(f"{CHANGES}?row=0")
        approve = keeper.form(f"{CHANGES}/approve")
        await keeper.send(f"{CHANGES}/reject", reason=stage.HOSTILE)
        assert b"said=rejected" == keeper.page.url.query
        assert "<script>alert" not in keeper.page.text
        again = await keeper.client.post(f"{CHANGES}/approve", data=approve)
        assert 409 == again.status_code
        await stage.pending(desk.place, desk.place.lists)
        await keeper.open(CHANGES)
        await keeper.send(f"{CHANGES}/approve")
        assert b"said=approved" == keeper.page.url.query
        await keeper.open(f"{CHANGES}?version=2")
        assert "Ajout de 40\xa0domaines" in keeper.page.text
        await keeper.open(f"{CHANGES}?version=99")
        assert 404 == keeper.page.status_code


async def test_whom_we_deny_is_denied_at_once(tmp_path: Path) -> None:
    """With a reason; what it meets is said; a citizen's address is not; it is lifted by its number."""
    async with console(tmp_path) as desk:
        await stage.pending(desk.place, desk.place.lists)
        keeper, _ = await desk.seated("luc", Role.LISTS)
        await keeper.open(f"{DENIALS}?what=chu.example")
        assert "chu.example" == keeper.form(f"{DENIALS}/deny")["what"]
        await keeper.send(f"{DENIALS}/deny", reason=stage.HOSTILE)
        assert "est à nous" in keeper.page.text
        assert "<script>alert" not in keeper.page.text
        await keeper.send(f"{DENIALS}/deny", what="not a domain", reason="x")
        assert (409, "not a domain") == (
            keeper.page.status_code,
            keeper.form(f"{DENIALS}/deny")["what"],
        )
        await keeper.send(f"{DENIALS}/deny", what="123456789012345@patient.d1.example", reason="x")
        assert "123456789012345" not in keeper.page.text
        await keeper.send(f"{DENIALS}/allow", 0, reason="levé")
        await keeper.send(f"{DENIALS}/allow", 0, reason="levé")
        assert b"said=lifted" == keeper.page.url.query
        assert "Nous ne refusons personne" in keeper.page.text
        denied = await desk.place.chu.ask("trust.denials", everything=True)
    assert ["operator:luc"] * 2 == [one["lifted_by"] for one in denied]


async def test_a_bridge_takes_two(tmp_path: Path) -> None:
    """Who asked sees no button to confirm; anybody who may takes it away."""
    async with console(tmp_path, "\n[certificates]\nbridge = true\n") as desk:
        keeper, _ = await desk.seated("luc", Role.LISTS)
        rooms, der = desk.place.chu.rooms, desk.place.chu.site.issued.der
        for hours in ("24", "nan", "viele"):
            await keeper.open(DENIALS)
            await keeper.send(f"{DENIALS}/bridge", domain="chu.example", hours=hours, why="panne")
            assert 409 == keeper.page.status_code
        asked = Asked("chu.example", der, 2.0, clock(), "operator:luc", stage.HOSTILE)
        await rooms.emergencies.ask(asked)
        await keeper.open(DENIALS)
        assert "attend un second exploitant" in keeper.page.text
        assert "<script>alert" not in keeper.page.text
        assert 1 == keeper.page.text.count(f'action="{DENIALS}/bridge"')
        other, _ = await desk.seated("lea", Role.LISTS)
        await other.open(DENIALS)
        assert 2 == other.page.text.count(f'action="{DENIALS}/bridge"')
        await other.send(f"{DENIALS}/bridge")
        assert (409, True) == (
            other.page.status_code,
            "besoin d&#39;aucun pont" in other.page.text,
        )
        await keeper.send(f"{DENIALS}/unbridge")
        assert b"said=unbridged" == keeper.page.url.query
        assert [] == await desk.place.chu.ask("trust.bridges")


async def test_the_trust_list_in_a_browser(tmp_path: Path) -> None:
    """Read, explained and approved there; nobody is shut out."""
    async with console(tmp_path) as desk:
        await stage.pending(desk.place, desk.place.lists)
        der, rooms = desk.place.chu.site.issued.der, desk.place.chu.rooms
        await rooms.emergencies.ask(
            Asked("chu.example", der, 2.0, clock(), "operator:lea", "panne")
        )
        keeper, _ = await desk.seated("luc", Role.LISTS)
        async with seen(desk, keeper) as look, look.window() as page:
            for path, name in (
                (TRUST, "trust"),
                (CHANGES, "trust-changes"),
                (DENIALS, "trust-denials"),
            ):
                await page.set_viewport_size(DESK)
                await page.goto(path)
                await look.looked_at(page, f"{name}-desk", DESK)
                await page.set_viewport_size(PHONE)
                await look.looked_at(page, f"{name}-phone", PHONE)
            await page.set_viewport_size(DESK)
            await page.goto(EXPLAIN)
            await page.fill("#sender", "dr@chu.example")
            await page.fill("#recipient", "x@d0001.example")
            await page.click("main button.primary")
            await page.wait_for_selector(".road")
            await look.looked_at(page, "trust-explain-desk", DESK)
            await page.goto(DENIALS)
            await page.click("form[action$='/unbridge'] button")
            await page.wait_for_selector("text=Pont retiré")
            await page.fill("#what", "d0001.example")
            await page.fill("#reason", stage.HOSTILE)
            await page.click("form[action$='/deny'] button")
            await page.fill("form[action$='/allow'] input[name=reason]", "une erreur")
            await page.click("form[action$='/allow'] button")
            await page.wait_for_selector("text=Nous ne refusons personne")
            await page.goto(CHANGES)
            await page.fill("input[name=reason]", "SARA n'en sait rien")
            await page.click("form[action$='/reject'] button")
            await page.wait_for_selector(".notice.said")
            await stage.pending(desk.place, desk.place.lists)
            await page.goto(CHANGES)
            await page.click("form[action$='/approve'] button")
            await page.wait_for_selector(".notice.said")
        assert [] == look.complaints
        assert [] == await desk.place.chu.ask("trust.diff")
