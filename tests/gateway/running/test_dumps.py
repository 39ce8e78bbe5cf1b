"""Nothing of a running gateway's memory reaches the disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_LOOK = """
import ctypes, json, os, resource, sys
from gateway.running import dumps
here = os.open(sys.argv[1], os.O_PATH | os.O_DIRECTORY)
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
dumps.forbid()
print(json.dumps({
    "limit": resource.getrlimit(resource.RLIMIT_CORE),
    "dumpable": ctypes.CDLL(None).prctl(3),
    "own descriptors": os.listdir(f"/proc/self/fd/{here}"),
}))
"""

_CRASH = """
import os
from gateway.running import dumps
dumps.forbid()
os.abort()
"""


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
        timeout=30,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_it_may_not_be_dumped_and_still_finds_its_own_files(tmp_path: Path) -> None:
    """Neither a file nor a program gets a core; our way to the control socket stays open."""
    tmp_path.chmod(0o755)
    (tmp_path / "control.sock").touch()
    done = _run(_LOOK, tmp_path)
    assert not done.stderr
    assert {
        "limit": [0, 0],
        "dumpable": 0,
        "own descriptors": ["control.sock"],
    } == json.loads(done.stdout)


def test_a_crash_says_that_no_core_was_left(tmp_path: Path) -> None:
    """The kernel itself tells the parent whether it dumped."""
    done = subprocess.Popen(
        [sys.executable, "-c", _CRASH],
        cwd=Path(__file__).parents[3],
        stderr=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    _, status = os.waitpid(done.pid, 0)
    done.returncode = os.waitstatus_to_exitcode(status)
    assert os.WIFSIGNALED(status)
    assert not os.WCOREDUMP(status)
