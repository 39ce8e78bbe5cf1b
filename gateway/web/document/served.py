"""A large document as it goes to a browser: its encoding undone on the way, from where a transfer broke.

In constant memory, whatever its size. What the sender's program encoded is decoded from the beginning:
a resumed download costs the reading, not the sending, of what is there already.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from gateway.relay.large.links import Link
from gateway.relay.large.stub import Cut
from gateway.web.ranges import Span
from imap.decoding import Decoder, decoder
from imap.errors import UnknownEncoding
from vault.store import Vault


async def part(vault: Vault, link: Link, cut: Cut, span: Span) -> AsyncIterator[bytes]:
    """Yield so much of one of its documents, as the file that it was."""
    undo, at = _undoing(cut.encoding), 0
    async with aclosing(vault.stream(link.holder, cut.body, cut.end)) as pieces:
        async for piece in pieces:
            octets = undo.feed(piece)
            if block := octets[max(0, span.start - at) : max(0, span.end - at)]:
                yield block
            at += len(octets)
            if at >= span.end:
                return
    if block := undo.finish()[max(0, span.start - at) : max(0, span.end - at)]:
        yield block


async def whole(vault: Vault, link: Link, span: Span) -> AsyncIterator[bytes]:
    """Yield so much of the message as it was sent."""
    async with aclosing(vault.stream(link.holder, span.start, span.end)) as pieces:
        async for piece in pieces:
            yield piece


async def ending(
    blocks: AsyncIterator[bytes], done: Callable[[], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """Yield it all, then say that it was taken: who breaks off has not read it."""
    async for block in blocks:
        yield block
    await done()


def _undoing(encoding: str) -> Decoder:
    try:
        return decoder(encoding)
    except UnknownEncoding:
        return decoder("")
