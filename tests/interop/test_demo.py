"""The demonstration as anybody runs it, and what is left of it on the disk."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.demo import documents
from tests.canary import Canary, search_folder
from tests.interop.mail import eventually
from tests.interop.site import COMMAND

pytestmark = pytest.mark.timeout(420)  # it is told at a person's pace, with a night in it


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """Run it once; return its folder and the object it ends with."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = subprocess.run(
        [*COMMAND, "demo", "--once", "--json", "--dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert 0 == done.returncode, done.stderr[-3000:]
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_it_counts_what_reached_the_far_mailboxes(demo: tuple[Path, dict[str, object]]) -> None:
    """Everything sent arrived, the outsider was refused, two messages are held."""
    report = demo[1]

    assert report["ok"] is True
    counts = ["messages", "delivered", "refused", "held", "failed", "receipts"]
    assert ["ok", *counts, "night"] == list(report)
    assert 0 == report["failed"]
    assert all(int(str(report[name])) > 0 for name in ("delivered", "refused", "held", "receipts"))


def test_the_night_is_accounted_for(demo: tuple[Path, dict[str, object]]) -> None:
    """Of 500 results each lies in its mailbox, once, or is named in the morning with a reason."""
    night = dict(demo[1]["night"])  # type: ignore[call-overload]
    assert 0 < night.pop("critical") <= 482
    assert {
        "ok": True,
        "results": 500,
        "arrived": 482,
        "another_way": 18,
        "dead_peer": 8,
        "wrong_address": 4,
        "revoked_certificate": 6,
    } == night


def test_each_site_has_an_operator_at_its_console(demo: tuple[Path, dict[str, object]]) -> None:
    """They were let in while it ran; any outside tool can log in as they do."""
    description = json.loads((demo[0] / "demo.json").read_text("utf-8"))
    assert [site["name"] for site in description["sites"]] == [
        each["site"] for each in description["operators"]
    ]
    for site, each in zip(description["sites"], description["operators"], strict=True):
        assert site["console"] == each["url"]
        assert {"name", "role", "passphrase", "totp"} < each.keys()


def test_the_laboratory_of_the_night_is_described_too(demo: tuple[Path, dict[str, object]]) -> None:
    """Where files are left, who is on call; and whom a number of the directory stands for."""
    description = json.loads((demo[0] / "demo.json").read_text("utf-8"))
    assert ["labo", "hopital", "nuit"] == [site["name"] for site in description["sites"]]
    assert [False, False, True] == [bool(site["folder"]) for site in description["sites"]]
    users = {user["address"]: user["topic"] for user in description["users"]}
    assert users["garde@labo-nuit.example"] is None  # this site tells no broker
    assert "dr.durand@chu-nord.example" == description["numbers"]["rpps:10003456786"]


def _group(leader: int) -> list[str]:
    """Return the command lines of who is left of a process group."""
    left = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(each.name)) == leader:
                left.append((each / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return left


def test_terminated_it_leaves_nobody_behind(tmp_path: Path) -> None:
    """SIGTERM ends the gateways and the broker too: no process of its group is left."""
    demo = subprocess.Popen(
        [*COMMAND, "demo", "--json", "--dir", str(tmp_path / "demo")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert demo.stderr is not None
    with demo:
        try:
            next(line for line in demo.stderr if line.startswith("  Hospital: "))
            demo.terminate()
            demo.communicate(timeout=60)
            # What its processes had started themselves may still have to end.
            assert [] == eventually(lambda: _group(demo.pid), lambda left: left == [], 20)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(demo.pid, signal.SIGKILL)
    assert 0 == demo.returncode


def test_its_data_at_rest_tell_nothing(
    demo: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    """No patient, no number, no address in what the sites keep; in the control, all of them."""
    description = json.loads((demo[0] / "demo.json").read_text("utf-8"))
    texts = [text for patient in documents.PATIENTS for text in (patient.name, patient.ins)]
    texts += [user["address"] for user in description["users"]]
    texts += [user["password"] for user in description["users"]]
    canaries = [Canary(f"{number}", text) for number, text in enumerate(texts) if len(text) >= 10]
    (tmp_path / "control").write_text("\n".join(texts), "utf-8")
    control = {finding.canary for finding in search_folder(tmp_path, canaries)}

    assert {canary.name for canary in canaries} == control
    for folder in description["data"]:
        assert set() == search_folder(Path(folder), canaries)
