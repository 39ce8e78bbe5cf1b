"""Where the parts of a message lie, found while it streams: offsets only, nothing is decoded.

Feed it the message in any blocks; it keeps a part's header and a few octets between two blocks,
no more. A multipart ends at its closing delimiter, at one of a multipart around it, or with the
message, whichever comes first. A part is numbered as IMAP names it ("2.1"; "TEXT" for what holds
the parts of a message). Bombs are bounded: past the limits the rest is one opaque leaf. Where
another reader may find other parts, ``doubts`` says so.
RFC 2046 §5.1, RFC 3501 §6.4.5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from smtp.message.fields import media
from smtp.message.header import Header

_MOST_PARTS = 10_000
_DEEPEST = 100
_LONGEST_HEADER = 256 * 1024
_SHORT_HEADER = 512  # octets that are looked through first
_LONGEST_LINE = 300  # a delimiter: CRLF, two dashes, at most 200 octets, white space
_MOST_NEAR_MISSES = 100_000  # lines that begin like a delimiter and are none
_IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
_MESSAGES = frozenset({"message/rfc822", "message/global"})


class Part(NamedTuple):
    """A part of a message: what it says it is, and where it lies."""

    number: str
    parent: int  # its place in the tuple; -1 for the message itself
    header: int  # its header block begins here,
    body: int  # its content here,
    end: int  # and ends before here
    type: str  # "application/pdf"
    name: str  # the file's, decoded; "" if it has none
    encoding: str  # "base64"; "" if it says none
    attachment: bool
    lines: int = 0  # of a text, or a message: how many line ends lie in it


@dataclass(slots=True)
class _Open:
    """A part whose end has not come yet."""

    place: int
    prefix: str  # what the numbers of its children begin with
    message: bool = False  # it is a whole message, the outermost or an attached one
    boundary: bytes = b""
    children: int = 0
    counted: bool = False  # somebody will ask for its lines
    lines: int = 0  # line ends before its content


class PartIndex:
    """Feed it the message, block by block; ``finish`` returns its parts in their order.

    ``headed`` is given each part's header while it is at hand, with the part's place.
    """

    def __init__(self, headed: Callable[[int, Header], None] | None = None) -> None:
        self._headed = headed
        self._parts: list[Part] = []
        self._open: list[_Open] = []
        self._boundaries: dict[bytes, int] = {}  # of the multiparts that are open: how deep
        self._held = bytearray(b"\r\n")  # so that the first line is like any other
        self._at = -2  # where in the message the held octets begin
        self._lines, self._counted = 0, 0  # so many line ends were met before that place
        self._asked = 0  # parts that are open and whose lines are counted
        self._in_header = True
        self._sought = 0  # up to here there is no blank line
        self._near_misses = 0
        self._ended: set[bytes] = set()  # boundaries of multiparts that were closed
        self.doubts: dict[str, None] = {}  # why another reader may find parts that are not here
        self._size = 0
        self._begin(0, "", message=True)

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        self._size += len(block)
        if not (self._in_header or self._sought_for):
            self._pass(block)
            self._at = self._size
            return
        # Most blocks of an attachment hold no delimiter: those are looked at where they are.
        plain = not self._in_header and len(self._held) <= 3 <= len(block)
        # Base64 has no hyphen: to know that costs a fiftieth of looking for a delimiter.
        plain = plain and (b"-" not in block or b"\r\n--" not in block)
        if plain and b"\r\n--" not in self._held + block[:3]:
            self._line(self._at + len(self._held))
            self._pass(block)
            self._held[:] = block[-3:]
            self._at = self._size - 3
            return
        self._held += block
        self._scan()

    def finish(self) -> tuple[Part, ...]:
        """Return the parts of the message, which has ended."""
        lines = self._line(self._size)
        if self._in_header or self._sought_for:
            self._held += b"\r\n\r\n"  # ends a last delimiter, or a header without a blank line
            self._scan()
            if self._in_header:
                self._settle_header(len(self._held), leaf=True)
        self._close(0, self._size, lines)
        self._headed = None  # it may be a method of who holds us: a cycle for the collector
        most = self._size
        return tuple(
            part._replace(
                header=min(part.header, most), body=min(part.body, most), end=min(part.end, most)
            )
            for part in self._parts
        )

    def _scan(self) -> None:
        """Go through what is held, as far as it goes; keep what the next block may complete."""
        at: int | None = 0
        while at is not None and (self._in_header or self._sought_for):
            at = self._scan_header(at) if self._in_header else self._scan_body(at)
        if not (self._in_header or self._sought_for):
            self._drop(len(self._held))

    @property
    def _sought_for(self) -> bool:
        """Whether a line may be a delimiter: of what is open, or of what was closed already."""
        return bool(self._boundaries or self._ended)

    def _scan_header(self, at: int) -> int | None:
        """Look for the blank line, or for a delimiter that comes without one.

        Nearby first: of thousands of headers without an end none is looked for through all the rest.
        """
        begin, reach = max(at, self._sought), _SHORT_HEADER
        while True:
            stop = min(len(self._held), begin + reach)
            end = self._held.find(b"\r\n\r\n", begin, stop)
            hit = self._delimiter(at, end + 2 if end >= 0 else stop)
            if end >= 0 or stop == len(self._held) or (hit and hit.next is not None):
                break
            reach *= 8
        if hit and hit.next is not None:
            self._settle_header(hit.start + 2, leaf=True)
            return self._turn(hit, hit.next)
        if end >= 0:
            self._settle_header(end + 4)
            return end + 2
        if len(self._held) - at > _LONGEST_HEADER:
            self._doubt("a header longer than anybody reads")
            self._settle_header(at + 2, leaf=True)
            return at
        self._drop(at)
        self._sought = max(0, len(self._held) - 3)
        return None

    def _scan_body(self, at: int) -> int | None:
        """Look for the next delimiter."""
        hit = self._delimiter(at, len(self._held))
        if hit and hit.next is not None:
            return self._turn(hit, hit.next)
        self._drop(hit.start if hit else max(at, len(self._held) - 3))
        return None

    def _delimiter(self, at: int, stop: int) -> "_Hit | None":
        """Find a delimiter of a multipart that is open; without ``next`` it may yet become one."""
        start = self._dashes(at, stop) if self._sought_for else -1
        while start >= 0:
            end = self._held.find(b"\r\n", start + 4, start + _LONGEST_LINE)
            if end < 0 and len(self._held) < start + _LONGEST_LINE:
                return _Hit(start, None, 0, closing=False)
            line = bytes(self._held[start + 4 : max(end, start + 4)]).rstrip(b" \t")
            if (level := self._boundaries.get(line)) is not None:
                return _Hit(start, end, level, closing=False)
            if (level := self._boundaries.get(line.removesuffix(b"--"))) is not None:
                return _Hit(start, end, level, closing=True)
            self._missed(line, start, long=end < 0)
            if not self._sought_for:
                return None
            start = self._dashes(start + 4, stop)
        return None

    def _dashes(self, at: int, stop: int) -> int:
        """Find what every delimiter begins with; from the first hyphen on, for base64 has none."""
        first = self._held.find(b"-", at, stop)
        return first if first < 0 else self._held.find(b"\r\n--", max(at, first - 2), stop)

    def _missed(self, line: bytes, start: int, *, long: bool) -> None:
        """Pass a line that is like a delimiter and is none; others may see one in it."""
        if line in self._ended:
            self._doubt("a part behind the end of its multipart")
        if long:
            begins = bytes(self._held[start + 4 : start + _LONGEST_LINE])
            if begins.rstrip(b" \t").removesuffix(b"--") in self._boundaries:
                self._doubt("a delimiter longer than anybody reads")
        self._near_misses += 1
        if self._near_misses > _MOST_NEAR_MISSES:
            self._doubt("more lines like delimiters than anybody reads")
            self._give_up()

    def _give_up(self) -> None:
        """Look for no more parts."""
        self._boundaries.clear()
        self._ended.clear()

    def _doubt(self, why: str) -> None:
        self.doubts[why] = None

    def _turn(self, hit: "_Hit", after: int) -> int:
        """Pass a delimiter: what lies inside that multipart ends, and perhaps the next begins."""
        parent = self._open[hit.level]
        if not hit.closing and not self._room:
            self._doubt("more parts than anybody reads")
            self._give_up()
            return after
        end = self._at + hit.start
        self._close(hit.level + 1, end, self._line(end))
        self._ended.clear()  # of what lies inside, which is past
        if hit.closing:
            self._boundaries.pop(parent.boundary)
            self._ended.add(parent.boundary)
            parent.boundary = b""
        else:
            parent.children += 1
            self._begin(self._at + after + 2, _joined(parent.prefix, str(parent.children)))
        return after

    @property
    def _room(self) -> bool:
        return len(self._parts) < _MOST_PARTS

    def _begin(self, header: int, prefix: str, *, message: bool = False) -> None:
        parent = self._open[-1].place if self._open else -1
        self._open.append(_Open(len(self._parts), prefix, message))
        self._parts.append(Part(prefix, parent, header, header, header, "", "", "", False))
        self._in_header, self._sought = True, 0

    def _settle_header(self, stop: int, *, leaf: bool = False) -> None:
        """Read the header that ends there; what the part holds follows from it."""
        self._in_header = False
        opened = self._open[-1]
        part = self._parts[opened.place]
        header = Header.skim(bytes(self._held[part.header - self._at : stop]))
        opened.lines = self._line(self._at + stop)
        if self._headed is not None:
            self._headed(opened.place, header)
        kind, parameters = media(header.first("content-type") or b"")
        if "/" not in kind:
            in_digest = part.parent >= 0 and self._parts[part.parent].type == "multipart/digest"
            kind = "message/rfc822" if in_digest else "text/plain"
        opened.counted = kind.startswith(("text/", "message/"))
        self._asked += opened.counted
        disposition, of_file = media(header.first("content-disposition") or b"")
        encoding = (header.first("content-transfer-encoding") or b"").decode("ascii", "replace")
        if opened.message:
            last = "TEXT" if kind.startswith("multipart/") else "1"
            part = part._replace(number=_joined(opened.prefix, last))
            opened.prefix = opened.prefix if last == "TEXT" else part.number
        self._parts[opened.place] = part._replace(
            body=self._at + stop,
            type=kind,
            name=of_file.get("filename") or parameters.get("name", ""),
            encoding=encoding.lower(),
            attachment=disposition == "attachment",
        )
        if not leaf and len(self._open) < _DEEPEST:
            self._descend(opened, parameters.get("boundary", ""), self._at + stop)

    def _descend(self, opened: _Open, text: str, body: int) -> None:
        """Expect parts in a multipart, or the header of an attached message."""
        part = self._parts[opened.place]
        boundary = text.rstrip().encode()
        if part.type.startswith("multipart/"):
            if 0 < len(boundary) <= 200 and boundary not in self._boundaries:
                opened.boundary = boundary
                self._boundaries[boundary] = len(self._open) - 1
                self._ended.discard(boundary)
        elif part.type in _MESSAGES and part.encoding in _IDENTITY and self._room:
            self._begin(body, opened.prefix, message=True)

    def _close(self, level: int, end: int, lines: int) -> None:
        """End every part that is open from that level down."""
        for opened in self._open[level:]:
            part = self._parts[opened.place]
            within = opened.counted and end > part.body
            lines_of = lines - opened.lines if within else 0
            self._parts[opened.place] = part._replace(end=max(part.body, end), lines=lines_of)
            self._asked -= opened.counted
            self._boundaries.pop(opened.boundary, None)
        del self._open[level:]

    def _line(self, place: int) -> int:
        """Count on, or back, to a place in what is held; return how many line ends were met.

        What nobody asks for is passed over: an attachment has thousands, and each costs.
        """
        if self._asked:
            now, then = place - self._at, self._counted - self._at
            between = self._held.count(b"\n", min(now, then), max(now, then))
            self._lines += between if now > then else -between
        self._counted = place
        return self._lines

    def _pass(self, block: bytes) -> None:
        """Count on to the end of a block that is not held."""
        if self._asked:
            self._lines += block.count(b"\n")
        self._counted = self._size

    def _drop(self, count: int) -> None:
        self._line(max(self._counted, self._at + count))
        del self._held[:count]
        self._at += count


class _Hit(NamedTuple):
    """A line that is a delimiter."""

    start: int  # its CRLF in front, which is its own
    next: int | None  # the CRLF behind it, which the next line may need
    level: int
    closing: bool


def _joined(prefix: str, last: str) -> str:
    return f"{prefix}.{last}" if prefix else last
