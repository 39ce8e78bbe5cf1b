"""The mailboxes' pages: found, made, changed, closed; what is secret is shown once."""

import re
from pathlib import Path

from gateway.accounts.operators import Role
from smtp.address import parse
from tests.gateway.console import stage
from tests.gateway.console.chromium import DESK, PHONE, seen
from tests.gateway.console.desk import Operators, console
from tests.gateway.web.account.browser import Browser

LIST = "/console/mailboxes"
DR = "dr.durand@chu.example"


async def opened(desk: Operators, browser: Browser, address: str = DR) -> str:
    """Go to a mailbox's page; return where it is."""
    mailbox = desk.place.chu.rooms.accounts.find(parse(address))
    assert mailbox is not None
    await browser.open(f"{LIST}/{mailbox.key}")
    assert 200 == browser.page.status_code
    return browser.path


async def test_a_mailbox_is_made_and_found(tmp_path: Path) -> None:
    """By any piece of its name; whatever was typed stays in the form when it cannot be."""
    async with console(tmp_path) as desk:
        await stage.mailboxes(desk.place)
        browser, _ = await desk.seated()
        await browser.open(LIST)
        assert 3 == browser.page.text.count('<th scope="row">')
        asked = {"name": "Dr Neuf", "kind": "PER", "holder": ""}
        await browser.send(f"{LIST}/add", 0, address="dr@labo.example", **asked)
        assert 409 == browser.page.status_code
        assert {"address": "dr@labo.example", "name": "Dr Neuf"}.items() <= browser.form(
            f"{LIST}/add"
        ).items()
        await browser.send(f"{LIST}/add", 0, address="dr.neuf@chu.example", **asked)
        assert browser.page.url.query == b"said=added"
        for search, found in (("neuf", 1), ("agnes", 1), ("chu", 4), ("zzz", 0)):
            await browser.open(f"{LIST}?q={search}")
            assert found == browser.page.text.count('<th scope="row">'), search
        await browser.open(f"{LIST}?status=closed&after=zzz&q=%22%3E%3Cscript%3E")
        assert "<script>" not in browser.page.text


async def test_every_verb_of_one_mailbox(tmp_path: Path) -> None:
    """Each does what the command line's does, and is written down as the operator's."""
    async with console(tmp_path) as desk:
        await stage.mailboxes(desk.place)
        rooms = desk.place.chu.rooms
        browser, _ = await desk.seated()
        at = await opened(desk, browser)
        holder = "rpps:10003456786"
        await browser.send(f"{at}/describe", name="Dr A. Durand", holder=holder, hidden="on")
        await browser.send(f"{at}/share", person="accueil@chu.example", rights="reader")
        await browser.send(f"{at}/share", person="nobody@chu.example", rights="reader")
        assert (409, "Il n&#39;y a pas de boîte nobody@chu.example ici.") == (
            browser.page.status_code,
            said(browser),
        )
        await browser.send(f"{at}/unshare")
        await browser.send(f"{at}/password", label="cabinet", days="30")
        password = re.findall(r'class="secret">([^<]+)<', browser.page.text)
        await browser.send(f"{at}/invite")
        code = re.findall(r'class="secret">([^<]+)<', browser.page.text)
        assert (1, 1) == (len(password), len(code))
        await browser.open(at)
        assert password[0] not in browser.page.text
        await browser.send(f"{at}/revoke")
        await browser.send(f"{at}/suspend")
        await browser.send(f"{at}/resume")
        await browser.send(f"{at}/close", address="accueil@chu.example")
        assert 400 == browser.page.status_code
        found = rooms.accounts.find(parse(DR))
        assert found is not None
        assert ("Dr A. Durand", holder, True, "active") == (
            found.name,
            found.holder,
            found.hidden,
            found.status,
        )
        await browser.send(f"{at}/close", address=f" {DR.upper()}", successor="accueil@chu.example")
        assert "accueil@chu.example" in browser.page.text
        assert f'action="{at}/' not in browser.page.text
        told = await desk.journal()
    verbs = "describe share unshare password invite revoke suspend resume close"
    for verb in verbs.split():
        assert "operator:anne" == told[f"operation.mailbox.{verb}"][-1][0], verb


def said(browser: Browser) -> str:
    """Return what a page says is wrong."""
    return browser.page.text.partition('role="alert"><p>')[2].partition("</p>")[0]


