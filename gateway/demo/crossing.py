"""The scene of images that go from one Sceau to the other: kept here, fetched, and whole in the mailbox."""

import os
import time

from rich.console import Console

from gateway.demo.clients import client, send
from gateway.demo.lending import message
from gateway.demo.sites import DemoError
from gateway.demo.stage import Stage
from gateway.demo.tally import Tally

_OCTETS = 3 << 20
_PATIENCE = 30.0


def crossed(stage: Stage, tally: Tally, screen: Console) -> None:
    """Send images to a hospital that has a Sceau; what is compared later is the whole message."""
    screen.rule("Images for a hospital that has one")
    sender, doctor = stage.biologist, stage.doctor
    body = message(sender, doctor.address, os.urandom(_OCTETS))
    with client(stage, stage.labo, sender, "submission") as line:
        said = send(line, sender.address, [doctor.address], body)
    screen.print(f"  {len(body):,} octets to {doctor.address}: {said}")
    story = _delivered(stage, said.rpartition(" ")[2])
    if "large.taken" not in story:
        raise DemoError("the hospital was not handed a stub")
    screen.print(
        "  they stayed at the laboratory, sealed; the hospital took a stub, and fetched them by"
        " mutual TLS: delivered was said only then"
    )
    tally.sent["images"] = (stage.hopital, doctor.address, body)


def _delivered(stage: Stage, name: str) -> set[str]:
    """Wait until the laboratory knows that a message lies in its mailbox; return what it journalled."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        found = stage.labo.sceau("spool", "show", name)
        if {each["state"] for each in found["deliveries"]} == {"delivered"}:
            return {entry["event"] for entry in stage.labo.sceau("trace", name)}
    raise DemoError("the hospital did not fetch what was too large for it")
