"""How entries change: flags and expunges.

Each change bumps the folder's modification sequence in its own transaction, and the rows it
touches take it from there. What touches many messages goes in slices, a transaction each, so that
nobody else waits; a transaction that finds other rows than it was made for is made again.
RFC 7162 §3.1.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain

from imap.folder import Row, UidSet
from imap.store.flags import DELETED, SEEN, Keywords
from imap.store.origins import Origins
from imap.store.shelf import Shelf
from imap.store.values import Flagged, Mode
from vault.database import Database, Statement
from vault.errors import Conflict

_SLICE = 200  # messages whose flags change in one transaction
FEW = 25  # messages that are copied or erased in one: each has a body, a card, a key
_MOST_VANISHED = 4000  # ranges of expunged UIDs that a folder remembers
TRIES = 4
_TRIES = 50  # an expunge meets others, and must end

_BUMP = "UPDATE folder SET modseq = modseq + 1 WHERE id = ? AND gone = 0"
_MODSEQ = "(SELECT modseq FROM folder WHERE id = entry.folder)"
_SET_FLAGS = {
    Mode.SET: "?",
    Mode.ADD: "flags | ?",
    Mode.REMOVE: "flags & ~?",
}
_MODIFIED = "SELECT uid FROM entry WHERE folder = ? AND uid BETWEEN ? AND ? AND modseq > ?"
_VANISHED = (
    "INSERT INTO vanished (folder, modseq, first, last)"
    " SELECT id, modseq, ?, ? FROM folder WHERE id = ?"
)
_FORGET = (
    "UPDATE folder SET forgotten = max(forgotten, coalesce((SELECT max(modseq) FROM"
    " (SELECT modseq FROM vanished WHERE folder = ?1 ORDER BY modseq DESC, first DESC"
    "  LIMIT -1 OFFSET ?2)), 0)) WHERE id = ?1"
)
_DROP_FORGOTTEN = (
    "DELETE FROM vanished WHERE folder = ?1"
    " AND modseq <= (SELECT forgotten FROM folder WHERE id = ?1)"
)


class Writing:
    """Changes the tables ``entry``, ``card`` and ``vanished``."""

    def __init__(
        self, database: Database, shelf: Shelf, keywords: Keywords, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._shelf, self._keywords = database, shelf, keywords
        self._clock = clock
        self._origins = Origins(database)
        self.opened: Callable[[], None] = lambda: None  # rung when messages were marked as seen

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
        """Change flags, of messages that did not change since; a slice is one transaction.

        ``told``: up to which modification sequence the client knows; what others changed in these
        messages beyond that is ``behind``.
        """
        mailbox = self._shelf.folder(folder_id).mailbox
        if mode is Mode.REMOVE:
            mask = self._keywords.known(mailbox, flags)
        else:
            mask = await self._keywords.mask(mailbox, flags)
        modified: list[int] = []
        rows: list[Row] = []
        behind: list[int] = []
        for some in self._shelf.present(folder_id, uids, _SLICE):
            opening = self._opening(folder_id, some, mode, mask, unchanged_since)
            asking = [
                Statement(_MODIFIED, (folder_id, first, last, since))
                for since in (told, unchanged_since)
                if since is not None
                for first, last in some.ranges
            ]
            setting = _flagging(folder_id, some, mode, mask, unchanged_since)
            met = (await self._database.commit([*opening, *asking, *setting]))[len(opening) :]
            found = [[uid for (uid,) in each] for each in met[: len(asking)]]
            if told is not None:
                behind += chain.from_iterable(found[: len(some.ranges)])
            if unchanged_since is not None:
                modified += chain.from_iterable(found[-len(some.ranges) :])
            ((now,),) = met[len(asking)]
            async for found_rows in self._shelf.rows(folder_id, some - UidSet.of(modified)):
                rows += found_rows
                behind += (row.uid for row in found_rows if row.modseq > now)
        if mode is not Mode.REMOVE and mask & SEEN:
            self.opened()
        return Flagged(tuple(rows), UidSet.of(modified), UidSet.of(behind))

    def _opening(
        self, folder_id: int, uids: UidSet, mode: Mode, mask: int, unchanged_since: int | None
    ) -> list[Statement]:
        """Return the statements that note which messages are opened by this."""
        if mode is Mode.REMOVE or not mask & SEEN:
            return []
        limit, now = _unchanged(unchanged_since), self._clock()
        return [
            self._origins.opening(folder_id, first, last, now, limit) for first, last in uids.ranges
        ]

    async def expunge(self, folder_id: int, uids: UidSet | None = None) -> UidSet:
        """Erase the messages that are marked as deleted, of a set or all; return which."""
        self._shelf.folder(folder_id)
        return await self._erase(folder_id, uids, f"flags & {DELETED} <> 0")

    async def empty(self, folder_id: int) -> None:
        """Erase all that lies in a folder, deleted itself or not."""
        await self._erase(folder_id, None, "1")

    async def _erase(self, folder_id: int, uids: UidSet | None, which: str) -> UidSet:
        erased: list[int] = []
        tries, few = _TRIES, FEW
        while doomed := self._doomed(folder_id, uids, which, erased[-1] if erased else 0)[:few]:
            try:
                await self._database.commit(erasing(folder_id, UidSet.of(doomed), which))
            except Conflict:  # another session was quicker, or took a mark back: look again
                if (tries := tries - 1) == 0:
                    raise
                few = max(1, few // 2)  # of one message nobody is quicker for long
                continue
            erased += doomed
            tries, few = _TRIES, FEW
        return UidSet.of(erased)

    def _doomed(self, folder_id: int, uids: UidSet | None, which: str, after: int) -> list[int]:
        """Return the next few messages to erase."""
        found: list[int] = []
        for first, last in [(1, 1 << 32)] if uids is None else uids.ranges:
            if last > after and len(found) < FEW:
                rows = self._database.read(
                    f"SELECT uid FROM entry WHERE folder = ? AND uid BETWEEN ? AND ? AND {which}"  # noqa: S608 - ours
                    " ORDER BY uid LIMIT ?",
                    (folder_id, max(first, after + 1), last, FEW - len(found)),
                )
                found += (uid for (uid,) in rows)
        return found


def erasing(folder_id: int, uids: UidSet, which: str = "1") -> list[Statement]:
    """Return the statements that erase messages; the schema drops their keys with them."""
    statements = [Statement(_BUMP.removesuffix(" AND gone = 0"), (folder_id,), 1, folder_id)]
    for first, last in uids.ranges:
        statements += [
            Statement(
                f"DELETE FROM entry WHERE folder = ? AND uid BETWEEN ? AND ? AND {which}",  # noqa: S608 - ours
                (folder_id, first, last),
                expect=last - first + 1,
            ),
            Statement(_VANISHED, (first, last, folder_id), expect=1),
        ]
    return [
        *statements,
        Statement(_FORGET, (folder_id, _MOST_VANISHED)),
        Statement(_DROP_FORGOTTEN, (folder_id,)),
    ]


def _unchanged(since: int | None) -> int:
    return (1 << 62) if since is None else since


def _flagging(
    folder_id: int, uids: UidSet, mode: Mode, mask: int, unchanged_since: int | None
) -> list[Statement]:
    """Return the statements that change flags; the first tells the modification sequence of it.

    A message that has the flags already keeps its modification sequence.
    """
    value = _SET_FLAGS[mode]
    ranges = uids.ranges
    limit = _unchanged(unchanged_since)
    setting = [
        Statement(
            f"UPDATE entry SET flags = {value}, modseq = {_MODSEQ}"  # noqa: S608 - ours
            " WHERE folder = ? AND uid BETWEEN ? AND ? AND modseq <= ?"
            f" AND flags <> {value}",
            (mask, folder_id, first, last, limit, mask),
        )
        for first, last in ranges
    ]
    return [Statement(f"{_BUMP} RETURNING modseq", (folder_id,), 1, folder_id), *setting]
