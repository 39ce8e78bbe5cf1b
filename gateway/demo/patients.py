"""A scene: a patient reads what the biologist wrote, answers, and is told when the thread is closed.

The hospital's gateway keeps the patients' domain as well here; the laboratory's meets it as any other member.
"""

import imaplib
import secrets
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from rich.console import Console

from gateway.demo import documents
from gateway.demo.clients import client, send
from gateway.demo.sites import DemoError, Site, User
from gateway.demo.space import PATIENTS
from gateway.demo.stage import Stage, now
from smtp.address import Address, domain_of

_PATIENCE = 30.0
_FIRST, _ANSWER, _LAST = "Vos analyses", "Une question", "Merci, et bonne suite"
_ROBOT = "message bien"  # of the automatic answer's subject


def corresponded(stage: Stage, screen: Console) -> None:
    """A professional begins; the patient answers until the professional closes the thread."""
    screen.rule("A patient answers, until the thread is closed")
    patient, biologist = _made(stage.hopital), stage.biologist
    first = _letter(biologist.address, patient.address, _FIRST)
    _sent(stage, stage.labo, biologist, patient.address, first)
    _read(stage, patient, _FIRST)
    screen.print("  the biologist writes to a patient, who reads it by IMAP")
    answer = _letter(patient.address, biologist.address, _ANSWER, to=first)
    _sent(stage, stage.hopital, patient, biologist.address, answer)
    _read(stage, patient, _ROBOT)
    screen.print("  the patient answers, and is told that this is not for emergencies: call 15")
    last = _letter(biologist.address, patient.address, _LAST, to=first, closing=True)
    _sent(stage, stage.labo, biologist, patient.address, last)
    _read(stage, patient, _LAST)
    screen.print("  X-MSS-MES: FIN; the patient writes once more:")
    with client(stage, stage.hopital, patient, "submission") as line:
        line.mail(patient.address)
        code, said = line.rcpt(biologist.address)
    if code != 550:
        raise DemoError(f"a closed thread was open: {code} {said.decode()}")
    screen.print(f"    {code} {said.decode()}", markup=False)


def _made(site: Site) -> User:
    """Make the patient's mailbox, with a password for their mail program."""
    address = f"{documents.PATIENTS[0].ins}@{PATIENTS}"
    site.sceau("mailbox", "add", address, "--kind", "PER")
    password = site.sceau("mailbox", "password", address)["password"]
    return User(address, "PER", password, Path(), Path(), "")


def _letter(
    sender: str,
    to_whom: str,
    subject: str,
    *,
    to: EmailMessage | None = None,
    closing: bool = False,
) -> EmailMessage:
    made = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    made["Date"], made["Subject"] = now(), subject
    made["From"], made["To"] = sender, to_whom
    made["Message-ID"] = f"<{secrets.token_hex(8)}@{domain_of(Address(sender))}>"
    if to is not None:
        made["In-Reply-To"] = made["References"] = to["Message-ID"]
    if closing:
        made["X-MSS-MES"] = "FIN"
    made.set_content("Bonjour,\n\nCordialement\n")
    return made


def _sent(stage: Stage, site: Site, sender: User, to: str, letter: EmailMessage) -> None:
    with client(stage, site, sender, "submission") as line:
        send(line, sender.address, [to], bytes(letter))


def _read(stage: Stage, patient: User, subject: str) -> None:
    """Wait until a subject is in the patient's mailbox, as their mail program sees it."""
    port, deadline = stage.hopital.ports["imap"], time.monotonic() + _PATIENCE
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=stage.context(), timeout=20) as mailbox:
        mailbox.login(patient.address, patient.password)
        while time.monotonic() < deadline:
            mailbox.select("INBOX", readonly=True)
            _, found = mailbox.search(None, "SUBJECT", f'"{subject}"')
            if found[0]:
                return
            time.sleep(0.2)
    raise DemoError(f"the patient never had {subject!r}")
