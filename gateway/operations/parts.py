"""The parts of a message in a mailbox: known since it came, opened alone.

A part is named as IMAP names it ("2.1"); only the chunks it lies in are opened. RFC 2045 §6.
"""

from typing import Any

from gateway.operations.error import OperationError
from imap.errors import UnknownEncoding
from imap.folder import UidSet
from imap.store import Entry, Mailboxes, Stored


async def of(mailboxes: Mailboxes, entry: Entry) -> list[dict[str, Any]]:
    """Return what a message is made of."""
    stored = await _stored(mailboxes, entry)
    return [
        {
            "part": part.number,
            "type": part.type,
            "name": part.name,
            "encoding": part.encoding,
            "octets": part.end - part.body,
        }
        for part in stored.index.parts
    ]


async def one(mailboxes: Mailboxes, entry: Entry, number: str) -> bytes:
    """Return one part's content, decoded."""
    stored = await _stored(mailboxes, entry)
    found = {part.number: part for part in stored.index.parts}
    if (part := found.get(number)) is None:
        raise OperationError(f"there is no part {number}", f"its parts are: {', '.join(found)}")
    if part.number.endswith("TEXT"):
        return await mailboxes.read(stored, part.body, part.end)
    try:
        return b"".join([block async for block in mailboxes.binary(stored, number)])
    except UnknownEncoding:
        return await mailboxes.read(stored, part.body, part.end)


async def _stored(mailboxes: Mailboxes, entry: Entry) -> Stored:
    async for (stored,) in mailboxes.indexes(entry.folder, UidSet.of([entry.uid])):
        return stored
    raise OperationError("the message went meanwhile", "list the folder again")
