"""What a system of processes costs, read from /proc: CPU of the whole tree, memory of its members.

A child that has ended is in the account of the parent that reaped it, so the sum over a living
tree never loses what short-lived daemons have used. proc(5).
"""

import os
import select
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")
_UTIME, _CSTIME = 11, 14  # fields of stat after the command's name, cutime and cstime included
_PARENT = 1


def tree(root: int, proc: Path = _PROC) -> list[int]:
    """Return the process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for pid, fields in _all(proc):
        children.setdefault(int(fields[_PARENT]), []).append(pid)
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def cpu(root: int, proc: Path = _PROC) -> float:
    """Return the seconds of CPU that the tree has used, ended children included."""
    members = set(tree(root, proc))
    ticks = sum(
        sum(int(field) for field in fields[_UTIME : _CSTIME + 1])
        for pid, fields in _all(proc)
        if pid in members
    )
    return ticks / _TICK


def settled_cpu(root: int, pause: float = 0.1, patience: int = 30) -> float:
    """Return the tree's CPU once it has stopped working (or our patience has ended)."""
    used = cpu(root)
    for _ in range(patience):
        select.select([], [], [], pause)
        before, used = used, cpu(root)
        if used - before <= pause / 20:
            break
    return used


def resident(root: int, proc: Path = _PROC) -> int:
    """Return the octets resident in the tree; what its members share counts for each of them."""
    return sum(_rollup(pid, proc).get("Rss", 0) for pid in tree(root, proc))


def peak(pid: int, proc: Path = _PROC) -> int:
    """Return the most octets the process has had resident since ``forget_peak``."""
    return _kibibytes(proc / str(pid) / "status").get("VmHWM", 0)


def forget_peak(pid: int, proc: Path = _PROC) -> None:
    """Let the high-water mark of the process start again from what it has now."""
    (proc / str(pid) / "clear_refs").write_text("5", "ascii")


def _all(proc: Path) -> Iterator[tuple[int, list[str]]]:
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text("utf-8", "replace")
            except OSError:
                continue  # it has ended meanwhile
            yield int(entry.name), text.rpartition(")")[2].split()


def _rollup(pid: int, proc: Path) -> dict[str, int]:
    try:
        return _kibibytes(proc / str(pid) / "smaps_rollup")
    except OSError:
        return {}


def _kibibytes(path: Path) -> dict[str, int]:
    found = {}
    for line in path.read_text("ascii", "replace").splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            found[name] = int(value[:-3]) * 1024
    return found
