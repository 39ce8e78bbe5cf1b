"""A first configuration: found out rather than asked, whole, and never over another."""

import imaplib
import io
import json
import os
import re
import signal
import ssl
import stat
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from cryptography.x509 import DNSName, SubjectAlternativeName, load_pem_x509_csr

from gateway.app import clock
from gateway.cli import main
from gateway.founding import EXAMPLE, Founding, adapted
from gateway.operations.error import OperationError
from gateway.settings import load
from gateway.starting import Started, start


def test_what_is_made(tmp_path: Path) -> None:
    """The example with our names in it and its explanations kept, and a key ring outside the data."""
    folder = tmp_path / "chu"
    made = Founding.of(folder, "mx.chu.example", "", test=False).begin(clock())
    settings = load(folder / "gateway.toml")

    assert ("mx.chu.example", ("chu.example",)) == (settings.site.host, settings.site.domains)
    assert stat.S_IMODE(settings.paths.keys.stat().st_mode) == 0o600
    assert not settings.paths.keys.is_relative_to(settings.paths.data)
    assert 993 == (settings.listen.imap and settings.listen.imap.port)
    assert 5 == len(made["next"])
    assert ["gateway.csr", "gateway.key"] == sorted(p.name for p in (folder / "pki").iterdir())


def test_a_request_for_an_authority(tmp_path: Path) -> None:
    """The key is made here and stays here; the names are those that peers and programs use."""
    folder = tmp_path / "chu"
    Founding.of(folder, "mx.chu.example", "", test=False, practice="Dr Durand").begin(clock())
    request = load_pem_x509_csr((folder / "pki" / "gateway.csr").read_bytes())
    names = request.extensions.get_extension_for_class(SubjectAlternativeName).value

    assert request.is_signature_valid
    assert ["mx.chu.example", "autoconfig.chu.example"] == names.get_values_for_type(DNSName)
    assert 0o600 == stat.S_IMODE((folder / "pki" / "gateway.key").stat().st_mode)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Dr Jeanne Légré", "dr.legre@essai.example"),
        ("Durand", "dr.durand@essai.example"),
        ("漢字", "dr.cabinet@essai.example"),
        ("", "dr.cabinet@essai.example"),
    ],
)
def test_a_doctors_address(tmp_path: Path, name: str, address: str) -> None:
    """Made of the last word of their name."""
    assert address == Founding.of(tmp_path, "", "", test=True, practice=name).address


def test_a_practice_runs(tmp_path: Path) -> None:
    """One command, and a doctor's mail program can log in; the process goes on by itself."""
    folder = tmp_path / "cabinet"
    words = ["init", str(folder), "--test", "--practice", "Dr Jeanne Légré", "--json"]
    made = json.loads(CliRunner().invoke(main, words).stdout)
    config = folder / "gateway.toml"
    config.write_text(re.sub(r"(?m)^port = \d+", "port = 0", config.read_text("utf-8")))
    running = start(config)
    try:
        anchors = str(folder / "pki" / "anchors.pem")
        context = ssl.create_default_context(cafile=anchors)
        with imaplib.IMAP4_SSL("localhost", running.ports["imap"], ssl_context=context) as line:
            line.login(made["address"], made["password"])
            assert "OK" == line.select("INBOX")[0]
    finally:
        os.kill(running.pid, signal.SIGTERM)
        os.waitpid(running.pid, 0)
    assert ("dr.legre", "administrator") == (made["operator"]["name"], made["operator"]["role"])
    assert made["operator"]["link"].startswith(
        "https://localhost:18443/console/"
    )  # it can be opened


def test_what_does_not_start_says_why(tmp_path: Path) -> None:
    """The reason is in the error, and nothing is left running."""
    folder = tmp_path / "chu"
    Founding.of(folder, "mx.chu.example", "", test=False).begin(clock())
    with pytest.raises(OperationError, match=r"it did not start: .*cannot be read"):
        start(folder / "gateway.toml")


