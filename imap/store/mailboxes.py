"""Sealed mailboxes: folders in SQL, bodies in the vault.

A message in a folder is an *entry*: its own holder of the sealed body, a UID that is never given
twice, a sealed card that lists and fetches are answered from. What a delivery changes is a list of
statements for somebody else's transaction; what a mail client changes is a transaction of its own,
durable when it returns. RFC 3501 §2.3.1.1 (UIDs), RFC 7162 §3.1 (modification sequences).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from datetime import datetime

from imap.decoding import decoder
from imap.folder import Changes, Row, UidSet
from imap.store.bells import Bell, Bells
from imap.store.copying import Copying, Sets
from imap.store.filing import Batch, Filing
from imap.store.flags import Keywords
from imap.store.folders import Folders
from imap.store.origins import Origin, Origins
from imap.store.recent import Recents
from imap.store.seals import Seals
from imap.store.searching import Searching, Wanted
from imap.store.shelf import Shelf
from imap.store.values import (
    INBOX,
    PAGE,
    Arrival,
    Copied,
    Entry,
    Flagged,
    Folder,
    Limits,
    Mode,
    Quota,
    Selected,
    Stored,
    holder,
)
from imap.store.writing import Writing, erasing
from vault.database import Database, Statement
from vault.keys import KeyRing
from vault.store import Vault

Clock = Callable[[], datetime]
Recalled = Callable[[int, UidSet, int], Awaitable[None]]


async def _not_recalled(_folder: int, _uids: UidSet, _by: int) -> None:
    """Nobody recalls anything."""


class Mailboxes:
    """One a gateway: the whole of what lies in mailboxes."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        ring: KeyRing,
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        seals = Seals(ring)
        keywords = Keywords(database, seals)
        self._vault, self._clock = vault, clock
        self._folders = Folders(database, seals)
        self._shelf = Shelf(database, seals, self._folders, keywords)
        self._writing = Writing(database, self._shelf, keywords, clock)
        self._copying = Copying(
            database, vault, seals, shelf=self._shelf, keywords=keywords, clock=clock
        )
        self._filing = Filing(
            database,
            vault,
            seals,
            shelf=self._shelf,
            keywords=keywords,
            folders=self._folders,
            limits=limits or Limits(),
        )
        self._searching = Searching(vault, self._shelf)
        self._keywords = keywords
        self.origins = Origins(database)
        self.recents = Recents(database)
        self._recalled: Recalled = _not_recalled
        self._bells = Bells()
        self._database = database
        database.listen(self._bells.ring)

    # Folders.

    def founding(self, owner: str, now: datetime) -> list[Statement]:
        """Return the statements that give a new mailbox, known by its key, its folders."""
        return self._folders.founding(owner, now)

    def opening(self, owner: str, name: str, now: datetime) -> list[Statement]:
        """Return the statements that make a folder, unless it is there."""
        return self._folders.opening(owner, name, now)

    def folders(self, mailbox: int) -> list[Folder]:
        """Return a mailbox's folders, INBOX first, the others by name."""
        return self._folders.all(mailbox)

    def find(self, mailbox: int, name: str) -> Folder | None:
        """Return a mailbox's folder of that name, or None."""
        return self._folders.find(mailbox, name)

    def folder(self, folder_id: int) -> Folder | None:
        """Return a folder by its id; None if it was deleted."""
        return self._folders.by_id(folder_id)

    async def create(self, mailbox: int, name: str, special: str | None = None) -> Folder:
        """Make a folder, and those above it that are missing."""
        return await self._folders.create(mailbox, name, self._clock(), special)

    async def rename(self, mailbox: int, old: str, new: str) -> None:
        """Rename a folder and those below it; what lies in INBOX moves to a new folder."""
        if old.upper() != INBOX:
            await self._folders.rename(mailbox, old, new, self._clock())
            return
        source = self._folders.named(mailbox, INBOX)
        target = await self._folders.create(mailbox, new, self._clock())
        everything = UidSet(((1, source.uid_next),))
        await self._copying.copy(source.id, everything, target.id, away=True)

    async def delete(self, mailbox: int, name: str) -> None:
        """Delete a folder and erase what lies in it; the folders below it stay."""
        folder = self._folders.named(mailbox, name)
        await self._database.commit(self._folders.leaving(folder))
        await self._clear(folder.id)

    async def sweep(self) -> None:
        """Empty the folders whose deletion was cut off; write which messages clients know of."""
        for folder in self._folders.gone():
            await self._clear(folder)
        await self.recents.write()

    async def _clear(self, folder_id: int) -> None:
        await self._writing.empty(folder_id)
        await self._database.commit(self._folders.forgetting(folder_id))

    async def subscribe(self, mailbox: int, name: str, *, on: bool) -> None:
        """Note that a client shows a name, or no longer does."""
        await self._folders.subscribe(mailbox, name, on=on)

    def subscriptions(self, mailbox: int) -> list[str]:
        """Return the names that clients show, whether or not there is a folder."""
        return self._folders.subscriptions(mailbox)

    # What lies in a folder.

    async def select(self, folder_id: int) -> Selected:
        """Return what a client begins with."""
        return await self._shelf.select(folder_id)

    def rows(self, folder_id: int, uids: UidSet) -> AsyncIterator[list[Row]]:
        """Yield the rows of messages, slice by slice, by ascending UID."""
        return self._shelf.rows(folder_id, uids)

    def indexes(self, folder_id: int, uids: UidSet) -> AsyncIterator[list[Stored]]:
        """Yield messages with their indexes, slice by slice, by ascending UID."""
        return self._shelf.indexes(folder_id, uids)

    def listed(self, folder_id: int, uids: UidSet) -> AsyncIterator[list[Entry]]:
        """Yield entries with what lists show of them, slice by slice, by ascending UID."""
        return self._shelf.listed(folder_id, uids)

    async def changes(self, folder_id: int, since: int) -> Changes:
        """Return what happened since a modification sequence."""
        return await self._shelf.changes(folder_id, since)

    async def read(self, entry: Entry | Stored, start: int = 0, end: int | None = None) -> bytes:
        """Return an entry's message in clear, whole or a range of octets."""
        return await self._vault.read(_holder(entry), start, end)

    def stream(
        self, entry: Entry | Stored, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield an entry's message in clear, whole or a range, opening only the chunks it needs."""
        return self._vault.stream(_holder(entry), start, end)

    async def binary(self, stored: Stored, section: str) -> AsyncIterator[bytes]:
        """Yield a section with its transfer encoding undone; nothing, if there is none of it."""
        span = stored.index.span(section)
        if span is None:
            return
        undo = decoder(span.encoding)
        async with aclosing(self._vault.stream(_holder(stored), span.start, span.end)) as blocks:
            async for block in blocks:
                yield undo.feed(block)
        yield undo.finish()

    async def search(self, folder_id: int, uids: UidSet, wanted: Wanted) -> UidSet:
        """Return those of a set in which something is found."""
        return await self._searching.search(folder_id, uids, wanted)

    def listen(self, folder_id: int, bell: Bell) -> Callable[[], None]:
        """Have a bell rung after each commit that touches a folder; return what ends it."""
        return self._bells.listen(folder_id, bell)

    # What clients change.

    async def flag(
        self,
        folder_id: int,
        uids: UidSet,
        mode: Mode,
        flags: Iterable[str],
        unchanged_since: int | None = None,
        *,
        told: int | None = None,
    ) -> Flagged:
        """Change flags of messages, of those that did not change since."""
        return await self._writing.flag(folder_id, uids, mode, flags, unchanged_since, told=told)

    async def recall(self, folder_id: int, uids: UidSet, by: int) -> None:
        """Have somebody told which messages a person, known by their mailbox, wants back."""
        await self._recalled(folder_id, uids, by)

    def batch(self, folder_id: int) -> Batch:
        """Begin an append."""
        return self._filing.batch(folder_id, self._clock)

    async def copy(self, folder_id: int, uids: UidSet, to: int, sets: Sets | None = None) -> Copied:
        """Let another folder hold messages too; ``sets``: which of their flags they keep there."""
        return await self._copying.copy(folder_id, uids, to, away=False, sets=sets)

    async def move(self, folder_id: int, uids: UidSet, to: int, sets: Sets | None = None) -> Copied:
        """Let another folder hold messages instead."""
        return await self._copying.copy(folder_id, uids, to, away=True, sets=sets)

    async def expunge(self, folder_id: int, uids: UidSet | None = None) -> UidSet:
        """Erase the messages marked as deleted, of a set or all; return which."""
        return await self._writing.expunge(folder_id, uids)

    # Room.

    @property
    def append_limit(self) -> int:
        """How many octets an appended message may have."""
        return self._filing.limits.append_limit

    def quota(self, mailbox: int) -> Quota:
        """Return how full a mailbox is."""
        return self._filing.quota(mailbox)

    def check_room(self, mailbox: int, size: int) -> None:
        """Raise ``OverQuota`` if a mailbox has no room for so many octets more."""
        self._filing.check_room(mailbox, size)

    # For deliveries and operators.

    def on_opened(self, ring: Callable[[], None]) -> None:
        """Have somebody rung when messages were marked as seen."""
        self._writing.opened = ring

    def withdrawing(self, name: str, origin: Origin) -> list[Statement]:
        """Return the statements that erase an unopened message; ``Conflict`` if it was opened."""
        assert origin.folder is not None
        assert origin.uid is not None
        uid = UidSet(((origin.uid, origin.uid),))
        claiming = self.origins.claiming(name, origin.entry, self._clock())
        return [*claiming, *erasing(origin.folder, uid)]

    def on_recall(self, recalled: Recalled) -> None:
        """Have somebody told of messages that their senders want back."""
        self._recalled = recalled

    async def mask(self, mailbox: int, flags: Iterable[str]) -> int:
        """Return flags as a delivery gives them to what it files."""
        return await self._keywords.mask(mailbox, flags)

    def appending(
        self, mailbox: int, folder: str, from_holder: str, arrival: Arrival
    ) -> list[Statement]:
        """Return the statements that file a body which another holder has already."""
        return [
            *self.filing(mailbox, folder, arrival),
            *self._vault.sharing(from_holder, holder(arrival.id)),
        ]

    def filing(self, mailbox: int, folder: str, arrival: Arrival) -> list[Statement]:
        """Return the statements that file an entry; its key to the body is the caller's to add."""
        return self._filing.into(mailbox, folder, arrival)

    def entries(
        self, mailbox: int, folder: str = INBOX, *, after: int = 0, limit: int = PAGE
    ) -> list[Entry]:
        """Return a folder's entries by ascending UID, so many beyond a UID: each has to be opened."""
        found = self._folders.find(mailbox, folder)
        return self._shelf.entries(found, after=after, limit=limit) if found else []

    def latest(
        self, mailbox: int, folder: str = INBOX, *, before: int | None = None, limit: int = PAGE
    ) -> list[Entry]:
        """Return a folder's newest entries, or the newest below a UID, by ascending UID."""
        found = self._folders.find(mailbox, folder)
        return self._shelf.latest(found, before=before, limit=limit) if found else []

    def entry(self, mailbox: int, uid: int, folder: str = INBOX) -> Entry | None:
        """Return one entry by its UID, or None."""
        found = self._folders.find(mailbox, folder)
        return self._shelf.entry(found, uid) if found else None

    def removing(self, entry: Entry) -> list[Statement]:
        """Return the statements that take an entry out of its folder and drop its key."""
        return erasing(entry.folder, UidSet.of([entry.uid]))


def _holder(entry: Entry | Stored) -> str:
    return holder(entry.id if isinstance(entry, Entry) else entry.row.id)
