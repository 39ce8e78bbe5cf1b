"""What the machine must give, each with what to do where it does not."""

import socket
import ssl
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.doctor import machine
from gateway.doctor.finding import Level
from tests.gateway.doctor.conftest import Trial
from tests.smtp.stage import Pki


def _raises() -> int:
    raise OSError("no such call")


@pytest.mark.parametrize(
    ("asked", "level", "words"),
    [
        (lambda: 0, Level.OK, "a time service keeps it right"),
        (lambda: 5, Level.WARN, "nothing keeps this machine's clock right"),
        (_raises, Level.WARN, "does not say"),
    ],
)
def test_the_clock(asked: Any, level: Level, words: str) -> None:
    """Certificates and lists are judged by it."""
    (found,) = machine.clock(asked)
    assert level is found.level
    assert words in found.sentence


def test_the_kernel_is_asked() -> None:
    """This very machine gives some answer."""
    (found,) = machine.clock()
    assert found.what == "clock"


@pytest.mark.parametrize(
    ("kind", "level"),
    [("ext4", Level.OK), ("nfs4", Level.FAIL), ("overlay", Level.WARN), ("tmpfs", Level.WARN)],
)
def test_the_disk_that_a_250_is_promised_on(
    trial: Trial, tmp_path: Path, kind: str, level: Level
) -> None:
    """The longest mount that holds the folder counts."""
    folder = trial.settings.paths.data
    folder.mkdir(exist_ok=True)
    mounts = tmp_path / "mounts"
    place = str(folder.resolve().parent).replace(" ", "\\040")
    mounts.write_text(f"none / zfs rw 0 0\nx {place} {kind} rw 0 0\ny /elsewhere nfs rw 0 0\n\n")
    (found,) = machine.durability(trial.settings, mounts)
    assert level is found.level
    assert kind in found.sentence


def test_a_disk_that_nobody_names(trial: Trial, tmp_path: Path) -> None:
    """No table of mounts, no folder: nothing is claimed."""
    trial.settings.paths.data.mkdir(exist_ok=True)
    (found,) = machine.durability(trial.settings, tmp_path / "none")
    assert "does not name" in found.sentence
    gone = trial.settings.paths.model_copy(update={"data": tmp_path / "gone"})
    settings = trial.settings.model_copy(update={"paths": gone})
    assert [] == list(machine.durability(settings))


def _settings(pki: Pki, port: int, host: str = "localhost") -> Any:
    certificate, key = pki.gateway
    siem = SimpleNamespace(host=host, port=port, anchors=None, client_certificate=True)
    ours = SimpleNamespace(certificate=certificate, key=key, anchors=pki.anchors)
    return SimpleNamespace(siem=siem, tls=ours)


def test_the_siem_is_met(pki: Pki) -> None:
    """Reached and believed, reached and not believed, not reached, none."""
    issued = pki.authority.issue("siem", hosts=("localhost",)).write(pki.folder, "siem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*issued)
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            for _ in range(2):
                line, _ = server.accept()
                with line:
                    try:
                        context.wrap_socket(line, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=answer)
        thread.start()
        (good,) = machine.siem(_settings(pki, port))
        (strange,) = machine.siem(_settings(pki, port, "127.0.0.1"))
        thread.join()
    (gone,) = machine.siem(_settings(pki, port))
    assert [Level.OK, Level.FAIL, Level.WARN] == [each.level for each in (good, strange, gone)]
    assert [] == list(machine.siem(_settings(pki, port, "")))


@pytest.mark.parametrize(
    ("rows", "host", "words"),
    [
        ([], "127.0.0.1", ["no administrator may come in"]),
        (
            [
                {
                    "name": "anne",
                    "role": "administrator",
                    "active": True,
                    "factors": [],
                    "certificates": [],
                }
            ],
            "127.0.0.1",
            ["anne has not come in yet"],
        ),
        (
            [{"role": "administrator", "active": True, "factors": ["totp"], "certificates": []}],
            "0.0.0.0",
            ["1 may do everything", "listens on 0.0.0.0"],
        ),
    ],
)
def test_the_desk(rows: list[dict[str, Any]], host: str, words: list[str]) -> None:
    """An open console that nobody may use, and one that everybody reaches."""
    listen = SimpleNamespace(console=SimpleNamespace(host=host))
    settings: Any = SimpleNamespace(listen=listen)
    found = list(machine.desk(settings, lambda _: rows))
    assert len(words) == len(found)
    assert all(word in each.sentence for word, each in zip(words, found, strict=True))
    closed: Any = SimpleNamespace(listen=SimpleNamespace(console=None))
    assert [] == list(machine.desk(closed, lambda _: rows))
