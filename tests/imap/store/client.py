"""A program that files, moves and erases messages until it is killed, and says what was promised.

``python -m tests.imap.store.client FOLDER COUNT``: one line a promise on standard output, written
at once with nothing in between: ``appended N UID``, ``moved UID NEW``, ``erased UID``.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from imap.folder import UidSet
from imap.store import INBOX, Mailboxes, Mode
from tests.world.rest import blocks
from vault.blobs import Folder
from vault.database import Database, Statement
from vault.keys import KeyRing
from vault.store import Vault

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def body(number: int) -> bytes:
    """Every third message is large: it goes into a blob."""
    return b"Subject: %06d\r\n\r\n%b" % (number, b"x\r\n" * (4000 if number % 3 == 0 else 40))


class Rooms:
    """Everything at rest, in one folder with its ring beside it, and one mailbox."""

    def __init__(self, folder: Path) -> None:
        ring = folder / "ring.json"
        self.ring = KeyRing.load(ring) if ring.exists() else KeyRing.create(ring, NOW)
        self.database = Database.open(folder / "sceau.db")
        self.blobs = Folder(folder / "blobs")
        self.vault = Vault(self.database, self.ring, self.blobs, inline_limit=4000, reserve=0)
        self.mailboxes = Mailboxes(self.database, self.vault, self.ring, lambda: NOW)

    async def found(self) -> None:
        """Make the mailbox."""
        made = Statement(
            "INSERT INTO mailbox (id, key, domain, address, facts, kind, status, created)"
            " VALUES (1, 'k1', 'chu.example', X'01', X'00', 'PER', 'active', 0)"
        )
        await self.database.commit([made, *self.mailboxes.founding("k1", NOW)])

    def folder(self, name: str) -> int:
        found = self.mailboxes.find(1, name)
        assert found is not None
        return found.id

    async def close(self) -> None:
        await self.vault.close()
        await self.database.close()


def say(line: str) -> None:
    os.writev(1, [f"{line}\n".encode()])


async def live(rooms: Rooms, number: int) -> None:
    """File a message; move one of three, erase one of three, keep one of three."""
    inbox, archive = rooms.folder(INBOX), rooms.folder("Archive")
    batch = rooms.mailboxes.batch(inbox)
    await batch.add([], None, blocks(body(number)), len(body(number)))
    uids = (await batch.commit()).uids
    (uid,) = uids
    say(f"appended {number} {uid}")
    if number % 3 == 1:
        moved = await rooms.mailboxes.move(inbox, uids, archive)
        say(f"moved {uid} {next(iter(moved.target))}")
    if number % 3 == 2:
        await rooms.mailboxes.flag(inbox, uids, Mode.ADD, ["\\Deleted"])
        erased = await rooms.mailboxes.expunge(inbox, UidSet.of([uid]))
        say(f"erased {next(iter(erased))}")


async def main(folder: Path, count: int) -> None:
    rooms = Rooms(folder)
    numbers = iter(range(count))

    async def lives() -> None:
        for number in numbers:
            await live(rooms, number)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(lives())
    await rooms.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
