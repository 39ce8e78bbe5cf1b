"""An operator's place at each site's console: invited by command, then seated as a browser would."""

import re
import secrets
import ssl
from typing import Any

import httpx
import pyotp

from gateway.demo.sites import DemoError, Site

NAME = "exploitant"
_PATIENCE = 20.0
_TICKET = re.compile(r'name="ticket" value="([^"]+)"')
_SEED = re.compile(r'class="seed">([A-Z2-7 ]+)<')
_PAGE = "/console/invitation"


def seated(site: Site, context: ssl.SSLContext) -> dict[str, Any]:
    """Let an administrator choose a passphrase and an app of codes; return what they log in with."""
    made = site.sceau("operator", "invite", NAME, "--role", "administrator")
    passphrase = f"au bureau {secrets.token_urlsafe(9)}"
    with httpx.Client(base_url=origin(site), verify=context, timeout=_PATIENCE) as browser:
        seed = enrolled(browser, _PAGE, made["code"], passphrase)
    return {
        "site": site.name,
        "url": f"{origin(site)}/console",
        "name": NAME,
        "role": made["role"],
        "passphrase": passphrase,
        "totp": seed,
    }


def enrolled(browser: httpx.Client, page: str, code: str, passphrase: str) -> str:
    """Use an invitation as a browser would, and be in; return the seed of the app's codes."""
    fields = {"ticket": found(_TICKET, browser.get(page)), "invitation": code}
    choices = browser.post(page, data=fields)
    seed = found(_SEED, choices).replace(" ", "")
    chosen = {
        "ticket": found(_TICKET, choices),
        "invitation": code,
        "passphrase": passphrase,
        "again": passphrase,
        "code": pyotp.TOTP(seed).now(),
    }
    if browser.post(f"{page}/choose", data=chosen).status_code != httpx.codes.SEE_OTHER:
        raise DemoError(f"{page}: the invitation let nobody in")
    return seed


def welcome(site: Site, name: str = "visiteur") -> str:
    """Return a link by which whoever watches takes a place at the console themselves."""
    made = site.sceau("operator", "invite", name, "--role", "administrator")
    return f"{origin(site)}{_PAGE}?code={made['code']}"


def origin(site: Site) -> str:
    """Return where a site's console is."""
    return f"https://127.0.0.1:{site.ports['console']}"


def found(pattern: re.Pattern[str], page: httpx.Response) -> str:
    """Return what a page shows of something; ``DemoError`` if it is another page."""
    match = pattern.search(page.text)
    if match is None:
        raise DemoError(f"{page.url.path} is not as expected (HTTP {page.status_code})")
    return match[1]
