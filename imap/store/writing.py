"""How entries change: flags, expunges, copies, moves.

Each change bumps the folder's modification sequence in its own transaction, and the rows it
touches take it from there. What touches many messages goes in slices, a transaction each, so that
nobody else waits; a transaction that finds other rows than it was made for is made again.
RFC 7162 §3.1, RFC 6851 §3.3.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from imap.folder import Row, UidSet
from imap.store.flags import DELETED, Keywords
from imap.store.seals import Seals
from imap.store.shelf import Shelf
from imap.store.values import Copied, Flagged, Folder, Mode, holder, new_entry_id
from vault.database import Database, Statement
from vault.errors import Conflict, Gone, SealError
from vault.store import Vault

_SLICE = 200  # messages whose flags change in one transaction
_FEW = 25  # messages that are copied or erased in one: each has a body, a card, a key
_MOST_VANISHED = 4000  # ranges of expunged UIDs that a folder remembers
_TRIES = 4

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
_CARDS = (
    "SELECT e.uid, e.id, c.facts, c.structure, e.flags FROM entry e JOIN card c ON c.id = e.id"
    " WHERE e.folder = ? AND e.uid BETWEEN ? AND ? ORDER BY e.uid"
)
_COPY = (
    "INSERT INTO entry (folder, uid, id, modseq, flags, arrived, size)"
    " SELECT f.id, f.uid_next - ?, ?, f.modseq, coalesce(?, e.flags), e.arrived, e.size"
    " FROM folder f, entry e"
    " WHERE f.id = ? AND e.folder = ? AND e.id = ? RETURNING uid"
)
_ROOM = "UPDATE folder SET uid_next = uid_next + ?, modseq = modseq + 1 WHERE id = ? AND gone = 0"
CARD = "INSERT INTO card (id, folder, facts, structure) VALUES (?, ?, ?, ?)"


class _Card(NamedTuple):
    """An entry to be copied: its row, as it was read."""

    uid: int
    id: int
    facts: bytes
    structure: bytes
    flags: int


class Writing:
    """Changes the tables ``entry``, ``card`` and ``vanished``."""

    def __init__(
        self, database: Database, vault: Vault, seals: Seals, shelf: Shelf, keywords: Keywords
    ) -> None:
        self._database, self._vault, self._seals = database, vault, seals
        self._shelf, self._keywords = shelf, keywords

    async def flag(
        self,
        folder_id: int,
        uids: UidSet,
        mode: Mode,
        flags: Iterable[str],
        unchanged_since: int | None = None,
    ) -> Flagged:
        """Change flags, of messages that did not change since; a slice is one transaction."""
        mailbox = self._shelf.folder(folder_id).mailbox
        if mode is Mode.REMOVE:
            mask = self._keywords.known(mailbox, flags)
        else:
            mask = await self._keywords.mask(mailbox, flags)
        modified: list[int] = []
        rows: list[Row] = []
        for some in self._present(folder_id, uids, _SLICE):
            met = await self._database.commit(
                _flagging(folder_id, some, mode, mask, unchanged_since)
            )
            if unchanged_since is not None:
                modified += (uid for found in met[: len(some.ranges)] for (uid,) in found)
            async for found_rows in self._shelf.rows(folder_id, some - UidSet.of(modified)):
                rows += found_rows
        return Flagged(tuple(rows), UidSet.of(modified))

    async def expunge(self, folder_id: int, uids: UidSet | None = None) -> UidSet:
        """Erase the messages that are marked as deleted, of a set or all; return which."""
        self._shelf.folder(folder_id)
        return await self._erase(folder_id, uids, f"flags & {DELETED} <> 0")

    async def empty(self, folder_id: int) -> None:
        """Erase all that lies in a folder, deleted itself or not."""
        await self._erase(folder_id, None, "1")

    async def _erase(self, folder_id: int, uids: UidSet | None, which: str) -> UidSet:
        erased: list[int] = []
        tries = _TRIES
        while doomed := self._doomed(folder_id, uids, which, erased[-1] if erased else 0):
            try:
                await self._database.commit(self.erasing(folder_id, UidSet.of(doomed), which))
            except Conflict:  # another session was quicker, or took a mark back: look again
                if (tries := tries - 1) == 0:
                    raise
                continue
            erased += doomed
            tries = _TRIES
        return UidSet.of(erased)

    def _doomed(self, folder_id: int, uids: UidSet | None, which: str, after: int) -> list[int]:
        """Return the next few messages to erase."""
        found: list[int] = []
        for first, last in [(1, 1 << 32)] if uids is None else uids.ranges:
            if last > after and len(found) < _FEW:
                rows = self._database.read(
                    f"SELECT uid FROM entry WHERE folder = ? AND uid BETWEEN ? AND ? AND {which}"  # noqa: S608 - ours
                    " ORDER BY uid LIMIT ?",
                    (folder_id, max(first, after + 1), last, _FEW - len(found)),
                )
                found += (uid for (uid,) in rows)
        return found

    @staticmethod
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

    async def copy(self, folder_id: int, uids: UidSet, to: int, *, away: bool = False) -> Copied:
        """Let another folder hold messages too, or instead (``away``): their bodies stay.

        A copy that fails half way leaves nothing in the other folder; a move never leaves a
        message in both or in neither.
        """
        source, target = self._shelf.folder(folder_id), self._shelf.folder(to)
        pairs: list[tuple[int, int]] = []
        try:
            for some in self._present(folder_id, uids, _FEW):
                pairs += await self._copied(source, some, target, away=away)
        except BaseException:
            if pairs and not away:
                await self._database.commit(self.erasing(to, UidSet.of(new for _, new in pairs)))
            raise
        olds, news = UidSet.of(old for old, _ in pairs), UidSet.of(new for _, new in pairs)
        return Copied(target.uid_validity, olds, news)

    def _present(self, folder_id: int, uids: UidSet, most: int) -> Iterator[UidSet]:
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

    async def _copied(
        self, source: Folder, uids: UidSet, target: Folder, *, away: bool
    ) -> list[tuple[int, int]]:
        """Copy a few messages in one transaction; return which became which."""
        for _ in range(_TRIES):
            cards = [
                _Card(*row)
                for first, last in uids.ranges
                for row in self._database.read(_CARDS, (source.id, first, last))
            ]
            try:
                copies = [(card, *self._copying(card, source, target)) for card in cards]
            except (SealError, Gone):  # a row that is not as we wrote it stays where it is
                cards = [card for card in cards if self._sound(card, source)]
                copies = [(card, *self._copying(card, source, target)) for card in cards]
            if not copies:
                return []
            taken = UidSet.of(card.uid for card in cards)
            masks = await self._masks(cards, source, target)
            statements = [
                Statement(_ROOM, (len(copies), target.id), expect=1, touches=target.id),
                *(one for _, _, statements in copies for one in statements),
                *(
                    Statement(
                        _COPY,
                        (len(copies) - place, new, mask, target.id, source.id, card.id),
                        expect=1,
                    )
                    for place, ((card, new, _), mask) in enumerate(zip(copies, masks, strict=True))
                ),
                *(self.erasing(source.id, taken) if away else ()),
            ]
            try:
                met = await self._database.commit(statements)
            except Conflict:  # one of them was expunged meanwhile
                continue
            begin = 1 + sum(len(more) for _, _, more in copies)
            news = [found[0][0] for found in met[begin : begin + len(copies)]]
            return list(zip((card.uid for card in cards), news, strict=True))
        return []

    async def _masks(
        self, cards: Sequence[_Card], source: Folder, target: Folder
    ) -> list[int | None]:
        """Return the flags that copies have elsewhere: each mailbox has its own keywords.

        None: those of the row when its turn comes.
        """
        if source.mailbox == target.mailbox:
            return [None] * len(cards)
        words, keywords = self._keywords.shown, self._keywords
        return [
            await keywords.mask(target.mailbox, words(source.mailbox, card.flags)) for card in cards
        ]

    def _copying(
        self, card: _Card, source: Folder, target: Folder
    ) -> tuple[int, Sequence[Statement]]:
        new = new_entry_id()
        moved: Callable[[bytes, str], bytes] = lambda sealed, column: self._seals.moved(  # noqa: E731
            sealed, column, card.id, source.id, (new, target.id)
        )
        row = (new, target.id, moved(card.facts, "facts"), moved(card.structure, "structure"))
        return new, [Statement(CARD, row), *self._vault.sharing(holder(card.id), holder(new))]

    def _sound(self, card: _Card, source: Folder) -> bool:
        try:
            self._copying(card, source, source)
        except (SealError, Gone):
            return False
        return True


def _flagging(
    folder_id: int, uids: UidSet, mode: Mode, mask: int, unchanged_since: int | None
) -> list[Statement]:
    """Return the statements that change flags; first, if asked, those that find what was modified.

    A message that has the flags already keeps its modification sequence.
    """
    value = _SET_FLAGS[mode]
    ranges = uids.ranges
    asking = [
        Statement(_MODIFIED, (folder_id, first, last, unchanged_since))
        for first, last in ranges
        if unchanged_since is not None
    ]
    limit = unchanged_since if unchanged_since is not None else (1 << 62)
    setting = [
        Statement(
            f"UPDATE entry SET flags = {value}, modseq = {_MODSEQ}"  # noqa: S608 - ours
            " WHERE folder = ? AND uid BETWEEN ? AND ? AND modseq <= ?"
            f" AND flags <> {value}",
            (mask, folder_id, first, last, limit, mask),
        )
        for first, last in ranges
    ]
    return [*asking, Statement(_BUMP, (folder_id,), 1, folder_id), *setting]
