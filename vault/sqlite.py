"""How our SQLite files are opened, brought up to date, and what their errors mean.

Settings that durability and secrecy rest on: ``synchronous=FULL`` (a commit is on the disk when
it returns), ``secure_delete`` (what is deleted is overwritten), ``temp_store=MEMORY`` (nothing
is spilled into temporary files).
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from vault.errors import Conflict, StorageFull, VaultError, of_file

SCHEMA = Path(__file__).with_name("schema")
PATIENCE = 5000  # milliseconds to wait for another process that writes

_LOG_PAGES = 2000  # when the log is written back: 8 MiB, a pause of some milliseconds

# Whose fault is it? These are the machine's: every transaction of the group fails with them.
_MACHINE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a connection that any one thread at a time may use."""
    connection = sqlite3.connect(
        path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        for pragma in (
            "page_size = 4096",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            "trusted_schema = OFF",
            f"wal_autocheckpoint = {_LOG_PAGES}",
            f"cache_size = {-4096 if read_only else -8192}",
            f"query_only = {'ON' if read_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except sqlite3.Error:  # it is no database, or the disk fails
        connection.close()
        raise
    return connection


def migrate(path: Path) -> None:
    """Run the numbered files of ``vault/schema`` that this database has not seen, once each."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    connection = connect(path)
    try:
        (seen,) = connection.execute("PRAGMA user_version").fetchone()
        steps = {int(file.name[:4]): file for file in SCHEMA.glob("*.sql")}
        if seen > max(steps):
            raise VaultError(f"{path} was made by a newer version of the gateway")
        for number in sorted(steps):
            if number > seen:
                script = steps[number].read_text("utf-8")
                connection.executescript(
                    f"BEGIN IMMEDIATE;\n{script}\n;PRAGMA user_version = {number};COMMIT"
                )
    finally:
        connection.close()


def begin_patiently(connection: sqlite3.Connection) -> None:
    """Begin to write, waiting a while for another process to end; not for the loop's thread."""
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute("PRAGMA busy_timeout = 0")


def undo(connection: sqlite3.Connection) -> None:
    """Roll back, unless SQLite already did."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def empty_log(connection: sqlite3.Connection) -> None:
    """Write the log back and cut it to nothing; not while anybody reads."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def is_machine(error: sqlite3.Error) -> bool:
    """Whether the machine failed, rather than the statement."""
    return _code(error) in _MACHINE


def in_words(error: Exception) -> VaultError:
    """Put an error into our words; SQLite's own never quote a value."""
    if isinstance(error, OSError):
        return of_file(error)
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return StorageFull("the disk is full: the database has no room")
        case sqlite3.SQLITE_BUSY:
            return VaultError("another process is writing to the database")
        case sqlite3.SQLITE_CONSTRAINT:
            return Conflict(str(error))
        case _:
            return VaultError(f"the database failed: {error}")


def _code(error: Exception) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
