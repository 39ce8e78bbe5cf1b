"""The documents do not lie: what they name exists, what they claim is cited where it is obeyed."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("smtp", "trust", "vault", "quarantine", "imap", "gateway")

_NAME = re.compile(rf"`((?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*){{2,}})`")
_ROW = re.compile(r"^\| (RFC \d+|R-[A-J]\d+) \|.*\| (yes|partly|no) \|", re.MULTILINE)


def _resolve(dotted: str) -> object:
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(dotted)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name)
def test_names_in_documents_exist(page: Path) -> None:
    """A function that a page names can be found under that name."""
    for dotted in _NAME.findall(page.read_text("utf-8")):
        assert _resolve(dotted) is not None, dotted


def test_flow_names_a_function_at_every_step() -> None:
    """The page of the message's way is about code, not about intentions."""
    page = (ROOT / "docs/flow.md").read_text("utf-8")
    steps = re.findall(r"^\d+\. .*(?:\n    ?.+)*", page, re.MULTILINE)
    assert len(steps) >= 10
    assert [] == [step for step in steps if not _NAME.search(step)]


def test_standards_claimed_are_cited() -> None:
    """A standard obeyed, wholly or partly, is cited in the code that obeys it."""
    rows = _ROW.findall((ROOT / "docs/standards.md").read_text("utf-8"))
    assert len(rows) > 30
    code = "\n".join(
        path.read_text("utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".sql"}
    )
    claimed = {name for name, state in rows if state != "no"}
    assert set() == {name for name in claimed if not re.search(rf"\b{name}\b", code)}
