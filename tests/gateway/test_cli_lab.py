"""What an operator reads of a night's results, and of those that may not wait."""

import csv
import json
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import main
from tests.gateway.test_cli_words import Operator


def _fails(operator: Operator, *words: str) -> str:
    done = CliRunner().invoke(main, [*words, "-c", str(operator.site.config)])
    assert 1 == done.exit_code
    return done.stderr


def test_a_quiet_night_is_told_in_words_json_and_a_file(tmp_path: Path) -> None:
    """The file is the owner's alone, ends with the count, and never takes another's place."""
    operator, sheet = Operator(tmp_path), tmp_path / "matin.csv"
    said = operator.types("lab", "morning")
    assert "Nothing must go another way." in said
    assert "0 results, 0 recipients" in said
    told = json.loads(operator.types("lab", "morning", "--json", "--output", str(sheet)))
    assert {"since", "until", "account", "words", "mots", "rows"} == set(told)
    with sheet.open(encoding="utf-8", newline="") as file:
        (count,) = csv.DictReader(file)
    assert ("account", told["words"]) == (count["answer"], count["why"])
    assert 0o600 == sheet.stat().st_mode & 0o777
    again = _fails(operator, "lab", "morning", "--output", str(sheet))
    assert "name a file that is not there yet" in again


def test_what_went_into_a_file_is_not_shown_too(tmp_path: Path) -> None:
    """Whoever is told where it lies, and how many they are, opens it there."""
    operator, sheet = Operator(tmp_path), tmp_path / "matin.csv"
    said = operator.types("lab", "morning", "--output", str(sheet))
    written, count = said.splitlines()
    assert f"{sheet}: 0 rows, for your eyes alone." == written
    assert count.startswith("0 results, 0 recipients")


def test_what_was_asked_wrongly_is_said(tmp_path: Path) -> None:
    """A time to come; a result that waits for nobody."""
    operator = Operator(tmp_path)
    assert "is not past" in _fails(operator, "lab", "morning", "--since", "2999-01-01T00:00:00Z")
    several = ("8Z0A-2C4E", "8Z0A-2C4F")
    assert f"{several[0]} waits for anybody" in _fails(operator, "lab", "acknowledge", *several)
