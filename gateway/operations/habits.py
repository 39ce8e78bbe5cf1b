"""The verb ``sceau mailbox receipts``: what a mailbox's owner chose about receipts and Sent."""

from gateway.accounts.habits import Habits, Read, Reports, Sent
from gateway.accounts.mailboxes import AccountError
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import mailbox as find


async def receipts(
    rooms: Rooms,
    *,
    address: str,
    read: str | None = None,
    file: str | None = None,
    sent: str | None = None,
) -> object:
    """Change what is given, and return all of it."""
    mailbox = find(rooms, address)
    before = mailbox.habits
    try:
        habits = Habits(
            before.read if read is None else Read(read),
            before.reports if file is None else Reports(file),
            before.sent if sent is None else Sent(sent),
        )
    except ValueError as error:
        raise OperationError(str(error), "see sceau mailbox receipts --help") from None
    if habits != before:
        try:
            mailbox = await rooms.accounts.accustom(mailbox, habits)
        except AccountError as error:
            raise OperationError(str(error)) from None
    return {
        "address": mailbox.address,
        "read": habits.read.value,
        "file": habits.reports.value,
        "sent": habits.sent.value,
    }
