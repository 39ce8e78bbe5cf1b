"""A long content is searched a piece at a time, so that the rest of the gateway has its turn between.

Whoever searches does so in a thread; but one search is one step for the interpreter, and everybody
else stands still meanwhile.
"""

import re
from collections.abc import Iterator

_STEP = 64 << 10  # octets: a millisecond or two
_OVERLAP = 4096  # what is sought may lie across two pieces, if it is not longer


def windows(length: int, overlap: int = _OVERLAP) -> Iterator[tuple[int, int]]:
    """Yield where the pieces begin and end; each repeats the end of the one before."""
    for start in range(0, max(length, 1), _STEP):
        yield max(0, start - overlap), min(length, start + _STEP)


def matches(pattern: re.Pattern[bytes], content: bytes) -> bool:
    """Whether a pattern is found."""
    return any(pattern.search(content, *place) for place in windows(len(content)))


def holds(content: bytes, mark: bytes) -> bool:
    """Whether these octets lie in it."""
    return any(content.find(mark, *place) >= 0 for place in windows(len(content)))


def each(pattern: re.Pattern[bytes], content: bytes, start: int = 0) -> Iterator[re.Match[bytes]]:
    """Yield what a pattern finds, none twice, from a place on."""
    after = start
    for begin, end in windows(len(content)):
        if end <= start:
            continue
        for found in pattern.finditer(content, max(begin, after), end):
            after = found.end()
            yield found


def with_crlf(content: bytes) -> bytes:
    """Return a text whose lines end as those of mail do, whatever ended them."""
    blocks: list[bytes] = []
    at = 0
    while at < len(content):
        end = at + _STEP
        end += content[end - 1 : end + 1] == b"\r\n"  # which is not cut in two
        blocks.append(content[at:end].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        at = end
    return b"".join(blocks)
