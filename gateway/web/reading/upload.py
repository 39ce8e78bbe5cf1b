"""A form with files, read while it comes: fields are short, files are streams, nothing is kept.

Frameworks put an uploaded file into a temporary file, in the clear. Here its octets go from the
connection to whoever asked for them, block by block, and lie nowhere. RFC 7578, RFC 2046 §5.1.
"""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import NamedTuple

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from gateway.web.problem import Problem

_MOST = 500  # parts of a form
_LONGEST_HEADER = 4 << 10
_LONGEST_FIELD = 1 << 20
_MANY = 2 << 20  # octets of all its fields


class _Event(NamedTuple):
    kind: str
    octets: bytes = b""


class Piece:
    """One part of a form: read it before the next is asked for, or it is passed over."""

    def __init__(self, name: str, file_name: str | None, kind: str, form: "Form") -> None:
        self.name, self.file_name, self.kind = name, file_name, kind
        self._form = form

    @property
    def is_file(self) -> bool:
        """Whether somebody chose a file; a browser sends an empty one where nobody did."""
        return bool(self.file_name)

    async def blocks(self) -> AsyncGenerator[bytes]:
        """Yield its octets as they come."""
        while (event := await self._form.event()).kind == "data":
            yield event.octets

    async def text(self) -> str:
        """Return it as text."""
        found = bytearray()
        async with aclosing(self.blocks()) as blocks:
            async for block in blocks:
                found += block
                if len(found) > _LONGEST_FIELD:
                    raise Problem("too-big", {"Connection": "close"})
        return found.decode("utf-8", "replace")


class Form:
    """A multipart/form-data body."""

    def __init__(self, content_type: str, blocks: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
            raise Problem("bad-request")
        self._blocks = blocks
        self._events: deque[_Event] = deque()
        self._parts = self._fields = 0
        self._header = b""  # of the part whose header is coming
        self._name = b""
        self._headers: dict[bytes, bytes] = {}
        self._kinds: deque[bytes] = deque()  # the media types of parts that were not asked for yet
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headed,
                "on_part_data": self._part_data,
                "on_part_end": lambda: self._events.append(_Event("end")),
                "on_end": self._ended,
            },
        )

    async def next(self) -> Piece | None:
        """Return the next part; None: there are no more."""
        while (event := await self.event()).kind not in {"part", "over"}:
            pass
        if event.kind == "over":
            self._events.append(event)  # and so it stays
            return None
        _, options = parse_options_header(event.octets)
        named = options.get(b"filename")
        return Piece(
            options.get(b"name", b"").decode("utf-8", "replace"),
            None if named is None else named.decode("utf-8", "replace"),
            self._kinds.popleft().decode("ascii", "replace"),
            self,
        )

    async def fields(self, into: dict[str, str]) -> Piece | None:
        """Read fields into a table, as far as the next file; None: the form has ended."""
        while (piece := await self.next()) is not None:
            if piece.is_file:
                return piece
            if piece.file_name is None:
                text = await piece.text()
                self._fields += len(text)
                if self._fields > _MANY:
                    raise Problem("too-big", {"Connection": "close"})
                into.setdefault(piece.name, text)
        return None

    async def event(self) -> _Event:
        """Return what comes next; of a body that breaks off, its error."""
        while not self._events:
            block = await self._block()
            try:
                self._parser.write(block)
            except MultipartParseError:
                raise Problem("bad-request") from None
        return self._events.popleft()

    async def _block(self) -> bytes:
        async for block in self._blocks:
            if block:
                return block
        raise Problem("bad-request")  # it broke off

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > _MOST:
            raise Problem("too-big", {"Connection": "close"})
        self._headers, self._name, self._header = {}, b"", b""

    def _header_name(self, block: bytes, start: int, end: int) -> None:
        self._name += block[start:end]
        self._bounded(self._name)

    def _header_value(self, block: bytes, start: int, end: int) -> None:
        self._header += block[start:end]
        self._bounded(self._header)

    def _bounded(self, octets: bytes) -> None:
        if len(octets) > _LONGEST_HEADER or len(self._headers) > 20:
            raise Problem("bad-request")

    def _header_ends(self) -> None:
        self._headers[self._name.lower()] = self._header
        self._name, self._header = b"", b""

    def _headed(self) -> None:
        said = self._headers.get(b"content-disposition", b"")
        self._kinds.append(self._headers.get(b"content-type", b""))
        self._events.append(_Event("part", said))

    def _part_data(self, block: bytes, start: int, end: int) -> None:
        self._events.append(_Event("data", block[start:end]))

    def _ended(self) -> None:
        self._events.append(_Event("over"))
