"""A scene: a doctor looks after their own mailbox, by a browser: an invitation, a device, the end of it."""

import imaplib
import re
import secrets

import httpx
from rich.console import Console

from gateway.demo.desks import enrolled, found
from gateway.demo.sites import DemoError
from gateway.demo.stage import Stage

_PATIENCE = 20.0
_PAGE, _NEW, _REVOKE = "/account/invitation", "/account/devices/new", "/account/devices/revoke"
_PASSWORD = re.compile(r'id="device-password">([^<]+)<')
_CREDENTIAL = re.compile(r'name="credential" value="([^"]+)"')


def own(stage: Stage, screen: Console) -> None:
    """A new doctor comes in by an invitation, gives a telephone its password, and ends it when lost."""
    screen.rule("A doctor looks after their own mailbox")
    who, site = f"dr.lambert@{stage.hopital.domain}", stage.hopital
    site.sceau("mailbox", "add", who, "--kind", "PER", "--name", "Dr Lambert")
    invited = site.sceau("mailbox", "invite", who)
    screen.print(f"  $ sceau mailbox invite {who}", markup=False)
    screen.print(f"    {invited['link']}", markup=False)
    url = next(each["web"] for each in stage.description["sites"] if each["name"] == site.name)
    with httpx.Client(base_url=url, verify=stage.context(), timeout=_PATIENCE) as browser:
        enrolled(browser, _PAGE, invited["code"], f"au cabinet {secrets.token_urlsafe(9)}")
        screen.print("  a passphrase and an app of codes are chosen: she is in")
        fields = {"ticket": found(_ticket(_NEW), browser.get(_NEW)), "label": "téléphone"}
        made = browser.post(_NEW, data=fields | {"scope": "read", "days": "30"})
        password = found(_PASSWORD, made)
        screen.print("  her telephone has a password of its own: for reading alone, for 30 days")
        screen.print(f"    it opens the mailbox: {_opens(stage, who, password)}")
        devices = browser.get("/account/devices")
        lost = {
            "ticket": found(_ticket(_REVOKE), devices),
            "credential": found(_CREDENTIAL, devices),
        }
        browser.post(_REVOKE, data=lost)
        screen.print("  the telephone is lost, and its password revoked")
        again = _opens(stage, who, password)
        screen.print(f"    it opens the mailbox: {again}")
    if again != "no":
        raise DemoError("a revoked password opened a mailbox")


def _ticket(action: str) -> re.Pattern[str]:
    return re.compile(
        rf'action="{action}"[^>]*>\s*<input type="hidden" name="ticket" value="([^"]+)"'
    )


def _opens(stage: Stage, who: str, password: str) -> str:
    port = stage.hopital.ports["imap"]
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=stage.context(), timeout=20) as mailbox:
        try:
            mailbox.login(who, password)
        except imaplib.IMAP4.error:
            return "no"
        mailbox.select("INBOX", readonly=True)
        return "yes"
