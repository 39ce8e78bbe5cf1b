"""One client's stay, from log-in to log-out: the folder it opened and what it was told of it.

Commands are functions of a visit (``imap.commands``); what they say is octets, given in the order
of the protocol. A folder's bell only says that there is something to ask the store about. What went
is told when the protocol allows it. RFC 3501 §7.4.1, RFC 7162 §3.2.10.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from imap.errors import NoFolder, NoRights
from imap.folder import HIGHEST, Row, UidSet, View
from imap.grammar import names, writer
from imap.grammar.errors import GrammarError
from imap.grammar.sets import STAR, Ranges
from imap.principal import OWNER, Act, Principal, Rights, Witness
from imap.store import Folder, Mailboxes
from smtp.envelope import Peer

SHARED = "Partage"  # below it are the mailboxes of others


@dataclass(frozen=True, slots=True)
class House:
    """What all visits have in common."""

    mailboxes: Mailboxes
    clock: Callable[[], datetime]
    rights: Rights
    witness: Witness
    max_size: int = 35 << 20
    count: Callable[[str], None] = lambda _: None  # told the name of each command
    zone: tzinfo | None = None  # by which days begin; None: by the machine's clock


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name leads: which mailbox, under which name there, and what one may do."""

    name: str  # as the client writes it
    mailbox: int
    within: str
    rights: str


