"""Coming in to the console: by whom, by what, for how long."""

from pathlib import Path

from gateway.accounts.operators import Role
from tests.gateway.console.desk import console
from tests.gateway.web.account.browser import PASSPHRASE


async def test_an_operator_comes_in_by_passphrase_and_code(tmp_path: Path) -> None:
    """Invited first; then with what they chose; the page says who they are and as what."""
    async with console(tmp_path) as desk:
        browser, seed = await desk.seated("anne", Role.REVIEWER)
        assert "anne" in browser.page.text
        await browser.send("/console/logout")
        assert "/console/logout" == browser.path
        shut = await browser.client.get("/console")
        assert (303, "/console/login") == (shut.status_code, shut.headers["location"])
        await browser.open("/console")
        await desk.forget_codes()
        await browser.send(
            "/console/login", address="Anne", passphrase=PASSPHRASE, code=desk.place.code(seed)
        )
        assert "/console" == browser.path, browser.page.text
        await desk.place.chu.rooms.notes.write()
        entered = [e.event async for e in _journal(desk.place.chu.rooms.journal)]
    assert "operator.opened" in entered
    assert "operator.entered" in entered


async def _journal(journal):  # type: ignore[no-untyped-def]
    for entry in await journal.page(0):
        yield entry
