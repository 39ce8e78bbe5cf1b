"""The bench of the console opens every page that there is, of a gateway as operators run it."""

from pathlib import Path

import pytest

from gateway.console.desk import ROOMS
from tests.bench import desk


def test_every_page_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sizes are measured as large ones are, and no page of the navigation is left out."""
    monkeypatch.setattr(desk, "TIMES", 1)

    found = desk.measure(tmp_path / "site", 1000)

    assert [page.name for page in desk.pages(dict.fromkeys(desk.KNOWN, "x"))] == [
        figure.what.partition(", 1,000")[0] for figure in found
    ]
    opened = {figure.what.lower().partition(",")[0].partition(" ")[0] for figure in found}
    assert {entry.key for entry, _ in ROOMS} <= opened
    assert all(0 < figure.ours for figure in found)
