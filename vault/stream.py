"""Large bodies on their way into a blob and out of one: threads wait for the disk, the loop does not.

Inward, a batch is sealed and written while the next one arrives. Outward, what the system still has
in memory, as it does when a message goes on at once, is read here and now: that costs a tenth of
asking a thread, which is asked only when there is a disk to wait for.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor, Future, wait

from vault.blobs import Blob, Draft, Folder
from vault.seal import CHUNK, HEADER, Opener, Sealer, span

BATCH = 4 * CHUNK  # what a thread takes at once; a body in motion holds two or three in memory

Seen = Callable[[bytes], object]  # who looks at a body in clear while it is sealed, piece by piece


def unseen(_: bytes) -> None:
    """Look at nothing."""


class Inward:
    """One body on its way into a blob."""

    def __init__(
        self, threads: Executor, blobs: Folder, name: str, sealer: Sealer, seen: Seen
    ) -> None:
        self._threads, self._blobs, self._name, self._sealer = threads, blobs, name, sealer
        self._seen = seen
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
        if self._job is None:
            return
        if self._job.done():  # the disk is faster than the peer: no need to be woken
            self._job.result()
        else:
            await asyncio.wrap_future(self._job)

    # In a thread, one at a time.

    def _write(self, plain: bytes) -> None:
        self._seen(plain)
        self._drafted().write(self._sealer.feed(plain))

    def _keep(self, plain: bytes) -> None:
        self._seen(plain)
        draft = self._drafted()
        draft.write(self._sealer.finish(plain))
        draft.keep()

    def _drafted(self) -> Draft:
        if self._draft is None:
            self._draft = self._blobs.draft(self._name)
        return self._draft

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

    async def read(self, start: int, end: int) -> bytes:
        """Return a range."""
        return await asyncio.wrap_future(self._threads.submit(self.read_now, start, end))

    async def stream(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Yield a range, batch by batch."""
        with await self._opened() as blob:
            opener = self._opener(await self._fetched(blob, 0, HEADER))
            while start < end:
                stop = min(start + BATCH, end)
                sealed = await self._fetched(blob, *span(self._size, start, stop))
                yield opener.open(sealed, start, stop)
                start = stop

    async def _opened(self) -> Blob:
        job = self._threads.submit(self._blobs.open, self._name)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            job.add_done_callback(_close)
            raise

    async def _fetched(self, blob: Blob, start: int, end: int) -> bytes | bytearray:
        sealed = blob.at_hand(start, end)
        if sealed is None:
            return await asyncio.wrap_future(self._threads.submit(blob.read, start, end))
        return sealed

    def _opener(self, header: bytes | bytearray) -> Opener:
        return Opener(self._file_key, self._name, bytes(header), self._size)

    # In a thread.

    def read_now(self, start: int, end: int) -> bytes:
        """Return a range, waiting for the disk."""
        with self._blobs.open(self._name) as blob:
            opener = self._opener(blob.read(0, HEADER))
            return opener.open(blob.read(*span(self._size, start, end)), start, end)


def _close(job: "Future[Blob]") -> None:
    """Close what was opened for somebody who went away meanwhile."""
    if not job.cancelled() and job.exception() is None:
        job.result().close()
