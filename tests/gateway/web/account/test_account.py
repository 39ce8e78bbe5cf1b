"""A clinician looks after their own mailbox by a browser without a script."""

import asyncio
import imaplib
import ssl
from pathlib import Path

import httpx
import pytest

from gateway.operations.perform import perform
from smtp.address import parse
from tests.gateway.web.account.browser import DR, PASSPHRASE, Browser, Place, placed
from tests.world.running import until

INES, TEAM = "ines@chu.example", "cardiologie@chu.example"
PAGES = (
    *("", "/devices", "/factors", "/activity", "/absence", "/sharing"),
    *("/devices/new", "/factors/app", "/factors/passkey", "/factors/passphrase"),
)


async def test_every_page_opens_in_both_languages(tmp_path: Path) -> None:
    """As the browser wishes, or as chosen, which is remembered; no page is kept or framed."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        for path in PAGES:
            page = await browser.open(f"/account{path}", headers={"Accept-Language": "en"})
            assert (200, f"/account{path}") == (page.status_code, browser.path)
            assert "no-store" == page.headers["cache-control"]
            assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
            assert ("script-src" in page.headers["content-security-policy"]) == (
                "<script" in page.text
            )
            assert 'lang="en"' in page.text
        await browser.open("/account/devices?lang=fr")
        french = await browser.open("/account/devices", headers={"Accept-Language": "en"})
    assert "Ajouter un appareil" in french.text


async def test_a_first_visit_is_told_of(tmp_path: Path) -> None:
    """In the journal and by mail to the owner; the invitation is used up."""
    async with placed(tmp_path) as place:
        code = await place.invited()
        browser = place.browser()
        await browser.open(f"/account/invitation?code={code}")
        await browser.send("/account/invitation")
        seed, answers = browser.seed, {"passphrase": PASSPHRASE, "again": PASSPHRASE}
        for wrong in (
            {"passphrase": "court", "again": "court"},
            {"passphrase": "dr@chu.example", "again": "dr@chu.example"},
            {"again": "autre chose que cela"},
            {"code": "000 000 000"},
        ):
            fields = answers | {"code": place.code(seed)} | wrong
            page = await browser.send("/account/invitation/choose", 1, **fields)
            assert 403 == page.status_code
            assert 'role="alert"' in page.text
            assert seed == browser.seed  # the picture stays what the person has in the app
        await browser.send("/account/invitation/choose", 1, **answers, code=place.code(seed))
        assert "/account" == browser.path
        again = await place.browser().open(f"/account/invitation?code={code}")
        other = place.browser()
        other.page = again
        other.client.cookies = httpx.Cookies(browser.client.cookies)
        await other.open(f"/account/invitation?code={code}")
        refused = await other.send("/account/invitation")
        await until(lambda: _subjects(place), ["Sceau: votre compte / your account"])
        events = await place.journal()
    assert 403 == refused.status_code
    assert {"operation.mailbox.invite", "account.opened"} <= set(events)


async def _subjects(place: Place) -> list[str]:
    return [row["subject"] for row in await place.chu.ask("mailbox.show", address=DR)]


async def test_passphrase_and_code_open_the_account(tmp_path: Path) -> None:
    """Together, and each code once; a page that was wanted is where it leads."""
    async with placed(tmp_path) as place:
        _, seed = await place.person()
        browser = place.browser()
        used = await logged_in(browser, place.code(seed), "/account/devices")
        await place.forget_codes()
        code = place.code(seed)
        right = await logged_in(browser, code, "/account/devices")
        again = await logged_in(place.browser(), code)
        await place.journal()
        lines = await browser.open("/account/activity")
    assert [403, 200, 403] == [page.status_code for page in (used, right, again)]
    assert "/account/devices" == right.url.path
    assert "échouée" in lines.text


async def logged_in(browser: Browser, code: str, where: str = "/account") -> httpx.Response:
    await browser.open(where)
    assert "/account/login" == browser.path
    fields = {"address": DR, "passphrase": PASSPHRASE, "code": code}
    return await browser.send("/account/login", 0, **fields)


async def test_a_device_reads_until_it_is_revoked(tmp_path: Path) -> None:
    """Its password is shown once, is for what was said, and its end ends the connection."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        await browser.open("/account/devices/new")
        form = browser.form("/account/devices/new")
        page = await browser.send("/account/devices/new", label="<b>tél", scope="read", days="30")
        password = page.text.partition('id="device-password">')[2].partition("<")[0]
        sent_again = await browser.client.post("/account/devices/new", data=form)
        box = await asyncio.to_thread(_reading, place, password)
        listed = await browser.open("/account/devices")
        assert password not in listed.text
        assert "&lt;b&gt;tél" in listed.text
        await browser.send("/account/devices/revoke")
        with pytest.raises((imaplib.IMAP4.error, OSError)):
            await asyncio.to_thread(_asked_until_it_ends, box)
        with pytest.raises(imaplib.IMAP4.error):
            await asyncio.to_thread(_reading, place, password)
        still = await browser.open("/account")
    assert 403 == sent_again.status_code
    assert "/account" == still.url.path  # the person's own session goes on


def _reading(place: Place, password: str) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context(cadata=place.authority.anchors_pem.decode())
    context.check_hostname = False
    box = imaplib.IMAP4_SSL("127.0.0.1", place.chu.ports["imap"], ssl_context=context, timeout=5)
    try:
        box.login(DR, password)
    except imaplib.IMAP4.error:
        box.shutdown()
        raise
    return box


def _asked_until_it_ends(box: imaplib.IMAP4_SSL) -> None:
    try:
        while True:
            box.noop()
    finally:
        box.shutdown()


