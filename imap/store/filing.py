"""How messages come into a folder: filed by a delivery, or appended by a mail client.

A delivery's entry is statements for somebody else's transaction, because a message is in a mailbox
exactly when its delivery says so. An append streams into the vault and is one transaction of its
own, however many messages it brings: all of them are there when it returns, or none.
RFC 3501 §6.3.11, RFC 3502 (several at once), RFC 4315 (which UIDs they got).
"""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from imap.errors import Limited, NoFolder, OverQuota, TooBig
from imap.folder import UidSet
from imap.index import Indexing
from imap.store.copying import CARD
from imap.store.flags import Keywords
from imap.store.folders import Folders
from imap.store.origins import Origins
from imap.store.seals import Seals
from imap.store.shelf import Shelf
from imap.store.values import (
    Appended,
    Arrival,
    Entry,
    Folder,
    Limits,
    Quota,
    Summary,
    holder,
    new_entry_id,
)
from smtp.message.header import Header
from vault.database import Database, Statement
from vault.errors import Conflict, StorageFull
from vault.store import Sealed, Vault

_MOST = 200  # messages in one append: they are one transaction
_LONGEST = 1000  # characters of a header field that lists show
_LATEST = 50  # messages in Sent among which one that a client files again is looked for
_SENT_TWICE = timedelta(hours=1)  # so long after it was sent

_TAKE = "UPDATE folder SET uid_next = uid_next + 1, modseq = modseq + 1 WHERE id = ? AND gone = 0"
_ENTRY = (
    "INSERT INTO entry (folder, uid, id, modseq, flags, arrived, size)"
    " SELECT id, uid_next - 1, ?, modseq, ?, ?, ? FROM folder WHERE id = ? RETURNING uid"
)
_USED = "SELECT coalesce(sum(size), 0), coalesce(sum(total), 0) FROM folder WHERE mailbox = ?"


class Filing:
    """Makes entries."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        seals: Seals,
        *,
        shelf: Shelf,
        keywords: Keywords,
        folders: Folders,
        limits: Limits,
    ) -> None:
        self.database, self.vault, self._seals = database, vault, seals
        self.shelf, self.keywords, self._folders = shelf, keywords, folders
        self.origins = Origins(database)
        self.limits = limits

    def filing(self, folder_id: int, arrival: Arrival, flags: int = 0) -> list[Statement]:
        """Return the statements that file an entry; its key to the body is the caller's to add.

        The UID comes from the folder's row in the same transaction: no two entries share one, and
        they ascend in the order of the commits.
        """
        entry = arrival.id
        facts = self._seals.facts(arrival.summary, entry, folder_id)
        structure = self._seals.structure(arrival.index, entry, folder_id)
        arrived = arrival.arrived.timestamp()
        named = (
            [self.origins.adding(arrival.origin, entry, wanted=arrival.wanted)]
            if arrival.origin
            else []
        )
        return [
            Statement(_TAKE, (folder_id,), expect=1, touches=folder_id),
            Statement(CARD, (entry, folder_id, facts, structure)),
            *named,
            Statement(_ENTRY, (entry, flags, arrived, arrival.size, folder_id), expect=1),
        ]

    def into(self, mailbox: int, name: str, arrival: Arrival) -> list[Statement]:
        """Return the statements that file an entry in a folder known by its name."""
        return self.filing(self._folders.number(mailbox, name), arrival, arrival.flags)

    def quota(self, mailbox: int) -> Quota:
        """Return how full a mailbox is."""
        ((used, messages),) = self.database.read(_USED, (mailbox,))
        return Quota(used, self.limits.quota, messages)

    def check_room(self, mailbox: int, size: int) -> None:
        """Raise ``OverQuota`` if a mailbox has no room for so many octets more."""
        limit = self.limits.quota
        if limit is not None and self.quota(mailbox).used + size > limit:
            raise OverQuota("The mailbox is full: delete messages, or ask for more room.")

    def batch(self, folder_id: int, clock: Callable[[], datetime]) -> "Batch":
        """Begin an append; ``NoFolder`` if the folder was deleted."""
        return Batch(self, self.shelf.folder(folder_id), clock)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message of an append: its body is in the vault, and nobody holds it yet."""

    sealed: Sealed
    arrival: Arrival
    flags: int


