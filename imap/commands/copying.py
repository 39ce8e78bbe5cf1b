"""COPY, MOVE, EXPUNGE and their UID forms. RFC 3501 §6.4.3, §6.4.7; RFC 4315 (UIDPLUS), RFC 6851."""

from functools import partial

from imap.errors import MailboxError, NoFolder
from imap.folder import UidSet
from imap.grammar.command import Chosen, Command, Transfer
from imap.grammar.writer import Answer
from imap.principal import MARKING, settable
from imap.visit import Visit


class TryCreate(MailboxError):  # noqa: N818 - the client's next step
    """Where it should go there is no folder; one could be made."""

    code = "TRYCREATE"


async def transfer(visit: Visit, command: Transfer) -> Answer:
    """Copy messages to another folder, or move them there."""
    if command.moving:
        visit.require("te")
    try:
        place, target = visit.find(command.folder, "li")
    except NoFolder as error:
        raise TryCreate(error.words) from None
    uids = visit.chosen(command.messages, by_uid=command.by_uid)
    if not len(uids):
        return Answer("OK", "There was nothing to do")
    source = visit.opened
    if source.mailbox not in {target.mailbox, visit.principal.own}:
        async for rows in visit.mailboxes.rows(
            source.id, uids
        ):  # what is read there is given out here
            await visit.give(rows)
    act = visit.mailboxes.move if command.moving else visit.mailboxes.copy
    sets = None if set(place.rights) >= MARKING else partial(settable, place.rights)
    copied = await act(source.id, uids, target.id, sets)
    if not len(copied.source):
        return Answer("OK", "There was nothing to do")
    what = "moved" if command.moving else "copied"
    await visit.acted(what, source, copied.source, f"to {place.name}")
    if source.mailbox != target.mailbox:
        await visit.acted("filed", target, copied.target)
    code = f"COPYUID {copied.uid_validity} {copied.source} {copied.target}"
    if command.moving:
        visit.say(Answer("OK", "Moved", code).line())
        return Answer("OK", "Moved")
    return Answer("OK", "Copied", code)


async def expunge(visit: Visit, command: Command) -> Answer:
    """Take away what is marked as deleted; UID EXPUNGE only of the messages it names."""
    visit.require("e")
    uids = UidSet(visit.view.uids.ranges)
    if isinstance(command, Chosen):
        uids = visit.chosen(command.messages, by_uid=True)
    folder = visit.opened
    await visit.acted("erased", folder, await visit.mailboxes.expunge(folder.id, uids))
    return Answer("OK", "Expunged")
