"""What an attacker tries at the account's pages, and does not get."""

from pathlib import Path
from typing import Literal

import httpx
import pytest
from argon2 import PasswordHasher

from smtp.address import parse
from tests.gateway.web.account.browser import DR, PASSPHRASE, Browser, placed
from tests.world.running import written

SESSION, FORM = "__Host-sceau", "__Host-sceau-form"


async def attempt(browser: Browser, address: str, **fields: str) -> httpx.Response:
    await browser.open("/account/login")
    told = {"address": address, "passphrase": "x", "code": "123456"} | fields
    return await browser.send("/account/login", 0, **told)


def body(page: httpx.Response) -> str:
    """Return a page without what differs at every look."""
    lines = page.text.splitlines()
    return "\n".join(line for line in lines if "ticket" not in line and "data-options" not in line)


async def test_a_session_is_never_given_beforehand(tmp_path: Path) -> None:
    """A name that somebody planted in a browser opens nothing, and is not the one after log-in."""
    async with placed(tmp_path) as place:
        _, seed = await place.person()
        await place.forget_codes()
        browser = place.browser()
        browser.client.cookies.set(SESSION, "planted" * 7, domain="127.0.0.1", path="/")
        page = await attempt(browser, DR, passphrase=PASSPHRASE, code=place.code(seed))
        names = {cookie.value for cookie in browser.client.cookies.jar if cookie.name == SESSION}
        cookie = page.history[0].headers["set-cookie"]
    assert "/account" == browser.path
    assert any("planted" not in (name or "") for name in names)
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word.lower() in cookie.lower()
    assert "domain" not in cookie.lower()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_sites_form_is_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    """Even with our ticket: the browser says where it comes from."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        await browser.open("/account/absence")
        form = browser.form("/account/absence") | {"text": "x"}
        answer = await browser.client.post("/account/absence", data=form, headers=headers)
        absence = await place.chu.ask("mailbox.absence", address=DR)
    assert 403 == answer.status_code
    assert absence["text"] is None


async def test_a_ticket_is_for_one_form_and_one_browser(tmp_path: Path) -> None:
    """Without it, with another form's, with another person's, or altered, nothing is done."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        other, _ = await place.person("autre@chu.example")
        await other.open("/account/absence")
        foreign = other.form("/account/absence")["ticket"]
        await browser.open("/account/absence")
        own = browser.form("/account/absence")["ticket"]
        logout = browser.form("/account/logout")["ticket"]
        answers = [
            await browser.client.post("/account/absence", data={"text": "x"} | ticket)
            for ticket in (
                {},
                {"ticket": ""},
                {"ticket": logout},
                {"ticket": foreign},
                {"ticket": own[:-1]},
                {"ticket": "é" + own},
            )
        ]
        absence = await place.chu.ask("mailbox.absence", address=DR)
    assert {403} == {answer.status_code for answer in answers}
    assert absence["text"] is None


async def test_a_login_form_is_the_browsers_own(tmp_path: Path) -> None:
    """Nobody is logged in to somebody else's account by a page elsewhere; none is sent twice."""
    async with placed(tmp_path) as place:
        _, seed = await place.person()
        await place.forget_codes()
        thief, victim = place.browser(), place.browser()
        await thief.open("/account/login")
        await victim.open("/account/login")
        form = thief.form("/account/login")
        told = form | {"address": DR, "passphrase": PASSPHRASE, "code": place.code(seed)}
        planted = await victim.client.post("/account/login", data=told)
        first = await thief.client.post("/account/login", data=told)
        await place.forget_codes()
        again = await thief.client.post("/account/login", data=told)
    assert [403, 303, 403] == [answer.status_code for answer in (planted, first, again)]


class Counting(PasswordHasher):
    """A cheap hasher that counts what it was asked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.asked = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        self.asked += 1
        return super().verify(hash, password)


async def test_addresses_cannot_be_guessed_from_answers(tmp_path: Path) -> None:
    """Nobody, somebody without factors, somebody with: the same page and status, the same work."""
    others = ("sans@chu.example", "inconnu@chu.example", "a@b.example")
    async with placed(tmp_path) as place:
        await place.person()
        await place.chu.ask("mailbox.add", address=others[0])
        place.chu.rooms.factors.hasher = hasher = Counting()
        pages = [(address, await attempt(place.browser(), address)) for address in (DR, *others)]
    assert {403} == {page.status_code for _, page in pages}
    assert 1 == len({body(page).replace(address, "?") for address, page in pages})
    assert 4 == hasher.asked


async def test_guessing_locks_and_is_told(tmp_path: Path) -> None:
    """The right answer waits too; somebody with the passphrase alone is told of by mail, once."""
    async with placed(tmp_path, "\n[limits]\nfailed_logins = 3\n") as place:
        _, seed = await place.person()
        await place.forget_codes()
        browser = place.browser()
        for _ in range(3):
            await attempt(browser, DR, passphrase=PASSPHRASE, code="000000")
        locked = await attempt(browser, DR, passphrase=PASSPHRASE, code=place.code(seed))
        events = await place.journal()
    assert 429 == locked.status_code
    assert 1 == events.count("account.guessed")
    assert "login.throttled" in events


async def test_an_application_password_opens_no_account(tmp_path: Path) -> None:
    """Nor does Basic: the pages know sessions alone."""
    async with placed(tmp_path) as place:
        _, seed = await place.person()
        await place.forget_codes()
        rooms = place.chu.rooms
        mailbox = rooms.accounts.find(parse(DR))
        assert mailbox is not None
        _, password = await rooms.credentials.add_password(mailbox)
        browser = place.browser()
        page = await attempt(browser, DR, passphrase=password, code=place.code(seed))
        basic = await browser.client.get("/account", auth=(DR, password))
    assert 403 == page.status_code
    assert 303 == basic.status_code


@pytest.mark.parametrize("end", ["suspend", "close"])
async def test_a_session_ends_with_its_mailbox(tmp_path: Path, end: str) -> None:
    """At once; and a suspension that was lifted does not bring it back."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        await place.chu.ask(f"mailbox.{end}", address=DR)
        if end == "suspend":
            await place.chu.ask("mailbox.resume", address=DR)
        page = await browser.open("/account")
    assert "/account/login" == page.url.path