def test_three_questions_at_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be found out is asked; an empty answer takes what was found."""
    monkeypatch.setattr("gateway.cli.init.sys", SimpleNamespace(stdin=_Terminal()))
    answers = "mx.cabinet.example\n\nDr Jeanne Légré\n"
    done = CliRunner().invoke(main, ["init", str(tmp_path / "x")], input=answers)

    assert 0 == done.exit_code
    assert "is for cabinet.example, at mx.cabinet.example" in done.stdout
    assert "sceau mailbox add dr.legre@cabinet.example --name 'Dr Jeanne Légré'" in done.stdout


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_runs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --start it need not be started any more: where it listens, and how it is stopped."""
    monkeypatch.setattr("gateway.starting.start", lambda _: Started(4242, {"imap": 993}, "x.log"))
    words = ["init", str(tmp_path / "x"), "--test", "--practice", "Dr Durand", "--start"]
    said = CliRunner().invoke(main, words).stdout

    assert "It runs as process 4242, at these ports:\n  imap 993\n" in said
    assert "Mailbox dr.durand@essai.example, application password" in said
    assert "sceau serve" not in said


def test_nothing_but_values_is_changed(tmp_path: Path) -> None:
    """Every comment of the example stays where it was."""
    folder = tmp_path / "chu"
    Founding.of(folder, "mx.chu.example", "", test=True).begin(clock())
    example, made = (
        path.read_text("utf-8").splitlines() for path in (EXAMPLE, folder / "gateway.toml")
    )

    assert len(example) == len(made)
    for was, now in zip(example, made, strict=True):
        assert now.endswith(was.removeprefix("# ").partition("#")[2]), now


def test_it_is_not_done_twice(tmp_path: Path) -> None:
    """A key ring opens what is kept: none is made where one was."""
    founding = Founding.of(tmp_path / "chu", "mx.chu.example", "", test=False)
    founding.begin(clock())
    before = founding.config.read_bytes()

    with pytest.raises(OperationError, match="there already"):
        founding.begin(clock())
    assert before == founding.config.read_bytes()


@pytest.mark.parametrize("host", ["localhost", "-", "a b.example"])
def test_a_machine_without_a_full_name(host: str) -> None:
    """Then, and only then, it must be said."""
    with pytest.raises(OperationError, match="full name"):
        Founding.of(Path("x"), host, "", test=False)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """It says which."""
    (tmp_path / "file").touch()
    with pytest.raises(OperationError, match="cannot be used"):
        Founding.of(tmp_path / "file" / "x", "mx.chu.example", "", test=False).begin(clock())


def test_a_value_longer_than_its_column() -> None:
    """The explanation moves no further than it must."""
    line = 'host = "a"   # why'
    told = adapted(f"[site]\n{line}", {("site", "host"): '"mx.chu.example"'})

    assert 'host = "mx.chu.example" # why' == told.splitlines()[1]
    assert {"site": {"host": "mx.chu.example"}} == tomllib.loads(told)


def test_the_command_line(tmp_path: Path) -> None:
    """A trial, its examination, its zone: three commands, none asks anything."""
    folder = tmp_path / "essai"
    run = CliRunner()
    begun = run.invoke(main, ["init", str(folder), "--test"])
    config = ["-c", str(folder / "gateway.toml")]
    well = run.invoke(main, ["doctor", *config])
    zone = run.invoke(main, ["doctor", "--dns", *config])
    (folder / "pki" / "gateway.key").chmod(0o644)
    ill = run.invoke(main, ["doctor", *config, "--json"])

    assert (0, 0, 0, 1) == tuple(each.exit_code for each in (begun, well, zone, ill))
    assert "sceau serve -c" in begun.output
    assert "ok    journal" in well.output
    assert "_imaps._tcp.essai.example. 3600 IN SRV 0 1 10993 mx.essai.example." in zone.output
    assert '"level":"fail"' in ill.stdout
