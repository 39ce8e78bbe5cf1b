"""A real browser, with an authenticator of its own: passkeys, and a device that then reads mail."""

import imaplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.interop.conftest import QUICK
from tests.interop.mail import eventually
from tests.interop.site import Federation, Site, now

CHROMIUM = "/usr/bin/chromium"
HOST = "mx.chu-nord.example"
PASSPHRASE = "quatre mots bien à moi"
_PATIENCE = 20_000.0
# Fill the form in with what was sent before, and send it past its script.
_SEND = """(fields) => {
    const form = document.querySelector("form[data-passkey]");
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    form.submit();
}"""
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True, slots=True)
class Desk:
    """A hospital's gateway, and a browser before it."""

    site: Site
    context: BrowserContext
    page: Page
    complaints: list[str]

    @property
    def base(self) -> str:
        return f"https://{HOST}:{self.site.ports['web']}"

    def person(self, local: str) -> str:
        """Make a mailbox, open its account by an invitation; return the seed of its codes."""
        address = f"{local}@chu-nord.example"
        self.site.sceau("mailbox", "add", address)
        code = self.site.sceau("mailbox", "invite", address)["code"]
        page = self.page
        page.goto(f"{self.base}/account/invitation?code={code}")
        page.click("button.primary")
        seed = page.inner_text("code.seed").replace(" ", "")
        page.fill("#passphrase", PASSPHRASE)
        page.fill("#again", PASSPHRASE)
        page.fill("#code", pyotp.TOTP(seed).at(now()))
        page.click("button.primary")
        page.wait_for_url(f"{self.base}/account")
        return seed

    def leave(self) -> None:
        """Log out."""
        self.page.goto(f"{self.base}/account")
        self.page.click("header button.quiet")
        self.page.wait_for_selector(".said")


@pytest.fixture(scope="module")
def site(federation: Federation) -> Iterator[Site]:
    made = Site(federation, "hopital", "chu-nord.example", QUICK)
    made.found(federation.publish())
    with made:
        yield made


@pytest.fixture
def desk(site: Site) -> Iterator[Desk]:
    """Whatever a page complains of (a policy that it breaks, a script that fails) is an error."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"],
        )
        context = browser.new_context(ignore_https_errors=True, locale="fr-FR")
        context.set_default_timeout(_PATIENCE)
        page, complaints = context.new_page(), list[str]()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda told: complaints.append(told.text) if told.type == "error" else None,
        )
        devtools = context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
        yield Desk(site, context, page, complaints)
        browser.close()


def test_a_passkey_opens_the_account_and_a_device_reads(desk: Desk) -> None:
    """Made after the first log-in, it alone opens the next; the device's password opens IMAP."""
    desk.person("dr.durand")
    page, base = desk.page, desk.base
    page.goto(f"{base}/account/factors/passkey")
    page.fill("#label", "Portable")
    page.click("form[data-passkey] button")
    page.wait_for_url(f"{base}/account/factors?done")
    assert "Portable" in page.inner_text("main")
    desk.leave()
    page.click("form[data-passkey] button")
    page.wait_for_url(f"{base}/account")
    page.goto(f"{base}/account/devices/new")
    page.fill("#label", "Téléphone")
    page.click("main button.primary")
    password = page.inner_text("#device-password")
    with _imap(desk.site) as box:
        box.login("dr.durand@chu-nord.example", password)
        assert "OK" == box.select("INBOX")[0]

    def activity() -> str:
        page.goto(f"{base}/account/activity")
        return str(page.inner_text("main"))

    # What happened is written down a moment later, together with its neighbours.
    assert "lecture (IMAP)" in eventually(activity, lambda shown: "lecture (IMAP)" in shown)
    assert [] == desk.complaints


def _imap(site: Site) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context(cafile=str(site.federation.anchors))
    context.check_hostname = False
    return imaplib.IMAP4_SSL("127.0.0.1", site.ports["imap"], ssl_context=context)


def test_a_passkey_can_be_the_first_factor(desk: Desk) -> None:
    """Without a passphrase or a code; and it confirms what matters later."""
    address, page, base = "dr.roy@chu-nord.example", desk.page, desk.base
    desk.site.sceau("mailbox", "add", address)
    code = desk.site.sceau("mailbox", "invite", address)["code"]
    page.goto(f"{base}/account/invitation?code={code}")
    page.click("button.primary")
    page.click("form[data-passkey] button")
    page.wait_for_url(f"{base}/account")
    page.goto(f"{base}/account/confirm?next=/account/devices")
    page.click("form[data-passkey] button")
    page.wait_for_url(f"{base}/account/devices")
    kinds = [row["kind"] for row in desk.site.sceau("mailbox", "factors", address)]
    assert ["passkey"] == kinds
    assert [] == desk.complaints


def test_what_was_signed_once_is_not_signed_twice(desk: Desk) -> None:
    """The same answer, sent again from the same browser, opens nothing."""
    address, page, base = "dr.petit@chu-nord.example", desk.page, desk.base
    desk.site.sceau("mailbox", "add", address)
    code = desk.site.sceau("mailbox", "invite", address)["code"]
    page.goto(f"{base}/account/invitation?code={code}")
    page.click("button.primary")
    page.click("form[data-passkey] button")
    page.wait_for_url(f"{base}/account")
    desk.leave()
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.click("form[data-passkey] button")
    page.wait_for_url(f"{base}/account")
    body = dict(parse_qsl(sent.value.post_data or ""))
    assert body["answer"]
    desk.leave()
    page.goto(f"{base}/account/login")
    with page.expect_response(lambda answer: answer.request.method == "POST") as again:
        page.evaluate(_SEND, body)
    assert 403 == again.value.status


def test_the_pages_fit_a_telephone(desk: Desk) -> None:
    """Nothing is wider than the screen, at any size, in any language."""
    desk.person("dr.moreau")
    page = desk.page
    for width in (320, 390, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("", "/devices", "/factors", "/activity", "/absence", "/sharing"):
            for language in ("fr", "en"):
                page.goto(f"{desk.base}/account{path}?lang={language}")
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (path, width, wide)
    assert [] == desk.complaints
