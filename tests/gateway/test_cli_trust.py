"""What an operator reads who denies somebody, and what is said to slips."""

import json

import pytest
from click.testing import CliRunner

from gateway.cli import main
from tests.gateway.test_cli_words import Operator
from trust.identity import Certificate


@pytest.fixture
def operator(tmp_path: object) -> Operator:
    made = Operator(tmp_path)  # type: ignore[arg-type]
    made.imports()
    return made


def test_a_denial_from_first_to_last(operator: Operator) -> None:
    """Said whom it meets; listed; lifted; remembered."""
    done = operator.types("trust", "deny", "chu.example", "--reason", "clé volée")
    assert done.splitlines() == [
        "domain chu.example is denied from now on.",
        "It meets 1 on the lists: chu.example",
    ]
    assert "clé volée" in operator.types("trust", "denials")
    explained = operator.types("trust", "explain", "dr@chu.example")
    assert "We deny the whole of chu.example here ourselves." in explained
    assert "is denied here no longer." in operator.types("trust", "allow", "CHU.example")
    assert "Nobody is denied here.\n" == operator.types("trust", "denials")
    (row,) = json.loads(operator.types("trust", "denials", "--all", "--json"))
    assert row["lifted_by"] == row["by"]


def test_a_denied_certificate(operator: Operator) -> None:
    """Named by its file, PEM or DER."""
    issued = operator.site.issued
    pem, _ = issued.write(operator.folder, "labo")
    (operator.folder / "labo.der").write_bytes(issued.der)
    done = operator.types("trust", "deny", "--certificate", pem, "--reason", "perdue")
    assert Certificate.parse(issued.der).fingerprint in done
    assert "Its holder may come with another" in done
    der = operator.folder / "labo.der"
    assert "no longer" in operator.types("trust", "allow", "--certificate", der)


def test_nobody_of_that_name(operator: Operator) -> None:
    """A slip of the pen is told; our own domain too."""
    done = operator.types("trust", "deny", "CN=personne", "--reason", "essai")
    assert "No list in force names it" in done
    result = CliRunner().invoke(
        main,
        ["trust", "deny", "labo.example", "--reason", "x", "-c", str(operator.site.config)],
    )
    assert "Our own domain is among them: labo.example" in result.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["deny", "--reason", "x"], 2, "Give WHAT, or --certificate"),
        (["deny", "a@b", "--reason", "x"], 1, "cannot be denied"),
        (["allow", "nobody.example"], 1, "is not denied here"),
    ],
)
def test_slips(operator: Operator, words: list[str], code: int, said: str) -> None:
    """Wrong usage is 2, what cannot be done is 1 and says what to do."""
    done = CliRunner().invoke(main, ["trust", *words, "-c", str(operator.site.config)])
    assert code == done.exit_code
    assert said in done.output


def test_a_file_that_is_no_certificate(operator: Operator) -> None:
    """It is told which."""
    path = operator.folder / "note.txt"
    path.write_text("bonjour")
    words = ["trust", "deny", "--certificate", str(path), "--reason", "x"]
    done = CliRunner().invoke(main, [*words, "-c", str(operator.site.config)])
    assert f"{path} holds no certificate" in done.output
