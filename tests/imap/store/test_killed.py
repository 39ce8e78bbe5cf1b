"""Killed at any moment: what a mail client was promised is there, and no UID names two messages.

``strace`` ends the process at a chosen system call.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from imap.folder import UidSet
from imap.store import INBOX
from tests.imap.store.client import Rooms, body, live

ALL = UidSet([(1, (1 << 32) - 1)])
COUNT = 30


def run(folder: Path, *strace: str) -> list[list[str]]:
    """Run the client, under strace if told how; return the promises it made."""
    command = [sys.executable, "-m", "tests.imap.store.client", str(folder), str(COUNT)]
    tracer = ["strace", "-f", "-qq", "-o", "/dev/null", *strace] if strace else []
    ran = subprocess.run(
        [*tracer, *command], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return [line.split() for line in ran.stdout.splitlines()]


async def subjects(rooms: Rooms, folder: str) -> dict[int, int]:
    """Return, by UID, the numbers of the messages that a folder holds, each read to its end."""
    found = {}
    async for some in rooms.mailboxes.indexes(rooms.folder(folder), ALL):
        for stored in some:
            content = await rooms.mailboxes.read(stored)
            number = int(content[9:15])
            assert body(number) == content
            found[stored.row.uid] = number
    return found


async def check(folder: Path, said: list[list[str]]) -> None:
    """Hold what lies there against what was promised."""
    rooms = Rooms(folder)
    inbox, archive = await subjects(rooms, INBOX), await subjects(rooms, "Archive")
    uids: dict[int, int] = {}
    moved: dict[int, int] = {}
    erased: set[int] = set()
    for verb, one, *more in said:
        match verb:
            case "appended":
                assert int(more[0]) not in uids.values(), "no UID is given twice"
                uids[int(one)] = int(more[0])
            case "moved":
                moved[int(one)] = int(more[0])
            case _:
                erased.add(int(one))
    for number, uid in uids.items():
        if uid in moved:
            assert uid not in inbox
            assert number == archive[moved[uid]]
        elif uid in erased:
            assert uid not in inbox
        elif number % 3 == 0:
            assert number == inbox[uid]
        else:  # on its way: still here, or there, or erased, and never twice
            assert (uid in inbox) + (number in archive.values()) <= 1
    assert len(set(archive.values())) == len(archive)

    await counted(rooms)
    await live(rooms, COUNT)  # 30 is a multiple of three: it stays in INBOX
    new = set(await subjects(rooms, INBOX)) - set(inbox)
    assert min(new) > max([*uids.values(), *inbox], default=0)
    await rooms.close()


async def counted(rooms: Rooms) -> None:
    """Hold each folder's counters against what lies in it; nothing is left over anywhere."""
    ((entries,),) = rooms.database.read("SELECT count(*) FROM entry")
    for table in ("card", "wrap", "body"):
        assert [(entries,)] == rooms.database.read(f"SELECT count(*) FROM {table}"), table
    for folder in rooms.mailboxes.folders(1):
        rows = [row async for some in rooms.mailboxes.rows(folder.id, ALL) for row in some]
        assert (len(rows), sum(row.size for row in rows)) == (folder.exists, folder.size)
        assert all(row.uid < folder.uid_next and row.modseq <= folder.modseq for row in rows)
    await rooms.vault.sweep()
    held = rooms.database.read("SELECT blob FROM body WHERE blob IS NOT NULL ORDER BY blob")
    assert [name for (name,) in held] == sorted(rooms.blobs.names())


async def prepare(folder: Path) -> None:
    rooms = Rooms(folder)
    await rooms.found()
    await rooms.close()


async def test_a_run_that_ends_well(tmp_path: Path) -> None:
    """Without a fault all is as promised: the other tests compare with this."""
    await prepare(tmp_path)
    said = run(tmp_path)
    assert COUNT + 2 * COUNT // 3 == len(said)
    await check(tmp_path, said)


@pytest.mark.parametrize(
    ("call", "when"),
    [
        *(("fdatasync", when) for when in (1, 2, 3, 7, 12, 21)),
        *(("pwrite64", when) for when in (5, 41, 87, 120)),
        ("rename", 2),
        ("fsync", 3),
    ],
)
async def test_killed(tmp_path: Path, call: str, when: int) -> None:
    """Whichever call is its last: no UID is given again, no entry lacks its body, no OK was hollow."""
    await prepare(tmp_path)
    said = run(tmp_path, f"-etrace={call}", f"-einject={call}:signal=KILL:when={when}")
    assert len(said) < COUNT + 2 * COUNT // 3
    await check(tmp_path, said)