class Visit:
    """One client."""

    def __init__(  # noqa: PLR0917 - what a visit begins with
        self,
        house: House,
        principal: Principal,
        peer: Peer,
        say: Callable[[bytes], None],
        flow: Callable[[], Awaitable[None]],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.house, self.principal, self.peer = house, principal, peer
        self.say = say
        self.flow = flow  # wait until the client has taken most of what was said
        self.utf8 = self.condstore = self.qresync = False
        self.place: Place | None = None
        self.folder: Folder | None = None
        self.view = View(UidSet(), 0)
        self.writable = False
        self.whole = True  # came in by what is for everything, not for reading alone
        self.saved = UidSet()  # the result of the last SEARCH RETURN (SAVE)
        self.recent = UidSet()  # no other client was told of these before
        self._wake = wake
        self.rung = False  # something happened in the open folder
        self._unlisten: Callable[[], None] = lambda: None
        self._ours: dict[int, int] = {}  # what this client changed itself: UID and sequence
        self._given: set[int] = set()  # entries whose content it was given: told once a visit

    # Where names lead.

    @property
    def mailboxes(self) -> Mailboxes:
        """The store."""
        return self.house.mailboxes

    def places(self) -> list[Place]:
        """Return the mailboxes that it may look into, its own first, as they begin."""
        shared = [
            Place(f"{SHARED}/{each.name}", each.mailbox, names.INBOX, each.rights)
            for each in self.principal.shared
            if "l" in each.rights
        ]
        return [Place("", self.principal.own, "", OWNER), *shared]

    def locate(self, name: str, need: str = "l") -> Place:
        """Return where a name leads; who may not look there learns that there is nothing."""
        place = Place(name, self.principal.own, name, OWNER)
        if name.startswith(f"{SHARED}/"):
            place = self._among_shared(name)
        if not set(need) <= set(place.rights):
            raise NoRights("You have no right to do that there")
        return place

    def _among_shared(self, name: str) -> Place:
        for start in self.places()[1:]:
            if name == start.name:
                return start
            if name.startswith(f"{start.name}/"):
                return Place(name, start.mailbox, name[len(start.name) + 1 :], start.rights)
        raise NoFolder("There is no such folder")

    def find(self, name: str, need: str = "l") -> tuple[Place, Folder]:
        """Return an existing folder by the client's name for it."""
        place = self.locate(name, need)
        folder = self.mailboxes.find(place.mailbox, place.within)
        if folder is None:
            raise NoFolder("There is no such folder")
        return place, folder

    def reconsider(self, principal: Principal) -> bool:
        """Go by other rights from now on; say whether the open folder may still be read."""
        self.principal = principal
        if self.place is None:
            return True
        self.place = replace(self.place, rights=principal.rights(self.place.mailbox))
        return {"l", "r"} <= set(self.place.rights)

    # The open folder.

    def enter(self, place: Place, folder: Folder, view: View, *, writable: bool) -> None:
        """Open a folder."""
        self.leave()
        self.place, self.folder, self.view, self.writable = place, folder, view, writable
        self._unlisten = self.mailboxes.listen(folder.id, self._ring)
        self.recent = self._unheard(view.uids, folder.uid_next)

    def leave(self) -> None:
        """Close the open folder, if there is one."""
        self._unlisten()
        self._unlisten = lambda: None
        self.place = self.folder = None
        self.view, self.writable, self.rung = View(UidSet(), 0), False, False
        self.saved = self.recent = UidSet()
        self._ours.clear()

    def _ring(self) -> None:
        self.rung = True
        self._wake()

    @property
    def opened(self) -> Folder:
        """The open folder, as it was when it was opened."""
        if self.folder is None:
            raise NoFolder("No folder is open")
        return self.folder

    @property
    def open_id(self) -> int:
        """The id of the open folder."""
        return self.opened.id

    def require(self, rights: str) -> None:
        """Raise unless the open folder may be so used."""
        if self.place is None or not self.writable:
            raise NoRights("The folder was opened to be read only")
        if not set(rights) <= set(self.place.rights):
            raise NoRights("You have no right to do that there")

    def chosen(self, messages: Ranges | None, *, by_uid: bool) -> UidSet:
        """Return the UIDs that a command names, of those the client knows; None is ``$``."""
        known = self.view.uids
        if messages is None:
            return self.saved & known
        last = len(known)
        if not by_uid and any(last < number < STAR for pair in messages for number in pair):
            raise GrammarError("there is no message of that number")
        return self.matching(messages, by_uid=by_uid)

    def matching(self, messages: Ranges, *, by_uid: bool) -> UidSet:
        """Return the UIDs that numbers stand for; those beyond the last message, for none."""
        known = self.view.uids
        if not len(known):
            return known
        last = known.nth(len(known)) if by_uid else len(known)
        found = UidSet(_resolved(messages, last))
        return found & known if by_uid else self.view.named(found & UidSet(((1, last),)))

    def known_as(self, messages: Ranges) -> UidSet:
        """Return UIDs that a client names, be they of messages still there or not."""
        last = self.view.uids.nth(len(self.view.uids)) if len(self.view.uids) else 1
        return UidSet(_resolved(messages, last))

    # What it is told.

    def did(self, rows: Sequence[Row]) -> None:
        """Remember what this client changed: it is not told again."""
        self._ours.update((row.uid, row.modseq) for row in rows)

    async def refresh(self, *, expunging: bool = True, by_uid: bool = False) -> None:
        """Tell what changed since it was told last, if the bell rang."""
        if not self.rung or self.folder is None:
            return
        self.rung = False
        changes = await self.mailboxes.changes(self.folder.id, self.view.modseq)
        known = self.view.uids
        told = self.view.apply(changes, expunging=expunging)
        if not expunging and len(self.view.uids & changes.vanished):
            self.rung = True  # there is more to tell when it may be told
        if self.qresync and len(told.vanished):
            self.say(f"* VANISHED {told.vanished}\r\n".encode())
        elif told.expunged:
            self.say(b"".join([b"* %d EXPUNGE\r\n" % number for number in told.expunged]))
        if told.exists is not None:
            self.say(b"* %d EXISTS\r\n" % told.exists)
            self._tell_recent(self.view.uids - known)
        self.recent &= self.view.uids
        for number, row in told.changed:
            if row.uid in known and self._ours.get(row.uid) != row.modseq:
                self.say(self.flags_of(number, row, by_uid=by_uid))
        if not self.rung:
            self._ours.clear()

    def flags_of(self, number: int, row: Row, *, by_uid: bool) -> bytes:
        """Return what is told of a message whose flags changed."""
        uid = b"UID %d " % row.uid if by_uid or self.qresync else b""
        modseq = b" MODSEQ (%d)" % row.modseq if self.condstore else b""
        return b"* %d FETCH (%bFLAGS %b%b)\r\n" % (number, uid, self.flags(row), modseq)

    def flags(self, row: Row) -> bytes:
        """Return a message's flags as this client sees them."""
        recent = row.uid in self.recent
        return writer.flags((*row.flags, "\\Recent") if recent else row.flags)

    def _unheard(self, uids: UidSet, uid_next: int) -> UidSet:
        """Return those of which no client was told; who may change the folder claims them."""
        recents, folder = self.mailboxes.recents, self.open_id
        bound = recents.claim(folder, uid_next) if self.writable else recents.bound(folder)
        return uids & UidSet(((bound, HIGHEST),))

    def _tell_recent(self, new: UidSet) -> None:
        last = new.nth(len(new))
        unheard = self._unheard(new, last + 1)
        if len(unheard):
            self.recent = (self.recent & self.view.uids) | unheard
            self.say(b"* %d RECENT\r\n" % len(self.recent))

    def minds_changes(self) -> None:
        """Tell modification sequences from now on, and where they stand (RFC 7162 §3.1.2)."""
        if not self.condstore:
            self.condstore = True
            if self.folder is not None:
                self.say(b"* OK [HIGHESTMODSEQ %d] The last change\r\n" % self.view.modseq)

    async def give(self, rows: Sequence[Row]) -> None:
        """Have it noted that the content of these messages is given out, of each once."""
        new = [row for row in rows if row.id not in self._given]
        if new and self.folder is not None:
            uids = UidSet.of(row.uid for row in new)
            await self.house.witness.read(self.principal, self.peer, self.folder, uids)
            self._given.update(row.id for row in new)

    async def acted(self, what: str, folder: Folder, uids: UidSet, detail: str = "") -> None:
        """Have it noted that something was done."""
        act = Act(what, folder, uids, detail)
        await self.house.witness.acted(self.principal, self.peer, act)

    def here(self, arrived: float) -> datetime:
        """Return a time by the clock of the place where the gateway stands."""
        return datetime.fromtimestamp(int(arrived), UTC).astimezone(self.house.zone)

    def written(self, name: str) -> bytes:
        """Return a name as this client reads it."""
        return names.written(name, utf8=self.utf8)


def _resolved(messages: Ranges, last: int) -> list[tuple[int, int]]:
    found = []
    for first, final in messages:
        low = last if first == STAR else first
        high = last if final == STAR else final
        found.append((low, high) if low <= high else (high, low))
    return found
