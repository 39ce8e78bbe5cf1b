"""A message on its way from the socket to whoever keeps it: blocks in, an async iterator out.

It ends only when the whole message has come and is fit to be kept; in every other case it raises,
so that nobody who reads it to its end can keep half a message.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

_OVERHEAD = 64  # what a block costs besides its octets: tiny BDATs must not look free


class BodyError(Exception):
    """The message will not come whole, or may not be kept: ``reason`` is a slug.

    ``smuggled``, ``too-big``, ``too-many-chunks``, ``reset``, ``closed``. The server has the
    reply for each; whoever reads the body lets this pass.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Body:
    """The blocks of one message. One task reads it; ``relieved`` is told when it took some."""

    __slots__ = (
        "_blocks",
        "_discarding",
        "_failure",
        "_finished",
        "_relieved",
        "_waiter",
        "queued",
        "read_whole",
    )

    def __init__(self, relieved: Callable[[], None]) -> None:
        self.queued = 0
        self.read_whole = False
        self._blocks: deque[bytes] = deque()
        self._failure: str | None = None
        self._finished = self._discarding = False
        self._relieved = relieved
        self._waiter: asyncio.Future[None] | None = None

    def put(self, block: bytes) -> None:
        """Add a block."""
        if self._discarding:
            return
        self._blocks.append(block)
        self.queued += len(block) + _OVERHEAD
        self._wake()

    def finish(self) -> None:
        """Say that this was all, and good."""
        self._finished = True
        self._wake()

    def fail(self, reason: str) -> None:
        """Say that it will not do. Too late once it was finished: then it is whole."""
        if not self._finished and self._failure is None:
            self._failure = reason
            self._forget()
            self._wake()

    def discard(self) -> None:
        """Say that nobody reads on: what still comes is forgotten."""
        self._discarding = True
        self._forget()

    def _forget(self) -> None:
        self._blocks.clear()
        self.queued = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            if self._failure is not None:
                raise BodyError(self._failure)
            if self._blocks:
                block = self._blocks.popleft()
                self.queued -= len(block) + _OVERHEAD
                self._relieved()
                return block
            if self._finished:
                self.read_whole = True
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
