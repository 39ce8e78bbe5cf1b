"""Chromium itself, with scripts switched off: a phone's width, every page, a letter sent with a file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import BrowserContext, FilePayload, async_playwright

from tests.gateway.web.reading.desk import INES, Reader, letter, mixed, reading

_WIDTH = "document.documentElement.scrollWidth"


@asynccontextmanager
async def _phone(me: Reader, *, scripts: bool = False) -> AsyncIterator[BrowserContext]:
    base = f"https://127.0.0.1:{me.place.port}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium")
        phone = await browser.new_context(
            base_url=base,
            viewport={"width": 360, "height": 740},
            ignore_https_errors=True,
            java_script_enabled=scripts,
            locale="fr-FR",
        )
        for cookie in me.browser.client.cookies.jar:
            await phone.add_cookies(
                [{"name": cookie.name, "value": cookie.value or "", "url": base}]
            )
        yield phone
        await browser.close()


async def test_a_letter_is_sent_from_a_telephone(tmp_path: Path) -> None:
    """Typed, refused beside its recipient, mended, sent with its file; nothing overflows."""
    async with reading(tmp_path) as me, _phone(me) as phone:
        page = await phone.new_page()
        page.set_default_timeout(10_000)
        await page.goto("/read/write")
        await page.fill("#to", f"{INES}, x@webmail.example")
        await page.fill("#subject", "Depuis le téléphone")
        await page.fill("#text", "Bonjour,\nvoici la photo.")
        photo: FilePayload = {
            "name": "photo.jpg",
            "mimeType": "image/jpeg",
            "buffer": b"\xff\xd8" * 50_000,
        }
        await page.set_input_files("#files", [photo])
        await page.click("button.primary")
        objection = await page.inner_text(".objection")
        await page.fill("#to", INES)
        await page.press("#subject", "Enter")  # saves, and sends nothing
        saved = await page.inner_text(".notice:has-text('brouillon')")
        await page.click("button.primary")
        # Of the page that comes: the one that goes has a notice too, and a link to the file.
        said = await page.inner_text(".notice:has-text('est parti')")
        # By its link: a click now and then has Chromium call off a download it never asked for.
        file = await page.request.get(await page.get_attribute(".files a", "href") or "")
        kept, how = await file.body(), file.headers["content-disposition"]
        sent, drafts = me.flags("Sent"), me.flags("Drafts")
    assert objection.startswith("x@webmail.example")
    assert "brouillon" in saved
    assert said.startswith("Le message est parti")
    assert (b"\xff\xd8" * 50_000, "attachment") == (kept, how.partition(";")[0])
    assert (1, 0) == (len(sent), len(drafts))


async def test_no_page_overflows_or_runs_a_script(tmp_path: Path) -> None:
    """At 360 pixels nothing is wider than the screen; scripts on, none of a message's runs."""
    evil = (
        "Content-Type: text/html",
        b"<script>document.title='canari'</script><p>un texte</p><img src=x onerror=alert(1)>"
        b"<table width=2000><tr><td>" + b"mot" * 300 + b"</td></tr></table>",
    )
    async with reading(tmp_path) as me, _phone(me, scripts=True) as phone:
        path = await me.receive(mixed(evil, (f'Content-Type: a/b; name="{"n" * 200}.pdf"', b"x")))
        await me.receive(letter("S" * 300, From=f'"{"N" * 200}" <{"a" * 60}@chu.example>'))
        page = await phone.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        widths = {}
        for where in ("/read", path, f"{path}?html", f"{path}/reply", "/read/write", "/read/1"):
            await page.goto(where)
            widths[where] = await page.evaluate(_WIDTH)
            assert "canari" not in await page.title()
    assert {360} == set(widths.values()), widths
    assert all(url.startswith("https://127.0.0.1") for url in asked)
