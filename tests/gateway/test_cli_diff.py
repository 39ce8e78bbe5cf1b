"""What an operator reads of a change, word for word, and decides."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.gateway.test_cli_words import Operator
from trust.identity import Identity, Way
from trust.members import Member

_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_DIGEST = re.compile(r"\b[0-9a-f]{32}\b")
GOLDEN = Path(__file__).parent.parent / "transcripts" / "diff"


def identity(organisation: str) -> Identity:
    return Identity(Way.DN, f"CN=mss.{organisation.lower()}.example,O={organisation},C=FR")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """One with 1,027 domains of one operator, and a few of others, in force."""
    made = Operator(tmp_path)
    for number in range(1027):
        name = f"d{number:04}.example"
        made.lists.members[name] = Member(name, (identity("SISRA"),))
    for name in ("old-1", "old-2", "old-3", "old-4"):
        made.lists.members[f"{name}.example"] = Member(f"{name}.example", (identity("WRAPTOR"),))
    made.imports()
    return made


def moves(operator: Operator) -> None:
    """Move the 1,027, take four away, add five."""
    for number in range(1027):
        name = f"d{number:04}.example"
        operator.lists.members[name] = Member(name, (identity("SARA"),))
    for name in ("old-1", "old-2", "old-3", "old-4"):
        del operator.lists.members[f"{name}.example"]
    for name in ("neuf-1", "neuf-2", "neuf-3", "neuf-4", "neuf-5"):
        operator.lists.members[f"{name}.example"] = Member(
            f"{name}.example", (identity("ENOVACOM"),)
        )
    operator.imports()


def plain(text: str) -> str:
    return _DIGEST.sub("0123456789abcdef" * 2, _TIMES.sub("2026-03-02T08:30:00.000Z", text))


@pytest.mark.parametrize("name", ["nothing", "moved", "expanded"])
def test_a_change_as_it_is_read(operator: Operator, name: str) -> None:
    """These lines are the product: nobody approves what they cannot read."""
    if name != "nothing":
        moves(operator)
    words = ["--domains"] if name == "expanded" else []
    expected = (GOLDEN / f"{name}.txt").read_text("utf-8")
    assert expected == plain(operator.types("trust", "diff", *words))


def types(operator: Operator, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-c", str(operator.site.config)])


def test_from_diff_to_approval(operator: Operator) -> None:
    """Shown as waiting, approved by the digest that was read, remembered."""
    moves(operator)
    shown = operator.types("trust", "show", "--limit", "2")
    assert "a change waits for approval, see sceau trust diff" in shown
    assert "1,033 in all; go on with --after d0000.example" in shown
    (change,) = json.loads(operator.types("trust", "diff", "--json"))
    refused = types(operator, "trust", "approve", "f" * 32)
    assert (1, True) == (refused.exit_code, "no change with the digest ffff" in refused.stderr)
    done = operator.types("trust", "approve", change["digest"][:32])
    assert done.startswith("list: version 2 is in force")
    assert "No change waits for approval.\n" == operator.types("trust", "diff")
    past = operator.types("trust", "diff", "2")
    assert past.startswith("list: version 2 after version 1\n")
    history = operator.types("trust", "history")
    assert "approved" in history
    assert change["digest"][:12] in history
    assert "2 versions verified again: as they were." in operator.types(
        "trust", "history", "--verify"
    )


def test_a_change_is_rejected(operator: Operator) -> None:
    """With the reason, for whoever asks."""
    moves(operator)
    assert "SARA n'en sait rien" in operator.types(
        "trust", "reject", "--reason", "SARA n'en sait rien"
    )
    assert 2 == types(operator, "trust", "reject").exit_code


def test_two_must_agree(operator: Operator) -> None:
    """The first one reads who else must."""
    text = operator.site.config.read_text("utf-8")
    operator.site.config.write_text(text.replace("[trust]", "[trust]\napprovals = 2"), "utf-8")
    moves(operator)
    assert "2 operators must agree:" in operator.types("trust", "diff")
    assert 2 == types(operator, "trust", "approve").exit_code
    (change,) = json.loads(operator.types("trust", "diff", "--json"))
    done = operator.types("trust", "approve", change["digest"])
    assert "Another operator must agree: sceau trust approve " in done
    again = types(operator, "trust", "approve", change["digest"])
    assert (1, True) == (again.exit_code, "has agreed already" in again.stderr)


def test_the_first_version_and_one_that_changes_nothing(operator: Operator) -> None:
    """Told as such."""
    first = operator.types("trust", "diff", "1")
    assert first.startswith("list: version 1, the first\n")
    operator.imports()
    assert "Nothing of it concerns whom we believe." in operator.types("trust", "diff", "2")
