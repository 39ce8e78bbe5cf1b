"""What software uploads becomes a result: a ready mail as it streams, or a document and its order.

A mail is read as far as its header, which may name its recipients and is all that is kept of it here;
the rest goes to the intake block by block. A document is packed, so it is whole in memory: of those
only so many octets at once. RFC 9110 §8.3, RFC 7578.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

from starlette.requests import Request

from gateway.labs import ready
from gateway.labs.composing import Offer
from gateway.labs.names import Form as Kind
from gateway.labs.names import form
from gateway.labs.recipients import Resolve
from gateway.relay.critical import FIELD
from gateway.web.problem import Problem
from gateway.web.reading.upload import Form, Piece

MAIL, FORM = "message/rfc822", "multipart/form-data"

_KINDS: Mapping[str, Kind] = {
    "application/pdf": Kind.PDF,
    "application/xml": Kind.CDA,
    "text/xml": Kind.CDA,
    "x-application/hl7-v2+er7": Kind.HL7,
    "application/hl7-v2": Kind.HL7,
    "application/hprim": Kind.HPRIM,
    MAIL: Kind.MAIL,
}
_LONGEST_KEY = 200
_LARGEST_ORDER = 1 << 20


def kind(request: Request) -> str:
    """Return the media type of a request's body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def idempotency_key(request: Request) -> str:
    """Return the key of a request, with or without its quotes; empty: it has none."""
    said = request.headers.get("idempotency-key", "").strip()
    if len(said) > 1 and said[0] == said[-1] == '"':
        said = said[1:-1]
    if len(said) > _LONGEST_KEY or not (said.isascii() and said.isprintable()):
        raise Problem("bad-request")
    return said


async def mail(request: Request, resolve: Resolve, header_size: int) -> ready.Mail:
    """Read a mail's header; raise ``DocumentError`` in words where it cannot be sent."""
    asked = request.query_params.getlist("to")
    return await ready.read(request.stream(), asked, resolve, header_size)


def critical(request: Request) -> bool:
    """Whether it is asked for that the result overtakes the others."""
    said = request.query_params.get("critical", "false")
    if said not in {"true", "false"}:
        raise Problem("bad-request")
    return said == "true"


async def marked(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield a mail with the field that says so."""
    yield FIELD
    async for block in blocks:
        yield block


@dataclass(slots=True)
class Memory:
    """How many octets of documents may be in hand at once."""

    most: int
    _held: int = 0

    @contextmanager
    def holding(self, request: Request, largest: int) -> Iterator[None]:
        """Count a request's octets while it lasts; ``Problem`` if there is no room now."""
        said = request.headers.get("content-length", "")
        octets = min(int(said), largest) if said.isascii() and said.isdecimal() else largest
        if self._held and self._held + octets > self.most:
            raise Problem("not-now", {"Retry-After": "5"})
        self._held += octets
        try:
            yield
        finally:
            self._held -= octets


async def document(request: Request) -> Offer:
    """Read a form of ``order`` and ``document``; raise ``Problem`` for another."""
    parts: dict[str, bytes] = {}
    found: Kind | None = None
    pieces = Form(request.headers["content-type"], request.stream())
    while (piece := await pieces.next()) is not None:
        if piece.name not in {"order", "document"} or piece.name in parts:
            raise Problem("bad-request")
        is_order = piece.name == "order"
        found = found if is_order else _kind(piece)
        parts[piece.name] = await _octets(piece, _LARGEST_ORDER if is_order else None)
    if found is None:
        raise Problem("bad-request" if "document" not in parts else "wrong-type")
    return Offer(found, parts["document"], parts.get("order"))


def _kind(piece: Piece) -> Kind | None:
    said = piece.kind.partition(";")[0].strip().lower()
    return _KINDS.get(said) or form(piece.file_name or "")


async def _octets(piece: Piece, most: int | None) -> bytes:
    found = bytearray()
    async with aclosing(piece.blocks()) as blocks:
        async for block in blocks:
            found += block
            if most is not None and len(found) > most:
                raise Problem.too_big(len(found), most, "order")
    return bytes(found)
