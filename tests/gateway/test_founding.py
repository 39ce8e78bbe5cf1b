"""A first configuration: found out rather than asked, whole, and never over another."""

import stat
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.app import clock
from gateway.cli import main
from gateway.founding import EXAMPLE, Founding, adapted
from gateway.operations.error import OperationError
from gateway.settings import load


def test_what_is_made(tmp_path: Path) -> None:
    """The example with our names in it and its explanations kept, and a key ring outside the data."""
    folder = tmp_path / "chu"
    made = Founding.of(folder, "mx.chu.example", "", test=False).begin(clock())
    settings = load(folder / "gateway.toml")

    assert ("mx.chu.example", ("chu.example",)) == (settings.site.host, settings.site.domains)
    assert stat.S_IMODE(settings.paths.keys.stat().st_mode) == 0o600
    assert not settings.paths.keys.is_relative_to(settings.paths.data)
    assert 993 == (settings.listen.imap and settings.listen.imap.port)
    assert 3 == len(made["next"])
    assert [] == list((folder / "pki").iterdir())


def test_nothing_but_values_is_changed(tmp_path: Path) -> None:
    """Every comment of the example stays where it was."""
    folder = tmp_path / "chu"
    Founding.of(folder, "mx.chu.example", "", test=True).begin(clock())
    example, made = (
        path.read_text("utf-8").splitlines() for path in (EXAMPLE, folder / "gateway.toml")
    )

    assert len(example) == len(made)
    assert [line.partition("#")[2] for line in example] == [line.partition("#")[2] for line in made]


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
