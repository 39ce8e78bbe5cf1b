"""A scene: software hands a result in by HTTPS, twice, and it is one message."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from rich.console import Console

from gateway.demo.night import companion
from gateway.demo.sites import DemoError, Site, command
from gateway.demo.stage import Stage

_NAME = "ferritine.pdf"


def handed_in(stage: Stage, screen: Console) -> None:
    """The laboratory's software hands a PDF in with `sceau send`; the line broke, so it does it again."""
    screen.rule("A result is handed in by HTTPS, with a token")
    robot, doctor = stage.robot.address, stage.doctor.address
    words = ("--scope", "submit", "--label", "nuit")
    token = stage.labo.sceau("token", "add", robot, *words)["token"]
    folder = stage.folder / "https"
    folder.mkdir()
    secret, pdf = folder / "token", folder / _NAME
    secret.touch(mode=0o600)
    secret.write_text(token, "ascii")
    content, told = companion(_NAME, doctor)
    pdf.write_bytes(content)
    (folder / f"{_NAME}.json").write_text(json.dumps(told), "utf-8")
    first, second = (sent(stage, pdf, secret) for _ in range(2))
    screen.print(f"  $ sceau send {_NAME} --url {url(stage.labo)} --token-file token", markup=False)
    (end,) = first["recipients"]
    screen.print(f"  reference {first['reference']}: {end['address']}, {end['state']}")
    screen.print("  and offered again: taken before, as that very message")
    if first["message"] != second["message"] or not second["again"]:
        raise DemoError("a result that was offered twice became two messages")
    whole = b"".join(stage.hopital.messages(doctor)).replace(b"\r\n", b"")
    if whole.count(base64.b64encode(content)) != 1:
        raise DemoError("the PDF does not lie in the far mailbox once")


def sent(stage: Stage, pdf: Path, token: Path) -> dict[str, Any]:
    """Hand a PDF in as the laboratory; return what is said of it once it has arrived."""
    where = ("--url", url(stage.labo), "--anchors", stage.description["ca"])
    done = subprocess.run(
        [
            *command(),
            "send",
            str(pdf),
            *where,
            "--token-file",
            str(token),
            "--wait",
            "30",
            "--json",
        ],
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise DemoError(f"sceau send: {done.stderr.strip()}")
    (row,) = json.loads(done.stdout)
    return dict(row)


def url(site: Site) -> str:
    """Return where a site answers by HTTPS."""
    return f"https://127.0.0.1:{site.ports['web']}"
