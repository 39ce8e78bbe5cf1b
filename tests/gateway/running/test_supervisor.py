"""systemd hears when we are ready, alive and stopping."""

import asyncio
import socket
from pathlib import Path

from gateway.running.supervisor import Supervisor


def _listening(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(path))
    sock.settimeout(2)
    return sock


def test_the_supervisor_is_told(tmp_path: Path) -> None:
    """One datagram, one line an assignment."""
    with _listening(tmp_path / "n") as sock:
        Supervisor({"NOTIFY_SOCKET": str(tmp_path / "n")}).tell("READY=1", "STATUS=up")

        assert b"READY=1\nSTATUS=up" == sock.recv(100)


def test_an_abstract_socket_is_found() -> None:
    """The name of a socket need not be that of a file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0sceau-test-supervisor")
        sock.settimeout(2)
        Supervisor({"NOTIFY_SOCKET": "@sceau-test-supervisor"}).tell("STOPPING=1")

        assert b"STOPPING=1" == sock.recv(100)


async def test_the_watchdog_is_fed(tmp_path: Path) -> None:
    """Twice in the time it allows."""
    with _listening(tmp_path / "n") as sock:
        supervisor = Supervisor(
            {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "2000"},
        )
        feeding = asyncio.ensure_future(supervisor.feed())
        heard = [await asyncio.to_thread(sock.recv, 100) for _ in range(2)]
        feeding.cancel()

    assert [b"WATCHDOG=1"] * 2 == heard


async def test_without_a_supervisor_nothing_is_said(tmp_path: Path) -> None:
    """Started by hand, or after the supervisor is gone."""
    Supervisor({}).tell("READY=1")
    await Supervisor({}).feed()
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")
