"""SELECT, EXAMINE, CLOSE, UNSELECT, ENABLE, CHECK, NOOP.

RFC 3501 §6.3.1, §6.4.2; RFC 3691 (UNSELECT), RFC 5161 (ENABLE), RFC 6855 (UTF8=ACCEPT), RFC 7162
(CONDSTORE, QRESYNC).
"""

from imap.folder import UidSet, View
from imap.grammar import writer
from imap.grammar.command import Command, Enable, Resync, Select
from imap.grammar.errors import GrammarError
from imap.grammar.writer import Answer
from imap.store import Selected
from imap.visit import Visit

_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")


async def nothing(_visit: Visit, _command: Command) -> Answer:
    """Do nothing but tell what changed."""
    return Answer("OK", "Done")


async def broken_idle(_visit: Visit, _command: Command) -> Answer:
    """End an IDLE that something else than DONE broke off."""
    return Answer("BAD", "Expected DONE")


async def enable(visit: Visit, command: Enable) -> Answer:
    """Turn on what a client understands; tell what was not on before."""
    turned_on = []
    for name in command.capabilities:
        if name == "QRESYNC" and not visit.qresync:
            visit.qresync = True
            visit.minds_changes()
            turned_on.append(name)
        elif name == "CONDSTORE" and not visit.condstore:
            visit.minds_changes()
            turned_on.append(name)
        elif name == "UTF8=ACCEPT" and not visit.utf8:
            visit.utf8 = True
            turned_on.append(name)
    visit.say(f"* ENABLED{''.join(f' {name}' for name in turned_on)}\r\n".encode())
    return Answer("OK", "Enabled")


async def select(visit: Visit, command: Select) -> Answer:
    """Open a folder, telling what a client must know of it."""
    if command.resync is not None and not visit.qresync:
        raise GrammarError("QRESYNC must be enabled first")
    if visit.folder is not None:
        visit.leave()
        visit.say(b"* OK [CLOSED] The other folder is closed\r\n")
    place, folder = visit.find(command.folder, "lr")
    selected = await visit.mailboxes.select(folder.id)
    visit.condstore = visit.condstore or command.condstore
    writable = command.name == "SELECT" and bool(set(place.rights) & set("swte"))
    visit.enter(
        place, selected.folder, View(selected.uids, selected.folder.modseq), writable=writable
    )
    visit.say(_told(selected, len(visit.recent), writable=writable))
    if command.resync is not None and command.resync.uid_validity == selected.folder.uid_validity:
        await _resync(visit, command.resync)
    return Answer("OK", "Opened", "READ-WRITE" if writable else "READ-ONLY")


def _told(selected: Selected, recent: int, *, writable: bool) -> bytes:
    folder, known = selected.folder, (*_FLAGS, *selected.keywords)
    lines = [
        b"* FLAGS " + writer.flags(known),
        b"* %d EXISTS" % len(selected.uids),
        b"* %d RECENT" % recent,
    ]
    if selected.first_unseen:
        lines.append(b"* OK [UNSEEN %d] The first unread message" % selected.first_unseen)
    permanent = writer.flags((*known, "\\*") if writable else ())
    lines += [
        b"* OK [PERMANENTFLAGS %b] Flags that are kept" % permanent,
        b"* OK [UIDVALIDITY %d] UIDs are valid" % folder.uid_validity,
        b"* OK [UIDNEXT %d] The next UID" % folder.uid_next,
        b"* OK [HIGHESTMODSEQ %d] The last change" % folder.modseq,
    ]
    return b"\r\n".join(lines) + b"\r\n"


async def _resync(visit: Visit, resync: Resync) -> None:
    """Tell what changed since a client looked last (RFC 7162 §3.2.5)."""
    changes = await visit.mailboxes.changes(visit.open_id, resync.modseq)
    gone = changes.vanished - visit.view.uids
    if resync.known is not None:
        gone &= visit.known_as(resync.known)
    if len(gone):
        visit.say(f"* VANISHED (EARLIER) {gone}\r\n".encode())
    wanted = visit.view.uids if resync.known is None else visit.known_as(resync.known)
    for row in changes.rows:
        number = visit.view.uids.position(row.uid)
        if number and row.uid in wanted:
            visit.say(visit.flags_of(number, row, by_uid=True))
    await visit.flow()


async def close(visit: Visit, command: Command) -> Answer:
    """Leave the folder; CLOSE takes away what is marked as deleted, without a word."""
    expunging = command.name == "CLOSE" and visit.writable and visit.place is not None
    if expunging and visit.place is not None and "e" in visit.place.rights:
        folder, known = visit.opened, UidSet(visit.view.uids.ranges)
        await visit.acted("erased", folder, await visit.mailboxes.expunge(folder.id, known))
    visit.leave()
    return Answer("OK", "Closed")