class Batch:
    """One APPEND: ``add`` each message as it streams, then ``commit``, or ``discard``."""

    def __init__(self, filing: Filing, folder: Folder, clock: Callable[[], datetime]) -> None:
        self._filing, self._folder, self._clock = filing, folder, clock
        self._taken: list[_Taken] = []
        self._size = 0

    async def add(
        self,
        flags: Iterable[str],
        arrived: float | None,
        blocks: AsyncIterator[bytes],
        size: int,
    ) -> None:
        """Take a message of ``size`` octets into the vault, in constant memory.

        ``arrived`` is its internal date, seconds since the epoch; None: it is now. ``TooBig`` and
        ``OverQuota`` come before anything was read.
        """
        filing = self._filing
        if size > filing.limits.append_limit:
            raise TooBig(f"A message may have {filing.limits.append_limit} octets.")
        if len(self._taken) == _MOST:
            raise Limited(f"An APPEND brings at most {_MOST} messages.")
        filing.check_room(self._folder.mailbox, self._size + size)
        mask = await filing.keywords.mask(self._folder.mailbox, flags)
        indexing = Indexing()
        sealed = await filing.vault.put(_through(blocks, indexing))
        index = indexing.finish()
        arrival = Arrival(
            new_entry_id(),
            sealed.size,
            self._clock() if arrived is None else datetime.fromtimestamp(arrived, UTC),
            summary_of(indexing.header),
            index,
        )
        self._taken.append(_Taken(sealed, arrival, mask))
        self._size += sealed.size

    async def commit(self) -> Appended:
        """File all of them in one transaction; they are durable when this returns."""
        filing, folder = self._filing, self._folder
        if (filed := self._filed_before()) is not None:
            await self.discard()
            return Appended(folder.uid_validity, UidSet(((filed.uid, filed.uid),)))
        statements: list[Statement] = []
        places: list[int] = []  # of the statements that say a UID
        taken, self._taken = self._taken, []
        for one in taken:
            statements += filing.vault.holding(one.sealed, [holder(one.arrival.id)])
            statements += filing.filing(folder.id, one.arrival, one.flags)
            places.append(len(statements) - 1)
        try:
            filing.check_room(folder.mailbox, self._size)
            met = await filing.database.commit(statements)
        except (Conflict, StorageFull, OverQuota) as error:
            # Undone for certain: only then may the bodies go. After any other, a row may stand.
            self._taken = taken
            await self.discard()
            if isinstance(error, Conflict):
                raise NoFolder("The folder was deleted.") from None
            raise
        return Appended(folder.uid_validity, UidSet.of(met[place][0][0] for place in places))

    def _filed_before(self) -> Entry | None:
        """Return the entry that this message is already, if we filed it ourselves when it was sent.

        Mail clients file what they have sent; where we do, theirs is the same message a moment
        later, and one of the two is enough.
        """
        if self._folder.special != "\\Sent" or len(self._taken) != 1:
            return None
        said = self._taken[0].arrival.summary
        since = self._clock() - _SENT_TWICE
        return next(
            (
                each
                for each in self._filing.shelf.latest(self._folder, limit=_LATEST)
                if each.summary.message
                and each.arrived >= since
                and said.message_id == each.summary.message_id != ""
                and (said.subject, said.date) == (each.summary.subject, each.summary.date)
            ),
            None,
        )

    async def discard(self) -> None:
        """Keep nothing of it; safe to call at any time."""
        taken, self._taken = self._taken, []
        for one in taken:
            await self._filing.vault.discard(one.sealed)


async def _through(blocks: AsyncIterator[bytes], indexing: Indexing) -> AsyncIterator[bytes]:
    async for block in blocks:
        indexing.feed(block)
        yield block


def summary_of(header: Header, message: str = "") -> Summary:
    """Return what lists show of a message with that header; ``message`` is our id of it."""
    sender, subject, date, message_id = (
        _shown(header.first(name)) for name in ("from", "subject", "date", "message-id")
    )
    return Summary(sender, subject, date, message_id, message)


def _shown(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "replace")[:_LONGEST]
