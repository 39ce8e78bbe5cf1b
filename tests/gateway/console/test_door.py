"""Coming in to the console: by whom, by what, for how long."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from gateway.accounts.operators import Role
from gateway.console.frame import Frame
from gateway.console.roles import may
from tests.gateway.console.desk import SESSION, Operators, console
from tests.gateway.web.account.browser import DR, PASSPHRASE, Browser

LIVE = [f"/console/{page}/live" for page in ("today", "spool", "quarantine")]
ENDED = "event: ended\ndata: \n\n"


async def attempt(browser: Browser, name: str, **fields: str) -> httpx.Response:
    """Try to log in."""
    await browser.open("/console/login")
    told = {"address": name, "passphrase": PASSPHRASE, "code": "123456"} | fields
    return await browser.send("/console/login", 0, **told)


def body(page: httpx.Response) -> str:
    """Return a page without what differs at every look."""
    lines = page.text.splitlines()
    return "\n".join(line for line in lines if "ticket" not in line and "data-options" not in line)


async def test_an_operator_comes_in_by_passphrase_and_code(tmp_path: Path) -> None:
    """Invited first; then with what they chose; both are in the journal."""
    async with console(tmp_path) as desk:
        browser, seed = await desk.seated("anne", Role.REVIEWER)
        assert "anne" in browser.page.text
        await browser.send("/console/logout")
        assert "/console/logout" == browser.path
        shut = await browser.client.get("/console")
        assert (303, "/console/login") == (shut.status_code, shut.headers["location"])
        await desk.forget_codes()
        await attempt(browser, " Anne ", code=desk.place.code(seed))
        assert "/console" == browser.path, browser.page.text
        told = await desk.journal()
    assert {"operator.opened", "operator.entered", "operation.operator.invite"} <= told.keys()
    assert {"operator:anne"} == {actor for actor, _ in told["operator.opened"]}


async def test_every_failure_says_the_same_and_too_many_lock(tmp_path: Path) -> None:
    """Nobody learns who is an operator; what was typed as a name is not kept; then right ones wait."""
    async with console(tmp_path) as desk:
        _, seed = await desk.seated()
        await desk.forget_codes()
        browser = desk.browser()
        pages = [
            await attempt(browser, "anne", passphrase="une autre phrase"),
            await attempt(browser, "anne", code="000000"),
            await attempt(browser, "personne"),
            await attempt(browser, "ma phrase secrète au mauvais endroit"),
        ]
        for _ in range(5):
            await attempt(browser, "anne", passphrase="une autre phrase")
        locked = await attempt(browser, "anne", code=desk.place.code(seed))
        told = await desk.journal()
    assert {403} == {page.status_code for page in pages}
    assert 1 == len(
        {body(page).replace(name, "") for page, name in zip(pages, _NAMES, strict=True)}
    )
    assert 429 == locked.status_code
    assert {"operator.refused", "operator.locked", "operator.guessed"} <= told.keys()
    assert "secrète" not in str(told)


_NAMES = ("anne", "anne", "personne", "ma phrase secrète au mauvais endroit")


async def test_a_session_is_never_given_beforehand(tmp_path: Path) -> None:
    """A name that somebody planted opens nothing, and is not the one after log-in."""
    async with console(tmp_path) as desk:
        _, seed = await desk.seated()
        await desk.forget_codes()
        browser = desk.browser()
        browser.client.cookies.set(SESSION, "planted" * 7, domain="127.0.0.1", path="/")
        page = await attempt(browser, "anne", code=desk.place.code(seed))
        cookie = page.history[0].headers["set-cookie"]
    assert "/console" == browser.path
    assert "planted" not in cookie
    for word in (SESSION, "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word.lower() in cookie.lower()
    assert "domain" not in cookie.lower()


async def test_a_persons_session_opens_no_console(tmp_path: Path) -> None:
    """Nor the other way about: whatever the cookie is called."""
    async with console(tmp_path) as desk:
        person, _ = await desk.place.person(DR)
        anne, _ = await desk.seated()
        theirs, hers = person.client.cookies["__Host-sceau"], anne.client.cookies[SESSION]
        stranger = desk.browser()
        stranger.client.cookies.set(SESSION, theirs, domain="127.0.0.1", path="/")
        console_ = await stranger.client.get("/console")
        clerk = desk.place.browser()
        clerk.client.cookies.set("__Host-sceau", hers, domain="127.0.0.1", path="/")
        account = await clerk.client.get("/account")
    assert ["/console/login", "/account/login"] == [
        page.headers["location"] for page in (console_, account)
    ]


@pytest.mark.parametrize(
    "further",
    [
        "//evil.example",
        "https://evil.example/console",
        "/\\evil.example",
        "/console/../account",
        "/account",
        "javascript:alert(1)",
        "/console//evil",
        "/console\r\nX: y",
    ],
)
async def test_nobody_is_sent_elsewhere(desk: Operators, further: str) -> None:
    """After log-in one is at a page of the console, whatever the link said."""
    browser = desk.browser()
    await browser.open("/console/login", params={"next": further})
    assert "/console" == browser.form("/console/login")["next"]
    sent = await browser.client.post(
        "/console/login", data=browser.form("/console/login") | {"next": further}
    )
    assert f'value="{further}"' not in sent.text


async def test_another_pages_form_is_refused(tmp_path: Path) -> None:
    """Without its ticket, with another's, or from elsewhere: 403, and nothing is done."""
    async with console(tmp_path) as desk:
        anne, _ = await desk.seated()
        paul, _ = await desk.seated("paul", Role.VIEWER)
        where = "/console/settings/operators/suspend"
        await anne.open("/console/settings/operators")
        own = anne.form(where)
        foreign = {"ticket": paul.form("/console/logout")["ticket"]}
        logout = {"ticket": anne.form("/console/logout")["ticket"]}
        asked = {"name": "paul"}
        answers = [
            await anne.client.post(where, data=asked | ticket, headers=headers)
            for ticket, headers in (
                ({}, {}),
                (logout, {}),
                (foreign, {}),
                (own, {"Origin": "https://evil.example"}),
                (own, {"Sec-Fetch-Site": "cross-site"}),
                (own, {"Content-Type": "text/plain"}),
            )
        ]
        paul_ = desk.place.chu.rooms.operators.find("paul")
    assert {403} == {answer.status_code for answer in answers}
    assert paul_ is not None
    assert paul_.active


