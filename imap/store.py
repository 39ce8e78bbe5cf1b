"""Sealed mailboxes: folders in SQL, bodies in the vault.

A message in a folder is an *entry*: its own holder of the sealed body, a UID that is never given
twice, and a sealed summary for lists. Everything that changes is a list of statements for somebody
else's transaction, because a message is in a mailbox exactly when its delivery says so.
RFC 3501 §2.3.1.1 (UIDs), RFC 7162 §3.1 (modification sequences), RFC 6154 (special use).
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from vault.database import Database, Statement
from vault.keys import KeyRing
from vault.store import Vault

INBOX = "INBOX"
PAGE = 200  # entries at once, where nobody says how many: the rest of the gateway waits meanwhile


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a list of messages shows of one; sealed in its row."""

    sender: str = ""
    subject: str = ""
    date: str = ""
    message_id: str = ""
    message: str = ""  # our id, so that its story can be traced from the mailbox


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a mailbox."""

    id: int
    name: str
    special: str | None
    uid_validity: int
    uid_next: int
    modseq: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in a folder."""

    id: str
    uid: int
    folder: int
    modseq: int
    flags: tuple[str, ...]
    arrived: datetime
    size: int
    summary: Summary

    @property
    def holder(self) -> str:
        """The name under which the vault keeps this entry's key to the body."""
        return holder(self.id)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message about to be filed."""

    id: str
    size: int  # of the message in clear, octets
    arrived: datetime
    summary: Summary


def holder(entry_id: str) -> str:
    """Return the name under which an entry holds its body."""
    return f"entry/{entry_id}"


def new_entry_id() -> str:
    """Make an id for an entry."""
    return secrets.token_hex(16)


class Mailboxes:
    """The tables ``folder`` and ``entry``."""

    def __init__(self, database: Database, vault: Vault, ring: KeyRing) -> None:
        self._database = database
        self._vault = vault
        self._ring = ring
        self._keys: dict[str, bytes] = {INBOX: ring.index(INBOX, "folder")}

    def opening(self, mailbox_key: str, name: str, now: datetime) -> Statement:
        """Return the statement that makes a folder, once, in a mailbox known by its opaque key.

        It may follow the mailbox's own INSERT in one transaction.
        """
        key = self._key(name)
        return Statement(
            "INSERT INTO folder (mailbox, key, name, uid_validity)"
            " SELECT id, ?, ?, ? FROM mailbox WHERE key = ?"
            " ON CONFLICT (mailbox, key) DO NOTHING",
            (
                key,
                self._ring.seal(name.encode(), _place_of_folder(mailbox_key, key)),
                int(now.timestamp()),
                mailbox_key,
            ),
        )

    def folders(self, mailbox: int) -> list[Folder]:
        """Return a mailbox's folders, INBOX first, in the order they were made."""
        rows = self._database.read(
            "SELECT f.id, f.key, f.name, f.special, f.uid_validity, f.uid_next, f.modseq, m.key"
            " FROM folder f JOIN mailbox m ON m.id = f.mailbox WHERE f.mailbox = ? ORDER BY f.id",
            (mailbox,),
        )
        return [
            Folder(number, self._ring.open(name, _place_of_folder(owner, key)).decode(), *rest)
            for number, key, name, *rest, owner in rows
        ]

    def appending(
        self, mailbox: int, folder: str, from_holder: str, arrival: Arrival
    ) -> list[Statement]:
        """Return the statements that file a body which another holder has already."""
        return [
            *self.filing(mailbox, folder, arrival),
            *self._vault.sharing(from_holder, holder(arrival.id)),
        ]

    def filing(self, mailbox: int, folder: str, arrival: Arrival) -> list[Statement]:
        """Return the statements that file an entry; its key to the body is the caller's to add.

        The UID comes from the folder's row in the same transaction: no two entries share one, and
        they ascend in the order of the commits.
        """
        key = self._key(folder)
        facts = self._ring.seal(_ENCODER.encode(arrival.summary), _place_of_entry(arrival.id))
        return [
            Statement(
                "UPDATE folder SET uid_next = uid_next + 1, modseq = modseq + 1"
                " WHERE mailbox = ? AND key = ?",
                (mailbox, key),
                expect=1,
            ),
            Statement(
                "INSERT INTO entry (folder, uid, id, modseq, arrived, size, facts)"
                " SELECT id, uid_next - 1, ?, modseq, ?, ?, ? FROM folder"
                " WHERE mailbox = ? AND key = ?",
                (arrival.id, arrival.arrived.timestamp(), arrival.size, facts, mailbox, key),
                expect=1,
            ),
        ]

    def entries(
        self, mailbox: int, folder: str = INBOX, *, after: int = 0, limit: int = PAGE
    ) -> list[Entry]:
        """Return a folder's entries by ascending UID, so many beyond a UID: each has to be opened."""
        args = (mailbox, self._key(folder), after, limit)
        return [self._entry(row) for row in self._database.read(_LIST, args)]

    def latest(
        self, mailbox: int, folder: str = INBOX, *, before: int | None = None, limit: int = PAGE
    ) -> list[Entry]:
        """Return a folder's newest entries, or the newest below a UID, by ascending UID."""
        args = (mailbox, self._key(folder), _ABOVE_ALL if before is None else before, limit)
        return [self._entry(row) for row in reversed(self._database.read(_LATEST, args))]

    def entry(self, mailbox: int, uid: int, folder: str = INBOX) -> Entry | None:
        """Return one entry by its UID, or None."""
        rows = self._database.read(_ONE, (mailbox, self._key(folder), uid))
        return self._entry(rows[0]) if rows else None

    async def read(self, entry: Entry, start: int = 0, end: int | None = None) -> bytes:
        """Return an entry's message in clear, whole or a range of octets."""
        return await self._vault.read(entry.holder, start, end)

    def stream(self, entry: Entry) -> AsyncIterator[bytes]:
        """Return an entry's message in clear, block by block."""
        return self._vault.stream(entry.holder)

    def removing(self, entry: Entry) -> list[Statement]:
        """Return the statements that take an entry out of its folder and drop its key."""
        return [
            Statement(
                "DELETE FROM entry WHERE folder = ? AND uid = ?",
                (entry.folder, entry.uid),
                expect=1,
            ),
            Statement(
                "UPDATE folder SET modseq = modseq + 1 WHERE id = ?", (entry.folder,), expect=1
            ),
            *self._vault.dropping(entry.holder),
        ]

    def _entry(self, row: Sequence[object]) -> Entry:
        entry_id, uid, folder, modseq, flags, arrived, size, facts = row
        assert isinstance(uid, int)
        assert isinstance(folder, int)
        assert isinstance(modseq, int)
        assert isinstance(arrived, float)
        assert isinstance(size, int)
        assert isinstance(facts, bytes)
        return Entry(
            id=str(entry_id),
            uid=uid,
            folder=folder,
            modseq=modseq,
            flags=tuple(str(flags).split()),
            arrived=datetime.fromtimestamp(arrived, UTC),
            size=size,
            summary=_DECODER.decode(self._ring.open(facts, _place_of_entry(str(entry_id)))),
        )

    def _key(self, folder: str) -> bytes:
        # INBOX is the one name without case (RFC 3501 §5.1).
        if folder.upper() == INBOX:
            return self._keys[INBOX]
        return self._ring.index(folder, "folder")


_ENTRY = (
    "SELECT e.id, e.uid, e.folder, e.modseq, e.flags, e.arrived, e.size, e.facts"
    " FROM folder f JOIN entry e ON e.folder = f.id WHERE f.mailbox = ? AND f.key = ?"
)
_LIST = _ENTRY + " AND e.uid > ? ORDER BY e.uid LIMIT ?"
_LATEST = _ENTRY + " AND e.uid < ? ORDER BY e.uid DESC LIMIT ?"
_ABOVE_ALL = 1 << 32  # a UID has 32 bits (RFC 3501 §2.3.1.1)
_ONE = _ENTRY + " AND e.uid = ?"

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Summary)


def _place_of_folder(mailbox_key: str, key: bytes) -> str:
    return f"folder/{mailbox_key}/{key.hex()}/name"


def _place_of_entry(entry_id: str) -> str:
    return f"entry/{entry_id}/facts"
