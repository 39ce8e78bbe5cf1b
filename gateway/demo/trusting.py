"""Two scenes of trust: a certificate is denied, and a list that moves a thousand domains is approved."""

import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from gateway.demo.clients import client, send, words
from gateway.demo.lists import MANY
from gateway.demo.sites import DemoError, User
from gateway.demo.stage import Stage, now
from gateway.demo.tally import Tally

_AT_ONCE = 1.0  # seconds


@contextmanager
def relayed(stage: Stage, cert: Path, key: Path) -> Iterator[smtplib.SMTP]:
    """Connect to the hospital as another operator's gateway does."""
    with smtplib.SMTP("127.0.0.1", stage.hopital.ports["relay"], timeout=20) as line:
        line.starttls(context=stage.context(cert, key))
        line.ehlo()
        yield line


def denial(stage: Stage, tally: Tally, screen: Console) -> None:
    """A laboratory's key was stolen: the hospital denies its certificate, and that is that."""
    screen.rule("A laboratory's key was stolen: its certificate is denied")
    sender, desk = stage.partner, stage.desk.address
    body = words(sender, desk, "Bilan", "Résultats du jour.")
    with relayed(stage, sender.cert, sender.key) as line:
        said = send(line, sender.address, [desk], body)
        tally.sent["partner"] = (stage.hopital, desk, body)
        screen.print(f"  {sender.address} to {desk}: {said}")
        certificate = ("--certificate", str(sender.cert))
        stage.hopital.sceau("trust", "deny", *certificate, "--reason", "clé volée")
        began = time.monotonic()
        code, text = _next(line, sender)
        took = time.monotonic() - began
    screen.print("  $ sceau trust deny --certificate peer.crt --reason 'clé volée'", markup=False)
    screen.print(f"  on the connection that was open, after {took * 1000:.0f} ms: {code} {text}")
    if code != 421 or took > _AT_ONCE:
        raise DemoError("a denied certificate was not refused at once")
    code, text = _again(stage, sender, desk)
    screen.print(f"  on a new one: {code} {text}")
    tally.refused.append(desk)
    stage.hopital.sceau("trust", "allow", *certificate, "--reason", "certificat renouvelé")


def _next(line: smtplib.SMTP, sender: User) -> tuple[int, str]:
    try:
        code, text = line.mail(sender.address)
    except smtplib.SMTPServerDisconnected:
        return 421, "the connection was ended"
    return code, text.decode()


def _again(stage: Stage, sender: User, desk: str) -> tuple[int, str]:
    with relayed(stage, sender.cert, sender.key) as line:
        line.mail(sender.address)
        code, text = line.rcpt(desk)
    if code != 550:
        raise DemoError(f"a denied certificate was answered {code}")
    return code, text.decode()


def moved(stage: Stage, tally: Tally, screen: Console) -> None:
    """A list moves a thousand domains, and gives the laboratory's domain another operator."""
    screen.rule(f"A list that moves {MANY:,} domains to another operator is read, then approved")
    stage.registry.move(stage.labo.domain)
    files = stage.registry.publish(now())
    sites = (stage.hopital, stage.labo)
    taken = [site.sceau("trust", "import", *files) for site in sites]
    screen.print(f"  {taken[0]['sentence']}")
    doctor, biologist = stage.doctor, stage.biologist
    body = words(doctor, biologist.address, "Question", "Le résultat de ce matin ?")
    with client(stage, stage.hopital, doctor, "submission") as line:
        said = send(line, doctor.address, [biologist.address], body)
    tally.sent["while the change waits"] = (stage.labo, biologist.address, body)
    screen.print(f"  {doctor.address} to {biologist.address}: {said}; it waits")
    screen.print("  $ sceau trust diff", markup=False)
    for row in stage.hopital.says("trust", "diff").splitlines():
        screen.print(f"  {row}", markup=False, highlight=False)
    digest = taken[0]["digest"]
    for site in sites:
        done = site.sceau("trust", "approve", digest)
        screen.print(f"  {site.title} approves: {done['sentence']}")
