"""The content of a message as FETCH gives it: sections, fields of a header, decoded parts.

A section is a range of the message, which is sealed in chunks: only those that it needs are opened,
and a long one goes out block by block, no faster than the client takes it. RFC 3501 §6.4.5,
RFC 3516 (BINARY).
"""

from collections.abc import AsyncIterator

from imap.errors import BrokenOff
from imap.grammar.fetch import Binary, Body, Section
from imap.store import Stored
from imap.visit import Visit
from vault.errors import VaultError

_SHORT = 64 << 10  # read at once; what is longer is streamed


async def body(visit: Visit, stored: Stored, item: Body) -> None:
    """Say what ``BODY[...]`` is of a message; whoever cannot begin has said nothing."""
    span = stored.index.span(_name(item.section))
    if span is None:
        visit.say(b"NIL")
        return
    if item.section.text.startswith("HEADER.FIELDS"):
        header = await visit.mailboxes.read(stored, span.start, span.end)
        _say_string(visit, _cut(chosen_fields(header, item.section), item.span))
        return
    start, end = _within(span.start, span.end, item.span)
    if end - start <= _SHORT:
        _say_string(visit, await visit.mailboxes.read(stored, start, end))
    else:
        blocks = visit.mailboxes.stream(stored, start, end)
        await _streamed(visit, b"{%d}\r\n" % (end - start), blocks)


async def _streamed(visit: Visit, announced: bytes, blocks: AsyncIterator[bytes]) -> None:
    """Say a long literal, once its beginning is there."""
    visit.say(announced + await anext(blocks, b""))
    try:
        async for block in blocks:
            visit.say(block)
            await visit.flow()
    except VaultError as error:
        raise BrokenOff from error


def _name(section: Section) -> str:
    """Return a section as the index names it."""
    text = "HEADER" if section.text.startswith("HEADER") else section.text
    return ".".join([*map(str, section.part), *([text] if text else [])])


def _within(start: int, end: int, span: tuple[int, int] | None) -> tuple[int, int]:
    if span is None:
        return start, end
    first = min(start + span[0], end)
    return first, min(first + span[1], end)


def _cut(octets: bytes, span: tuple[int, int] | None) -> bytes:
    return octets if span is None else octets[span[0] : span[0] + span[1]]


def _say_string(visit: Visit, octets: bytes) -> None:
    visit.say(b"{%d}\r\n%b" % (len(octets), octets))


def chosen_fields(header: bytes, section: Section) -> bytes:
    """Return the lines of the fields that are asked for, or of all the others, and an empty line."""
    wanted = {field.lower().encode() for field in section.fields}
    others = section.text.endswith(".NOT")
    kept, keeping = [], False
    for line in header.splitlines(keepends=True):
        if not line.strip(b"\r\n"):
            break
        if line[:1] not in b" \t":
            name = line.partition(b":")[0].strip().lower()
            keeping = (name in wanted) is not others
        if keeping:
            kept.append(line)
    return b"".join(kept) + b"\r\n"


async def binary(visit: Visit, stored: Stored, item: Binary) -> None:
    """Say a part with its transfer encoding undone, or how long that is."""
    name = ".".join(map(str, item.part))
    size = 0
    async for block in visit.mailboxes.binary(stored, name):
        size += len(block)
    if item.name == "BINARY.SIZE":
        visit.say(b"%d" % size)
        return
    start, end = _within(0, size, item.span)
    blocks = _between(visit.mailboxes.binary(stored, name), start, end)
    await _streamed(visit, b"~{%d}\r\n" % (end - start), blocks)


async def _between(blocks: AsyncIterator[bytes], start: int, end: int) -> AsyncIterator[bytes]:
    at = 0
    async for block in blocks:
        yield block[max(0, start - at) : max(0, end - at)]
        at += len(block)
