"""How messages come to lie in another folder: copied or moved, without their bodies.

A copy is another holder of the same sealed body, with a card of its own, sealed for its place. A
move is a copy and an erasure in one transaction. A few messages go in each, so that nobody else
waits. RFC 3501 §6.4.7, RFC 6851, RFC 4315 (which became which).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from imap.folder import UidSet
from imap.store.flags import Keywords
from imap.store.origins import Origins
from imap.store.seals import Seals
from imap.store.shelf import Shelf
from imap.store.values import Copied, Folder, holder, new_entry_id
from imap.store.writing import FEW, TRIES, erasing
from vault.database import Database, Statement
from vault.errors import Conflict, Gone, SealError
from vault.store import Vault

Sets = Callable[[Sequence[str]], Sequence[str]]  # of some flags those that may be set there

CARD = "INSERT INTO card (id, folder, facts, structure) VALUES (?, ?, ?, ?)"
_CARDS = (
    "SELECT e.uid, e.id, c.facts, c.structure, e.flags FROM entry e JOIN card c ON c.id = e.id"
    " WHERE e.folder = ? AND e.uid BETWEEN ? AND ? ORDER BY e.uid"
)
_ROOM = "UPDATE folder SET uid_next = uid_next + ?, modseq = modseq + 1 WHERE id = ? AND gone = 0"
_COPY = (
    "INSERT INTO entry (folder, uid, id, modseq, flags, arrived, size)"
    " SELECT f.id, f.uid_next - ?, ?, f.modseq, coalesce(?, e.flags), e.arrived, e.size"
    " FROM folder f, entry e WHERE f.id = ? AND e.folder = ? AND e.id = ? RETURNING uid"
)


class _Card(NamedTuple):
    """An entry to be copied: its row, as it was read."""

    uid: int
    id: int
    facts: bytes
    structure: bytes
    flags: int


@dataclass(frozen=True, slots=True)
class _Road:
    """From where to where, and whether it stays where it was."""

    source: Folder
    target: Folder
    away: bool
    sets: Sets | None = None  # None: all


@dataclass(frozen=True, slots=True)
class _Copy:
    """One entry's copy: its id, and what makes its card and its key."""

    card: _Card
    id: int
    statements: Sequence[Statement]


class Copying:
    """Makes entries of entries."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        seals: Seals,
        *,
        shelf: Shelf,
        keywords: Keywords,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._vault, self._seals = database, vault, seals
        self._shelf, self._keywords = shelf, keywords
        self._origins, self._clock = Origins(database), clock

    async def copy(
        self, folder_id: int, uids: UidSet, to: int, *, away: bool, sets: Sets | None = None
    ) -> Copied:
        """Let another folder hold messages too, or instead (``away``).

        A copy that fails half way leaves nothing in the other folder; a move never leaves a
        message in both or in neither.
        """
        road = _Road(self._shelf.folder(folder_id), self._shelf.folder(to), away, sets)
        pairs: list[tuple[int, int]] = []
        try:
            for some in self._shelf.present(folder_id, uids, FEW):
                pairs += await self._few(road, some)
        except BaseException:
            if pairs and not away:
                await self._database.commit(erasing(to, UidSet.of(new for _, new in pairs)))
            raise
        olds, news = UidSet.of(old for old, _ in pairs), UidSet.of(new for _, new in pairs)
        return Copied(road.target.uid_validity, olds, news)

    async def _few(self, road: _Road, uids: UidSet) -> list[tuple[int, int]]:
        """Copy a few messages; return which became which."""
        for _ in range(TRIES - 1):
            try:
                return await self._once(road, uids)
            except Conflict:  # one of them was expunged meanwhile, or the folder was deleted
                self._shelf.folder(road.target.id)
        if len(uids) == 1:
            return await self._once(road, uids)
        # Others are at the same messages: one by one nobody is in the way for long.
        return [pair for uid in uids for pair in await self._few(road, UidSet.of([uid]))]

    async def _once(self, road: _Road, uids: UidSet) -> list[tuple[int, int]]:
        rows = [
            row
            for first, last in uids.ranges
            for row in self._database.read(_CARDS, (road.source.id, first, last))
        ]
        copies = [copy for row in rows if (copy := self._copy(_Card(*row), road)) is not None]
        if not copies:
            return []
        making = [one for copy in copies for one in copy.statements]
        statements = [
            Statement(_ROOM, (len(copies), road.target.id), expect=1, touches=road.target.id),
            *making,
            *await self._entering(copies, road),
        ]
        if road.away:
            statements += erasing(road.source.id, UidSet.of(copy.card.uid for copy in copies))
        met = await self._database.commit(statements)
        news = met[1 + len(making) :]
        return [(copy.card.uid, found[0][0]) for copy, found in zip(copies, news, strict=False)]

    async def _entering(self, copies: Sequence[_Copy], road: _Road) -> list[Statement]:
        """Return the statements that give copies their places."""
        left = len(copies)
        entering = []
        for place, copy in enumerate(copies):
            flags = await self._flags(copy.card, road)
            args = (left - place, copy.id, flags, road.target.id, road.source.id, copy.card.id)
            entering.append(Statement(_COPY, args, expect=1))
        return entering

    async def _flags(self, card: _Card, road: _Road) -> int | None:
        """Return the flags a copy has elsewhere: each mailbox has its own keywords.

        None: those that the row has when its turn comes.
        """
        mailbox = road.target.mailbox
        if road.source.mailbox == mailbox and road.sets is None:
            return None
        words: Sequence[str] = self._keywords.shown(road.source.mailbox, card.flags)
        return await self._keywords.mask(mailbox, road.sets(words) if road.sets else words)

    def _copy(self, card: _Card, road: _Road) -> _Copy | None:
        """Return an entry's copy; a row that is not as we wrote it stays where it is."""
        new, target = new_entry_id(), road.target.id
        try:
            row = [
                self._seals.moved(sealed, column, card.id, road.source.id, (new, target))
                for sealed, column in ((card.facts, "facts"), (card.structure, "structure"))
            ]
            sharing = self._vault.sharing(holder(card.id), holder(new))
        except (SealError, Gone):
            return None
        origins = self._origins
        noted = (
            origins.following(card.id, new)
            if road.away
            else origins.copying(card.id, self._clock())
        )
        return _Copy(card, new, [Statement(CARD, (new, target, *row)), *sharing, noted])
