"""A scene: the hospital's software gets a copy of a doctor's result, cannot file it, and says why.

The laboratory's software hears of it, by number, whatever became of the delivery.
"""

import json
import time
from typing import Any

import httpx
from rich.console import Console

from gateway.demo.night import companion
from gateway.demo.sending import sent, url
from gateway.demo.sites import DemoError
from gateway.demo.stage import Stage

_NAME = "troponine.pdf"
_PATIENCE = 30.0


def filed(stage: Stage, screen: Console) -> None:
    """Send a result to a doctor; play the software that files it, by HTTPS; ask what it said."""
    screen.rule("The hospital's software says what it made of a result")
    person, program = (f"{name}@{stage.hopital.domain}" for name in ("hopital-de-jour", "dossiers"))
    stage.hopital.sceau("mailbox", "add", person, "--kind", "ORG")
    stage.hopital.sceau("mailbox", "add", program, "--kind", "APP")
    read = stage.hopital.sceau("token", "add", program, "--scope", "read")["token"]
    submit = stage.labo.sceau("token", "add", stage.robot.address, "--scope", "submit")["token"]
    folder = stage.folder / "filing"
    folder.mkdir()
    secret, pdf = folder / "token", folder / _NAME
    secret.touch(mode=0o600)
    secret.write_text(submit, "ascii")
    content, told = companion(_NAME, person)
    pdf.write_bytes(content)
    (folder / f"{_NAME}.json").write_text(json.dumps(told), "utf-8")
    message = sent(stage, pdf, secret)["message"]
    screen.print(f"  a PDF for {person}; the hospital copies documents to {program}")
    one = _asked(stage, url(stage.hopital), "/v1/arrived", read, lambda found: found["messages"])[0]
    answer = {"application": "failed", "failure": 904}
    with _client(stage, url(stage.hopital), read) as line:
        if not line.get(f"/v1/arrived/{one['id']}").content:
            raise DemoError("the copy has no content")
        line.put(f"/v1/arrived/{one['id']}/answer", json=answer).raise_for_status()
    screen.print("  its software fetches it, and answers 904: the INS is not this patient's")

    def heard(found: Any) -> Any:
        return [each for each in found["recipients"] if "application" in each]

    (said,) = _asked(stage, url(stage.labo), f"/v1/messages/{message}", submit, heard)
    screen.print(
        f"  the laboratory's software reads: {said['state']}, {said['application']}"
        f" {said['failure']} ({said['why']})"
    )
    if (said["address"], said["failure"]) != (person, 904):
        raise DemoError("the answer of the hospital's software did not come back")


def _client(stage: Stage, base: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=base, verify=stage.context(), headers=headers, timeout=_PATIENCE)


def _asked(stage: Stage, base: str, path: str, token: str, wanted: Any) -> Any:
    """Ask until there is an answer that is wanted."""
    until = time.monotonic() + _PATIENCE
    with _client(stage, base, token) as line:
        while time.monotonic() < until:
            if found := wanted(line.get(path).raise_for_status().json()):
                return found
            time.sleep(0.1)
    raise DemoError(f"{path} did not say what was waited for")
