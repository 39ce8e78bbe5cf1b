"""``sceau mailbox find``: a mailbox among many, by any word of its address, its name or its holder."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from gateway.accounts.mailboxes import Mailbox, Status
from gateway.operations.error import OperationError
from gateway.operations.mailbox import row
from gateway.operations.rooms import Rooms
from gateway.operations.veil import hidden, veiled
from smtp.address import AddressError, parse
from trust.directory.entry import fold

_AT_ONCE = 200  # rows opened between two breaths of the gateway
_MOST = 1000


async def find(
    rooms: Rooms,
    *,
    search: str = "",
    status: str | None = None,
    after: int | None = None,
    limit: int = 50,
) -> object:
    """Return a page of mailboxes, the newest first, and how many there are in each state.

    Every word of ``search`` must be somewhere in the address, the name or the holder; a whole
    address is looked up. ``after`` is where the page before ended. A patient's number is neither
    shown nor found by a piece of it.
    """
    wanted = None if status is None else _status(status)
    found = [
        each
        async for each in _some(rooms, search.strip(), wanted, after, max(1, min(limit, _MOST)) + 1)
    ]
    page = found[: max(1, min(limit, _MOST))]
    return {
        "mailboxes": veiled([row(each) for each in page], rooms.settings.journal.citizens),
        "next": page[-1].id if len(found) > len(page) else None,
        "counts": {state.value: count for state, count in rooms.accounts.counts().items()},
    }


async def _some(
    rooms: Rooms, search: str, status: Status | None, after: int | None, wanted: int
) -> AsyncIterator[Mailbox]:
    if (exact := _exact(rooms, search)) is not None:
        if after is None and status in {None, exact.status}:
            yield exact
        return
    words, citizens = fold(search).split(), rooms.settings.journal.citizens
    while wanted:
        some = rooms.accounts.latest(after, _AT_ONCE)
        for each in some:
            if wanted and status in {None, each.status} and _meant(each, words, citizens):
                wanted -= 1
                yield each
        if len(some) < _AT_ONCE:
            return
        after = some[-1].id
        await asyncio.sleep(0)


def _exact(rooms: Rooms, search: str) -> Mailbox | None:
    try:
        return rooms.accounts.find(parse(search))
    except AddressError:
        return None


def _meant(mailbox: Mailbox, words: Sequence[str], citizens: str) -> bool:
    if not words:
        return True
    text = fold(hidden(f"{mailbox.address} {mailbox.name} {mailbox.holder}", citizens))
    return all(word in text for word in words)


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise OperationError(f"{text} is no state", f"it is one of {', '.join(Status)}") from None
