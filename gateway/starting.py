"""Starting a gateway that goes on when the command that started it has ended."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway import app
from gateway.operations.error import OperationError

_PATIENCE = 30.0
_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Started:
    """A gateway that runs by itself."""

    pid: int
    ports: Mapping[str, int]
    log: str


def start(config: Path) -> Started:
    """Start ``sceau serve`` apart from us, and return once all its ports are bound."""
    written = app.settings_of(config).paths.data / "ports.json"
    written.unlink(missing_ok=True)
    log = config.resolve().parent / "gateway.log"
    log.touch(mode=0o600)
    words = [sys.executable, "-m", "gateway", "serve", "--config", str(config.resolve())]
    with log.open("ab") as out:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if written.exists():
            ports: dict[str, int] = json.loads(written.read_bytes())
            pid = process.pid
            process.returncode = 0  # it is not ours to wait for
            return Started(pid, ports, str(log))
        time.sleep(_LOOK)
    process.kill()
    process.wait()
    last = log.read_text("utf-8", "replace").strip().splitlines()[-2:]
    said = "; ".join(line.strip().removeprefix("sceau: ").removeprefix("hint: ") for line in last)
    raise OperationError(f"it did not start: {said}", f"see {log}, then sceau doctor")
