"""The writer: transactions share a sync, fail alone, and are never promised before the disk has them."""

import asyncio
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from vault import database as rooms
from vault import sqlite
from vault.database import Database, Statement
from vault.errors import Conflict, StorageFull, VaultError

ADD = "INSERT INTO seen (transfer, delivery, at) VALUES (?, 'd', ?)"
SET = "UPDATE seen SET at = ? WHERE transfer = ?"


def add(name: str) -> Statement:
    return Statement(ADD, (name.encode(), 1.0), expect=1)


def names(database: Database) -> list[str]:
    return [name.decode() for (name,) in database.read("SELECT transfer FROM seen ORDER BY 1")]


def beside(database: Database) -> list[str]:
    return sorted(path.name for path in database.path.parent.iterdir())


async def outcomes(*commits: Any) -> list[type]:
    return [type(one) for one in await asyncio.gather(*commits, return_exceptions=True)]


async def test_what_was_committed_is_read(database: Database, tmp_path: Path) -> None:
    """A row is visible, and survives a second opening, once commit has returned."""
    await database.commit([add("a")])
    assert ["a"] == names(database)
    await database.close()

    again = Database.open(tmp_path / "sceau.db")
    assert ["a"] == names(again)
    await again.close()


async def test_the_settings_that_durability_rests_on(database: Database) -> None:
    """FULL, write-ahead log, overwritten deletes, no temporary files, foreign keys."""
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "temp_store": 2,
        "foreign_keys": 1,
    }
    for connection in (database._writer.connection, database._reader, database._long):
        got = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
        assert wanted == got


async def test_the_file_is_private(database: Database, tmp_path: Path) -> None:
    """Nobody else on the machine reads even the sealed rows."""
    await database.commit([add("a")])
    assert ["sceau.db", "sceau.db-shm", "sceau.db-wal"] == beside(database)
    assert {0o600} == {(tmp_path / name).stat().st_mode & 0o777 for name in beside(database)}


async def test_each_statement_has_its_rows(database: Database) -> None:
    """The result is aligned with the statements, empty where one returns nothing."""
    rows = await database.commit(
        [
            add("a"),
            Statement("UPDATE seen SET at = 2 RETURNING transfer, at", expect=1),
            Statement("SELECT count(*) FROM seen"),
        ]
    )
    assert [[], [(b"a", 2.0)], [(1,)]] == rows


@pytest.mark.parametrize(
    "bad",
    [
        [Statement(SET, (2.0, b"nobody"), expect=1)],
        [Statement("DELETE FROM seen WHERE 0 RETURNING at", expect=1)],
        [add("bad")],  # a second time: the constraint
    ],
)
async def test_a_conflict_fails_alone(database: Database, bad: list[Statement]) -> None:
    """A transaction that meets other rows than expected is undone; its neighbours are not."""
    got = await outcomes(
        database.commit([add("a")]),
        database.commit([add("bad"), *bad]),
        database.commit([add("b")]),
    )
    assert [list, Conflict, list] == got
    assert ["a", "b"] == names(database)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (Statement("INSERT INTO nowhere VALUES (1)"), VaultError),
        (Statement(ADD, (object(), 1.0)), VaultError),
        (Statement(ADD, (1 << 80, 1.0)), OverflowError),
        (Statement(ADD, (1.5, "STRICT")), Conflict),
    ],
)
async def test_a_bug_fails_alone(database: Database, bad: Statement, error: type) -> None:
    """A statement that makes no sense is its caller's trouble."""
    got = await outcomes(
        database.commit([add("a")]),
        database.commit([add("bad"), bad]),
        database.commit([add("b")]),
    )
    assert [list, error, list] == got
    assert ["a", "b"] == names(database)


async def test_an_error_quotes_no_value(database: Database) -> None:
    """What was to be written is in no message, no repr, no log."""
    secret = Statement(SET, (2.0, b"canary"), expect=1)
    with pytest.raises(Conflict) as raised:
        await database.commit([secret])
    assert "canary" not in f"{raised.value!r} {secret!r}"


async def test_neighbours_see_each_other_in_order(database: Database) -> None:
    """A group runs in the order in which its transactions were handed over."""
    results = await asyncio.gather(
        *(
            database.commit([add(f"{n:02}"), Statement("SELECT count(*) FROM seen")])
            for n in range(20)
        )
    )
    assert [[[], [(n + 1,)]] for n in range(20)] == results


async def test_many_share_a_sync(database: Database, commits: list[int]) -> None:
    """A hundred transactions that are ready together are one commit."""
    await asyncio.gather(*(database.commit([add(str(n))]) for n in range(100)))
    assert [100] == commits


async def test_what_is_on_its_way_can_be_waited_for(database: Database) -> None:
    """Who is to read what a neighbour handed in finds it."""
    handed_in = asyncio.ensure_future(database.commit([add("a")]))
    await asyncio.sleep(0)
    await database.settled()
    assert ["a"] == names(database)
    await handed_in


