"""What has arrived and is not yet read: lines for commands, octets for literals."""


class LineTooLong(Exception):  # noqa: N818 - what the line is
    """A line went on beyond its bound; it is read past, and this is what it began with."""

    def __init__(self, begun: bytes) -> None:
        super().__init__("line too long")
        self.begun = begun


class Arrived:
    """A buffer that is read from its front; how the blocks were cut makes no difference."""

    __slots__ = ("_begun", "_buffer", "_sought")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._sought = 0  # so far no end of line was found
        self._begun: bytes | None = None  # of a line that is being read past

    def __len__(self) -> int:
        return len(self._buffer)

    def push(self, block: bytes) -> None:
        """Add what arrived."""
        self._buffer += block

    def line(self, longest: int) -> bytes | None:
        """Take a line with its end; None: it has not come whole. ``LineTooLong`` once it has."""
        end = self._buffer.find(b"\n", self._sought)
        if end < 0:
            self._sought = len(self._buffer)
            if self._sought > longest or self._begun is not None:
                if self._begun is None:
                    self._begun = bytes(self._buffer[:100])
                self._drop(self._sought)
            return None
        line = bytes(self._buffer[: end + 1])
        self._drop(end + 1)
        begun, self._begun = self._begun, None
        if begun is None and len(line) > longest:
            begun = line[:100]
        if begun is not None:
            raise LineTooLong(begun)
        return line

    def take(self, most: int) -> bytes:
        """Take octets, no more than there are."""
        block = bytes(self._buffer[:most])
        self._drop(len(block))
        return block

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._sought = 0
