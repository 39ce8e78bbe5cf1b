"""Drafts: a letter under way lies sealed in its writer's Drafts folder, and nowhere else.

Each save writes the letter anew as a whole message, its files streaming by: those that are kept
come out of the message they lay in, those that are uploaded from the connection. The draft before
goes when the new one is durable. Nothing is ever in a file, in clear, or whole in memory.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from gateway.web.problem import Problem
from gateway.web.reading import letter as letters
from gateway.web.reading.content import shape
from gateway.web.reading.hands import Hand
from gateway.web.reading.letter import Letter
from gateway.web.reading.places import Place
from gateway.web.reading.room import Room
from gateway.web.reading.shown import file_name
from gateway.web.reading.upload import Form, Piece
from imap.folder import UidSet
from imap.index import Section
from imap.store import Mode, Stored

_TYPE = "application/octet-stream"
_MEDIA = re.compile(r"[a-z]{1,30}/[a-z0-9][a-z0-9.+-]{0,100}")


@dataclass(frozen=True, slots=True)
class Source:
    """The message whose files a letter keeps: the draft before, or one that is forwarded."""

    place: Place
    stored: Stored
    files: tuple[Section, ...]  # those that stay with the letter

    @property
    def name(self) -> str:
        """How a form names it."""
        return f"{self.place.folder.id}.{self.stored.row.uid}"

    @property
    def uids(self) -> UidSet:
        """The message alone, as a set."""
        return UidSet.of([self.stored.row.uid])


class Files:
    """The uploads of a form, from the first that came on; its other fields go into the table."""

    def __init__(self, form: Form, first: Piece | None, fields: dict[str, str], most: int) -> None:
        self._form, self._next, self._fields = form, first, fields
        self._left = most

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self._next is not None

    async def parts(self, boundary: str) -> AsyncIterator[bytes]:
        """Yield each as a part of a message, while it comes."""
        while (piece := self._next) is not None:
            name = file_name((piece.file_name or "").rpartition("\\")[2], "file")
            yield letters.file_head(name, _kind(piece.kind), boundary)
            coded = letters.Base64()
            async with aclosing(piece.blocks()) as blocks:
                async for block in blocks:
                    self._left -= len(block)
                    if self._left < 0:
                        raise Problem("too-big", {"Connection": "close"})
                    yield coded.feed(block)
            yield coded.finish()
            self._next = await self._form.fields(self._fields)


def _kind(said: str) -> str:
    """Return a file's media type as its browser says it, unless it would have parts of its own."""
    kind = said.partition(";")[0].strip().lower()
    good = _MEDIA.fullmatch(kind) and not kind.startswith(("multipart/", "message/"))
    return kind if good else _TYPE


class Drafts:
    """One a gateway."""

    def __init__(self, room: Room) -> None:
        self._room, self._store = room, room.rooms.mailboxes

    async def save(
        self, place: Place, letter: Letter, hand: Hand, source: Source | None, files: Files | None
    ) -> Stored:
        """Write a letter into the Drafts folder; return it as it lies there."""
        kept = source.files if source else ()
        most = self._room.rooms.settings.reading.upload
        if source and sum(each.end - each.header for each in kept) * 3 // 4 > most:
            raise Problem("too-big")
        with_files = bool(kept) or (files is not None and files.any)
        boundary = secrets.token_hex(16) if with_files else ""
        now = self._room.rooms.clock()
        head = await asyncio.to_thread(letters.head, letter, hand.name, hand.really, now, boundary)
        blocks = self._written(head, boundary, source, files)
        batch = self._store.batch(place.folder.id)
        try:
            async with aclosing(blocks):
                await batch.add(["\\Draft", "\\Seen"], None, blocks, len(head))
            appended = await batch.commit()
        except BaseException:
            await batch.discard()
            raise
        async for some in self._store.indexes(place.folder.id, appended.uids):
            for stored in some:
                return stored
        raise Problem("not-found")  # another program took it away at once

    async def _written(
        self, head: bytes, boundary: str, source: Source | None, files: Files | None
    ) -> AsyncGenerator[bytes]:
        yield head
        for part in source.files if source else ():
            yield f"--{boundary}\r\n".encode("ascii")
            assert source is not None
            stream = self._store.stream(source.stored, part.header, part.end)
            last = b""
            async for block in stream:
                yield block
                last = (last + block[-2:])[-2:]
            if last != b"\r\n":
                yield b"\r\n"
        if files is not None:
            async for block in files.parts(boundary):
                yield block
        if boundary:
            yield letters.closing(boundary)

    async def remove(self, place: Place, stored: Stored) -> None:
        """Erase a draft that another, or the message sent, stands for."""
        uids = UidSet.of([stored.row.uid])
        await self._store.flag(place.folder.id, uids, Mode.ADD, ["\\Deleted"])
        await self._store.expunge(place.folder.id, uids)

    async def files(self, stored: Stored) -> tuple[Section, ...]:
        """Return the parts of a message that are files."""
        listed = (await shape(self._store, stored)).attachments
        by_number = {part.number: part for part in stored.index.parts}
        return tuple(by_number[each.number] for each in listed)


def kept(files: Sequence[Section], fields: Mapping[str, str]) -> tuple[Section, ...]:
    """Return the files that a form's ticks keep."""
    return tuple(each for each in files if f"keep-{each.number}" in fields)
