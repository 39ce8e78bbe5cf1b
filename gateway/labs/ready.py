"""A ready mail whose body still comes: its header says to whom it goes and what it is known by.

Read as far as the header, which is all that is kept of it here; the rest goes to the intake block by
block, its lines ended as mail's are. RFC 5322.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field

from gateway.documents.errors import DocumentError
from gateway.labs.composing import addressees
from gateway.labs.lines import Lines
from gateway.labs.recipients import Resolve
from smtp.address import Address, key
from smtp.message.header import Header, HeaderError, HeaderScanner


@dataclass(frozen=True, slots=True)
class Mail:
    """What is known of it before the rest comes."""

    recipients: tuple[Address, ...] = field(repr=False)
    message_id: str
    header: Header = field(repr=False)
    beside: bytes = field(repr=False)  # who gets it, if that is not in the mail
    blocks: AsyncIterator[bytes] = field(repr=False)

    @property
    def key(self) -> str:
        """What it is known by where nobody gave it a key: Message-ID and recipients; or empty."""
        if not self.message_id:
            return ""
        return "\0".join((self.message_id, *sorted(map(key, self.recipients))))


async def read(
    octets: AsyncIterable[bytes], asked: Sequence[str], resolve: Resolve, header_size: int
) -> Mail:
    """Read a mail's header; raise ``DocumentError`` in words where it cannot be sent.

    It goes to whom it is ``asked`` for; if nobody is, to whom its header names.
    """
    blocks = _lines(octets)
    ahead: list[bytes] = []
    scanner = HeaderScanner(header_size)
    try:
        async for block in blocks:
            ahead.append(block)
            if scanner.feed(block):
                break
        header = Header.parse(scanner.finish())
        named = addressees(header)
    except HeaderError as error:
        raise DocumentError(f"the mail cannot be sent: {error}") from None
    recipients = tuple(dict.fromkeys(map(resolve, asked))) or named
    if not recipients:
        raise DocumentError("nobody gets it: neither the request nor the mail names recipients")
    message_id = (header.first("message-id") or b"").strip().decode("utf-8", "replace")
    beside = "\n".join(sorted(map(key, recipients))).encode() if asked else b""
    return Mail(recipients, message_id, header, beside, _again(ahead, blocks))


async def _lines(octets: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    lines = Lines()
    async for block in octets:
        if block:
            yield lines.feed(block)


async def _again(ahead: list[bytes], blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for block in ahead:
        yield block
    ahead.clear()
    async for block in blocks:
        yield block
