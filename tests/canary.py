"""The search for what must never lie in clear: every encoding that text is likely to hide in.

A canary is a piece of text put into a message, a name or a password on purpose. It is looked for
raw in any case, in UTF-16, as hexadecimal, as base64 in its three alignments (wrapped or not, both
alphabets), behind quoted-printable, percent, xtext and JSON escapes, and inside deflate, gzip and
zip, alone or within base64. A search that finds nothing proves something only beside a control
that it does find.
"""

import base64
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SHORTEST = 10  # octets: shorter text turns up in random bytes, encoded
_DEEPEST = 3  # archives within archives
_MOST = 64 << 20  # octets inflated of one stream

_WIDE = ("utf-16-le", "utf-16-be")
_SPACE = b" \t\r\n:"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_SOFT_BREAK = re.compile(rb"=\r?\n")
_ESCAPED = re.compile(rb"(?:[=%+]|\\u00|\\x)([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"\x1f\x8b\x08|x[\x01\x5e\x9c\xda]|PK\x03\x04", re.DOTALL)
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]{64,}")


@dataclass(frozen=True, slots=True)
class Canary:
    """A text that must not be found, and what it stands for."""

    name: str
    text: str

    def __post_init__(self) -> None:
        if len(self.text.encode()) < _SHORTEST:
            raise ValueError(f"the canary {self.name} is too short to be told from chance")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Where a canary sang, and in what disguise."""

    place: str
    canary: str
    form: str


def search(content: bytes, canaries: Iterable[Canary], place: str = "") -> set[Finding]:
    """Return every canary that these octets hold, in any form."""
    needles = [(canary.name, _needles(canary.text)) for canary in canaries]
    return set(_search(content, needles, place, 0))


def search_folder(folder: Path, canaries: Iterable[Canary]) -> set[Finding]:
    """Search every file below a folder, and the names of all that lies there."""
    known = list(canaries)
    found: set[Finding] = set()
    for path in sorted(folder.rglob("*")):
        place = str(path.relative_to(folder))
        found |= search(place.encode("utf-8", "surrogateescape"), known, f"name of {place}")
        if path.is_file():
            found |= search(path.read_bytes(), known, place)
    return found


_Needles = dict[str, set[tuple[str, bytes]]]  # view → what to look for in it, and its form


def _needles(text: str) -> _Needles:
    """Return what to look for, by the view of the content that it is looked for in."""
    cases = {text, text.lower(), text.upper()}
    spellings = {case.encode(code, "replace") for case in cases for code in ("utf-8", "latin-1")}
    wide = {(code, case.encode(code).lower()) for case in cases for code in _WIDE}
    plain = {("raw", octets.lower()) for octets in spellings}
    return {
        "as it is": plain | wide,
        "unescaped": {("escaped", octets) for _, octets in plain},
        "joined": {
            (f"base64+{shift}", _base64(octets, shift))
            for octets in spellings
            for shift in range(3)
        },
        "joined, lower": {("hex", octets.hex().encode()) for octets in spellings},
    }


def _base64(octets: bytes, shift: int) -> bytes:
    """Return the base64 of the octets as it looks ``shift`` octets into a group of three.

    The characters that depend on their neighbours are left out at both ends.
    """
    coded = base64.b64encode(bytes(shift) + octets)
    first = -(-8 * shift // 6)
    return coded[first : 8 * (shift + len(octets)) // 6]


def _search(
    content: bytes, needles: list[tuple[str, _Needles]], place: str, depth: int
) -> Iterator[Finding]:
    joined = content.translate(_URL_SAFE, _SPACE)
    views = {
        "as it is": content.lower(),
        "unescaped": _unescape(content).lower(),
        "joined": joined,
        "joined, lower": joined.lower(),
    }
    for name, wanted in needles:
        for view, forms in wanted.items():
            found = {form for form, text in forms if text in views[view]}
            yield from (Finding(place, name, form) for form in found)
            if "raw" in found:
                break  # what lies in clear need not be decoded
    if depth < _DEEPEST:
        for form, inner in _inside(content, joined):
            yield from _search(inner, needles, f"{place} > {form}".lstrip(), depth + 1)


def _unescape(content: bytes) -> bytes:
    unbroken = _SOFT_BREAK.sub(b"", content)
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), unbroken)


def _inside(content: bytes, joined: bytes) -> Iterator[tuple[str, bytes]]:
    """Return what can be unpacked from the content."""
    yield from _unpacked(content)
    for run in _BASE64_RUN.finditer(joined):
        for start in range(4):  # a word before it may have been joined to the run
            length = (len(run[0]) - start) // 4 * 4
            yield "base64", base64.b64decode(run[0][start : start + length])


def _unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    for match in _STREAM.finditer(content):
        start, kind, window = match.start(), "deflate", zlib.MAX_WBITS
        if match[0] == b"PK\x03\x04":
            lengths = content[start + 26 : start + 30]
            start += 30 + int.from_bytes(lengths[:2], "little")
            start += int.from_bytes(lengths[2:], "little")
            kind, window = "zip", -zlib.MAX_WBITS
        elif match[0].startswith(b"\x1f"):
            kind, window = "gzip", 16 + zlib.MAX_WBITS
        if inflated := _inflate(memoryview(content)[start:], window):
            yield kind, inflated


def _inflate(content: memoryview, window: int) -> bytes:
    """Return what can be inflated; a stream that breaks off gives what came before."""
    stream, out = zlib.decompressobj(window), bytearray()
    for at in range(0, len(content), 4096):
        try:
            out += stream.decompress(content[at : at + 4096], _MOST - len(out))
        except zlib.error:
            break
        if stream.eof or len(out) >= _MOST:
            break
    return bytes(out)
