"""What an operator typed, made into values; or an error that says what was wrong with it."""

from datetime import UTC, datetime

from gateway.accounts.mailboxes import Mailbox
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from smtp.address import Address, AddressError, parse


def address(text: str) -> Address:
    """Return a mail address."""
    try:
        return parse(text)
    except AddressError as error:
        raise OperationError(f"{text} is no mail address: {error}", "check its spelling") from None


def mailbox(rooms: Rooms, text: str) -> Mailbox:
    """Return one of our mailboxes, by its address."""
    found = rooms.accounts.find(address(text))
    if found is None:
        raise OperationError(f"there is no mailbox {text} here", "see sceau mailbox list")
    return found


def mailbox_key(rooms: Rooms, text: str | None) -> str:
    """Return a mailbox's opaque key, given that or the address; nothing for nothing."""
    if text is None or "@" not in text:
        return text or ""
    return mailbox(rooms, text).key


def moment(text: str | None) -> datetime | None:
    """Return a time in ISO form; one without a zone is UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise OperationError(f"{text} is no time", "write it like 2026-11-22T14:00:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def told(at: datetime | float | None) -> str | None:
    """Return a time as every answer gives it: UTC, to the millisecond."""
    if at is None:
        return None
    if not isinstance(at, datetime):
        at = datetime.fromtimestamp(at, UTC)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
