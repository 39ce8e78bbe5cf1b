"""A ready mail in a watched folder that is too large to be held in memory: known by its hash, then read.

Its file is ours since it was claimed and nobody writes to it, so it may be read twice: once for what it
is known by, which must be the same as of a small one, and once on its way to the intake.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator

_BLOCK = 256 << 10


def digest(file: int, companion: bytes | None) -> str:
    """Return what an open file is known by, with what is said of it; this reads it all."""
    hashed, at = hashlib.sha256(), 0
    while block := os.pread(file, _BLOCK, at):
        hashed.update(block)
        at += len(block)
    return hashlib.sha256(hashed.digest() + (companion or b"")).hexdigest()


async def blocks(file: int) -> AsyncGenerator[bytes, None]:
    """Yield an open file, a block at a time."""
    at = 0
    while block := await asyncio.to_thread(os.pread, file, _BLOCK, at):
        at += len(block)
        yield block


async def below(top: bytes, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield something on top, and then the rest."""
    if top:
        yield top
    async for block in content:
        yield block