async def test_an_idle_session_ends(tmp_path: Path) -> None:
    """And so does one that never rests, in the end."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        sessions = place.chu.gateway._webs.account.visitors.sessions
        sessions._idle *= 0
        page = await browser.open("/account")
    assert "/account/login" == page.url.path


async def test_a_new_passphrase_ends_the_other_sessions(tmp_path: Path) -> None:
    """Whoever knew the old one may be in one of them; who changed it stays."""
    async with placed(tmp_path) as place:
        browser, seed = await place.person()
        await place.forget_codes()
        thief = place.browser()
        await thief.open("/account/login")
        await thief.send("/account/login", address=DR, passphrase=PASSPHRASE, code=place.code(seed))
        assert "/account" == thief.path
        await browser.open("/account/factors/passphrase")
        fields = {"passphrase": "une autre phrase à moi", "again": "une autre phrase à moi"}
        await browser.send("/account/factors/passphrase", 0, **fields)
        own, other = await browser.open("/account"), await thief.open("/account")
    assert "/account" == own.url.path
    assert "/account/login" == other.url.path


async def test_going_is_for_good(tmp_path: Path) -> None:
    """The name opens nothing after log-out, whoever kept it."""
    async with placed(tmp_path) as place:
        browser, _ = await place.person()
        name = browser.client.cookies[SESSION]
        await browser.open("/account")
        gone = await browser.send("/account/logout")
        browser.client.cookies.set(SESSION, name, domain="127.0.0.1", path="/")
        page = await browser.open("/account")
    assert 200 == gone.status_code
    assert "/account/login" == page.url.path


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/account/../x", "/\\evil", "/accountx"]
)
async def test_nobody_is_sent_elsewhere(tmp_path: Path, wanted: str) -> None:
    """After a log-in one stays with us."""
    async with placed(tmp_path) as place:
        browser = place.browser()
        await browser.open("/account/login", params={"next": wanted})
        form = browser.form("/account/login")
    assert "/account" == form["next"]


async def test_a_guessed_invitation_locks(tmp_path: Path) -> None:
    """It counts as a failed log-in from there."""
    async with placed(tmp_path, "\n[limits]\nfailed_logins = 3\n") as place:
        browser, codes = place.browser(), []
        for _ in range(4):
            await browser.open("/account/invitation")
            page = await browser.send("/account/invitation", invitation="aaaa-" * 6)
            codes.append(page.status_code)
    assert [403, 403, 403, 429] == codes


async def test_an_old_invitation_gives_way_to_a_factor(tmp_path: Path) -> None:
    """One made for a first visit ends nothing that was chosen since."""
    async with placed(tmp_path) as place:
        rooms = place.chu.rooms
        await place.person()
        mailbox = rooms.accounts.find(parse(DR))
        assert mailbox is not None
        code, _ = await rooms.invitations.make(mailbox, replaces=False)
        browser = place.browser()
        await browser.open(f"/account/invitation?code={code}")
        await browser.send("/account/invitation")
        words = {"passphrase": PASSPHRASE, "again": PASSPHRASE, "code": place.code(browser.seed)}
        page = await browser.send("/account/invitation/choose", 1, **words)
        kinds = [each.kind.value for each in rooms.factors.of(mailbox)]
    assert 403 == page.status_code
    assert ["passphrase", "totp"] == sorted(kinds)


async def test_nothing_of_it_lies_in_clear(tmp_path: Path) -> None:
    """Neither a seed, nor a passphrase, nor a code of an invitation is in any file or log."""
    async with placed(tmp_path) as place:
        _, seed = await place.person()
        code = await place.invited("autre@chu.example")
        lies = written(place.chu.site.data) + place.chu.log.getvalue().encode()
    for secret in (seed, PASSPHRASE, code, code.replace("-", ""), "argon2id$v"):
        assert secret.encode() not in lies
