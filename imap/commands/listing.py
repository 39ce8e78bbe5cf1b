"""LIST, LSUB, STATUS, NAMESPACE.

RFC 3501 §6.3.8-§6.3.10, RFC 2342 (NAMESPACE), RFC 5258 (LIST-EXTENDED), RFC 5819 (LIST-STATUS), RFC 6154
(SPECIAL-USE), RFC 3348 (CHILDREN), RFC 8438 (STATUS=SIZE), RFC 7889 (APPENDLIMIT).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from imap.grammar import names
from imap.grammar.command import Command, List, Status
from imap.grammar.writer import Answer
from imap.store import Folder
from imap.visit import SHARED, Visit

_AT_ONCE = 500_000  # letters of patterns held against letters of names: a few milliseconds


@dataclass(slots=True)
class _Node:
    """A name of the hierarchy, and the folder that has it."""

    name: str
    folder: Folder | None = None
    subscribed: bool = False
    special: str | None = None
    children: list["_Node"] = field(default_factory=list)

    def any_below(self, what: str) -> bool:
        """Whether a name below it is subscribed, or has a special use."""
        return any(_chosen(child, what) or child.any_below(what) for child in self.children)


def _chosen(node: _Node, what: str) -> bool:
    return node.subscribed if what == "SUBSCRIBED" else node.special is not None


def tree(visit: Visit) -> dict[str, _Node]:
    """Return every name that a client may see, those between included."""
    nodes: dict[str, _Node] = {}
    for place in visit.places():
        for folder in visit.mailboxes.folders(place.mailbox):
            node = _node(nodes, _outside(place.name, folder.name))
            node.folder, node.special = folder, folder.special
    for name in visit.mailboxes.subscriptions(visit.principal.own):
        _node(nodes, name).subscribed = True
    return nodes


def _outside(start: str, name: str) -> str:
    """Return a folder's name as the client sees it: a shared mailbox's INBOX is its root."""
    if not start:
        return name
    return start if name == names.INBOX else f"{start}/{name}"


def _node(nodes: dict[str, _Node], name: str) -> _Node:
    if name not in nodes:
        nodes[name] = node = _Node(name)
        above, slash, _ = name.rpartition(names.SEPARATOR)
        if slash and above:
            _node(nodes, above).children.append(node)
    return nodes[name]


async def list_(visit: Visit, command: List) -> Answer:
    """List the folders that match, with what is asked about each."""
    if command.patterns == ("",):
        visit.say(b'* LIST (\\Noselect) "/" ""\r\n')
        return Answer("OK", "Listed")
    for node in await _matching(tree(visit).values(), command.patterns):
        line = _line(visit, node, command)
        if line is not None:
            visit.say(line)
            if command.status and node.folder is not None:
                visit.say(_status(visit, node.name, node.folder, command.status))
            await visit.flow()
    return Answer("OK", "Listed")


async def _matching(nodes: Iterable[_Node], patterns: tuple[str, ...]) -> list[_Node]:
    """Return the names that one of some patterns stands for; others have their turn meanwhile."""
    found, spent = [], 0
    for node in nodes:
        for pattern in patterns:
            spent += (len(pattern) + 10) * len(node.name)
            if spent > _AT_ONCE:
                await asyncio.sleep(0)
                spent = 0
            if names.matches(pattern, node.name):
                found.append(node)
                break
    return sorted(found, key=lambda node: (node.name != names.INBOX, node.name.casefold()))


def _line(visit: Visit, node: _Node, command: List) -> bytes | None:
    wanted = [what for what in ("SUBSCRIBED", "SPECIAL-USE") if what in command.selection]
    chosen = all(_chosen(node, what) for what in wanted)
    inside = [what for what in wanted if node.any_below(what)]
    recursive = "RECURSIVEMATCH" in command.selection and bool(inside)
    if not (chosen or recursive) or (node.folder is None and not (node.children or chosen)):
        return None
    if not wanted and node.folder is None and not node.children:
        return None  # subscribed to, and gone
    attributes = []
    if node.folder is None:
        attributes.append("\\NonExistent" if command.extended else "\\Noselect")
    attributes.append("\\HasChildren" if node.children else "\\HasNoChildren")
    if node.subscribed and ("SUBSCRIBED" in command.selection | command.returns):
        attributes.append("\\Subscribed")
    if node.special is not None:
        attributes.append(node.special)
    extended = b""
    if recursive:
        quoted = " ".join(f'"{what}"' for what in inside)
        extended = f' ("CHILDINFO" ({quoted}))'.encode()
    return b'* LIST (%b) "/" %b%b\r\n' % (
        " ".join(attributes).encode(),
        visit.written(node.name),
        extended,
    )


async def lsub(visit: Visit, command: List) -> Answer:
    """List what is subscribed; a parent that is not stands for those below it (RFC 3501 §6.3.9)."""
    nodes = tree(visit)
    for node in await _matching(nodes.values(), command.patterns):
        if node.subscribed:
            lost = b"" if node.folder is not None else b"\\Noselect"
            visit.say(b'* LSUB (%b) "/" %b\r\n' % (lost, visit.written(node.name)))
        elif "%" in command.patterns[0] and node.any_below("SUBSCRIBED"):
            visit.say(b'* LSUB (\\Noselect) "/" %b\r\n' % visit.written(node.name))
    return Answer("OK", "Listed")


async def status(visit: Visit, command: Status) -> Answer:
    """Tell figures of a folder without opening it."""
    place, folder = visit.find(command.folder, "lr")
    if "HIGHESTMODSEQ" in command.items:
        visit.minds_changes()
    visit.say(_status(visit, place.name, folder, command.items))
    return Answer("OK", "Told")


def _status(visit: Visit, name: str, folder: Folder, items: tuple[str, ...]) -> bytes:
    figures = {
        "MESSAGES": folder.exists,
        "RECENT": visit.mailboxes.recents.count(folder.id) if "RECENT" in items else 0,
        "UIDNEXT": folder.uid_next,
        "UIDVALIDITY": folder.uid_validity,
        "UNSEEN": folder.unseen,
        "DELETED": folder.deleted,
        "SIZE": folder.size,
        "HIGHESTMODSEQ": folder.modseq,
        "APPENDLIMIT": visit.house.max_size,
    }
    told = " ".join(f"{item} {figures[item]}" for item in items)
    return b"* STATUS %b (%b)\r\n" % (visit.written(name), told.encode())


async def namespace(visit: Visit, _command: Command) -> Answer:
    """Tell where one's own folders begin, and those of others."""
    others = b'(("%b/" "/"))' % SHARED.encode() if visit.places()[1:] else b"NIL"
    visit.say(b'* NAMESPACE (("" "/")) %b NIL\r\n' % others)
    return Answer("OK", "Told")
