"""GETACL, MYRIGHTS, LISTRIGHTS, SETACL, DELETEACL. RFC 4314.

Rights count for a mailbox as a whole, so they are changed where it begins, at its INBOX: who shares
one folder would else share all of them without knowing it. Identifiers are addresses of ours.
"""

from imap.errors import Forbidden, NoRights
from imap.grammar import names, writer
from imap.grammar.command import OnFolder, Rights
from imap.grammar.errors import GrammarError
from imap.grammar.writer import Answer
from imap.principal import OWNER, Grant
from imap.visit import Place, Visit

_VIRTUAL = {"c": "kx", "d": "xte"}  # RFC 2086's, as RFC 4314 §2.1.1 reads them


async def mine(visit: Visit, command: OnFolder) -> Answer:
    """Tell what one may do with a folder."""
    place, _ = visit.find(command.folder)
    visit.say(b"* MYRIGHTS %b %b\r\n" % (visit.written(place.name), place.rights.encode()))
    return Answer("OK", "Told")


async def get(visit: Visit, command: OnFolder) -> Answer:
    """Tell who may do what with a folder."""
    place, _ = visit.find(command.folder, "a")
    told = [
        b" %b %b" % (writer.string(each.who.encode()), each.rights.encode())
        for each in visit.house.rights.on(place.mailbox)
    ]
    visit.say(b"* ACL %b%b\r\n" % (visit.written(place.name), b"".join(told)))
    return Answer("OK", "Told")


async def possible(visit: Visit, command: Rights) -> Answer:
    """Tell which rights somebody always has, and which could be given."""
    place, _ = visit.find(command.folder, "a")
    owner, *_ = visit.house.rights.on(place.mailbox)
    rights = OWNER if command.who.lower() == owner.who.lower() else f'"" {" ".join(OWNER)}'
    told = visit.written(place.name), writer.string(command.who.encode()), rights.encode()
    visit.say(b"* LISTRIGHTS %b %b %b\r\n" % told)
    return Answer("OK", "Told")


async def change(visit: Visit, command: Rights) -> Answer:
    """Give somebody rights, or take them away; the journal has who did it."""
    wanted = _letters(command.rights.lstrip("+-"))
    place, _ = visit.find(command.folder, "a")
    if not visit.whole:
        raise NoRights("This password is for reading, not for saying who else may")
    if place.within != names.INBOX:
        raise Forbidden("Rights count for a whole mailbox: give them on its INBOX")
    letters = _changed(visit, place, command, wanted)
    grant = Grant(command.who, "".join(each for each in OWNER if each in letters))
    await visit.house.rights.give(visit.principal, place.mailbox, grant)
    return Answer("OK", "Changed")


def _letters(text: str) -> frozenset[str]:
    """Return rights as a set; one that nobody knows is BAD (RFC 4314 §3.1)."""
    letters = frozenset("".join(_VIRTUAL.get(each, each) for each in text))
    if not letters <= set(OWNER):
        raise GrammarError("those are no rights")
    return letters


def _changed(visit: Visit, place: Place, command: Rights, wanted: frozenset[str]) -> frozenset[str]:
    who = command.who.lower()
    granted = (each for each in visit.house.rights.on(place.mailbox) if each.who.lower() == who)
    has = frozenset(next((each.rights for each in granted), ""))
    if command.rights.startswith("+"):
        return has | wanted
    return has - wanted if command.rights.startswith("-") else wanted
