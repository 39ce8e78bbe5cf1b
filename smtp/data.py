"""The body of a message as SMTP carries it: dots stuffed and unstuffed, chunks counted.

Pure bytes in, pure bytes out; ``smtp.receive.server`` and ``smtp.send.client`` own the sockets. Bodies are
never walked line by line: each pass below runs at memory speed. RFC 5321 §4.1.1.4, §4.5.2;
RFC 3030 §2.
"""

from dataclasses import dataclass, field

from smtp.endings import poisonous

_END = b"\r\n.\r\n"
_HELD = tuple(_END[:n] for n in (4, 3, 2, 1))
_FEW = 64  # dots that are looked at one by one


def _first_dot(block: bytes) -> int:
    """Return where the first dot is that begins a line, or a place before it; -1: there is none.

    An attachment in base64 has dots in its header alone: to look at each costs a fortieth of a search
    among its line ends.
    """
    at = -1
    for _ in range(_FEW):
        at = block.find(b".", at + 1)
        if at < 0 or block[at - 1 : at] == b"\n":
            return at
    return at if block.rfind(b"\n.", at) >= 0 else -1


@dataclass(slots=True)
class DataScanner:
    """Feed it blocks as they arrive; the answer does not depend on how they were cut.

    A bare CR or LF poisons the message: relayed onward, it is how mail is smuggled past the
    next hop (CVE-2023-51764). So does a NUL. We still read on to the final dot, or the rest of
    the body would be taken for commands.
    """

    poisoned: bool = False
    rest: bytes | None = None  # what followed the final dot; None until we have seen it
    _held: bytes = b"\r\n"  # DATA's own line ending starts the first line ...
    _skip: int = 2  # ... and is not part of the body

    def feed(self, block: bytes) -> bytes:
        """Return the body bytes that this block settles."""
        buf = self._held + block
        dot = _first_dot(buf)
        end = buf.find(_END, max(dot - 2, 0)) if dot >= 0 else -1
        if end >= 0:
            body, self.rest = buf[: end + 2], buf[end + len(_END) :]
        else:
            # Hold back whatever could be the start of the final dot.
            self._held = next((held for held in _HELD if buf.endswith(held)), b"")
            body = buf[: len(buf) - len(self._held)]
        self.poisoned = self.poisoned or poisonous(body)
        stuffed = dot >= 0 and (end < 0 or dot < end + 2)  # the final dot is no line of the body
        settled = body.replace(b"\r\n.", b"\r\n") if stuffed else body
        if self._skip and body:
            settled, self._skip = settled[self._skip :], 0
        return settled


@dataclass(slots=True)
class ChunkScanner:
    """The body of a message that comes by BDAT: octets are counted, no dot means anything.

    The same bytes poison it as poison DATA, because the next hop may speak DATA.
    """

    poisoned: bool = False
    rest: bytes | None = b""  # what followed the chunk; None while it lacks octets
    _lacking: int = 0
    _held: bytes = field(default=b"", repr=False)  # a CR whose LF may be in the next chunk

    def expect(self, size: int) -> None:
        """Begin a chunk of so many octets."""
        self._lacking, self.rest = size, None if size else b""

    def feed(self, block: bytes) -> bytes:
        """Return the body bytes that this block settles."""
        mine = block[: self._lacking]
        self._lacking -= len(mine)
        if not self._lacking:
            self.rest = block[len(mine) :]
        buf = self._held + mine
        self._held = b"\r" if buf.endswith(b"\r") else b""
        body = buf[: len(buf) - len(self._held)]
        self.poisoned = self.poisoned or poisonous(body)
        return body

    def finish(self) -> None:
        """Say that the last chunk is complete: a CR at its very end has no LF to come."""
        self.poisoned = self.poisoned or bool(self._held)


@dataclass(slots=True)
class Stuffer:
    """A body on its way out through DATA: feed it blocks, send what it returns, then finish."""

    _tail: bytes = b"\r\n"  # the last two bytes sent: a dot after CRLF is doubled

    def feed(self, block: bytes) -> bytes:
        """Return the block as it goes on the wire."""
        before, self._tail = self._tail, (self._tail + block[-2:])[-2:]
        wire = block
        if _first_dot(block) >= 0:
            wire = block.replace(b"\r\n.", b"\r\n..")
        # A CRLF and dot that two blocks share; the rest is not copied for it.
        if before == b"\r\n" and block.startswith(b"."):
            return b"." + wire
        if before.endswith(b"\r") and block.startswith(b"\n."):
            return b"\n." + wire[1:]
        return wire

    def finish(self) -> bytes:
        """Return the final dot, after the CRLF that a body may lack."""
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"
