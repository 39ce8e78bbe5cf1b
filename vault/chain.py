"""The journal's chain: what a row's hash covers, and whether rows are the ones that were written.

Rows in, a verdict out. docs/journal.md gives the same in words, so that an auditor can check a
journal with tools that are not ours.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_START = bytes(32)  # what the first row is chained to
_FIXED = struct.Struct(">qd")
_ABSENT = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Head:
    """How far the journal had come when it was signed."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the whole journal found."""

    rows: int
    signed: int  # the row that the signed head names; nobody vouches for those after it
    problem: str = ""

    @property
    def good(self) -> bool:
        """Whether every row is the one that was written."""
        return not self.problem


def link(previous: bytes | None, seq: int, at: float, *fields: str | bytes | None) -> bytes:
    """Return a row's hash: it covers the row and, through ``previous``, all rows before it.

    The fields are event, actor, message, who, whom, detail, in this order.
    """
    parts = [previous or _START, _FIXED.pack(seq, at)]
    for value in fields:
        if value is None:
            parts.append(_ABSENT)
        else:
            raw = value.encode() if isinstance(value, str) else value
            parts += (len(raw).to_bytes(4, "big"), raw)
    return hashlib.sha256(b"".join(parts)).digest()


def verify(rows: Iterable[tuple[Any, ...]], head: Head | None) -> Verdict:
    """Follow the chain from its start; ``rows`` are whole rows, in order."""
    signed = 0 if head is None else head.seq
    previous, count = _START, 0
    for seq, *fields, stored in rows:
        if seq != count + 1:
            return Verdict(count, signed, f"row {count + 1} is missing")
        if link(previous, seq, *fields) != stored:
            return Verdict(count, signed, f"row {seq} is not the one that was written")
        if seq == signed and head is not None and stored != head.hash:
            return Verdict(count, signed, f"row {seq} is not the one that was signed")
        previous, count = stored, seq
    if count < signed:
        return Verdict(count, signed, f"rows {count + 1} to {signed} were cut off")
    if head is None:
        return Verdict(count, 0, "there is no signed head: nobody can say what was cut off")
    return Verdict(count, signed)
