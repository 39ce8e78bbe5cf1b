"""Chromium itself: from the link in a mail to the file, and the refusal."""

from pathlib import Path

from playwright.async_api import async_playwright

from tests.gateway.console.chromium import CHROMIUM, PHONE, barriers
from tests.gateway.web.document.desk import IMAGES, waiting

_WIDTH = "document.documentElement.scrollWidth"


async def test_from_the_link_to_the_file(tmp_path: Path) -> None:
    """The issuer leads back by a cross-site redirect, and the cookies bear it (RFC 6265bis, Lax)."""
    async with waiting(tmp_path) as desk, async_playwright() as playwright:
        base = f"https://127.0.0.1:{desk.place.port}"
        desk.found_at(base)
        desk.connect.host = "localhost"  # another site than ours
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM)
        phone = await chromium.new_context(
            base_url=base,
            viewport=PHONE,
            ignore_https_errors=True,
            locale="fr-FR",
        )
        page = await phone.new_page()
        page.set_default_timeout(15_000)
        await page.goto(desk.path)
        found = await barriers(page)
        await page.click("a.button.wide")
        await page.click("button[value=martin]")
        found += await barriers(page)
        width = await page.evaluate(_WIDTH)
        async with page.expect_download() as download:
            await page.click("a.button >> nth=0")
        kept = (await (await download.value).path()).read_bytes()
        name = (await download.value).suggested_filename
        await page.click("button.quiet")
        left = await page.inner_text("h1")
        await page.goto(desk.path)
        await page.click("a.button.wide")
        await page.click("button[value=stranger]")
        found += await barriers(page)
        refused = await page.inner_text("h1")
        await page.click(".tools a")  # the other language: begun anew, not the spent answer
        anew = await page.inner_text("h1")
        await chromium.close()
    assert [] == found
    assert PHONE["width"] == width
    assert ("irm.zip", IMAGES) == (name, kept)
    assert "Vous êtes déconnecté." == left
    assert "Ce document n'est pas adressé à vous" == refused
    assert "A document waits for you" == anew
