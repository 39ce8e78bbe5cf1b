"""GETACL, MYRIGHTS, LISTRIGHTS, SETACL, DELETEACL. RFC 4314.

Rights come from who answers for a mailbox, not from its mail client: they are told here, and
changed where each change is traced to a person.
"""

from imap.errors import NoRights
from imap.grammar import writer
from imap.grammar.command import OnFolder, Rights
from imap.grammar.writer import Answer
from imap.visit import Visit


async def mine(visit: Visit, command: OnFolder) -> Answer:
    """Tell what one may do with a folder."""
    place, _ = visit.find(command.folder)
    visit.say(b"* MYRIGHTS %b %b\r\n" % (visit.written(place.name), place.rights.encode()))
    return Answer("OK", "Told")


async def get(visit: Visit, command: OnFolder) -> Answer:
    """Tell who may do what with a folder, as far as it concerns who asks."""
    place, _ = visit.find(command.folder, "a")
    who = writer.string(visit.principal.login.encode())
    visit.say(b"* ACL %b %b %b\r\n" % (visit.written(place.name), who, place.rights.encode()))
    return Answer("OK", "Told")


async def possible(visit: Visit, command: Rights) -> Answer:
    """Tell which rights somebody could be given."""
    place, _ = visit.find(command.folder, "a")
    who, each = writer.string(command.who.encode()), b" ".join([b"%c" % c for c in b"lrswipkxtea"])
    visit.say(b'* LISTRIGHTS %b %b "" %b\r\n' % (visit.written(place.name), who, each))
    return Answer("OK", "Told")


async def change(visit: Visit, command: Rights) -> Answer:
    """Refuse: rights are given by who answers for the mailbox."""
    visit.find(command.folder, "a")
    raise NoRights("Rights are given by your operator, where each change is traced")
