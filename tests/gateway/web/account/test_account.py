"""A clinician looks after their own mailbox by a browser without a script."""

from pathlib import Path

from tests.gateway.web.account.browser import DR, PASSPHRASE, placed


async def test_an_invitation_opens_an_account(tmp_path: Path) -> None:
    """Once: a passphrase and an app's code are chosen, the owner has mail, and is in."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        for path in ("", "/devices", "/factors", "/activity", "/absence", "/sharing", "/devices/new", "/factors/app", "/factors/passkey", "/factors/passphrase"):
            page = await browser.open(f"/account{path}")
            assert 200 == page.status_code, page.text
            assert f"/account{path}" == browser.path
            assert "no-store" == page.headers["cache-control"]
