"""A program that keeps bodies until it is killed, and says which ones it promised.

``python -m tests.vault.writer FOLDER COUNT [LARGEST-FILE]``: one line a body on standard output,
``kept N`` once it is committed or ``failed N WHY``, written at once with nothing in between.
"""

import asyncio
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from smtp.address import parse
from vault.blobs import Folder
from vault.database import Database
from vault.errors import VaultError
from vault.journal import Journal
from vault.keys import KeyRing
from vault.store import Vault

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CANARY = b"canary-in-the-body"


def body(number: int) -> bytes:
    """Every third body is large: it goes into a blob, in several batches."""
    return b"%06d %s\r\n" % (number, CANARY) * (25_000 if number % 3 == 0 else 40)


async def blocks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 16384):
        yield content[start : start + 16384]


class Rooms:
    """Everything at rest, in one folder with its ring beside it."""

    def __init__(self, folder: Path) -> None:
        ring = folder / "ring.json"
        self.ring = KeyRing.load(ring) if ring.exists() else KeyRing.create(ring, NOW)
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.blobs = Folder(self.data / "blobs")
        self.database = Database.open(self.data / "sceau.db")
        self.journal = Journal(self.database, self.ring, folder / "journal.head")
        self.vault = Vault(self.database, self.ring, self.blobs, inline_limit=4000, reserve=0)

    async def keep(self, number: int) -> None:
        sealed = await self.vault.put(blocks(body(number)))
        who = parse(f"canary.{number}@labo.example")
        entry = self.journal.entry(NOW, "message.accepted", "gateway", message=f"{number}", who=who)
        await self.database.commit([*self.vault.holding(sealed, [f"entry/{number}"]), entry])

    async def close(self) -> None:
        await self.vault.close()
        await self.database.close()


def say(line: str) -> None:
    os.writev(1, [line.encode()])  # a call of its own, so that ``write`` means a blob to strace


async def main(folder: Path, count: int) -> None:
    rooms = Rooms(folder)
    await rooms.vault.sweep()
    numbers = iter(range(count))

    async def producer() -> None:
        for number in numbers:
            try:
                await rooms.keep(number)
                said = f"kept {number}\n"
            except VaultError as error:
                said = f"failed {number} {type(error).__name__}\n"
            say(said)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(producer())
    with suppress(VaultError):
        await rooms.journal.sign_head(NOW)
    await rooms.close()


if __name__ == "__main__":
    if len(sys.argv) > 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
