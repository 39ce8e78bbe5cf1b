"""Which part of a document a client wants: a whole one, or what a broken transfer still lacks.

One range is served, as every browser and every download program asks; of several the whole document,
which RFC 9110 §14.2 allows. Pure: a header and a size in, a span out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class UnsatisfiableError(Exception):
    """Nothing of the document lies there."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is sent: from ``start`` up to, not including, ``end``, of ``size`` octets."""

    start: int
    end: int
    size: int

    @property
    def whole(self) -> bool:
        """It is all there is."""
        return self.start == 0 and self.end == self.size

    @property
    def headers(self) -> dict[str, str]:
        """How HTTP says so."""
        told = {"Content-Length": str(self.end - self.start), "Accept-Ranges": "bytes"}
        if not self.whole:
            told["Content-Range"] = f"bytes {self.start}-{self.end - 1}/{self.size}"
        return told

    @property
    def status(self) -> int:
        """The status that goes with it."""
        return 200 if self.whole else 206


def span(headers: Mapping[str, str], size: int, etag: str) -> Span:
    """Return what a request wants of a document; ``headers`` by lower-case names.

    ``etag`` is as it goes out, quotes included. A range of another version (``If-Range``) is a wish
    for this one, whole.
    """
    everything = Span(0, size, size)
    if headers.get("if-range", etag) != etag:
        return everything
    match = _RANGE.fullmatch(headers.get("range", "").strip())
    if match is None or not (match[1] or match[2]):
        return everything
    if not match[1]:  # the last so many
        start, end = max(0, size - int(match[2])), size
        if not int(match[2]):
            raise UnsatisfiableError
    else:
        start, end = int(match[1]), int(match[2]) + 1 if match[2] else size
        if match[2] and int(match[2]) < start:
            return everything
    if start >= size:
        raise UnsatisfiableError
    return Span(start, min(end, size), size)
