"""Where a visitor may look: their own mailbox and those shared with them, folder by folder.

A page names a folder by its number and a message by its UID; both are looked up among what this
visitor may see, at every request. What is somebody else's answers as what was never there, and the
journal has who tried. R-I1, R-J1, RFC 4314.
"""

from dataclasses import dataclass

from starlette.requests import Request

from gateway.accounts.mailboxes import Mailbox
from gateway.operations.rooms import Rooms
from gateway.web.account.session import Visitor
from gateway.web.problem import Problem
from imap.folder import HIGHEST, UidSet
from imap.index import Section
from imap.principal import OWNER, Act, Principal, Rights, Witness
from imap.store import INBOX, Folder, Stored
from imap.store.folders import SPECIAL
from smtp.envelope import Peer

_LONGEST = 20  # digits of a number in a page's address


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox that a visitor may look into."""

    mailbox: Mailbox
    rights: str  # letters of RFC 4314
    own: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of one."""

    box: Box
    folder: Folder

    def may(self, letters: str) -> bool:
        """Whether all of that may be done there."""
        return set(letters) <= set(self.box.rights)

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"/read/{self.folder.id}"


class Places:
    """Looked up anew at every request: what is shared may be taken away at any time."""

    def __init__(self, rooms: Rooms, rights: Rights, witness: Witness) -> None:
        self._rooms, self._rights, self._witness = rooms, rights, witness

    def boxes(self, visitor: Visitor) -> list[Box]:
        """Return the mailboxes that a visitor may look into, their own first."""
        principal = self._rights.of(visitor.person)
        if principal is None:
            return []
        boxes = [Box(visitor.mailbox, OWNER, own=True)]
        for shared in principal.shared:
            mailbox = self._rooms.accounts.by_id(shared.mailbox)
            if mailbox is not None and {"l", "r"} <= set(shared.rights):
                boxes.append(Box(mailbox, shared.rights, own=False))
        return boxes

    def folders(self, box: Box) -> list[Place]:
        """Return the folders of a mailbox."""
        return [Place(box, folder) for folder in self._rooms.mailboxes.folders(box.mailbox.id)]

    def inbox(self, visitor: Visitor) -> Place:
        """Return where a visit begins."""
        for box in self.boxes(visitor):
            for place in self.folders(box):
                if place.folder.name == INBOX:
                    return place
        raise Problem("not-found")

    async def for_use(self, box: Box, name: str) -> Place:
        """Return a mailbox's folder for a use (``Sent``), under whatever name; made if it went."""
        special = SPECIAL[name]
        found = {place.folder.special: place for place in self.folders(box)}
        named = {place.folder.name: place for place in self.folders(box)}
        if (place := found.get(special) or named.get(name)) is not None:
            return place
        return Place(box, await self._rooms.mailboxes.create(box.mailbox.id, name, special))

    def folder(self, request: Request, visitor: Visitor, text: str, need: str = "lr") -> Place:
        """Return the folder that a page names; ``Problem`` if there is none for this visitor."""
        number = _number(text)
        folder = self._rooms.mailboxes.folder(number) if number else None
        if folder is None:
            raise self._refused(request, visitor, "no-folder")
        for box in self.boxes(visitor):
            if box.mailbox.id == folder.mailbox:
                place = Place(box, folder)
                if not place.may(need):
                    raise Problem("no-right")
                return place
        raise self._refused(request, visitor, "not-theirs", folder.mailbox)

    async def message(self, request: Request, visitor: Visitor, place: Place, text: str) -> Stored:
        """Return the message that a page names; ``Problem`` if there is none in that folder."""
        uid = _number(text)
        if 0 < uid <= HIGHEST:
            async for some in self._rooms.mailboxes.indexes(place.folder.id, UidSet.of([uid])):
                for stored in some:
                    return stored
        raise self._refused(request, visitor, "no-message", place.box.mailbox.id)

    def part(
        self, request: Request, visitor: Visitor, place: Place, stored: Stored, number: str
    ) -> Section:
        """Return the part that a page names; ``Problem`` if the message has none such."""
        for part in stored.index.parts:
            if part.number == number and not part.type.startswith("multipart/"):
                return part
        raise self._refused(request, visitor, "no-part", place.box.mailbox.id)

    async def opened(self, request: Request, visitor: Visitor, place: Place, uids: UidSet) -> None:
        """Have it written down that the content of messages is given out (R-I3)."""
        who, peer = self._who(visitor), request.state.peer
        await self._witness.read(who, peer, place.folder, uids)

    async def taken(
        self, request: Request, visitor: Visitor, place: Place, uids: UidSet, what: str
    ) -> None:
        """Have it written down that a part, or the whole message, is downloaded (R-I3)."""
        await self.acted(request, visitor, Act("downloaded", place.folder, uids, what))

    async def acted(self, request: Request, visitor: Visitor, act: Act) -> None:
        """Have it written down what was done to a mailbox that others use as well."""
        await self._witness.acted(self._who(visitor), request.state.peer, act)

    def _who(self, visitor: Visitor) -> Principal:
        principal = self._rights.of(visitor.person)
        if principal is None:  # closed a moment ago
            raise Problem("not-found")
        return principal

    def _refused(
        self, request: Request, visitor: Visitor, reason: str, mailbox: int | None = None
    ) -> Problem:
        owner = self._rooms.accounts.by_id(mailbox) if mailbox is not None else None
        theirs = owner is not None and owner.id != visitor.mailbox.id
        facts = {"reason": reason, **(_whom(owner) if owner and theirs else {})}
        self._tell(request, visitor, "reading.refused", facts)
        return Problem("not-found")

    def _tell(
        self, request: Request, visitor: Visitor, event: str, facts: dict[str, object]
    ) -> None:
        peer: Peer = request.state.peer
        who = {"who": visitor.person, "ip": peer.ip, "listener": peer.listener}
        self._rooms.notes.tell(event, who | facts)


def _whom(mailbox: Mailbox) -> dict[str, object]:
    return {"whom": mailbox.address}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST else 0
