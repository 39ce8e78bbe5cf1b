"""What programs that take their mail from a folder write beside it: what they made of each document.

``<message>-<8 letters>.answer.json`` is taken up once it is there whole (a rename puts it there), told to
the sender and removed; what cannot be read, or answers nothing that was put there, is set aside under
another name. The folder is another program's: no link is followed. R-E7, R-F3.
"""

import asyncio
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.documents.codes import Failure
from gateway.relay.applications import Applications
from gateway.relay.desk import Desk
from gateway.relay.handing import said
from gateway.relay.handing.folder import named
from gateway.relay.handing.lines import Lines
from gateway.relay.handing.said import SaidError
from gateway.relay.integrating import Integrating, Verdict
from gateway.relay.message import Copy, Summary
from smtp.address import Address
from vault.errors import VaultError

_NAME = re.compile(r"([0-9A-Z]{26})-[0-9a-f]{8}\.answer\.json")
_UNUSABLE = ".unusable"
_OPEN = os.O_RDONLY | os.O_DIRECTORY
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_MOST = 500  # answers of one round


@dataclass(frozen=True, slots=True)
class Replies:
    """One a gateway; ``run`` is a task of its group."""

    desk: Desk
    lines: Lines
    ring: Callable[[], None]  # there is something to send

    async def run(self) -> None:
        """Look for ever."""
        every = min((line.poll for line in self.lines.values() if line.folder), default=None)
        while True:
            await asyncio.sleep(3600 if every is None else every)
            if every is not None:
                await self.round()

    async def round(self) -> int:
        """Look once into each folder; return how many answers were told."""
        told = 0
        for name, line in self.lines.items():
            if line.folder is None:
                continue
            try:
                told += await self._look(name, line.folder, line.errors)
            except OSError:
                continue  # the folder is away; what is put there is tried again, and says so
        if told:
            self.desk.books.outbox.bell.set()
            self.ring()
        return told

    async def _look(self, server: str, path: Path, errors: Address | None) -> int:
        folder = await asyncio.to_thread(os.open, path, _OPEN)
        told = 0
        try:
            for name in await asyncio.to_thread(_names, folder):
                told += await self._one(server, folder, name, errors)
        finally:
            os.close(folder)
        return told

    async def _one(self, server: str, folder: int, name: str, errors: Address | None) -> bool:
        """The boundary of one answer: whatever is wrong with it stops no other."""
        try:
            failure = said.read(await asyncio.to_thread(_content, folder, name))
            copy = self._copy(server, name.removesuffix(".answer.json"))
            if copy is None:
                raise SaidError
            await self._tell(copy, failure, errors)
            await asyncio.to_thread(os.unlink, name, dir_fd=folder)
        except SaidError:
            await asyncio.to_thread(_set_aside, folder, name)
            self.desk.on_event("handing.answer_unusable", {})
            return False
        except (VaultError, OSError):  # the machine's fault, or the folder's: the next round
            return False
        except Exception as error:  # noqa: BLE001 - one answer stops no other
            self.desk.on_event("replies.crashed", {"exception": error})
            return False
        return True

    async def _tell(self, copy: Copy, failure: Failure | None, errors: Address | None) -> None:
        books = self.desk.books
        known = Applications(books.database).find(copy.delivery.id)
        verdict = Verdict(copy, failure, _header(copy.message.summary))
        asked = known is not None and known.asked
        told = await Integrating(self.desk).telling(verdict, asked=asked, errors=errors)
        await books.database.commit(told)

    def _copy(self, server: str, name: str) -> Copy | None:
        """Return the copy that was put there under a name: no program answers for another's."""
        id_, holding = name.partition("-")[0], self.desk.servers.holding
        return next(
            (
                each
                for each in self.desk.books.spool.copies(id_)
                if named(id_, each.recipient.address) == name
                and holding(each.recipient.address) == server
            ),
            None,
        )


def _names(folder: int) -> list[str]:
    return [name for name in sorted(os.listdir(folder)) if _NAME.fullmatch(name)][:_MOST]


def _content(folder: int, name: str) -> bytes:
    try:
        fd = os.open(name, _FILE, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError:  # a link, say
        raise SaidError from None
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
            raise SaidError
        return file.read(said.LARGEST + 1)


def _set_aside(folder: int, name: str) -> None:
    with suppress(OSError):
        os.rename(name, name + _UNUSABLE, src_dir_fd=folder, dst_dir_fd=folder)


def _header(seen: Summary) -> bytes:
    """Return what is still known of the message's header: the folder has the message."""
    fields: Iterator[tuple[str, str]] = zip(
        ("From", "Subject", "Date", "Message-ID"),
        (seen.sender, seen.subject, seen.date, seen.message_id),
        strict=True,
    )
    block = "".join(f"{name}: {_line(value)}\r\n" for name, value in fields if value)
    return block.encode() + b"\r\n"


def _line(value: str) -> str:
    return "".join(each if each.isprintable() else " " for each in value)
