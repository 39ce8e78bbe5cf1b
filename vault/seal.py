"""A sealed body, format v1: a header, then 64 KiB chunks, each authenticated on its own.

Any range opens without the rest, and no chunk can be changed, moved, dropped or added unnoticed:
a chunk's nonce is its number and whether it is the last (the STREAM construction), and what it
authenticates beside itself is the header and the body's id. Bytes in, bytes out; who keeps the
file key and where the bytes lie is not known here. docs/sealed-format.md is the specification.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.errors import SealError
from vault.mac import mac

MAGIC = b"SCEAU-1\n"
SALT = 24
HEADER = len(MAGIC) + SALT
CHUNK = 1 << 16
TAG = 16
FILE_KEY = 32


def derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 with 32 octets of output (RFC 5869)."""
    return mac(mac(salt, key), info + b"\x01")


def chunks(size: int) -> int:
    """How many chunks a body of ``size`` octets has; an empty body has one, empty."""
    return max(1, -(-size // CHUNK))


def sealed_size(size: int) -> int:
    """How long a body of ``size`` octets is once sealed."""
    return HEADER + size + TAG * chunks(size)


def plain_size(sealed: int) -> int:
    """How long a body was, from its length when sealed; raise ``SealError`` if none has that."""
    count = max(1, -(-(sealed - HEADER) // (CHUNK + TAG)))
    size = sealed - HEADER - TAG * count
    if size < 0 or sealed_size(size) != sealed:
        raise SealError("the sealed body is cut short")
    return size


class _Chunks:
    """The AEAD of one body: which key, which nonce, and what each chunk is bound to."""

    __slots__ = ("_aead", "_bound")

    def __init__(self, file_key: bytes, body_id: str, header: bytes) -> None:
        if len(file_key) != FILE_KEY or len(header) != HEADER or not header.startswith(MAGIC):
            raise SealError("this is no sealed body of format v1")
        self._aead = AESGCM(derive(file_key, header[len(MAGIC) :], b"sceau body v1"))
        self._bound = header + body_id.encode()

    def seal(self, number: int, plain: memoryview, *, last: bool) -> bytes:
        return self._aead.encrypt(_nonce(number, last=last), plain, self._bound)

    def open(self, number: int, sealed: memoryview, *, last: bool) -> bytes:
        try:
            return self._aead.decrypt(_nonce(number, last=last), sealed, self._bound)
        except InvalidTag:
            raise SealError(f"chunk {number} of the sealed body does not open") from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


class Sealer:
    """Feed it a body as it arrives; the sealed bytes do not depend on how it was cut.

    ``file_key`` and ``salt`` must be random and used for this one body.
    """

    __slots__ = ("_chunks", "_number", "_out", "_parts", "_waiting", "size")

    def __init__(self, file_key: bytes, body_id: str, salt: bytes) -> None:
        header = MAGIC + salt
        self._chunks = _Chunks(file_key, body_id, header)
        self._out = [header]  # sealed, not yet handed out
        self._parts: list[bytes] = []  # at most one chunk: it may turn out to be the last
        self._waiting = 0
        self._number = 0
        self.size = 0

    def feed(self, block: bytes) -> bytes:
        """Return the sealed bytes that this block settles."""
        self._take(block)
        if self._waiting <= CHUNK:
            return b""
        buf = b"".join(self._parts)
        rest = self._settle(memoryview(buf))
        self._parts, self._waiting = [bytes(rest)], len(rest)
        return self._taken()

    def finish(self, block: bytes = b"") -> bytes:
        """Return the rest, its last block included, with the end mark; nothing may be fed after."""
        self._take(block)
        rest = self._settle(memoryview(b"".join(self._parts)))
        self._seal(rest, last=True)
        self._parts = []
        return self._taken()

    def _take(self, block: bytes) -> None:
        self._parts.append(block)
        self._waiting += len(block)
        self.size += len(block)

    def _settle(self, plain: memoryview) -> memoryview:
        """Seal whole chunks; return what may be the last one."""
        while len(plain) > CHUNK:
            self._seal(plain[:CHUNK], last=False)
            plain = plain[CHUNK:]
        return plain

    def _seal(self, plain: memoryview, *, last: bool) -> None:
        self._out.append(self._chunks.seal(self._number, plain, last=last))
        self._number += 1

    def _taken(self) -> bytes:
        taken = b"".join(self._out)
        self._out = []
        return taken


class Opener:
    """Opens any range of a sealed body, given its header and its size in clear.

    The size comes from a row that nobody signed; a wrong one fails to open, because the last
    chunk's nonce says that it is the last.
    """

    __slots__ = ("_chunks", "_last", "size")

    def __init__(self, file_key: bytes, body_id: str, header: bytes, size: int) -> None:
        self._chunks = _Chunks(file_key, body_id, header)
        self._last = chunks(size) - 1
        self.size = size

    def open(self, sealed: bytes | bytearray, start: int, end: int) -> bytes:
        """Open octets ``start`` to ``end`` of the body; ``sealed`` is their ``span``."""
        begin, stop = span(self.size, start, end)
        if len(sealed) != stop - begin:
            raise SealError("the sealed body is cut short")
        first, view, opened = min(start // CHUNK, self._last), memoryview(sealed), []
        for at in range(0, len(sealed), CHUNK + TAG):
            number = first + at // (CHUNK + TAG)
            piece = view[at : at + CHUNK + TAG]
            opened.append(self._chunks.open(number, piece, last=number == self._last))
        whole = opened[0] if len(opened) == 1 else b"".join(opened)
        return whole[start - first * CHUNK : end - first * CHUNK]


def span(size: int, start: int, end: int) -> tuple[int, int]:
    """Which sealed octets hold octets ``start`` to ``end`` of a body of ``size`` octets."""
    if not 0 <= start <= end <= size:
        raise ValueError(f"octets {start} to {end} are not within a body of {size}")
    first = min(start // CHUNK, chunks(size) - 1)
    stop = min(max(-(-end // CHUNK), first + 1) * CHUNK, size)
    begin = HEADER + first * (CHUNK + TAG)
    return begin, begin + (stop - first * CHUNK) + TAG * (max(-(-stop // CHUNK), 1) - first)


def seal_whole(file_key: bytes, body_id: str, salt: bytes, body: bytes) -> bytes:
    """Seal a body that is at hand."""
    return Sealer(file_key, body_id, salt).finish(body)


def open_whole(file_key: bytes, body_id: str, sealed: bytes) -> bytes:
    """Open a body that is at hand."""
    size = plain_size(len(sealed))
    return Opener(file_key, body_id, sealed[:HEADER], size).open(sealed[HEADER:], 0, size)
