"""The laboratory part's own tools tell the truth."""

import json
from pathlib import Path

import pytest

from tests.bench import laboratory
from tests.bench.cell import CellError


def test_each_result_is_a_file_of_its_size_and_its_own(tmp_path: Path) -> None:
    """No two are alike, so none is taken for one that was sent before."""
    hashes = laboratory._write(tmp_path / "made", 3, 2000, ["a@chu.example", "b@chu.example"])
    files = sorted((tmp_path / "made").glob("*.pdf"))

    assert 3 == len(set(hashes.values()))
    assert [2000] * 3 == [each.stat().st_size for each in files]
    told = [json.loads(each.with_name(f"{each.name}.json").read_bytes()) for each in files]
    assert [["a@chu.example"], ["b@chu.example"], ["a@chu.example"]] == [
        each["to"] for each in told
    ]


def test_a_result_that_failed_ends_it(tmp_path: Path) -> None:
    """A figure in which a result is missing is no figure."""
    (tmp_path / "r0.pdf.delivered.json").touch()
    laboratory._answered(tmp_path, 1)
    (tmp_path / "r1.pdf.failed.json").touch()
    with pytest.raises(CellError, match="1 failed"):
        laboratory._answered(tmp_path, 2)
