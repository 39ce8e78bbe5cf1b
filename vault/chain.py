"""The journal's chain: what a row's hash covers, and whether rows are the ones that were written.

Rows in, a verdict out. Who and what a row tells of enters its hash by a digest alone, so that this
can be erased and the chain goes on; that it was, and what was purged before, must have been signed.
docs/journal.md gives the same in words, and ``vault/standalone.py`` once more without us.
"""

import hashlib
import struct
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_START = bytes(32)  # what the first row is chained to
_FIXED = struct.Struct(">qd")
_ABSENT = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Head:
    """How far the journal had come when it was signed; or up to where it was purged."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the whole journal found."""

    rows: int  # the last row that could be followed
    signed: int  # the row that the signed head names; nobody vouches for those after it
    problem: str = ""
    purged: int = 0  # rows up to this one are gone, as was signed
    erased: int = 0  # rows whose content is gone, as was signed

    @property
    def good(self) -> bool:
        """Whether every row is the one that was written."""
        return not self.problem


def link(  # noqa: PLR0917 - SQLite calls it, in the order of the columns
    previous: bytes | None,
    seq: int,
    at: float,
    event: str | bytes,
    actor: str | bytes,
    message: str | bytes | None,
    content: bytes,
) -> bytes:
    """Return a row's hash: it covers the row and, through ``previous``, all rows before it."""
    fields = _lengths((event, actor, message, content))
    return hashlib.sha256((previous or _START) + _FIXED.pack(seq, at) + fields).digest()


def content(who: bytes | None, whom: bytes | None, detail: bytes, proof: bytes) -> bytes:
    """Return the digest by which a row's hash covers what can be erased.

    ``proof`` is the digest of what ``detail`` seals, whose first octets are random: it gives nothing
    away, and lets an opened row be proven to whoever cannot open any.
    """
    sealed = hashlib.sha256(detail).digest()
    return hashlib.sha256(_lengths((who, whom, sealed, proof))).digest()


def _lengths(fields: Iterable[str | bytes | None]) -> bytes:
    parts = []
    for value in fields:
        if value is None:
            parts.append(_ABSENT)
        else:
            raw = value.encode() if isinstance(value, str) else value
            parts += (len(raw).to_bytes(4, "big"), raw)
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Signed:
    """Everything about a journal that its key ring signed."""

    head: Head | None
    more: Sequence[Head] = ()  # other rows that were: earlier days ended with them ...
    purged: Head = Head(0, b"")
    erased: Container[int] = ()  # rows whose content is gone


def verify(rows: Iterable[tuple[Any, ...]], signed: Signed) -> Verdict:  # noqa: PLR0911 - one a crime
    """Follow the chain from where it begins; ``rows`` are whole rows, in order.

    Their columns: seq, at, event, actor, message, who, whom, detail, proof, hash.
    """
    upto = 0 if signed.head is None else signed.head.seq
    begins = signed.purged.seq
    previous, last, erased = signed.purged.hash or _START, begins, 0
    heads = _heads(signed)

    def verdict(problem: str = "") -> Verdict:
        return Verdict(last, upto, problem, begins, erased)

    for seq, *fields, stored in rows:
        if seq != last + 1:
            return verdict(f"row {last + 1} is missing")
        gone = fields[-2] is None
        if gone and seq not in signed.erased:
            return verdict(f"row {seq} was erased, and nobody signed that")
        if _hash(previous, seq, fields) != stored:
            return verdict(f"row {seq} is not the one that was written")
        if any(stored != head for head in heads.get(seq, ())):
            return verdict(f"row {seq} is not the one that was signed")
        previous, last, erased = stored, seq, erased + gone
    if last < upto:
        return verdict(f"rows {last + 1} to {upto} were cut off")
    if signed.head is None:
        return verdict("there is no signed head: nobody can say what was cut off")
    if upto < begins:
        return verdict(f"the head was signed at row {upto}, before rows up to {begins} were purged")
    if last == upto == begins and signed.head.hash != signed.purged.hash:
        return verdict(f"row {upto} is not the one that was signed")
    return verdict()


def _hash(previous: bytes, seq: int, fields: Sequence[Any]) -> bytes | None:
    at, event, actor, message, who, whom, detail, proof = fields
    try:
        if detail is None:
            told = proof if who is None and whom is None else b""
        else:
            told = content(who, whom, detail, proof)
        return link(previous, seq, at, event, actor, message, told)
    except (AttributeError, TypeError, ValueError, struct.error):  # a table that is not ours
        return None


def _heads(signed: Signed) -> Mapping[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for head in (*signed.more, *((signed.head,) if signed.head else ())):
        found.setdefault(head.seq, []).append(head.hash)
    return found
