"""*Settings*: what is in force, who operates, and what it takes to change that."""

from pathlib import Path

from gateway.accounts.operators import Role
from tests.gateway.console.chromium import seen
from tests.gateway.console.desk import Operators, console
from tests.gateway.web.account.browser import PASSPHRASE

OPERATORS = "/console/settings/operators"
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


async def test_what_is_set_and_by_whom(desk: Operators) -> None:
    """What the file says; everything, if asked; one key, if looked for; nothing is nothing."""
    browser, _ = await desk.seated()
    page = await browser.open("/console/settings", headers={"Accept-Language": "en"})
    assert "mx.chu.example" in page.text
    assert "append_limit" not in page.text
    page = await browser.open("/console/settings?all=1", headers={"Accept-Language": "en"})
    assert "append_limit" in page.text
    page = await browser.open("/console/settings?all=1&q=append", headers={"Accept-Language": "en"})
    assert "append_limit" in page.text
    assert "lockout" not in page.text
    page = await browser.open(
        "/console/settings", params={"q": '"><script>x'}, headers={"Accept-Language": "en"}
    )
    assert "No key matches." in page.text
    assert "<script>x" not in page.text


async def test_an_operator_is_invited_changed_and_let_go(desk: Operators) -> None:
    """The code is shown once; a role counts at once; the last administrator stays."""
    browser, _ = await desk.seated()
    await browser.open(OPERATORS, headers={"Accept-Language": "en"})
    made = await browser.send(f"{OPERATORS}/invite", 1, name="paul", role="viewer")
    code = made.text.partition('class="secret">')[2].partition("<")[0]
    paul = desk.browser()
    await paul.open(f"/console/invitation?code={code}")
    await paul.send("/console/invitation")
    await paul.send(
        "/console/invitation/choose",
        1,
        passphrase=PASSPHRASE,
        again=PASSPHRASE,
        code=desk.place.code(paul.seed),
    )
    assert "/console" == paul.path, paul.page.text
    await browser.open(OPERATORS)
    await browser.send(f"{OPERATORS}/role", 1, name="paul", role="reviewer")
    assert "role=status" in browser.page.text.replace('"', "")
    await browser.send(f"{OPERATORS}/suspend", 1, name="paul")
    assert 303 == (await paul.client.get("/console")).status_code
    again = await browser.send(f"{OPERATORS}/invite", 0, name="anne")
    assert "second exploitant" in again.text or "second operator" in again.text
    unknown = await browser.send(f"{OPERATORS}/invite", 0, name="Anne !")
    assert 409 == unknown.status_code
    refused = await browser.send(f"{OPERATORS}/suspend", 0, name="anne")
    assert 409 == refused.status_code
    assert "le dernier administrateur" in refused.text
    told = await desk.journal()
    assert {"operator:anne"} == {actor for actor, _ in told["operation.operator.suspend"]}


async def test_it_asks_for_the_second_factor_again(desk: Operators) -> None:
    """Once it is old; then it goes on where it was, and the session has another name."""
    browser, seed = await desk.seated()
    await browser.open(OPERATORS)
    desk.place.chu.gateway._webs.console.visitors._fresh *= 0
    await browser.send(f"{OPERATORS}/invite", 1, name="paul", role="viewer")
    assert "/console/confirm" == browser.path
    assert desk.place.chu.rooms.operators.find("paul") is None
    before = browser.client.cookies["__Host-sceau-console"]
    await desk.forget_codes()
    await browser.send("/console/confirm", code=desk.place.code(seed))
    assert OPERATORS == browser.path
    assert before != browser.client.cookies["__Host-sceau-console"]


async def test_a_passkey_opens_the_console(tmp_path: Path) -> None:
    """Made by somebody who is in; then it alone opens. And the pages shut nobody out."""
    async with console(tmp_path) as desk:
        browser, _ = await desk.seated()
        await desk.invited("paul", Role.REVIEWER)
        async with seen(desk, browser) as look:
            await look.page("/console/settings", "settings")
            await look.page(OPERATORS, "operators")
            async with look.window() as page:
                devtools = await page.context.new_cdp_session(page)
                await devtools.send("WebAuthn.enable")
                how = {"options": _AUTHENTICATOR}
                await devtools.send("WebAuthn.addVirtualAuthenticator", how)
                await page.goto("/console/factors/passkey")
                await page.fill("#label", "Portable")
                await page.click("form[data-passkey] button")
                await page.wait_for_url("**/console/factors?done")
                await page.click("header form button.quiet")
                await look.looked_at(page, "login-desk")
                await page.click("form[data-passkey] button")
                await page.wait_for_url("**/console")
                assert "anne" in await page.inner_text("header")
        assert [] == look.complaints
        told = await desk.journal()
    assert {"operator.passkey", "operator.entered"} <= told.keys()