async def test_what_matters_asks_for_a_factor_again(tmp_path: Path) -> None:
    """After five minutes; then the session has another name, and the old one opens nothing."""
    async with placed(tmp_path, "\n[account]\nfresh = 30\n") as place:
        browser, seed = await place.person()
        visitors = place.chu.gateway._webs.account.visitors
        visitors._fresh *= 0
        await browser.open("/account/devices/new")
        assert "/account/confirm" == browser.path
        before = browser.client.cookies["__Host-sceau"]
        wrong = await browser.send("/account/confirm", code="000000")
        await place.forget_codes()
        visitors._fresh += visitors.sessions._idle
        await browser.send("/account/confirm", code=place.code(seed))
        thief = place.browser()
        thief.client.cookies.set("__Host-sceau", before, domain="127.0.0.1", path="/")
        await thief.open("/account")
    assert 403 == wrong.status_code
    assert "/account/devices/new" == browser.path
    assert "/account/login" == thief.path


async def test_factors_are_added_changed_and_removed(tmp_path: Path) -> None:
    """The last second factor stays; a removed one ends the sessions that came in by it."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        await browser.open("/account/factors")
        last = await browser.send("/account/factors/remove")
        await browser.open("/account/factors/app")
        await browser.send("/account/factors/app", code="000000", label="autre")
        seed = browser.seed
        await browser.send("/account/factors/app", code=place.code(seed), label="autre")
        await browser.open("/account/factors/passphrase")
        fields = {"passphrase": "une autre phrase à moi", "again": "une autre phrase à moi"}
        await browser.send("/account/factors/passphrase", 0, **fields)
        assert "/account/factors" == browser.path
        await browser.send("/account/factors/remove", 0)
        page = await browser.open("/account")
        kinds = [row["kind"] for row in await place.chu.ask("mailbox.factors", address=DR)]
        events = await place.journal()
    assert 409 == last.status_code
    assert "/account/login" == page.url.path
    assert {"totp", "passphrase"} == set(kinds)
    assert {"account.app", "account.passphrase", "account.removed"} <= set(events)


async def test_a_lost_factor_takes_two_operators(tmp_path: Path) -> None:
    """And ends what was there, sessions included."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        rooms = place.chu.gateway.rooms
        first = await place.chu.ask("mailbox.invite", address=DR)
        same = await place.chu.ask("mailbox.invite", address=DR)
        second = await perform(rooms, "operator:zoé", "mailbox.invite", {"address": DR})
        assert isinstance(second, dict)
        assert (await browser.open("/account")).url.path == "/account"
        other = place.browser()
        await other.open(f"/account/invitation?code={second['code']}")
        await other.send("/account/invitation")
        words = {"passphrase": PASSPHRASE, "again": PASSPHRASE, "code": place.code(other.seed)}
        await other.send("/account/invitation/choose", 1, **words)
        old = await browser.open("/account")
    assert [("waiting", None)] * 2 == [(each["status"], each["code"]) for each in (first, same)]
    assert "/account" == other.path
    assert "/account/login" == old.url.path


async def test_who_opened_the_mailbox_is_shown(tmp_path: Path) -> None:
    """An operator who looks in is seen by the owner."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        await place.chu.ask("mailbox.show", address=DR)
        page = await browser.open("/account/activity")
    assert "administrateur test" in page.text
    assert "a vu la liste des messages" in page.text


async def test_absence_is_set_and_ended(tmp_path: Path) -> None:
    """A day to a day; an end before the beginning is told, not stored."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        await browser.open("/account/absence")
        empty = await browser.send("/account/absence", text=" ")
        dates = {"since": "2030-01-10", "until": "2030-01-02"}
        wrong = await browser.send("/account/absence", 0, text="Absent", **dates)
        await browser.send("/account/absence", text="De retour <bientôt>", until="2030-01-02")
        set_ = await place.chu.ask("mailbox.absence", address=DR)
        page = browser.page.text
        await browser.send("/account/absence", 0)
        ended = await place.chu.ask("mailbox.absence", address=DR)
    assert [400, 400] == [empty.status_code, wrong.status_code]
    assert (True, "2030-01-03T00:00:00.000Z") == (set_["away"], set_["until"])
    assert "De retour &lt;bientôt&gt;" in page
    assert not ended["away"]


async def test_sharing_is_for_those_who_may_say(tmp_path: Path) -> None:
    """One's own, and where one has the right; a member sees who has rights and changes nothing."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        for address in (INES, TEAM):
            await place.chu.ask("mailbox.add", address=address)
        await place.chu.ask("mailbox.share", address=TEAM, person=DR, rights="member")
        await place.chu.ask("mailbox.share", address=TEAM, person=INES, rights="reader")
        page = await browser.open("/account/sharing")
        assert INES in page.text
        team = place.chu.rooms.accounts.find(parse(TEAM))
        assert team is not None
        fields = {"mailbox": team.key, "person": INES, "rights": "member"}
        denied = await browser.send("/account/sharing", 0, **fields)
        await browser.open("/account/sharing")
        fields = {"person": "personne@chu.example", "rights": "member"}
        unknown = await browser.send("/account/sharing", 0, **fields)
        await browser.open("/account/sharing")
        odd = await browser.send("/account/sharing", 0, person=INES, rights="lrswipkxtea")
        await browser.open("/account/sharing")
        await browser.send("/account/sharing", 0, person=INES, rights="reader")
        shared = await place.chu.ask("mailbox.people", address=DR)
        await browser.send("/account/sharing/end", 0)
        ended = await place.chu.ask("mailbox.people", address=DR)
    assert [403, 400, 400] == [page.status_code for page in (denied, unknown, odd)]
    assert [(INES, "lr")] == [(row["address"], row["rights"]) for row in shared["used_by"]]
    assert [] == ended["used_by"]
