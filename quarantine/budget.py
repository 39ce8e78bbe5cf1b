"""How far a look goes: so much time, so many files, so many octets unpacked, so deep.

Pure: whoever runs the look says whether its time is up. What is made to swamp whoever opens it is
told from what merely takes too long. R-J5.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MiB = 1 << 20


class Exhausted(Exception):  # noqa: N818 - says it in full
    """A look ends here; ``reason`` is the finding that says so."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason, self.why = reason, why


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a look into one message goes."""

    largest: int = 32 * MiB  # an attachment, or a file in an archive, above this is not opened
    unpacked: int = 512 * MiB  # of all archives of a message together
    entries: int = 10_000  # files in them
    depth: int = 6  # archives in archives, messages in messages


@dataclass(slots=True)
class Budget:
    """What is left of one message's limits."""

    limits: Limits
    expired: Callable[[], bool] = lambda: False
    unpacked: int = 0
    entries: int = 0
    held: int = 0  # octets of files in files that are in memory now

    def unpack(self, octets: int) -> None:
        """Count what came out of an archive."""
        self.unpacked += octets
        if self.unpacked > self.limits.unpacked:
            raise Exhausted("archive-bomb", f"more than {self.limits.unpacked} octets unpacked")
        self.go_on()

    def enter(self) -> None:
        """Count a file in an archive."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise Exhausted("archive-bomb", f"more than {self.limits.entries} files")
        self.go_on()

    def descend(self, depth: int) -> None:
        """Count a step inwards."""
        if depth > self.limits.depth:
            raise Exhausted("archive-bomb", f"deeper than {self.limits.depth}")
        self.go_on()

    def go_on(self) -> None:
        """End the look if its time is up."""
        if self.expired():
            raise Exhausted("not-inspected", "the look took too long")

    @property
    def room(self) -> int:
        """How many octets of one more file may be kept in memory."""
        return max(0, min(self.limits.largest, 2 * self.limits.largest - self.held))

    @contextmanager
    def holding(self, content: bytes) -> Iterator[None]:
        """Count a file in a file as long as it is looked at."""
        self.held += len(content)
        try:
            yield
        finally:
            self.held -= len(content)
