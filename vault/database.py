"""The database: short reads here and now, long ones in a thread, and one writer.

SQLite with a write-ahead log: readers see what was committed, and wait for nobody.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from vault import sqlite
from vault.errors import Conflict, VaultError
from vault.writer import Row, Statement, Writer

__all__ = ["Conflict", "Database", "Row", "Statement"]

_AGAIN = 0.05  # seconds after which a query that goes on is interrupted again


class Database:
    """The one database file; made by ``open``, used from one event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = Writer(sqlite.connect(path))
        self._reader = sqlite.connect(path, read_only=True)
        self._long = sqlite.connect(path, read_only=True)
        self._long_reads = ThreadPoolExecutor(1, "sceau-query")
        self._closed = False

    def __repr__(self) -> str:
        return f"<Database {self._path} waiting {self._writer.waiting}>"

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the database, and bring its tables up to date."""
        try:
            sqlite.migrate(path)
            return cls(path)
        except (sqlite3.Error, OSError) as error:
            raise sqlite.in_words(error) from error

    @property
    def path(self) -> Path:
        """Where the database lies."""
        return self._path

    def define(self, name: str, arity: int, function: Callable[..., Any]) -> None:
        """Let statements call a function of ours; it must be deterministic and never raise."""
        self._writer.connection.create_function(name, arity, function, deterministic=True)

    def listen(self, committed: Callable[[set[int]], None]) -> None:
        """Have somebody told, after each commit, which rows its statements say they touch."""
        self._writer.committed = committed

    async def commit(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run one transaction; return, once it is on the disk, the rows of each statement.

        The result has one list a statement, empty where it returns nothing. ``Conflict``: a
        count was not as expected or a constraint was broken, and nothing of it was done.
        ``VaultError``: the machine failed, and nothing is promised. Cancelling the caller undoes
        a transaction only while it still waits its turn.
        """
        if self._closed:
            raise VaultError("the database is closed")
        return await self._writer.commit(statements)

    async def settled(self) -> None:
        """Return once ``read`` finds all that was handed in until now; at once if it does already."""
        await self._writer.settled()

    def read(self, sql: str, args: Sequence[object] = ()) -> list[Row]:
        """Run a short, indexed query here and now: it costs less than asking a thread."""
        return _fetched(self._reader, sql, args)

    async def query(self, sql: str, args: Sequence[object] = ()) -> list[Row]:
        """Run a long query in a thread of its own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._long_reads, _fetched, self._long, sql, args)

    async def empty_log(self) -> None:
        """Write the log back and cut it to nothing: what was erased is in no file after this.

        A long query that is under way puts it off until the next time.
        """
        if not self._closed:
            await self._writer.empty_log()

    async def close(self) -> None:
        """Let what waits be committed, empty the log, close; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._long_reads.shutdown(wait=False, cancel_futures=True)
        ended = asyncio.ensure_future(asyncio.to_thread(self._long_reads.shutdown))
        while not ended.done():  # it may be about to begin
            self._long.interrupt()  # a long query has nobody left to answer
            await asyncio.wait([ended], timeout=_AGAIN)
        self._long.close()
        self._reader.close()
        await self._writer.close()


def _fetched(connection: sqlite3.Connection, sql: str, args: Sequence[object]) -> list[Row]:
    try:
        return connection.execute(sql, args).fetchall()
    except sqlite3.Error as error:
        raise sqlite.in_words(error) from error
