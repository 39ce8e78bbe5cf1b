"""The octets of a whole as they come, and as they are put together again. Pure."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

HEADER = 1 << 19  # octets in which a header ends


@dataclass(slots=True)
class Cursor:
    """Octets as they come, handed out in pieces of a length."""

    blocks: AsyncIterator[bytes]
    rest: bytes = b""

    async def take(self, octets: int) -> AsyncIterator[bytes]:
        """Yield the next so many, or fewer at the end."""
        while octets > 0:
            block = self.rest or await anext(self.blocks, b"")
            if not block:
                return
            self.rest = block[octets:]
            octets -= len(block[:octets])
            yield block[:octets] if self.rest else block


@dataclass(slots=True)
class Whole:
    """A message as it is put together again: what it hashes to, how it begins."""

    hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    head: bytearray = field(default_factory=bytearray)
    ascii: bool = True

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        self.hash.update(block)
        self.ascii = self.ascii and block.isascii()
        if len(self.head) < HEADER:
            self.head += block[: HEADER - len(self.head)]
