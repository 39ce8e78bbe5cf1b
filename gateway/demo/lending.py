"""The scene of a document too large for a clinic without Sceau: a link, a log-in, and the file."""

import email
import os
import re
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256

import httpx
from rich.console import Console

from gateway.demo.clients import client, send
from gateway.demo.clinic import DESK, DOCTOR, LIMIT, NAMES
from gateway.demo.sites import DemoError, User
from gateway.demo.stage import Stage, now

_OCTETS = 3 << 20
_LINK = re.compile(r"https://\S+/document/\S+")
_PATIENCE = 20.0


def lent(stage: Stage, screen: Console) -> str:
    """Send images that the clinic's server does not take; return who cannot have them."""
    screen.rule("Images too large for a clinic that has no Sceau")
    sender, images = stage.biologist, os.urandom(_OCTETS)
    body = message(sender, DOCTOR, images)
    with client(stage, stage.labo, sender, "submission") as line:
        said = send(line, sender.address, [DOCTOR], body)
    screen.print(f"  {len(body):,} octets to {DOCTOR}, whose server takes {LIMIT:,}: {said}")
    stub = stage.clinic.wait()
    if stub is None:
        raise DemoError("the clinic's server was sent nothing")
    text = _words(stub)
    link = _LINK.search(text)
    if link is None:
        raise DemoError("the clinic's server was sent no link")
    screen.print(f"  what it is sent, {len(stub):,} octets, says in place of the images:")
    for each in text.partition("--")[0].splitlines():
        screen.print(f"    {each}", markup=False, highlight=False)
    with client(stage, stage.labo, sender, "submission") as line:
        line.mail(sender.address, [f"SIZE={len(body)}"])
        code, words = line.rcpt(DESK)
    screen.print(f"  to its front desk, who logs in nowhere: {code} {words.decode()}")
    if code != 552:
        raise DemoError("who cannot fetch it was not refused")
    _read(stage, link[0], sha256(images).hexdigest(), screen)
    return DESK


def _read(stage: Stage, link: str, digest: str, screen: Console) -> None:
    """Two people open the link: somebody else, and whom it is for."""
    for name in reversed(NAMES):
        with httpx.Client(
            verify=stage.context(), follow_redirects=True, timeout=_PATIENCE
        ) as browser:
            buttons = browser.get(f"{link}/login")
            page = browser.post(str(buttons.url), data={"who": name})
            file = browser.get(f"{link}/part/1") if page.status_code == httpx.codes.OK else None
        if file is None:
            screen.print(f"  {name} logs in: {page.status_code}, it is addressed to somebody else")
        elif sha256(file.content).hexdigest() == digest:
            screen.print(
                f"  {name} logs in, and downloads {len(file.content):,} octets, the very ones"
            )
        else:
            raise DemoError("what the reader downloaded is not what was sent")
        if (file is None) is (name == NAMES[0]):
            raise DemoError(f"{name} was taken for somebody else")
    screen.print(f"  yours to try, as one or the other: {link}", markup=False, highlight=False)


def message(sender: User, to: str, images: bytes) -> bytes:
    """Write a message with images."""
    built = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    at = now()
    built["Date"] = at
    built["From"], built["To"], built["Subject"] = sender.address, to, "IRM"
    built["Message-ID"] = f"<{at:%Y%m%d%H%M%S%f}@{sender.address.rpartition('@')[2]}>"
    built.set_content("Voici l'IRM.")
    built.add_attachment(images, maintype="application", subtype="zip", filename="irm.zip")
    return bytes(built)


def _words(stub: bytes) -> str:
    """Return the text that stands for the images: the second one of the message."""
    parts = list(email.message_from_bytes(stub, policy=SMTP).walk())
    texts = [str(part.get_content()) for part in parts if part.get_content_type() == "text/plain"]
    return texts[-1] if texts else ""
