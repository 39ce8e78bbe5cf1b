"""What a tree of processes costs."""

import os
from pathlib import Path

from tests.bench import processes


def _process(proc: Path, pid: int, parent: int, ticks: tuple[int, int, int, int]) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    fields = ["S", str(parent), *["0"] * 9, *map(str, ticks), *["0"] * 30]
    (folder / "stat").write_text(f"{pid} (a name (with) spaces) {' '.join(fields)}\n")
    (folder / "smaps_rollup").write_text("5-6 ---p 0 [rollup]\nRss:   9 kB\nPss:   4 kB\n")


def test_a_tree_is_a_process_and_all_below_it(tmp_path: Path) -> None:
    """Daemons' daemons count; a neighbour does not."""
    for pid, parent in ((1, 0), (10, 1), (11, 10), (12, 11), (20, 1)):
        _process(tmp_path, pid, parent, (100, 0, 0, 0))

    assert [10, 11, 12] == processes.tree(10, tmp_path)


def test_cpu_counts_children_that_have_ended(tmp_path: Path) -> None:
    """A short-lived daemon's work is in the account of the parent that reaped it."""
    tick = os.sysconf("SC_CLK_TCK")
    _process(tmp_path, 10, 1, (tick, tick, tick, tick))
    _process(tmp_path, 11, 10, (tick, 0, 0, 0))

    assert 5.0 == processes.cpu(10, tmp_path)


def test_memory_is_what_is_resident_in_all_members(tmp_path: Path) -> None:
    """Never less than what is really occupied: shared pages count for each."""
    _process(tmp_path, 10, 1, (0, 0, 0, 0))
    _process(tmp_path, 11, 10, (0, 0, 0, 0))

    assert 18432 == processes.resident(10, tmp_path)


def test_a_process_that_has_ended_has_no_memory(tmp_path: Path) -> None:
    """What ends between two looks is not an error."""
    assert 0 == processes.resident(10, tmp_path)


def test_our_own_process_can_be_read() -> None:
    """The fields stand where we read them, on this very kernel."""
    assert 0 < processes.cpu(os.getpid())
    assert 1 << 20 < processes.peak(os.getpid())
