"""STORE: flags. RFC 3501 §6.4.6, RFC 7162 §3.1.3 (UNCHANGEDSINCE)."""

from imap.errors import NoRights
from imap.folder import UidSet
from imap.grammar.command import Store
from imap.grammar.writer import Answer
from imap.principal import MARKING, RECALL, settable
from imap.store import Mode
from imap.visit import Visit

_MODES = {"": Mode.SET, "+": Mode.ADD, "-": Mode.REMOVE}


async def store(visit: Visit, command: Store) -> Answer:
    """Change flags and tell how they are now."""
    visit.require("")
    flags = _permitted(visit, command)
    if command.unchanged_since is not None:
        visit.minds_changes()
    uids = visit.chosen(command.messages, by_uid=command.by_uid)
    modified, expunged = UidSet(), False
    # SILENT spares a client its own change, not what others changed in these messages.
    told = visit.view.modseq if command.silent else None
    for some in uids.slices(1000):
        flagged = await visit.mailboxes.flag(
            visit.open_id, some, _MODES[command.mode], flags, command.unchanged_since, told=told
        )
        modified |= flagged.modified
        visit.did([row for row in flagged.rows if row.uid not in flagged.behind])
        marked = UidSet.of(row.uid for row in flagged.rows)
        await visit.acted("marked", visit.opened, marked, f"{command.mode or '='}{' '.join(flags)}")
        if command.mode != "-" and any(flag.lower() == RECALL for flag in flags):
            await visit.mailboxes.recall(visit.open_id, marked, visit.principal.own)
        expunged |= len(flagged.rows) + len(flagged.modified) < len(some)
        for row in flagged.rows:
            number = visit.view.uids.position(row.uid)
            if not command.silent:
                visit.say(visit.flags_of(number, row, by_uid=command.by_uid))
            elif visit.condstore:
                uid = b"UID %d " % row.uid if command.by_uid or visit.qresync else b""
                visit.say(b"* %d FETCH (%bMODSEQ (%d))\r\n" % (number, uid, row.modseq))
        await visit.flow()
    if len(modified):
        named = modified if command.by_uid else visit.view.uids.places(modified)
        return Answer("OK", "Others were quicker", f"MODIFIED {named}")
    if expunged and not command.by_uid:
        return Answer("NO", "Some of the messages no longer exist", "EXPUNGEISSUED")
    return Answer("OK", "Stored")


def _permitted(visit: Visit, command: Store) -> tuple[str, ...]:
    """Return the flags that somebody may change here; raise if none of them (RFC 4314 §4)."""
    rights = visit.place.rights if visit.place is not None else ""
    kept = settable(rights, command.flags)
    if (command.flags and not kept) or (not command.mode and not set(rights) >= MARKING):
        raise NoRights("You have no right to change those flags there")
    return kept