async def test_a_session_ends(tmp_path: Path) -> None:
    """When nothing is done, whatever a page that stands open asks; and when the operator is let go."""
    async with console(tmp_path) as desk:
        browser, _ = await desk.seated()
        paul, _ = await desk.seated("paul", Role.REVIEWER)
        assert 200 == (await paul.open("/console")).status_code
        await desk.place.chu.ask("operator.suspend", name="paul")
        gone = await paul.client.get("/console")
        sessions = desk.place.chu.gateway._webs.console.visitors.sessions
        before = next(iter(sessions._open.values())).seen
        for live in LIVE:
            async with browser.client.stream("GET", live) as stream:
                assert "event: draw" in await anext(stream.aiter_lines())
        after = next(iter(sessions._open.values())).seen
        sessions._idle *= 0
        late = await browser.client.get("/console")
        resumed = [await browser.client.get(live) for live in LIVE]
    assert before == after
    assert [ENDED] * len(LIVE) == [stream.text for stream in resumed]
    assert ["/console/login"] * 2 == [page.headers["location"] for page in (gone, late)]


async def test_what_is_live_says_that_it_lives_and_ends_with_the_gateway(
    desk: Operators, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence would look like a broken line; and nobody waits for a screen that stands open."""
    browser, _ = await desk.seated()
    frame = desk.place.chu.gateway._webs.console.frame
    monkeypatch.setattr("gateway.console.frame._QUIET", 0)
    monkeypatch.setattr(Frame, "_pause", lambda _self, _seconds: asyncio.sleep(0))
    async with browser.client.stream("GET", "/console/today/live") as live:
        lines = live.aiter_lines()
        while await anext(lines) != ": still here":
            pass
        frame.close()
        assert "event: ended" in [line async for line in lines]


async def test_a_role_is_looked_up_at_every_request(tmp_path: Path) -> None:
    """Who may not sees a page that says so, in the journal too; who was promoted may at once."""
    async with console(tmp_path) as desk:
        browser, _ = await desk.seated("paul", Role.VIEWER)
        refused = await browser.open("/console/settings")
        assert 'href="/console/settings"' not in refused.text
        await desk.place.chu.ask("operator.role", name="paul", role="administrator")
        allowed = await browser.open("/console/settings")
        told = await desk.journal()
    assert [403, 200] == [refused.status_code, allowed.status_code]
    assert "operator.forbidden" in told


async def test_a_certificate_opens_the_console_where_it_is_shown(tmp_path: Path) -> None:
    """Of whom it is named for, on its own listener; the session is worth nothing without it."""
    async with console(tmp_path, "\n[listen.console_certificate]\nport = 0\n") as desk:
        issued = desk.place.authority.issue("anne")
        browser = desk.shows(issued, tmp_path)
        await browser.open("/console/login")
        unknown = await browser.client.post(
            "/console/certificate", data=browser.form("/console/certificate")
        )
        await desk.invited("anne", Role.ADMINISTRATOR)
        await desk.certificate("anne", issued)
        await browser.open("/console/login")
        await browser.send("/console/certificate")
        assert "/console" == browser.path, browser.page.text
        assert 200 == (await browser.open("/console/settings")).status_code
        without = desk.browser()
        without.client.cookies = browser.client.cookies
        elsewhere = await without.client.get("/console")
        assert 200 == (await browser.open("/console")).status_code
        await desk.certificate("anne", issued, remove=True)
        ended = await browser.client.get("/console")
    assert 403 == unknown.status_code
    assert ["/console/login"] * 2 == [page.headers["location"] for page in (elsewhere, ended)]


_OPEN = {"/", "/console/login", "/console/invitation"}


async def test_every_page_asks_who_comes(desk: Operators) -> None:
    """Strangers are sent to the log-in, a stream ends for them; no form is taken without its ticket."""
    viewer, _ = await desk.seated("vera", Role.VIEWER)
    stranger = desk.browser()
    for route in desk.place.chu.gateway._webs.console.routes():
        assert isinstance(route, Route)
        path = re.sub(r"\{[^}]+\}", "X7F3K9", route.path)
        if path.rpartition(".")[2] in {"css", "js", "svg"}:
            continue
        if "POST" in (route.methods or ()):
            mine = await viewer.client.post(path, data={"ticket": "x"})
            theirs = await stranger.client.post(path, data={"ticket": "x"})
            assert 403 == mine.status_code, path
            assert theirs.status_code == 403 or "/console/login" == theirs.headers["location"], path
        elif path in LIVE:
            assert ENDED == (await stranger.client.get(path)).text, path
        elif path not in _OPEN:
            gone = await stranger.client.get(path)
            assert 303 == gone.status_code, path
            assert gone.headers["location"].startswith("/console/login"), path


_ANY = {
    **dict.fromkeys(("name", "domain", "what"), "chu.example"),
    **dict.fromkeys(("why", "reason", "note", "text"), "parce qu'il le faut"),
    "address": "a@chu.example",
    "role": "administrator",
}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER, Role.LISTS])
async def test_no_form_does_more_than_a_role_may(desk: Operators, role: Role) -> None:
    """Each is sent with the right ticket: what was asked of the gateway is what the table allows."""
    browser, _ = await desk.seated("x", role)
    mailbox = (await desk.place.chu.ask("mailbox.add", address=DR))["key"]
    visitors, now = desk.place.chu.gateway._webs.console.visitors, desk.place.chu.rooms.clock()
    session = visitors.sessions.of(browser.client.cookies[SESSION], now)
    assert session is not None
    for route in desk.place.chu.gateway._webs.console.routes():
        assert isinstance(route, Route)
        path = re.sub(r"\{[^}]+\}", mailbox, route.path)
        if "POST" in (route.methods or ()) and "/factors" not in path and "/log" not in path:
            ticket = visitors.tickets.issue(session.key, path, now)
            answer = await browser.client.post(path, data={**_ANY, "ticket": ticket})
            assert answer.status_code < 500, path
    told = await desk.journal()
    asked = {
        event.removeprefix("operation.")
        for event, entries in told.items()
        if event.startswith("operation.") and "operator:x" in {actor for actor, _ in entries}
    }
    assert set() == {verb for verb in asked if not may(role, verb)}
    assert "operator.forbidden" in told


async def test_what_is_not_there_is_said_on_a_page(desk: Operators) -> None:
    """In the reader's language, with strict headers, and no word of the request."""
    browser = desk.browser()
    lost = await browser.client.get("/console/<script>", headers={"Accept-Language": "en"})
    wrong = await browser.client.post("/console/login/", headers={"Accept-Language": "en"})
    anne, _ = await desk.seated()
    assert 'href="/console/spool"' in (await anne.open("/console/nowhere")).text
    assert [404, 404] == [lost.status_code, wrong.status_code]
    assert "text/html" in lost.headers["content-type"]
    assert "nothing at this address" in lost.text
    assert "script>" not in lost.text.replace("</script>", "")
    assert "default-src 'none'" in lost.headers["content-security-policy"]
    assert "script-src" not in lost.headers["content-security-policy"]
