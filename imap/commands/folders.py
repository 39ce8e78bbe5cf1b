"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE. RFC 3501 §6.3.3-§6.3.7, RFC 6154 (CREATE USE)."""

from imap.errors import Forbidden, MailboxError
from imap.folder import UidSet
from imap.grammar import names
from imap.grammar.command import Create, OnFolder, Rename
from imap.grammar.errors import GrammarError
from imap.grammar.writer import Answer
from imap.visit import SHARED, Visit

USES = ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")
_USES = {use.lower(): use for use in USES if use not in {"\\All", "\\Flagged"}}


class UseUnknown(MailboxError):  # noqa: N818 - what the use is
    """A special use that no folder can have here (RFC 6154 §3)."""

    code = "USEATTR"


async def create(visit: Visit, command: Create) -> Answer:
    """Make a folder, and those above it that are missing."""
    name = _new(command.folder)
    special = None
    for use in command.uses:
        if special is not None or use.lower() not in _USES:
            raise UseUnknown("A folder has one of the special uses that are known here")
        special = _USES[use.lower()]
    place = visit.locate(name, "k")
    made = await visit.mailboxes.create(place.mailbox, place.within, special)
    await visit.acted("made", made, UidSet())
    return Answer("OK", "Made")


def _new(name: str) -> str:
    try:
        name = names.clean(name)
    except GrammarError as error:
        raise Forbidden(f"{str(error)[:1].upper()}{str(error)[1:]}") from None
    if name == SHARED:
        raise Forbidden("That name stands for the mailboxes of others")
    return name


async def delete(visit: Visit, command: OnFolder) -> Answer:
    """Take a folder away with its messages; those below it stay."""
    place, folder = visit.find(command.folder, "x")
    await visit.mailboxes.delete(place.mailbox, place.within)
    await visit.acted("deleted", folder, UidSet())
    return Answer("OK", "Deleted")


async def rename(visit: Visit, command: Rename) -> Answer:
    """Give a folder another name, and with it those below; INBOX gives its messages away."""
    place, folder = visit.find(command.folder, "x")
    to = visit.locate(_new(command.to), "k")
    if to.mailbox != place.mailbox:
        raise Forbidden("A folder stays in its mailbox; copy the messages instead")
    await visit.mailboxes.rename(place.mailbox, place.within, to.within)
    await visit.acted("renamed", folder, UidSet(), f"to {to.within}")
    return Answer("OK", "Renamed")


async def subscribe(visit: Visit, command: OnFolder) -> Answer:
    """Remember that a client wants to see a folder, or no longer."""
    on = command.name == "SUBSCRIBE"
    if on:
        visit.find(command.folder)
    # What one wants to see is one's own affair, whosever mailbox it lies in.
    await visit.mailboxes.subscribe(visit.principal.own, command.folder, on=on)
    return Answer("OK", "Remembered" if on else "Forgotten")
