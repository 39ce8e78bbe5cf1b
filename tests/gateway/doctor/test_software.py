"""Folders and servers of the house's software: met as the gateway would, and left as they were."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.doctor import software
from gateway.doctor.finding import Finding, Level
from tests.gateway.doctor.conftest import Trial

LABO = "resultats@essai.example"


def _asked(verb: str, *, search: str) -> dict[str, list[dict[str, str]]]:
    """Answer for a gateway that has the laboratory's mailbox, and a closed one."""
    assert verb == "mailbox.find"
    status = "closed" if search.startswith("ferme") else "active"
    found = [{"address": search, "status": status}]
    return {"mailboxes": [] if search.startswith("personne") else found}


def _watched(trial: Trial, path: Path, mailbox: str = LABO) -> list[Finding]:
    text = trial.config.read_text("utf-8")
    section = f'\n[[labs.folder]]\nname = "nuit"\npath = "{path}"\nmailbox = "{mailbox}"\n'
    trial.config.write_text(text + section, "utf-8")
    try:
        return list(software.watched(trial.settings, _asked))
    finally:
        trial.config.write_text(text, "utf-8")


def _servers(trial: Trial, section: str) -> list[Finding]:
    with trial.config.open("a", encoding="utf-8") as file:
        file.write(f'\n[[mailboxes.server]]\nname = "dpi"\nmailboxes = ["{LABO}"]\n{section}\n')
    return list(software.servers(trial.settings))


def test_a_folder_that_is_well(trial: Trial, tmp_path: Path) -> None:
    """Nothing is made in it."""
    folder = tmp_path / "envoi"
    folder.mkdir()
    (found,) = _watched(trial, folder)
    assert (Level.OK, []) == (found.level, list(folder.iterdir()))


@pytest.mark.parametrize(
    ("mailbox", "level"),
    [(LABO, Level.OK), ("personne@essai.example", Level.FAIL), ("ferme@essai.example", Level.FAIL)],
)
def test_whose_results_they_are(trial: Trial, tmp_path: Path, mailbox: str, level: Level) -> None:
    """A mailbox that is not there, or is closed, sends nothing."""
    assert [level] == [each.level for each in _watched(trial, tmp_path, mailbox)]


def test_a_folder_that_is_not_well(trial: Trial, tmp_path: Path) -> None:
    """Each ill has its words, and what to do."""
    data = trial.settings.paths.data
    (data / "envoi").mkdir(parents=True)
    (tmp_path / "fichier").write_bytes(b"")
    for path, words in (
        (tmp_path / "nulle-part", "No such file"),
        (tmp_path / "fichier", "is no folder"),
        (data / "envoi", "within the data folder"),
    ):
        (found,) = _watched(trial, path)
        assert (Level.FAIL, True) == (found.level, words in found.sentence), found
        assert found.cure


def test_what_was_left_there(trial: Trial, tmp_path: Path) -> None:
    """Results that were not sent and nobody has fetched; a folder that is open to all."""
    folder = tmp_path / "envoi"
    (folder / "failed").mkdir(parents=True)
    (folder / "failed" / "tsh.pdf").write_bytes(b"")
    folder.chmod(0o777)
    _, left, opened = _watched(trial, folder)
    assert "files left in failed: 1" in left.sentence
    assert "anybody on this machine" in opened.sentence


def test_a_folder_that_cannot_be_written(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor on which a claim would be a copy."""
    folder = tmp_path / "envoi"
    (folder / ".claimed").mkdir(parents=True)
    monkeypatch.setattr("gateway.doctor.software._disk", lambda path: len(str(path)))
    assert "another disk" in _watched(trial, folder)[1].sentence
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "cannot be written by this user" in _watched(trial, folder)[0].sentence


def test_a_folder_for_a_program(trial: Trial, tmp_path: Path) -> None:
    """There, and then not."""
    folder = tmp_path / "recu"
    folder.mkdir()
    (found,) = _servers(trial, f'kind = "folder"\npath = "{folder}"')
    assert (Level.OK, []) == (found.level, list(folder.iterdir()))
    folder.rmdir()
    (found,) = software.servers(trial.settings)
    assert Level.FAIL is found.level


@contextmanager
def _listening() -> Iterator[int]:
    """A program on this machine that takes a connection, and is left alone."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as line:
                while line.recv(100):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_a_program_that_listens(trial: Trial) -> None:
    """It is met; gone, it is missed."""
    with _listening() as port:
        section = f'kind = "mllp"\nhost = "127.0.0.1"\nport = {port}'
        (found,) = _servers(trial, section)
        assert Level.OK is found.level
    (found,) = software.servers(trial.settings)
    assert Level.FAIL is found.level


def test_a_server_with_log_ins(trial: Trial, tmp_path: Path) -> None:
    """Nobody is there; and without its certificate's file nothing is tried."""
    secret, shown = tmp_path / "log-ins", trial.settings.tls.certificate
    secret.write_text(f"{LABO} labo secret\n")
    secret.chmod(0o600)
    section = f'kind = "imap"\nhost = "127.0.0.1"\nport = 1\ncredentials_file = "{secret}"\n'
    (found,) = _servers(trial, f'{section}certificate = "{shown}"')
    assert Level.FAIL is found.level
    trial.edit(f'certificate = "{shown}"', f'certificate = "{tmp_path}/none"')
    (found,) = software.servers(trial.settings)
    assert "No such file" in found.sentence
