"""Perform a verb in a process that is killed (SIGKILL) at a point of one transaction.

``python -m tests.gateway.operations.killed CONFIG WHERE VERB ARGUMENTS-AS-JSON``; the transaction is
the one that decides about a case. WHERE is "commit", "end", or before which of its statements.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.app import alone
from vault import database
from vault.database import Statement
from vault.errors import VaultError
from vault.writer import Row, Writer


def _decides(statements: Sequence[Statement]) -> bool:
    return any("UPDATE held" in one.sql or "DELETE FROM held" in one.sql for one in statements)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Killed(Writer):
    """A writer that does not survive."""

    where = ""

    def _rows(self, statements: Sequence[Statement]) -> list[list[Row]]:
        if not _decides(statements) or not self.where.isdecimal():
            return super()._rows(statements)
        done = super()._rows(statements[: int(self.where)])
        _die()
        return done

    def _commit(self, loop: asyncio.AbstractEventLoop, group: Sequence[Any]) -> None:
        mine = any(_decides(waiting.statements) for waiting in group)
        if mine and self.where == "commit":
            _die()
        super()._commit(loop, group)

    def _end(
        self, loop: asyncio.AbstractEventLoop, group: Sequence[Any], error: VaultError | None
    ) -> None:
        if self.where == "end" and any(_decides(waiting.statements) for waiting in group):
            _die()
        super()._end(loop, group, error)


def main() -> None:
    config, where, verb, arguments = sys.argv[1:]
    Killed.where = where
    setattr(database, "Writer", Killed)  # noqa: B010 - what the database makes for itself
    alone(Path(config), verb, json.loads(arguments))


if __name__ == "__main__":
    main()
