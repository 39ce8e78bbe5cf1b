"""The parts of a message in a mailbox: found while it streams, opened alone.

A part is named as IMAP names it ("2.1"); only the chunks it lies in are opened. RFC 2045 §6.
"""

import base64
import binascii
import quopri
from typing import Any

from gateway.operations.error import OperationError
from imap.store import Entry, Mailboxes
from smtp.message.mime import Part, PartIndex


async def of(mailboxes: Mailboxes, entry: Entry) -> list[dict[str, Any]]:
    """Return what a message is made of."""
    return [
        {
            "part": part.number,
            "type": part.type,
            "name": part.name,
            "encoding": part.encoding,
            "octets": part.end - part.body,
        }
        for part in await _index(mailboxes, entry)
    ]


async def one(mailboxes: Mailboxes, entry: Entry, number: str) -> bytes:
    """Return one part's content, decoded."""
    found = {part.number: part for part in await _index(mailboxes, entry)}
    if (part := found.get(number)) is None:
        raise OperationError(f"there is no part {number}", f"its parts are: {', '.join(found)}")
    return _decoded(part, await mailboxes.read(entry, part.body, part.end))


async def _index(mailboxes: Mailboxes, entry: Entry) -> tuple[Part, ...]:
    index = PartIndex()
    async for block in mailboxes.stream(entry):
        index.feed(block)
    return index.finish()


def _decoded(part: Part, content: bytes) -> bytes:
    match part.encoding:
        case "base64":
            try:
                return base64.b64decode(content)
            except binascii.Error:
                raise OperationError(
                    f"part {part.number} says it is base64 and is not", "look at the whole message"
                ) from None
        case "quoted-printable":
            return quopri.decodestring(content)
        case _:
            return content
