"""Killed at any moment, or on a disk that fails or is full: what was promised is there.

``strace`` ends the process at a chosen system call, or makes that call fail.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canary import Canary, search_folder
from tests.vault.writer import CANARY, Rooms, body
from vault.errors import StorageFull

COUNT = 24
CANARIES = [Canary("body", CANARY.decode()), Canary("address", "canary.1@labo")]


def run(
    folder: Path, *strace: str, count: int = COUNT, limit: int | None = None
) -> dict[str, list[int]]:
    """Run the writer, under strace if told how; return the numbers that it kept and failed."""
    command = [sys.executable, "-m", "tests.vault.writer", str(folder), str(count)]
    command += [str(limit)] if limit else []
    tracer = ["strace", "-f", "-qq", "-o", str(folder / "trace"), *strace] if strace else []
    ran = subprocess.run(
        [*tracer, *command], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    said: dict[str, list[int]] = {"kept": [], "failed": []}
    for line in ran.stdout.splitlines():
        verb, number, *_ = line.split()
        said[verb].append(int(number))
    return said


async def prepare(folder: Path) -> None:
    """Make the ring and the database, so that the calls counted are those that keep bodies."""
    await Rooms(folder).close()


async def check(folder: Path, said: dict[str, list[int]]) -> None:
    """Open what the writer left: all that it promised, nothing in clear, the chain whole."""
    control = folder / "data" / "control"
    control.write_bytes(body(1))
    found = search_folder(folder / "data", CANARIES)
    assert {"control"} == {Path(one.place).name for one in found}
    control.unlink()

    rooms = Rooms(folder)
    for number in said["kept"]:
        assert body(number) == await rooms.vault.read(f"entry/{number}")
    entries = [int(entry.message or "-1") for entry in await rooms.journal.page(0)]
    assert set(said["kept"]) <= set(entries)
    assert len(set(entries)) == rooms.database.read("SELECT count(*) FROM body")[0][0]
    assert (await rooms.journal.verify()).problem[:26] in {"", "there is no signed head: n"}

    await rooms.vault.sweep()
    held = rooms.database.read("SELECT blob FROM body WHERE blob IS NOT NULL ORDER BY blob")
    assert [name for (name,) in held] == sorted(rooms.blobs.names())
    await rooms.close()


async def test_a_run_that_ends_well(tmp_path: Path) -> None:
    """Without a fault everything is kept: the other tests compare with this."""
    said = run(tmp_path)
    assert {"kept": list(range(COUNT)), "failed": []} == {k: sorted(v) for k, v in said.items()}
    await check(tmp_path, said)


@pytest.mark.parametrize(
    ("call", "when"),
    [
        ("fdatasync", 1),
        ("fdatasync", 2),
        ("fdatasync", 5),
        ("fsync", 1),
        ("fsync", 2),
        ("rename", 1),
        ("rename", 2),
        ("write", 3),
        ("pwrite64", 5),
        ("pwrite64", 50),
    ],
)
async def test_killed(tmp_path: Path, call: str, when: int) -> None:
    """Whichever call is its last, what was promised before it is there afterwards."""
    await prepare(tmp_path)
    said = run(tmp_path, f"-etrace={call}", f"-einject={call}:signal=KILL:when={when}")
    assert len(said["kept"]) < COUNT
    await check(tmp_path, said)


@pytest.mark.parametrize(
    ("call", "error", "when"),
    [
        ("fdatasync", "EIO", "2"),
        ("fdatasync", "EIO", "1+2"),
        ("fdatasync", "ENOSPC", "2"),
        ("fsync", "EIO", "1"),
        ("rename", "EIO", "1"),
        ("pwrite64", "EIO", "20+7"),
        ("pwrite64", "ENOSPC", "20+7"),
        ("write", "ENOSPC", "3+3"),
        ("write", "EIO", "3+3"),
    ],
)
async def test_a_failing_disk(tmp_path: Path, call: str, error: str, when: str) -> None:
    """A call that fails is never a promise, and not the end of the gateway."""
    await prepare(tmp_path)
    said = run(tmp_path, f"-etrace={call}", f"-einject={call}:error={error}:when={when}")
    assert said["failed"]
    assert list(range(COUNT)) == sorted(said["kept"] + said["failed"])
    await check(tmp_path, said)


async def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """A limit on file sizes is met like a full disk."""
    await prepare(tmp_path)
    said = run(tmp_path, limit=200_000)
    assert said["failed"]
    await check(tmp_path, said)


def test_data_and_names_are_synced_before_the_promise(tmp_path: Path) -> None:
    """Blob, its name, its folder, the rows: in this order, and only then a word of it."""
    calls = "-etrace=write,fdatasync,rename,fsync,pwrite64,writev"
    assert [0] == run(tmp_path, "-y", calls, count=1)["kept"]

    wanted = {
        r"write\(.*\.part>": "blob written",
        r"fdatasync\(.*\.part>": "blob synced",
        r"rename\(.*\.part": "blob named",
        r"fsync\(.*/blobs>": "folder synced",
        r"pwrite64\(.*-wal>": "rows written",
        r"fdatasync\(.*-wal>": "rows synced",
        r"writev\(1.*kept 0": "promised",
    }
    happened = [
        what
        for line in (tmp_path / "trace").read_text().splitlines()
        for pattern, what in wanted.items()
        if re.search(pattern, line)
    ]
    last = {what: at for at, what in enumerate(happened[: happened.index("promised") + 1])}
    assert list(wanted.values()) == sorted(last, key=lambda what: last[what])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk(small_disk: Path) -> None:
    """Used up to the last octet: an error in words, nothing lost, and room made is room again."""
    rooms = Rooms(small_disk)
    kept: list[int] = []
    with pytest.raises(StorageFull):
        await fill(rooms, kept)
    assert len(kept) > 10
    assert [] == [name for name in rooms.blobs.names() if name.endswith(".part")]
    await rooms.close()

    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)  # noqa: ASYNC221 - nothing else runs
    await check(small_disk, {"kept": kept, "failed": []})


async def fill(rooms: Rooms, kept: list[int]) -> None:
    for number in range(1000):
        await rooms.keep(number)
        kept.append(number)


async def test_the_reserve_leaves_room_to_let_go(small_disk: Path) -> None:
    """With a reserve no more comes in, but what is there can still be sent and erased."""
    rooms = Rooms(small_disk)
    rooms.vault._reserve = 3 << 20
    kept: list[int] = []
    with pytest.raises(StorageFull, match="reserve"):
        await fill(rooms, kept)
    for number in kept:
        assert body(number) == await rooms.vault.read(f"entry/{number}")
        await rooms.database.commit(rooms.vault.dropping(f"entry/{number}"))
    await rooms.vault.sweep()

    assert [] == list(rooms.blobs.names())
    await rooms.keep(0)
    assert body(0) == await rooms.vault.read("entry/0")
    await rooms.close()
