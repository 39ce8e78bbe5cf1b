"""The verbs of ``sceau lab``: what became of a night's results."""

from datetime import timedelta

from gateway.accounts.mailboxes import Mailbox
from gateway.labs.night import Night
from gateway.labs.offers import Offers
from gateway.labs.unsent import Unsent
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.veil import veiled
from gateway.operations.words import mailbox, moment
from smtp.address import Address, key
from trust.addresses import Kind

_A_DAY = timedelta(days=1)


def night(rooms: Rooms) -> Night:
    """Return who counts."""
    database, ring = rooms.database, rooms.ring
    return Night(rooms.books, Offers(database, ring), Unsent(database, ring))


async def morning(
    rooms: Rooms, *, mailbox: str | None = None, since: str | None = None, files: bool = False
) -> object:
    """Return what of the results since then must go another way, and a count of all.

    Without a time, of the last twenty-four hours; without a mailbox, of every one that software sends
    from. Files and keys bear patients' names: they are told to who asks for them, which is journalled.
    """
    now = rooms.clock()
    start = moment(since) or now - _A_DAY
    if start >= now:
        raise OperationError(f"{since} is not past", "write it like 2026-11-22T18:00:00+01:00")
    found = await night(rooms).of(senders(rooms, mailbox), start, now)
    return veiled(found.told(files=files), rooms.settings.journal.citizens)


def senders(rooms: Rooms, named: str | None = None) -> list[Address]:
    """Return the mailboxes from which results are sent: an application's, and those of folders."""
    if named is not None:
        return [mailbox(rooms, named).address]
    folders = {key(Address(each.mailbox)) for each in rooms.settings.labs.folder}
    return [each.address for each in rooms.accounts.mailboxes() if _sends(each, folders)]


def _sends(one: Mailbox, folders: set[str]) -> bool:
    return one.kind is Kind.APP or key(one.address) in folders
