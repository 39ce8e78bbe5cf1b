"""The vault: bodies go in as they stream, sealed on the way, and come out for whoever holds them.

Small bodies lie in the database, large ones in blobs. Each body has a random file key of its own,
which is kept only as wraps, one a holder ('delivery/<id>', 'entry/<id>'), each bound to its row.
When the last wrap is dropped nobody can open the body again, and the schema's trigger takes the
rest away in the same transaction. What a crash leaves behind is sealed, and is swept: at no moment
does anything lie in clear (R-I4).
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

from vault.blobs import Folder
from vault.database import Database, Statement
from vault.errors import Gone, StorageFull
from vault.keys import KeyRing
from vault.seal import FILE_KEY, HEADER, SALT, Opener, Sealer, span
from vault.stream import BATCH, Inward, Outward, Seen, unseen

_T = TypeVar("_T")

_ASK = 1 << 20  # how many octets are written before the disk is asked again what it has left


@dataclass(frozen=True, slots=True)
class Sealed:
    """A body that is durable but that nobody holds yet; ``holding`` gives it to somebody."""

    id: str
    size: int  # in clear, octets
    file_key: bytes = field(repr=False)
    inline: bytes | None = field(repr=False)  # a small body's sealed bytes; None: it is a blob


@dataclass(frozen=True, slots=True)
class Held:
    """A body as one of its holders finds it."""

    id: str
    size: int
    inline: bytes | None = field(repr=False)
    file_key: bytes = field(repr=False)


class Vault:
    """Everything about bodies at rest."""

    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        blobs: Folder,
        *,
        inline_limit: int = 256 << 10,
        reserve: int = 256 << 20,
    ) -> None:
        self._database, self._ring, self._blobs = database, ring, blobs
        self._inline_limit, self._reserve = inline_limit, reserve
        self._threads = ThreadPoolExecutor(16, "sceau-blob")
        # Bodies are numbered within a run: neighbours in time are neighbours in the table, and
        # a blob that is being written now is told from one that a crash left behind.
        self._run = int.from_bytes(os.urandom(4), "big") >> 1
        self._count = 0

    async def put(
        self, body: AsyncIterator[bytes], *, own: bool = False, seen: Seen = unseen
    ) -> Sealed:
        """Seal a body; a large one is on the disk when this returns, a small one in the result.

        ``StorageFull``: the disk is down to its reserve. Our own reports (``own``) may use half
        of that, or nobody would learn what became of the messages we have. If the iterator
        raises, nothing is kept. ``seen`` is given all of it, in order, where it is sealed: for a
        large body that is a thread.
        """
        self._check_room(own=own)
        self._count += 1
        body_id = _name((self._run << 32) + self._count)
        file_key = os.urandom(FILE_KEY)
        sealer = Sealer(file_key, body_id, os.urandom(SALT))
        inward = Inward(self._threads, self._blobs, body_id, sealer, seen)
        try:
            rest = await self._pour(body, inward, own=own)
            if not inward.begun and len(rest) <= self._inline_limit:
                seen(rest)
                inline = sealer.finish(rest)
                return Sealed(body_id, sealer.size, file_key, inline)
            await inward.end(rest)
        except BaseException:
            await inward.abandon()
            raise
        return Sealed(body_id, sealer.size, file_key, None)

    async def _pour(self, body: AsyncIterator[bytes], inward: Inward, *, own: bool) -> bytes:
        """Hand the body on in batches; return the last, which is no end till no block follows."""
        parts: list[bytes] = []
        waiting, enough, unasked = 0, max(BATCH, self._inline_limit + 1), 0
        async for block in body:
            if waiting >= enough:
                unasked += waiting
                if unasked >= _ASK:
                    self._check_room(own=own)
                    unasked = 0
                await inward.add(b"".join(parts))
                parts, waiting, enough = [], 0, BATCH
            parts.append(block)
            waiting += len(block)
        return b"".join(parts)

    def holding(self, sealed: Sealed, holders: Sequence[str]) -> list[Statement]:
        """Return the statements that keep a body, for those who hold it."""
        if not holders:
            raise ValueError("a body without a holder could never be erased")
        blob = sealed.id if sealed.inline is None else None
        keep = Statement(
            "INSERT INTO body (id, size, sealed, blob) VALUES (?, ?, ?, ?)",
            (int(sealed.id, 16), sealed.size, sealed.inline, blob),
        )
        return [keep, *(self._wrapping(sealed, holder) for holder in holders)]

    def _wrapping(self, sealed: Sealed, holder: str) -> Statement:
        number, wrapped = self._ring.wrap(sealed.file_key, holder)
        return Statement(
            "INSERT INTO wrap (holder, body, ring, wrapped) VALUES (?, ?, ?, ?)",
            (holder, int(sealed.id, 16), number, wrapped),
        )

    def sharing(self, holder: str, new_holder: str) -> list[Statement]:
        """Return the statements that let another hold what one holds already."""
        rows = self._database.read("SELECT ring, wrapped FROM wrap WHERE holder = ?", (holder,))
        if not rows:
            raise _gone(holder)
        number, wrapped = rows[0]
        file_key = self._ring.unwrap(number, wrapped, holder)
        number, wrapped = self._ring.wrap(file_key, new_holder)
        return [
            Statement(
                "INSERT INTO wrap (holder, body, ring, wrapped)"
                " SELECT ?, body, ?, ? FROM wrap WHERE holder = ?",
                (new_holder, number, wrapped, holder),
                expect=1,
            )
        ]

    def dropping(self, holder: str) -> list[Statement]:
        """Return the statements by which one holds it no longer; with the last it is erased."""
        return [Statement("DELETE FROM wrap WHERE holder = ?", (holder,))]

    async def discard(self, sealed: Sealed) -> None:
        """Take away a body that nobody will hold after all."""
        if sealed.inline is None:
            await self._in_thread(self._blobs.remove, sealed.id)

    def size(self, holder: str) -> int:
        """How long the body is, in clear."""
        rows = self._database.read(f"SELECT b.size {_OF_HOLDER}", (holder,))
        if not rows:
            raise _gone(holder)
        return int(rows[0][0])

    async def read(self, holder: str, start: int = 0, end: int | None = None) -> bytes:
        """Return the body that somebody holds, or a range of it."""
        held = self.held(holder)
        end = held.size if end is None else end
        if held.inline is None:
            return await self._outward(held).read(start, end)
        return _opened(held, held.inline, start, end)

    def open_now(self, held: Held, start: int, end: int) -> bytes:
        """Return a range of a body; it waits for the disk, so it is for a thread."""
        if held.inline is None:
            return self._outward(held).read_now(start, end)
        return _opened(held, held.inline, start, end)

    async def stream(
        self, holder: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the body that somebody holds, or a range of it, piece by piece."""
        held = self.held(holder)
        end = held.size if end is None else end
        if held.inline is not None:
            yield _opened(held, held.inline, start, end)
            return
        async with aclosing(self._outward(held).stream(start, end)) as pieces:
            async for piece in pieces:
                yield piece

    async def sweep(self) -> int:
        """Remove the blobs that nobody can open: the erased ones, and those of earlier crashes.

        Return how many. The database's log is emptied too, where erased keys might still lie. Safe
        at any time; what this run is writing is left alone.
        """
        cleared = await self.clear()
        orphans = await self._orphans()
        await self._in_thread(self._remove, orphans)
        await self._database.empty_log()
        return cleared + len(orphans)

    async def clear(self) -> int:
        """Remove the blobs that were erased, which nobody can open; return how many.

        Soon after: what was delivered may be more, in a minute, than the disk has room for, and
        the memory it frees is what the next bodies are written to.
        """
        doomed = [name for (name,) in self._database.read("SELECT blob FROM doomed LIMIT 1000")]
        if doomed:
            await self._in_thread(self._remove, doomed)
            gone = "DELETE FROM doomed WHERE blob IN (SELECT value FROM json_each(?))"
            await self._database.commit([Statement(gone, (json.dumps(doomed),))])
        return len(doomed)

    def _remove(self, names: Sequence[str]) -> None:
        for name in names:
            self._blobs.remove(name)

    async def _orphans(self) -> list[str]:
        names = await self._in_thread(lambda: list(self._blobs.names()))
        ours = _name(self._run << 32)[:8]
        foreign = [name for name in names if not name.startswith(ours)]
        kept = {name for (name,) in await self._database.query(_BLOBS)} if foreign else set()
        return [name for name in foreign if name not in kept]

    async def close(self) -> None:
        """Wait for the threads to end what they have in hand."""
        await asyncio.to_thread(self._threads.shutdown)

    def held(self, holder: str) -> Held:
        """Return a body as somebody holds it, to be opened later."""
        rows = self._database.read(
            f"SELECT b.id, b.size, b.sealed, w.ring, w.wrapped {_OF_HOLDER}", (holder,)
        )
        if not rows:
            raise _gone(holder)
        body, size, inline, number, wrapped = rows[0]
        return Held(_name(body), size, inline, self._ring.unwrap(number, wrapped, holder))

    def _outward(self, held: Held) -> Outward:
        return Outward(self._threads, self._blobs, held.id, held.file_key, held.size)

    def _check_room(self, *, own: bool) -> None:
        if self._blobs.free() < (self._reserve // 2 if own else self._reserve):
            raise StorageFull("the disk is down to its reserve")

    async def _in_thread(self, work: Callable[..., _T], *args: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


_OF_HOLDER = "FROM wrap w JOIN body b ON b.id = w.body WHERE w.holder = ?"
_BLOBS = "SELECT blob FROM body WHERE blob IS NOT NULL"


def _name(number: int) -> str:
    return f"{number:016x}"


def _opened(held: Held, sealed: bytes, start: int, end: int) -> bytes:
    begin, stop = span(held.size, start, end)
    opener = Opener(held.file_key, held.id, sealed[:HEADER], held.size)
    return opener.open(sealed[begin:stop], start, end)


def _gone(holder: str) -> Gone:
    return Gone(f"{holder} holds no body: it was erased, or never kept")
