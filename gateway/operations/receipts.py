"""The verbs of ``sceau receipts``."""

from typing import Any

import msgspec

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import mailbox_key, moment, told
from gateway.receipts.outbox import Row


async def tail(rooms: Rooms, *, limit: int = 20, mailbox: str | None = None) -> object:
    """Return the latest receipts, oldest first."""
    key = mailbox_key(rooms, mailbox)
    rows = await rooms.outbox.of(key, limit) if key else rooms.outbox.tail(limit)
    return [_row(row) for row in rows]


async def resend(
    rooms: Rooms, *, mailbox: str | None = None, message: str = "", since: str | None = None
) -> object:
    """Have receipts pushed again, with the ids they had."""
    key = mailbox_key(rooms, mailbox)
    if message:
        message = next(iter(rooms.spool.named(message)), message)
    if not key and not message:
        raise OperationError("everything would be sent again", "name a mailbox or a message")
    count = await rooms.outbox.resend(message=message, mailbox=key, since=moment(since))
    return {"receipts": count}


def _row(row: Row) -> dict[str, Any]:
    payload = msgspec.json.decode(row.payload) if row.payload else {}
    return {
        "seq": row.seq,
        "at": told(row.at),
        "type": row.kind,
        "message": row.message,
        "subject": payload.get("subject", ""),
        "mailbox": row.mailbox,
        "sent": told(row.sent),
        "event": payload,
    }
