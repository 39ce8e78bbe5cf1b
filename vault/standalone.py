"""Check an export of the journal. Needs this file alone, Python 3.11 and the package cryptography.

    python3 standalone.py [--part] EXPORT PUBLIC-KEY [HEAD ...]

EXPORT is what ``sceau journal export`` wrote, PUBLIC-KEY the 64 hex digits that ``sceau keys list``
names and that were noted down on paper. A HEAD is a signed head that was kept elsewhere, of whatever
day: with the newest of them nothing that it covers can be missing. With --part the export may begin
later than the journal does. Exit code 0: every row is the one
that was written, and none is missing; 1: not so, and why; 2: wrong usage.

It imports nothing of the gateway and follows docs/journal.md for itself: a second pair of eyes.
"""

import base64
import binascii
import hashlib
import json
import re
import struct
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "sceau journal export v1"
HEAD, PURGE, ERASURE = (f"sceau journal {what} v1" for what in ("head", "purge", "erasure"))


class Problem(Exception):  # noqa: N818 - what an auditor reports
    """Something is not as it was written, or nobody can say."""


def check(
    lines: Iterable[str], key: bytes, heads: Sequence[str] = (), *, part: bool = False
) -> dict[str, int]:
    """Return what an export holds; raise ``Problem`` at the first thing that is wrong."""
    every = enumerate(lines, 1)
    number, text = next(every, (1, ""))
    after, previous = _beginning(_object(text, number))
    hashes, erased, ending = [previous], [], None
    for number, text in every:
        found = _object(text, number)
        if ending is not None:
            raise Problem(f"line {number} comes after the end")
        if "seq" in found:
            seq = after + len(hashes)
            digest, gone = _row(found, seq, hashes[-1])
            hashes.append(digest)
            erased += [seq] if gone else []
        else:
            ending = found
    if ending is None:
        raise Problem("the end is missing: nobody can say what was cut off")
    signed = _Signed(ending, key, heads)
    if after > signed.purged[0] and not part:
        raise Problem(f"rows {signed.purged[0] + 1} to {after} are missing")
    return _vouched(after, hashes, erased, signed)


class _Signed:
    """Everything that bears a good signature: rows' hashes, what was purged, what was erased."""

    def __init__(self, ending: dict[str, Any], key: bytes, heads: Sequence[str]) -> None:
        self._key = key
        given = [*_texts(ending.get("days")), *_texts([ending.get("head") or ""]), *heads]
        self.heads = [self._mark(text, HEAD) for text in given if text]
        self.purged = (0, "")
        if ending.get("purged"):
            self.purged = self._mark(str(ending["purged"]), PURGE)
        self.spans: list[tuple[int, int]] = []
        for text in _texts(ending.get("erased")):
            said, _, rest = self._signed(text, ERASURE).partition("\n")
            for span in said.removeprefix("rows ").split():
                first, _, last = span.partition("-")
                self.spans.append((_whole(first), _whole(last or first)))
            self.heads.append(_mark(rest))

    def _mark(self, text: str, title: str) -> tuple[int, str]:
        return _mark(self._signed(text, title))

    def _signed(self, text: str, title: str) -> str:
        body, _, signature = text.removesuffix("\n").rpartition("\n")
        body += "\n"
        try:
            public = Ed25519PublicKey.from_public_bytes(self._key)
            public.verify(base64.b64decode(signature), body.encode())
        except (InvalidSignature, ValueError):
            raise Problem(f"a '{title}' was not signed by that key") from None
        if not body.startswith(f"{title}\n"):
            raise Problem(f"what should be a '{title}' is something else")
        return body.removeprefix(f"{title}\n")


def _vouched(after: int, hashes: list[bytes], erased: list[int], signed: _Signed) -> dict[str, int]:
    """Compare the rows with what was signed of them."""
    last, begins = after + len(hashes) - 1, signed.purged[0]
    upto = max((seq for seq, _ in signed.heads), default=0)
    if not signed.heads:
        raise Problem("there is no signed head: nobody can say what was cut off")
    if last < upto:
        raise Problem(f"rows {last + 1} to {upto} were cut off")
    for seq, digest in (*signed.heads, signed.purged):
        if seq and after <= seq and hashes[seq - after].hex() != digest:
            raise Problem(f"row {seq} is not the one that was signed")
    if not after and any(hashes[0]):
        raise Problem("the first row is chained to something that was before it")
    for seq in erased:
        if not any(first <= seq <= last for first, last in signed.spans):
            raise Problem(f"row {seq} was erased, and nobody signed that")
    return {
        "first": after + 1,
        "last": last,
        "signed": upto,
        "purged": begins,
        "left out": max(after - begins, 0),
        "erased": len(erased),
    }


