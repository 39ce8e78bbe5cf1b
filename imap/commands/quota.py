"""GETQUOTA, GETQUOTAROOT, SETQUOTA. RFC 9208: one root a mailbox, in units of 1024 octets."""

from imap.errors import NoFolder, NoRights
from imap.grammar import writer
from imap.grammar.command import OnFolder, OnQuota
from imap.grammar.writer import Answer
from imap.visit import Visit

_UNIT = 1024


def _told(visit: Visit, root: str, mailbox: int) -> bytes:
    quota = visit.mailboxes.quota(mailbox)
    resources = b""
    if quota.limit is not None:
        resources = b"STORAGE %d %d" % (-(-quota.used // _UNIT), quota.limit // _UNIT)
    return b"* QUOTA %b (%b)\r\n" % (writer.string(root.encode()), resources)


async def get(visit: Visit, command: OnQuota) -> Answer:
    """Tell how full a mailbox is."""
    for place in visit.places():
        if place.name == command.root:
            visit.say(_told(visit, command.root, place.mailbox))
            return Answer("OK", "Told")
    raise NoFolder("There is no such quota root")


async def root(visit: Visit, command: OnFolder) -> Answer:
    """Tell which quota counts for a folder, and how full it is."""
    place = visit.locate(command.folder)
    start = next(each for each in visit.places() if each.mailbox == place.mailbox)
    spelled = writer.string(start.name.encode())
    visit.say(b"* QUOTAROOT %b %b\r\n" % (visit.written(place.name), spelled))
    visit.say(_told(visit, start.name, place.mailbox))
    return Answer("OK", "Told")


async def change(_visit: Visit, _command: OnQuota) -> Answer:
    """Refuse: how much a mailbox holds is the operator's to say."""
    raise NoRights("The quota is set by your operator")
