"""One scene: a program comes under the name of a report, and a person is asked."""

import time
from typing import Any

from rich.console import Console

from gateway.demo.clients import send
from gateway.demo.letters import risky
from gateway.demo.sites import DemoError
from gateway.demo.stage import Stage, now
from gateway.demo.tally import Tally
from gateway.demo.trusting import relayed
from smtp.address import Address, domain_of

_PATIENCE = 20.0


def disguised(stage: Stage, tally: Tally, screen: Console) -> None:
    """A listed partner sends a program; it is ours, then it is looked into, then it waits."""
    screen.rule("A program under the name of a report waits for a person")
    sender = Address(f"documents@{domain_of(Address(stage.partner.address))}")
    desk = stage.desk.address
    with relayed(stage, stage.partner.cert, stage.partner.key) as line:
        said = send(line, sender, [desk], risky(sender, desk, 0, now()))
    screen.print(f"  {sender} to {desk}: {said}")
    case = _case(stage, str(sender))
    tally.held += 1
    screen.print(f"  looked into after that, and held for: {', '.join(case['reasons'])}")


def _case(stage: Stage, sender: str) -> dict[str, Any]:
    """Wait for the case of what that sender wrote."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for case in stage.hopital.sceau("quarantine", "list", "--reason", "executable"):
            if case["sender"] == sender:
                return dict(case)
        time.sleep(0.1)
    raise DemoError("a program went on without anybody being asked")