def _beginning(found: dict[str, Any]) -> tuple[int, bytes]:
    if found.get("format") != FORMAT:
        raise Problem(f"this is no '{FORMAT}'")
    return _whole(found.get("after")), _octets(found.get("hash"))


def _row(found: dict[str, Any], seq: int, previous: bytes) -> tuple[bytes, bool]:
    """Return a row's hash, and whether its content is gone; raise unless both are as it says."""
    if found["seq"] != seq:
        raise Problem(f"row {seq} is missing")
    if not isinstance(proof := found.get("proof"), dict):
        raise Problem(f"row {seq} cannot be read: it was damaged before it was exported")
    try:
        gone = "content" in proof
        told = _octets(proof["content"]) if gone else _content(proof)
        digest = _link(found, proof, previous, told)
        same = digest == _octets(proof["hash"]) and _as_shown(found, proof, gone=gone)
    except (KeyError, TypeError, ValueError, AttributeError, struct.error, Problem):
        same = False
    if not same:
        raise Problem(f"row {seq} is not the one that was written")
    return digest, gone


def _content(proof: dict[str, Any]) -> bytes:
    plain = _octets(proof["salt"]) + proof["text"].encode()
    ends = (None if proof[each] is None else _octets(proof[each]) for each in ("who", "whom"))
    fields = (*ends, _octets(proof["sealed"]), hashlib.sha256(plain).digest())
    return hashlib.sha256(_lengths(fields)).digest()


def _link(found: dict[str, Any], proof: dict[str, Any], previous: bytes, told: bytes) -> bytes:
    names = [None if (text := found[each]) is None else text.encode() for each in _NAMES]
    fixed = struct.pack(">qd", found["seq"], proof["at"])
    return hashlib.sha256(previous + fixed + _lengths((*names, told))).digest()


_NAMES = ("event", "actor", "message")
_SHOWN = {"seq", "at", *_NAMES, "who", "whom", "detail", "proof"}


def _as_shown(found: dict[str, Any], proof: dict[str, Any], *, gone: bool) -> bool:
    """Whether what a person reads is what was proven, and nothing beside it."""
    if set(found) != _SHOWN:
        return False
    told = {} if gone else json.loads(proof["text"])
    ends = [told.pop(each, None) for each in ("who", "whom")]
    shown = [found["who"], found["whom"]], found["detail"]
    at = datetime.fromisoformat(found["at"]).timestamp()
    return shown == (ends, None if gone else told) and abs(at - proof["at"]) < 1e-5


def _lengths(fields: Iterable[bytes | None]) -> bytes:
    return b"".join(
        b"\xff\xff\xff\xff" if each is None else struct.pack(">I", len(each)) + each
        for each in fields
    )


def _mark(text: str) -> tuple[int, str]:
    found = re.fullmatch(r"seq (\d{1,18})\nhash ([0-9a-f]*)\nat \S+\n", text)
    if found is None:
        raise Problem("a signed text does not go on as it must")
    return int(found[1]), found[2]


def _object(text: str, number: int) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Problem(f"line {number} is no line of an export")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one that says a name twice shows a reader what another does not see."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _texts(found: Any) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else []


def _whole(found: Any) -> int:
    try:
        return int(found)
    except (TypeError, ValueError):
        raise Problem(f"{found!r} is no row's number") from None


def _octets(found: Any) -> bytes:
    try:
        return binascii.unhexlify(found)
    except (TypeError, ValueError):
        raise Problem("what should be hex digits is not") from None


def main(words: Sequence[str]) -> int:
    """Check the export that the words name, and say what was found."""
    part = words[:1] == ["--part"]
    export, key, *kept = [*words[part:], "", ""][: max(2, len(words) - part)]
    if not re.fullmatch("[0-9a-fA-F]{64}", key):
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        heads = [Path(each).read_text("ascii") for each in kept]
        with Path(export).open(encoding="utf-8") as lines:
            found = check(lines, bytes.fromhex(key), heads, part=part)
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 1
    except Problem as problem:
        sys.stderr.write(f"NOT WHOLE: {problem}\n")
        return 1
    sys.stdout.write(_words(found))
    return 0


def _words(found: dict[str, int]) -> str:
    lines = [f"Whole: rows {found['first']} to {found['last']}, signed up to {found['signed']}."]
    if found["last"] > found["signed"]:
        lines.append("Rows after that are chained, but nobody vouches that none follows them.")
    if found["purged"]:
        lines.append(f"Rows up to {found['purged']} were purged, which is signed.")
    if found["left out"]:
        lines.append(f"{found['left out']} rows before the first were not exported.")
    if found["erased"]:
        lines.append(f"The content of {found['erased']} rows was erased, which is signed.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
