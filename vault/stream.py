"""Large bodies on their way into a blob and out of one: threads wait for the disk, the loop does not.

Inward, a batch is sealed and written while the next one arrives; outward, a batch is read and
opened while the one before it is being sent.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, Future, wait

from vault.blobs import Draft, Folder
from vault.seal import CHUNK, HEADER, Opener, Sealer, span

BATCH = 4 * CHUNK  # what a thread takes at once; a body in motion holds two or three in memory


class Inward:
    """One body on its way into a blob."""

    def __init__(self, threads: Executor, blobs: Folder, name: str, sealer: Sealer) -> None:
        self._threads, self._blobs, self._name, self._sealer = threads, blobs, name, sealer
        self._draft: Draft | None = None
        self._job: Future[None] | None = None

    @property
    def begun(self) -> bool:
        """Whether a batch was handed over, so that the body is too large for anywhere else."""
        return self._job is not None

    async def add(self, plain: bytes) -> None:
        """Have a batch sealed and written; return when the one before it is."""
        await self._finished()
        self._job = self._threads.submit(self._write, plain)

    async def end(self, plain: bytes) -> None:
        """Write the last batch; the blob is durable when this returns."""
        await self._finished()
        self._job = self._threads.submit(self._keep, plain)
        await self._finished()

    async def abandon(self) -> None:
        """Leave nothing behind, even if our caller is being cancelled."""
        if self._job is None:
            return
        job = self._threads.submit(self._discard, self._job)
        await asyncio.shield(asyncio.wrap_future(job))

    async def _finished(self) -> None:
        if self._job is not None:
            await asyncio.wrap_future(self._job)

    # In a thread, one at a time.

    def _write(self, plain: bytes) -> None:
        if self._draft is None:
            self._draft = self._blobs.draft(self._name)
        self._draft.write(self._sealer.feed(plain))

    def _keep(self, plain: bytes) -> None:
        self._write(plain)
        assert self._draft is not None
        self._draft.write(self._sealer.finish())
        self._draft.keep()

    def _discard(self, before: "Future[None]") -> None:
        wait([before])
        if self._draft is not None:
            self._draft.discard()


class Outward:
    """One body on its way out of a blob."""

    def __init__(
        self, threads: Executor, blobs: Folder, name: str, file_key: bytes, size: int
    ) -> None:
        self._threads, self._blobs, self._name = threads, blobs, name
        self._file_key, self._size = file_key, size
        self._opener: Opener | None = None

    async def read(self, start: int, end: int) -> bytes:
        """Return a range."""
        return await asyncio.wrap_future(self._threads.submit(self._open, start, end))

    async def stream(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield a range, batch by batch."""
        ahead = self._threads.submit(self._open, start, min(start + BATCH, end))
        while start < end:
            batch = await asyncio.wrap_future(ahead)
            start += len(batch)
            if start < end:
                ahead = self._threads.submit(self._open, start, min(start + BATCH, end))
            yield batch

    # In a thread, one at a time.

    def _open(self, start: int, end: int) -> bytes:
        if self._opener is None:
            header = self._blobs.read(self._name, 0, HEADER)
            self._opener = Opener(self._file_key, self._name, header, self._size)
        sealed = self._blobs.read(self._name, *span(self._size, start, end))
        return self._opener.open(sealed, start, end)
