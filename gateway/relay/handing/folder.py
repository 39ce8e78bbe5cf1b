"""Mail for software, put into a folder: one directory a message, there whole or not at all.

The folder belongs to another program with its own rights: every step is relative to the folder held
open, nothing that lies there is written over, and no link is followed. What lies there is readable,
and no longer sealed: that is the owner's choice (docs/laboratories.md). R-E7.
"""

import asyncio
import errno
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.relay.handing.files import Read, files
from smtp.address import Address, key
from smtp.reply import Reply
from smtp.send.outgoing import Offer, Outcome, Outgoing

AWAY = Reply(451, "4.3.0", "The folder of that mailbox's software is away; it will be tried again")
FULL = Reply(452, "4.3.1", "There is no room in the folder of that mailbox's software")
KEPT = Reply(250, "2.0.0", "It lies in the folder of that mailbox's software")
THERE = Reply(250, "2.0.0", "It lies in that folder already")

_OPEN = os.O_RDONLY | os.O_DIRECTORY
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Folders:
    """One server of kind ``folder``: opens what ``lanes`` takes for a connection."""

    path: Path

    async def open(self) -> "Deposited | Reply":
        """Return the way in, if the folder is there."""
        return Deposited(self.path) if await asyncio.to_thread(self.path.is_dir) else AWAY


class Deposited:
    """What ``lanes`` takes for a connection: each recipient gets a directory of its own."""

    offer = Offer()  # no limit
    recipients_max: int | None = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self.certificate = b""
        self.idle_since = asyncio.get_running_loop().time()
        self.usable = True

    async def send(self, outgoing: Outgoing, body: AsyncIterator[bytes]) -> Outcome:
        """Put one message there for each of its recipients; one reply for each."""
        content = b"".join([block async for block in body])  # it is looked into as a whole
        replies = await asyncio.to_thread(self._all, outgoing, content)
        return Outcome(replies, dsn=False, reusable=False)

    def _all(self, outgoing: Outgoing, content: bytes) -> tuple[tuple[Address, Reply], ...]:
        read, id_ = Read.of(content), outgoing.transfer or ""
        return tuple(
            (to, self._one(id_, to, files(read, id_, outgoing.mail_from, to)))
            for to in (one.address for one in outgoing.recipients)
        )

    def _one(self, id_: str, to: Address, made: Mapping[str, bytes]) -> Reply:
        try:
            folder = os.open(self._path, _OPEN)
        except OSError:
            return AWAY
        try:
            return KEPT if put(folder, named(id_, to), made) else THERE
        except OSError as error:
            return FULL if error.errno in _ROOM else AWAY
        finally:
            os.close(folder)

    async def close(self) -> None:
        """Nothing is open between two messages."""
        self.usable = False


def named(id_: str, to: Address) -> str:
    """Return the directory of a message for one recipient: the same at every attempt."""
    return f"{id_}-{hashlib.sha256(key(to).encode()).hexdigest()[:8]}"


def put(folder: int, name: str, made: Mapping[str, bytes]) -> bool:
    """Write a directory with files, whole or not at all; False: it lies there already."""
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=folder, follow_symlinks=False)
        return False
    draft = f".{name}.draft"
    with suppress(FileNotFoundError):  # of an attempt that was cut off
        shutil.rmtree(draft, dir_fd=folder)
    os.mkdir(draft, 0o700, dir_fd=folder)
    try:
        _fill(folder, draft, made)
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True, dir_fd=folder)
        raise
    os.fsync(folder)
    return True


def _fill(folder: int, draft: str, made: Mapping[str, bytes]) -> None:
    inside = os.open(draft, _OPEN | os.O_NOFOLLOW, dir_fd=folder)
    try:
        for name, content in made.items():
            fd = os.open(name, _NEW, 0o600, dir_fd=inside)
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                os.fchmod(fd, 0o660)  # the program that reads it is of the folder's group
                file.flush()
                os.fsync(fd)
        os.fchmod(inside, 0o770)
        os.fsync(inside)
    finally:
        os.close(inside)
