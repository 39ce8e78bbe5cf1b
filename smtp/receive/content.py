"""One message while it arrives: what it may not be, and whose turn it is to speak.

Pure. A message that is refused is still read to its end, or its rest would be taken for commands;
nothing of it goes on once it has failed. RFC 5321 §4.1.1.4, RFC 1870 §6, RFC 3030 §2.
"""

from dataclasses import dataclass

from smtp import reply
from smtp.data import ChunkScanner, DataScanner
from smtp.receive.events import ContentBlock, ContentFailed
from smtp.reply import Reply

_MAX_CHUNKS = 10_000  # one octet a chunk is no mail, but a way to use up a server


@dataclass(slots=True)
class Content:
    """The body of one message, or a chunk that is read only to be refused."""

    scanner: DataScanner | ChunkScanner
    max_size: int  # 0: no limit
    failure: Reply | None = None  # why it is not kept, whatever the verdict
    verdict: Reply | None = None  # what the intake said
    begun: bool = False  # the shell knows of it, and owes a verdict
    last: bool = True  # no chunk follows
    silent: bool = False  # given up by a command that has a reply of its own
    size: int = 0
    _chunks: int = 0

    def expect(self, size: int, *, last: bool) -> ContentFailed | None:
        """Begin a chunk; return why it makes the message fail, if it does."""
        assert isinstance(self.scanner, ChunkScanner)
        self.scanner.expect(size)
        self.last = last
        self._chunks += 1
        if self._chunks > _MAX_CHUNKS:
            return self._fail("too-many-chunks", reply.TOO_MANY_CHUNKS)
        if self.max_size and self.size + size > self.max_size:
            return self._fail("too-big", reply.too_big(self.max_size))
        return None

    def take(self, block: bytes) -> ContentBlock | ContentFailed | None:
        """Read on; return what may go to the intake, or why nothing more will."""
        settled = self.scanner.feed(block)
        self.size += len(settled)
        if self.scanner.poisoned:
            return self._fail("smuggled", reply.SMUGGLED)
        if self.failure is not None:
            return None
        if self.max_size and self.size > self.max_size:
            return self._fail("too-big", reply.too_big(self.max_size))
        return ContentBlock(settled) if settled else None

    def finish(self) -> ContentFailed | None:
        """The last octet of DATA, or of a chunk, was read; return what is wrong with its end."""
        if self.last and isinstance(self.scanner, ChunkScanner):
            self.scanner.finish()
            if self.scanner.poisoned:
                return self._fail("smuggled", reply.SMUGGLED)
        return None

    @property
    def complete(self) -> bool:
        """Whether DATA, or the chunk, has ended."""
        return self.scanner.rest is not None

    @property
    def rest(self) -> bytes:
        """What followed the end: commands."""
        return self.scanner.rest or b""

    def _fail(self, reason: str, failure: Reply) -> ContentFailed | None:
        first = self.failure is None
        if self.begun and (first or failure is reply.SMUGGLED):
            # The worst is said, whichever was seen first: that depends on how the bytes were cut.
            self.failure = failure
        return ContentFailed(reason) if first else None