async def test_with_nothing_on_its_way_nobody_waits(database: Database, commits: list[int]) -> None:
    """It costs no turn of the disk."""
    await database.settled()
    assert [] == commits


async def test_a_group_has_a_limit(database: Database, commits: list[int]) -> None:
    """The loop does not stand still for thousands of transactions at once."""
    await asyncio.gather(*(database.commit([add(str(n))]) for n in range(600)))
    assert [256, 256, 88] == commits


@pytest.fixture
def commits(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many transactions each COMMIT took with it."""
    sizes: list[int] = []
    real = database._writer._commit

    def counting(loop: asyncio.AbstractEventLoop, group: Sequence[Any]) -> None:
        sizes.append(len(group))
        real(loop, group)

    monkeypatch.setattr(database._writer, "_commit", counting)
    return sizes


async def test_cancelled_before_its_turn(database: Database) -> None:
    """Who no longer waits has nothing done."""
    task = asyncio.ensure_future(database.commit([add("cancelled")]))

    async def cancel() -> None:
        task.cancel()

    got = await outcomes(task, cancel(), database.commit([add("a")]))

    assert [asyncio.CancelledError, type(None), list] == got
    assert ["a"] == names(database)


async def test_cancelled_on_its_way_to_the_disk(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that cannot be stopped any more is carried out, and its neighbours are told."""
    real = database._writer._commit

    def cancelling(loop: asyncio.AbstractEventLoop, group: Sequence[Any]) -> None:
        loop.call_soon_threadsafe(task.cancel)
        real(loop, group)

    monkeypatch.setattr(database._writer, "_commit", cancelling)
    task = asyncio.ensure_future(database.commit([add("cancelled")]))

    assert [asyncio.CancelledError, list] == await outcomes(task, database.commit([add("a")]))
    assert ["a", "cancelled"] == names(database)


async def test_a_function_of_ours(database: Database) -> None:
    """Statements can call what ``define`` gave them."""
    database.define("twice", 1, lambda value: value * 2)
    assert [[(42,)]] == await database.commit([Statement("SELECT twice(21)")])


async def test_reads_cannot_write(database: Database) -> None:
    """Only ``commit`` changes anything."""
    with pytest.raises(VaultError):
        database.read("DELETE FROM seen")
    with pytest.raises(VaultError):
        await database.query("DELETE FROM seen")
    assert [(0,)] == await database.query("SELECT count(*) FROM seen")


async def test_closing_waits_for_no_long_query(database: Database) -> None:
    """Nobody is left to hear its answer, and some would take minutes."""
    begun = threading.Event()
    database._long.create_function("begun", 0, begun.set)
    endless = "WITH RECURSIVE n (x) AS (SELECT begun() UNION ALL SELECT 1 FROM n) SELECT x FROM n"
    asking = asyncio.get_running_loop().create_task(
        database.query(f"SELECT count(*) FROM ({endless})")
    )
    await asyncio.to_thread(begun.wait)
    await database.close()

    with pytest.raises(VaultError):
        await asking


async def test_closing_lets_waiting_ones_through(database: Database, tmp_path: Path) -> None:
    """What was handed over before the end is on the disk after it, and the log is empty."""
    await asyncio.gather(*(database.commit([add(str(n))]) for n in range(300)), database.close())

    with pytest.raises(VaultError, match="closed"):
        await database.commit([add("late")])
    assert ["sceau.db"] == beside(database)
    with sqlite3.connect(tmp_path / "sceau.db") as connection:
        assert (300,) == connection.execute("SELECT count(*) FROM seen").fetchone()
    connection.close()
    await database.close()


async def test_the_log_is_emptied(database: Database, tmp_path: Path) -> None:
    """What was deleted is in no file: overwritten in the database, and the log cut to nothing."""
    await database.commit([add("canary")])
    await database.commit([Statement("DELETE FROM seen")])
    log = tmp_path / "sceau.db-wal"
    assert b"canary" in log.read_bytes()

    await asyncio.gather(database.empty_log(), database.commit([add("a")]), database.empty_log())
    await database.empty_log()

    assert 0 == log.stat().st_size
    assert b"canary" not in (tmp_path / "sceau.db").read_bytes()
    assert ["a"] == names(database)
    await database.close()
    await database.empty_log()


async def test_nobody_waits_for_the_log_any_more(database: Database) -> None:
    """Who was cancelled meanwhile stops nothing."""
    task = asyncio.ensure_future(database.empty_log())

    async def cancel() -> None:
        task.cancel()

    assert asyncio.CancelledError in await outcomes(task, cancel(), database.commit([add("a")]))
    assert ["a"] == names(database)


async def test_another_process_that_writes_is_waited_for(
    database: Database, tmp_path: Path, intruder: Callable[[], sqlite3.Connection]
) -> None:
    """A lock that is let go in time costs time, not the transaction."""
    other = intruder()
    task = asyncio.ensure_future(database.commit([add("a")]))
    await asyncio.to_thread(other.execute, "SELECT 1")
    other.execute("ROLLBACK")
    await task
    assert ["a"] == names(database)


async def test_another_process_that_never_ends_is_an_error(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    intruder: Callable[[], sqlite3.Connection],
) -> None:
    """A locked database promises nothing, says why, and works again afterwards."""
    monkeypatch.setattr(sqlite, "PATIENCE", 20)
    other = intruder()
    with pytest.raises(VaultError, match="another process"):
        await database.commit([add("a")])
    other.execute("ROLLBACK")
    await database.commit([add("b")])
    assert ["b"] == names(database)


@pytest.fixture
async def intruder(
    database: Database, tmp_path: Path
) -> AsyncIterator[Callable[[], sqlite3.Connection]]:
    opened = []

    def make() -> sqlite3.Connection:
        opened.append(
            sqlite3.connect(tmp_path / "sceau.db", isolation_level=None, check_same_thread=False)
        )
        opened[-1].execute("BEGIN IMMEDIATE")
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()


async def test_a_full_database_is_said_and_recovers(database: Database) -> None:
    """No room: the whole group fails as StorageFull, nothing is kept, later ones go on."""
    (pages,) = database.read("PRAGMA page_count")[0]
    database._writer.connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    big = Statement("INSERT INTO body (id, size, sealed) VALUES (1, 1, zeroblob(100000))")

    assert [StorageFull, StorageFull] == await outcomes(
        database.commit([add("a")]), database.commit([big])
    )
    assert [Conflict, StorageFull] == await outcomes(
        database.commit([Statement(SET, (1.0, b"nobody"), expect=1)]), database.commit([big])
    )
    database._writer.connection.execute("PRAGMA max_page_count = 100000").fetchall()
    await database.commit([add("b"), big])
    assert ["b"] == names(database)


async def test_a_failed_commit_promises_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When COMMIT itself fails, all of its group are told, and nothing of it is there."""
    database._writer.connection.execute("PRAGMA defer_foreign_keys = ON").fetchall()
    orphan = Statement("INSERT INTO wrap VALUES ('h', 1, 1, x'00')")
    defer = Statement("PRAGMA defer_foreign_keys = ON")

    got = await outcomes(database.commit([add("a")]), database.commit([defer, orphan]))

    assert [Conflict, Conflict] == got
    assert [] == names(database)
    await database.commit([add("b")])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    """What is no database does not stay open, and is not overwritten."""
    path = tmp_path / "sceau.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(VaultError, match="not a database") as damaged:
        Database.open(path)
    assert path.read_bytes().startswith(b"no database")
    assert path not in {each.resolve() for each in Path("/proc/self/fd").iterdir()}
    assert isinstance(damaged.value.__cause__, sqlite3.DatabaseError)  # kept alive what was open


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """The operating system's words reach the operator."""
    with pytest.raises(VaultError, match="No such file"):
        Database.open(tmp_path / "nowhere" / "sceau.db")


async def test_each_migration_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database is brought up to date step by step, and stays as it is the second time."""
    steps = tmp_path / "schema"
    steps.mkdir()
    monkeypatch.setattr(sqlite, "SCHEMA", steps)
    (steps / "0001.sql").write_text(
        "CREATE TABLE seen (transfer BLOB PRIMARY KEY, delivery TEXT, at REAL) STRICT"
    )
    first = Database.open(tmp_path / "db")
    await first.commit([add("a")])
    await first.close()
    (steps / "0002.sql").write_text("ALTER TABLE seen ADD COLUMN more TEXT; -- and a comment")
    for _ in range(2):
        second = Database.open(tmp_path / "db")
        assert [(b"a", "d", 1.0, None)] == second.read("SELECT * FROM seen")
        await second.close()


def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a schema is no schema."""
    monkeypatch.setattr(sqlite, "SCHEMA", tmp_path)
    (tmp_path / "0001.sql").write_text("CREATE TABLE one (a); CREATE TABLE one (a)")
    with pytest.raises(VaultError, match="already exists"):
        Database.open(tmp_path / "db")
    connection = sqlite3.connect(tmp_path / "db")
    assert [] == connection.execute("SELECT * FROM sqlite_schema").fetchall()
    connection.close()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """An older gateway does not write into what it cannot understand."""
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    with pytest.raises(VaultError, match="newer version"):
        Database.open(tmp_path / "db")


def test_repr(tmp_path: Path) -> None:
    """An operator sees which file, and how much waits."""
    database = Database.open(tmp_path / "db")
    assert "waiting 0" in repr(database)
    asyncio.run(database.close())
    assert rooms.Conflict is Conflict
