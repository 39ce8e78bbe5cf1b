"""``sceau serve`` as a process: it says when it is ready, excludes a second, survives being killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.app import clock
from gateway.cli import main
from gateway.demo.pki import Authority
from gateway.running.doors import welcome
from smtp.address import Address
from smtp.envelope import Peer
from tests.world.lists import Lists
from tests.world.site import Site
from trust.members import Status

_DOORS = "[listen.relay]\nport = 0\n[listen.status]\nport = 0\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    authority = Authority.make(clock())
    return Site.make(tmp_path / "labo", "labo.example", authority, Lists.make(authority), _DOORS)


def _command(site: Site, *words: str) -> list[str]:
    return [sys.executable, "-m", "gateway", *words, "-c", str(site.config)]


@contextmanager
def _serving(site: Site, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        _command(site, "serve", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _ports(process: subprocess.Popen[str]) -> dict[str, int]:
    assert process.stdout is not None
    ready: dict[str, Any] = json.loads(process.stdout.readline())
    found: dict[str, int] = ready["ports"]
    return found


def test_it_says_when_it_is_ready_and_stops_when_told(site: Site, tmp_path: Path) -> None:
    """On stdout, in ports.json, and to the supervisor."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(20)
        with _serving(site, NOTIFY_SOCKET=str(tmp_path / "notify")) as process:
            ports = _ports(process)
            first = supervisor.recv(200)
            written = json.loads((site.data / "ports.json").read_text())
            process.send_signal(signal.SIGTERM)
            code = process.wait(20)
            second = supervisor.recv(200)

    assert 0 == code
    assert ports == written
    assert first.startswith(b"READY=1\n")
    assert b"STOPPING=1" == second
    assert not (site.data / "control.sock").exists()


def test_a_second_gateway_is_refused_and_commands_reach_the_first(site: Site) -> None:
    """One writer a data folder; the command line asks it."""
    with _serving(site) as process:
        _ports(process)
        second = subprocess.run(
            _command(site, "serve"), capture_output=True, text=True, check=False
        )
        words = ("mailbox", "add", "dr@labo.example", "--json")
        added = subprocess.run(_command(site, *words), capture_output=True, text=True, check=False)

    assert 1 == second.returncode
    assert f"sceau serve, process {process.pid} works in" in second.stderr
    assert (0, "") == (added.returncode, added.stderr)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_gateway_leaves_no_core_behind(site: Site) -> None:
    """What is in its memory does not get onto a disk by a crash."""
    with _serving(site) as process:
        _ports(process)
        limits = Path(f"/proc/{process.pid}/limits").read_text("ascii")
    (line,) = (line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert ["0", "0"] == line.split()[4:6]


def test_a_killed_gateway_starts_again(site: Site) -> None:
    """No lock, no socket and no repair left behind."""
    for _ in range(2):
        with _serving(site) as process:
            assert {"relay", "status"} == set(_ports(process))
            process.kill()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda site: (site.folder / "keys/ring.json").chmod(0o644), "others can read"),
        (lambda site: (site.folder / "keys/ring.json").unlink(), "there is no key ring"),
        (lambda site: (site.folder / "signer.crt").write_text("x"), "[trust] the source list"),
        (lambda site: (site.folder / "data/sceau.db").write_text("x" * 5000), "cannot be opened"),
        (lambda site: (site.folder / "data").chmod(0o755), "others can enter"),
    ],
)
def test_rooms_that_could_not_keep_their_promises_stay_shut(
    site: Site, spoil: Any, words: str
) -> None:
    """One sentence, one hint, code 1, and nothing left open; ``serve`` opens the same rooms."""
    spoil(site)
    before = set(threading.enumerate())
    done = CliRunner().invoke(main, ["mailbox", "list", "-c", str(site.config)])

    assert 1 == done.exit_code
    assert words in done.stderr
    assert "hint: " in done.stderr
    assert set(threading.enumerate()) <= before  # the database's writer has gone home


def test_a_fault_stops_the_start(site: Site) -> None:
    """Before anything is opened."""
    (site.folder / "gateway.key").chmod(0o640)
    done = subprocess.run(_command(site, "serve"), capture_output=True, text=True, check=False)

    assert 1 == done.returncode
    assert "others can read the private key" in done.stderr


@pytest.mark.parametrize("name", ["ports.json", ".ports.json.new"])
def test_a_disk_that_fails_at_the_start_is_told_in_words(site: Site, name: str) -> None:
    """Not as a bug: it is the disk that an operator must look at."""
    (site.data / name).mkdir()  # what cannot be written, and cannot be removed
    done = subprocess.run(_command(site, "serve"), capture_output=True, text=True, check=False)

    assert 1 == done.returncode
    assert f"the data folder {site.data} cannot be written" in done.stderr
    assert "hint: look at that disk" in done.stderr
    assert "unexpected" not in done.stderr


def test_who_may_stay_when_the_list_changes(tmp_path: Path) -> None:
    """A connection lives as long as the list speaks for it."""
    now = clock().replace(microsecond=0)
    authority = Authority.make(now)
    lists = Lists.make(authority)
    ours, theirs, gone = (authority.issue(name) for name in ("a", "b", "c"))
    lists.add("a.example", ours)
    lists.add("b.example", theirs, status=Status.REVOKED)
    listed = lists.current(now)

    def stays(**peer: Any) -> bool:
        return welcome(Peer("192.0.2.1", **peer), listed, now)

    assert stays(listener="relay")
    assert stays(listener="relay", certificate=ours.der)
    assert not stays(listener="relay", certificate=theirs.der)
    assert not stays(listener="relay", certificate=gone.der)
    assert not stays(listener="relay", certificate=b"no certificate")
    assert stays(listener="submission_certificate", certificate=gone.der)
    assert stays(login=Address("x@a.example"))
    assert not stays(login=Address("x@b.example"))
    assert not stays(login=Address("x@c.example"))
