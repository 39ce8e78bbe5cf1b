"""The entries of folders, read: rows, cards, what changed, what a client begins with.

Short reads happen here and now and go in slices, between which the rest of the gateway has its
turn; what must look at a whole folder happens in the database's own thread. RFC 7162 §3.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from imap.errors import NoFolder
from imap.folder import HIGHEST, Changes, Row, UidSet
from imap.index import Index
from imap.store.flags import Keywords
from imap.store.folders import Folders
from imap.store.seals import Seals
from imap.store.values import PAGE, Entry, Folder, Selected, Stored
from vault.database import Database
from vault.database import Row as Found
from vault.errors import SealError

_SLICE = 500  # rows at once: a millisecond
_CARDS = 60  # cards at once: each has to be opened
_AT_HAND, _SMALL = 2000, 4096  # so many cards of at most so many octets stay opened
_REMEMBERED = 50  # folders with gaps whose UIDs are kept at hand

_ROW = "SELECT e.uid, e.id, e.modseq, e.flags, e.size, e.arrived FROM entry e WHERE e.folder = ?"
_ROWS = _ROW + " AND e.uid BETWEEN ? AND ? ORDER BY e.uid LIMIT ?"
_CHANGED = _ROW + " AND (e.modseq, e.uid) > (?, ?) ORDER BY e.modseq, e.uid LIMIT ?"
_CARD = "SELECT id, structure FROM card WHERE id IN (%s)"
_LISTED = (
    "SELECT e.uid, e.id, e.modseq, e.flags, e.size, e.arrived, c.facts"
    " FROM entry e JOIN card c ON c.id = e.id WHERE e.folder = ?"
)
_LIST = _LISTED + " AND e.uid > ? ORDER BY e.uid LIMIT ?"
_LATEST = _LISTED + " AND e.uid < ? ORDER BY e.uid DESC LIMIT ?"
_ONE = _LISTED + " AND e.uid = ?"
_THOSE = _LISTED + " AND e.uid BETWEEN ? AND ? ORDER BY e.uid LIMIT ?"
# One long text costs a third of 100,000 rows.
_UIDS = (
    "SELECT group_concat(uid), (SELECT modseq FROM folder WHERE id = ?1),"
    " (SELECT uid_next FROM folder WHERE id = ?1)"
    " FROM (SELECT uid FROM entry WHERE folder = ?1 ORDER BY uid)"
)
_ENDS = (
    "SELECT (SELECT min(uid) FROM entry WHERE folder = f.id),"
    " (SELECT max(uid) FROM entry WHERE folder = f.id), f.total, f.modseq, f.uid_next"
    " FROM folder f WHERE f.id = ?"
)
_FIRST_UNSEEN = "SELECT min(uid) FROM entry WHERE folder = ? AND flags & 1 = 0"
_VANISHED = "SELECT first, last FROM vanished WHERE folder = ? AND modseq > ?"


class Shelf:
    """Reads the tables ``entry``, ``card`` and ``vanished``."""

    def __init__(
        self, database: Database, seals: Seals, folders: Folders, keywords: Keywords
    ) -> None:
        self._database, self._seals = database, seals
        self._folders, self._keywords = folders, keywords
        self._opened: dict[tuple[int, int], Index] = {}  # by folder and entry
        self._known: dict[int, tuple[tuple[int, int], UidSet]] = {}  # large folders, as last read

    def folder(self, folder_id: int) -> Folder:
        """Return a folder; ``NoFolder`` if it was deleted meanwhile."""
        if (found := self._folders.by_id(folder_id)) is None:
            raise NoFolder("The folder was deleted.")
        return found

    async def select(self, folder_id: int) -> Selected:
        """Return what a client begins with."""
        folder = self.folder(folder_id)
        uids, modseq, uid_next = await self._uids(folder)
        folder = replace(folder, modseq=modseq, uid_next=uid_next, exists=len(uids))
        ((unseen,),) = self._database.read(_FIRST_UNSEEN, (folder_id,))
        return Selected(
            folder,
            uids,
            first_unseen=uids.position(unseen or 0),
            keywords=self._keywords.names(folder.mailbox),
        )

    async def _uids(self, folder: Folder) -> tuple[UidSet, int, int]:
        """Return a folder's UIDs, and the modification sequence and next UID that go with them."""
        first, last, total, *now = self._database.read(_ENDS, (folder.id,))[0]
        if first is None or last - first + 1 == total:
            return UidSet(() if first is None else ((first, last),)), now[0], now[1]
        # Nothing comes without another next UID, and nothing goes without another total.
        known, uids = self._known.get(folder.id, ((0, 0), UidSet()))
        if known == (now[1], total):
            return uids, now[0], now[1]
        ((text, modseq, uid_next),) = await self._database.query(_UIDS, (folder.id,))
        uids = await asyncio.to_thread(_numbers, text or "")
        self._known.pop(folder.id, None)
        self._known[folder.id] = ((uid_next, len(uids)), uids)
        if len(self._known) > _REMEMBERED:
            self._known.pop(next(iter(self._known)))
        return uids, modseq or folder.modseq, uid_next or folder.uid_next

    async def rows(self, folder_id: int, uids: UidSet) -> AsyncIterator[list[Row]]:
        """Yield the rows of messages, slice by slice, by ascending UID."""
        mailbox = self.folder(folder_id).mailbox
        for found in self._slices(_ROWS, folder_id, uids, _SLICE):
            yield [self._row(mailbox, row) for row in found]
            await asyncio.sleep(0)

    async def indexes(self, folder_id: int, uids: UidSet) -> AsyncIterator[list[Stored]]:
        """Yield messages with their indexes, slice by slice, by ascending UID.

        A card that does not open here (it was changed, or belongs elsewhere) is no message.
        """
        mailbox = self.folder(folder_id).mailbox
        for found in self._slices(_ROWS, folder_id, uids, _CARDS):
            yield [
                Stored(self._row(mailbox, row), index)
                for row, index in self._told(folder_id, found)
                if index is not None
            ]
            await asyncio.sleep(0)

    def _told(self, folder_id: int, rows: list[Found]) -> list[tuple[Found, Index | None]]:
        """Return rows with their indexes; a card never changes, so one that opened is kept."""
        kept = self._opened
        if all((folder_id, row[1]) in kept for row in rows):
            return [(row, kept[folder_id, row[1]]) for row in rows]
        ids = [row[1] for row in rows]
        sealed: dict[int, bytes] = dict(self._database.read(_CARD % ",".join("?" * len(ids)), ids))
        return [(row, self._index(folder_id, row[1], sealed.get(row[1], b""))) for row in rows]

    def _index(self, folder_id: int, entry: int, sealed: bytes) -> Index | None:
        """Open a card where it lies; None: it does not open here."""
        try:
            index = self._seals.open_structure(sealed, entry, folder_id)
        except SealError:
            return None
        if len(sealed) <= _SMALL:
            if len(self._opened) >= _AT_HAND:
                self._opened.pop(next(iter(self._opened)))
            self._opened[folder_id, entry] = index
        return index

    def _slices(self, sql: str, folder_id: int, uids: UidSet, most: int) -> Iterator[list[Found]]:
        """Yield what a query finds for a set of UIDs, so many rows or ranges at once."""
        taken: list[Found] = []
        asked = 0
        for first, last in uids.ranges:
            start = first
            while start <= min(last, HIGHEST):
                room = most - len(taken)
                rows = self._database.read(sql, (folder_id, start, last, room))
                taken += rows
                asked += 1
                start = rows[-1][0] + 1 if len(rows) == room else last + 1
                if len(taken) >= most or asked >= most:
                    yield taken
                    taken, asked = [], 0
        if taken:
            yield taken

    def present(self, folder_id: int, uids: UidSet, most: int) -> Iterator[UidSet]:
        """Yield the UIDs that are there, so many at once."""
        sql = "SELECT uid FROM entry WHERE folder = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?"
        found: list[int] = []
        for first, last in uids.ranges:
            start = first
            while start <= last:
                room = most - len(found)
                rows = self._database.read(sql, (folder_id, start, last, room))
                found += (uid for (uid,) in rows)
                start = rows[-1][0] + 1 if len(rows) == room else last + 1
                if len(found) == most:
                    yield UidSet.of(found)
                    found = []
        if found:
            yield UidSet.of(found)

    async def changes(self, folder_id: int, since: int) -> Changes:
        """Return what happened since a modification sequence.

        The order is the argument: what is committed while we read is found the next time, and at
        worst told twice; nothing that went is told as new.
        """
        folder = self.folder(folder_id)
        if since < self._forgotten(folder_id):
            uids, *_ = await self._uids(folder)
            vanished = UidSet(((1, folder.uid_next - 1),) if folder.uid_next > 1 else ()) - uids
        else:
            vanished = UidSet(self._database.read(_VANISHED, (folder_id, since)))
        rows: dict[int, Row] = {}  # a flag may move one behind the reader, which meets it again
        modseq, uid = since, HIGHEST
        while True:
            found = self._database.read(_CHANGED, (folder_id, modseq, uid, _SLICE))
            rows.update((row[0], self._row(folder.mailbox, row)) for row in found)
            if len(found) < _SLICE:
                break
            uid, _, modseq, *_ = found[-1]
            await asyncio.sleep(0)
        return Changes(folder.modseq, folder.uid_next, tuple(rows.values()), vanished)

    def _forgotten(self, folder_id: int) -> int:
        rows = self._database.read("SELECT forgotten FROM folder WHERE id = ?", (folder_id,))
        return int(rows[0][0]) if rows else 0

    def _row(self, mailbox: int, row: Found) -> Row:
        uid, number, modseq, flags, size, arrived = row[:6]
        return Row(uid, number, modseq, self._keywords.shown(mailbox, flags), size, arrived)

    # Entries with what a list shows of them.

    async def listed(self, folder_id: int, uids: UidSet) -> AsyncIterator[list[Entry]]:
        """Yield entries, slice by slice, by ascending UID."""
        folder = self.folder(folder_id)
        for found in self._slices(_THOSE, folder_id, uids, _CARDS):
            yield self._listed(folder, found)
            await asyncio.sleep(0)

    def entries(self, folder: Folder, *, after: int = 0, limit: int = PAGE) -> list[Entry]:
        """Return a folder's entries by ascending UID, so many beyond a UID."""
        return self._listed(folder, self._database.read(_LIST, (folder.id, after, limit)))

    def latest(
        self, folder: Folder, *, before: int | None = None, limit: int = PAGE
    ) -> list[Entry]:
        """Return a folder's newest entries, or the newest below a UID, by ascending UID."""
        args = (folder.id, HIGHEST + 1 if before is None else before, limit)
        return self._listed(folder, self._database.read(_LATEST, args)[::-1])

    def entry(self, folder: Folder, uid: int) -> Entry | None:
        """Return one entry by its UID, or None."""
        found = self._listed(folder, self._database.read(_ONE, (folder.id, uid)))
        return found[0] if found else None

    def _listed(self, folder: Folder, rows: list[Found]) -> list[Entry]:
        return [entry for row in rows if (entry := self._entry(folder, row)) is not None]

    def _entry(self, folder: Folder, row: Found) -> Entry | None:
        try:
            summary = self._seals.open_facts(row[6], row[1], folder.id)
        except SealError:
            return None
        found = self._row(folder.mailbox, row)
        return Entry(
            id=found.id,
            uid=found.uid,
            folder=folder.id,
            modseq=found.modseq,
            flags=found.flags,
            arrived=datetime.fromtimestamp(found.arrived, UTC),
            size=found.size,
            summary=summary,
        )


def _numbers(text: str) -> UidSet:
    """Read ascending numbers."""
    ranges: list[tuple[int, int]] = []
    first = last = 0
    for number in map(int, filter(None, text.split(","))):
        if not last or number != last + 1:
            if last:
                ranges.append((first, last))
            first = number
        last = number
    return UidSet([*ranges, (first, last)] if last else ranges)