async def test_a_viewer_looks_and_no_more(tmp_path: Path) -> None:
    """No form is shown, and one made up is refused; what is not ours is not found."""
    async with console(tmp_path) as desk:
        await stage.mailboxes(desk.place)
        chief, _ = await desk.seated()
        at = await opened(desk, chief)
        ticket = chief.form(f"{at}/suspend")["ticket"]
        viewer, _ = await desk.seated("vera", Role.VIEWER)
        await opened(desk, viewer)
        assert at not in viewer.page.text.replace(f'href="{at}?', "")
        for sent in (ticket, ""):
            answer = await viewer.client.post(f"{at}/suspend", data={"ticket": sent})
            assert 403 == answer.status_code
        await chief.open(f"{LIST}/..%2f..%2fetc")
        assert 404 == chief.page.status_code
        await chief.open(f"{LIST}/0123")
        assert 404 == chief.page.status_code
        found = desk.place.chu.rooms.accounts.find(parse(DR))
    assert found is not None
    assert "active" == found.status


async def test_what_opens_a_mailbox_asks_for_the_second_factor_again(tmp_path: Path) -> None:
    """And what closes it for good; an unlocked screen that somebody left is not enough."""
    async with console(tmp_path) as desk:
        await stage.mailboxes(desk.place)
        browser, _ = await desk.seated()
        at = await opened(desk, browser)
        desk.place.chu.gateway._webs.console.visitors._fresh *= 0
        for verb, fields in (
            ("invite", {}),
            ("password", {"label": "x"}),
            ("close", {"address": DR}),
        ):
            await browser.open(at)
            await browser.send(f"{at}/{verb}", 0, **fields)
            assert "/console/confirm" == browser.path, verb
            assert browser.page.url.query == f"next={at}".encode()
        await browser.open(at)
        await browser.send(f"{at}/suspend")
        assert at == browser.path
        told = await desk.journal()
    assert "operation.mailbox.suspend" in told
    assert (
        not {f"operation.mailbox.{verb}" for verb in ("invite", "password", "close")} & told.keys()
    )


async def test_mailboxes_in_a_browser(tmp_path: Path) -> None:
    """Every verb, by hand; nobody is shut out, and a hostile name does nothing."""
    async with console(tmp_path) as desk:
        await stage.mailboxes(desk.place)
        browser, _ = await desk.seated()
        async with seen(desk, browser) as look:
            await look.page(LIST, "mailboxes")
            async with look.window() as page:
                await page.goto(LIST)
                await page.click("summary")
                await page.fill("#address", "partant@chu.example")
                await page.fill("#name", stage.HOSTILE)
                await page.click("form[action$='/add'] button")
                await page.wait_for_selector(".notice.said")
                for verb, fields, done in _VERBS:
                    form = page.locator(f"form[action$='/{verb}']")
                    if not await form.is_visible():
                        await page.click(f"details:has(form[action$='/{verb}']) > summary")
                    for name, value in fields.items():
                        await form.locator(f"[name={name}]").fill(value)
                    await form.locator("button").click()
                    await page.wait_for_selector(done)
                    if verb == "password":
                        await look.looked_at(page, "mailbox-desk", DESK)
                        await page.set_viewport_size(PHONE)
                        await look.looked_at(page, "mailbox-phone", PHONE)
        assert [] == look.complaints
        found = desk.place.chu.rooms.accounts.find(parse("partant@chu.example"))
    assert found is not None
    assert ("closed", "accueil@chu.example") == (found.status, found.successor)


_VERBS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("describe", {"name": stage.HOSTILE, "holder": "rpps:10003456786"}, "text=rpps:10003456786"),
    ("share", {"person": DR}, "form[action$='/unshare']"),
    ("unshare", {}, "text=Son titulaire seul."),
    ("invite", {}, ".secret"),
    ("password", {"label": stage.HOSTILE, "days": "9"}, ".secret"),
    ("revoke", {}, ".over"),
    ("suspend", {}, "form[action$='/resume']"),
    ("resume", {}, "form[action$='/suspend']"),
    (
        "close",
        {"successor": "accueil@chu.example", "address": "partant@chu.example"},
        "dd >> text=accueil@chu.example",
    ),
)
