"""The short texts that the key ring signs: how far the journal has come, what was purged or erased.

A few lines of ASCII, the first of which says what it is, and last the signature over them in base64.
Whoever has the public key can read one and believe it; docs/journal.md shows how with openssl.
"""

import re
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from vault.chain import Head
from vault.errors import VaultError
from vault.keys import KeyRing, signed_by

HEAD = "sceau journal head v1"
PURGE = "sceau journal purge v1"
ERASURE = "sceau journal erasure v1"

_LINES = re.compile(r"seq (\d{1,18})\nhash ((?:[0-9a-f]{2})*)\nat (\S+)\n")
_SPANS = re.compile(r"rows (\d{1,18}(?:-\d{1,18})?(?: \d{1,18}(?:-\d{1,18})?)*)\n")


class Mark(NamedTuple):
    """A row that was signed, and when."""

    head: Head
    at: datetime


def mark(title: str, head: Head, ring: KeyRing, at: datetime) -> bytes:
    """Sign a row's number and hash: as the head, or as what was purged last."""
    return _signed(f"{title}\n{_line(head, at)}", ring)


def marked(octets: bytes, title: str, public_key: bytes) -> Mark:
    """Read what ``mark`` signed; ``VaultError``: that key signed no such thing."""
    return _mark(_text(octets, title, public_key), title)


def erasure(rows: Sequence[int], last: Head, ring: KeyRing, at: datetime) -> bytes:
    """Sign that the content of rows was erased; ``last`` is the last of them."""
    spans = " ".join(
        f"{a}-{b}" if a < b else f"{a}" for a, b in _merged((row, row) for row in rows)
    )
    return _signed(f"{ERASURE}\nrows {spans}\n{_line(last, at)}", ring)


class Erased:
    """The rows whose erasure was signed."""

    def __init__(self, texts: Iterable[bytes], public_key: bytes) -> None:
        spans: list[tuple[int, int]] = []
        heads: list[Head] = []
        for octets in texts:
            text = _text(octets, ERASURE, public_key)
            found = _SPANS.match(text)
            if found is None:
                raise VaultError(f"what says '{ERASURE}' does not go on as it must")
            heads.append(_mark(text[found.end() :], ERASURE).head)
            for span in found[1].split():
                first, _, last = span.partition("-")
                spans.append((int(first), int(last or first)))
        self._spans, self.heads = _merged(spans), tuple(heads)
        self._firsts = [first for first, _ in self._spans]

    def __contains__(self, row: object) -> bool:
        if not isinstance(row, int):
            return False
        place = bisect_right(self._firsts, row) - 1
        return place >= 0 and row <= self._spans[place][1]


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _line(head: Head, at: datetime) -> str:
    return f"seq {head.seq}\nhash {head.hash.hex()}\nat {at.isoformat()}\n"


def _mark(text: str, title: str) -> Mark:
    found = _LINES.fullmatch(text)
    try:
        if found is not None:
            at = datetime.fromisoformat(found[3])
            return Mark(Head(int(found[1]), bytes.fromhex(found[2])), at)
    except ValueError:
        pass
    raise VaultError(f"what says '{title}' does not go on as it must")


def _signed(text: str, ring: KeyRing) -> bytes:
    octets = text.encode("ascii")
    return octets + b64encode(ring.sign(octets)) + b"\n"


def _text(octets: bytes, title: str, public_key: bytes) -> str:
    """Return what follows the title of a signed text."""
    text, _, signature = octets.removesuffix(b"\n").rpartition(b"\n")
    text += b"\n"
    head = f"{title}\n".encode()
    try:
        if text.startswith(head) and signed_by(public_key, b64decode(signature), text):
            return text.removeprefix(head).decode("ascii")
    except ValueError:
        pass
    raise VaultError(f"what should say '{title}' was not signed by the key ring")
