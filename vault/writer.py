"""The one writer: a transaction is a value, and many of them share a sync of the disk.

Transactions that arrive while a COMMIT waits for the disk go together into the next one; one that
meets other rows than it expected is undone alone. The statements run in the loop's thread, where
each costs microseconds; only COMMIT, which waits, runs in the writer's own: a hand-over between
threads for each statement would cost more than all of them (docs/adr/0008).
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from vault import sqlite
from vault.errors import Conflict, VaultError

Row: TypeAlias = tuple[Any, ...]

_GROUP = 256  # transactions that share a sync, at most: the loop must not stand still for long
_REST = 0.003  # seconds from one group to the next while several write at once: fewer, larger ones


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One statement of a transaction, and how many rows it must change or return.

    A dozen are made for each message, and a struct costs a tenth of a dataclass.
    """

    sql: str
    args: tuple[object, ...] = ()
    expect: int | None = None  # None: any number
    touches: int = 0  # the row, of whoever listens, that others may now look at anew; 0: none

    def __repr__(self) -> str:
        return f"Statement({self.sql!r}, expect={self.expect})"  # what it writes is nobody's


@dataclass(slots=True)
class _Waiting:
    """A transaction, and who waits for it."""

    statements: Sequence[Statement]
    future: "asyncio.Future[list[list[Row]]]"
    rows: list[list[Row]] = field(default_factory=list)  # of its last run


class Writer:
    """The writing connection; in use by the loop, or by its thread, never by both."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.committed: Callable[[set[int]], None] | None = None  # told what a group touched
        self._waiting: list[_Waiting] = []
        self._emptying: list[asyncio.Future[None]] = []
        self._busy = False  # a group is under way; only the loop's thread looks at it
        self._idle: asyncio.Future[None] | None = None  # made by ``close``, which waits for it
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="sceau-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many transactions wait for the next group."""
        return len(self._waiting)

    async def commit(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run one transaction; return the rows of each statement once it is on the disk."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(statements, loop.create_future())
        self._waiting.append(waiting)
        self._wake(loop)
        return await waiting.future

    async def settled(self) -> None:
        """Return once what was handed in until now is on the disk; at once if that is all there."""
        if self._busy:
            await self.commit(())

    async def empty_log(self) -> None:
        """Write the log back and cut it to nothing, between two groups."""
        loop = asyncio.get_running_loop()
        self._emptying.append(loop.create_future())
        self._wake(loop)
        await self._emptying[-1]

    async def close(self) -> None:
        """Let what waits be committed, empty the log, end the thread."""
        if self._busy:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        self._jobs.put(lambda: sqlite.empty_log(self.connection))
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self.connection.close()

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._busy:
            self._busy = True
            loop.call_soon(self._begin, loop)  # who else is ready in this turn joins the group

    # In the loop's thread: the statements.

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open a group for what waits; or, if nothing does, rest."""
        if self._emptying:
            asked, self._emptying = self._emptying, []
            self._jobs.put(lambda: self._empty(loop, asked))
            return
        if not self._waiting:
            self._busy = False
            if self._idle is not None:
                self._idle.set_result(None)
            return
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:  # another process writes: wait for it, but not in this thread
            self._jobs.put(lambda: self._wait_for_lock(loop))
        else:
            self._fill(loop)

    def _fill(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the group's statements and hand its COMMIT to the writer's thread."""
        group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
        group = [waiting for waiting in group if not waiting.future.done()]  # done: cancelled
        try:
            if not self._run_all(group):
                group = [waiting for waiting in group if self._run_apart(waiting)]
        except sqlite3.Error as error:
            sqlite.undo(self.connection)
            self._settle(group, sqlite.in_words(error))
            loop.call_soon(self._begin, loop)
        else:
            self._jobs.put(lambda: self._commit(loop, group))

    def _run_all(self, group: Sequence[_Waiting]) -> bool:
        """Run a whole group in the hope that nobody fails; else undo it all and say so.

        A savepoint copies each page that is touched after it, which costs as much as the
        statements do; conflicts are rare enough to run their group twice.
        """
        try:
            for waiting in group:
                waiting.rows = self._rows(waiting.statements)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and sqlite.is_machine(error):
                raise
            self.connection.execute("ROLLBACK")
            self.connection.execute("BEGIN IMMEDIATE")
            return False
        return True

    def _run_apart(self, waiting: _Waiting) -> bool:
        """Run one transaction so that it fails alone; an error that is not its own is raised."""
        self.connection.execute("SAVEPOINT one")
        try:
            waiting.rows = self._rows(waiting.statements)
        except Exception as error:
            if isinstance(error, sqlite3.Error):
                if sqlite.is_machine(error):
                    raise
                error = sqlite.in_words(error)
            waiting.future.set_exception(error)
            self.connection.execute("ROLLBACK TO one")
        self.connection.execute("RELEASE one")
        return not waiting.future.done()

    def _rows(self, statements: Sequence[Statement]) -> list[list[Row]]:
        return [_ran(self.connection.execute(one.sql, one.args), one) for one in statements]

    def _settle(self, group: Sequence[_Waiting], error: VaultError | None) -> None:
        """Tell those who wait that it is on the disk, or that it is not."""
        for waiting in group:
            if waiting.future.done():
                continue
            if error is None:
                waiting.future.set_result(waiting.rows)
            else:
                waiting.future.set_exception(error)

    def _end(
        self, loop: asyncio.AbstractEventLoop, group: Sequence[_Waiting], error: VaultError | None
    ) -> None:
        if error is None and self.committed is not None:
            touched = {one.touches for waiting in group for one in waiting.statements} - {0}
            if touched:  # in its own turn: whoever listens cannot stop the writer
                loop.call_soon(self.committed, touched)
        self._settle(group, error)
        # What they do next may join the next group; who writes alone waits for nobody.
        loop.call_later(_REST if len(group) > 1 else 0, self._begin, loop)

    # In the writer's thread: the disk.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            with suppress(RuntimeError):  # the loop was closed without us: nobody listens
                job()

    def _wait_for_lock(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            sqlite.begin_patiently(self.connection)
        except sqlite3.Error as error:
            loop.call_soon_threadsafe(self._refuse, loop, sqlite.in_words(error))
        else:
            loop.call_soon_threadsafe(self._fill, loop)

    def _refuse(self, loop: asyncio.AbstractEventLoop, error: VaultError) -> None:
        group, self._waiting = self._waiting, []
        self._settle(group, error)
        self._begin(loop)

    def _commit(self, loop: asyncio.AbstractEventLoop, group: Sequence[_Waiting]) -> None:
        error = None
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as raised:
            sqlite.undo(self.connection)
            error = sqlite.in_words(raised)
        loop.call_soon_threadsafe(self._end, loop, group, error)

    def _empty(
        self, loop: asyncio.AbstractEventLoop, asked: "Sequence[asyncio.Future[None]]"
    ) -> None:
        sqlite.empty_log(self.connection)
        loop.call_soon_threadsafe(_answer, asked)
        loop.call_soon_threadsafe(self._begin, loop)


def _answer(asked: "Sequence[asyncio.Future[None]]") -> None:
    for future in asked:
        if not future.done():
            future.set_result(None)


def _ran(cursor: sqlite3.Cursor, statement: Statement) -> list[Row]:
    rows = [] if cursor.description is None else cursor.fetchall()
    if statement.expect is not None:
        met = cursor.rowcount if cursor.description is None else len(rows)
        if met != statement.expect:
            raise Conflict(f"expected {statement.expect} rows, met {met}: {statement.sql[:80]}")
    return rows
