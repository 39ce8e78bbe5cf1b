"""The folders of a mailbox: made, renamed, deleted, subscribed to.

A folder's id is random and its own for ever; its name is sealed for that id and its mailbox, so a
row that was changed or moved by somebody without the key ring opens no more and counts as absent.
UIDVALIDITY only grows within a mailbox: a name that comes back is another folder to its clients.
RFC 3501 §6.3, RFC 6154 (special use).
"""

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from unicodedata import category

from imap.errors import FolderExists, Forbidden, Limited, NoFolder
from imap.store.seals import Seals
from imap.store.values import INBOX, Folder
from vault.database import Database, Row, Statement
from vault.errors import Conflict, SealError

SEPARATOR = "/"
SPECIAL = {
    "Sent": "\\Sent",
    "Drafts": "\\Drafts",
    "Trash": "\\Trash",
    "Junk": "\\Junk",
    "Archive": "\\Archive",
}
_MOST = 1000  # folders of a mailbox
_LONGEST = 500  # octets of a name
_DEEPEST = 16
_REMEMBERED = 50_000
_TRIES = 3

_SELECT = (
    "SELECT f.id, f.mailbox, f.special, f.uid_validity, f.uid_next, f.modseq, f.total, f.unseen,"
    " f.deleted, f.size, f.key, f.name, m.key,"
    " EXISTS (SELECT 1 FROM subscription s WHERE s.mailbox = f.mailbox AND s.key = f.key)"
    " FROM folder f JOIN mailbox m ON m.id = f.mailbox WHERE f.gone = 0"
)
_NEXT_VALIDITY = (
    "INSERT INTO validity SELECT id, ? FROM mailbox WHERE key = ?"
    " ON CONFLICT DO UPDATE SET last = max(last + 1, excluded.last)"
)
_INSERT = (
    "INSERT INTO folder (id, mailbox, key, name, special, uid_validity)"
    " SELECT ?, m.id, ?, ?, ?, v.last FROM mailbox m JOIN validity v ON v.mailbox = m.id"
    " WHERE m.key = ? ON CONFLICT (mailbox, key) DO NOTHING"
)


class Folders:
    """The tables ``folder``, ``validity`` and ``subscription``."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database, self._seals = database, seals
        self._inboxes: dict[int, int] = {}  # by mailbox; an INBOX is never renamed nor deleted

    def founding(self, owner: str, now: datetime) -> list[Statement]:
        """Return the statements that give a new mailbox its INBOX and the folders clients expect.

        They may follow the mailbox's own INSERT in one transaction; ``owner`` is its opaque key.
        """
        named = ((INBOX, None), *SPECIAL.items())
        return [
            statement
            for name, special in named
            for statement in self.opening(owner, name, now, special)
        ]

    def opening(
        self, owner: str, name: str, now: datetime, special: str | None = None
    ) -> list[Statement]:
        """Return the statements that make a folder, unless there is one of that name."""
        number = secrets.randbits(62)
        sealed = self._seals.name(name, number, owner)
        return [
            Statement(_NEXT_VALIDITY, (int(now.timestamp()), owner)),
            Statement(_INSERT, (number, self._seals.key(name), sealed, special, owner)),
        ]

    def all(self, mailbox: int) -> list[Folder]:
        """Return a mailbox's folders, INBOX first, the others by name."""
        rows = self._database.read(f"{_SELECT} AND f.mailbox = ?", (mailbox,))
        found = [folder for row in rows if (folder := self._folder(row)) is not None]
        return sorted(found, key=lambda folder: (folder.name != INBOX, folder.name))

    def find(self, mailbox: int, name: str) -> Folder | None:
        """Return a mailbox's folder of that name, or None."""
        sql = f"{_SELECT} AND f.mailbox = ? AND f.key = ?"
        rows = self._database.read(sql, (mailbox, self._seals.key(name)))
        return self._folder(rows[0]) if rows else None

    def by_id(self, folder: int) -> Folder | None:
        """Return a folder by its id, or None if it was deleted."""
        rows = self._database.read(f"{_SELECT} AND f.id = ?", (folder,))
        return self._folder(rows[0]) if rows else None

    def number(self, mailbox: int, name: str) -> int:
        """Return a folder's id; an INBOX's at once, for every delivery asks."""
        if name != INBOX:
            return self.named(mailbox, name).id
        if (found := self._inboxes.get(mailbox)) is None:
            if len(self._inboxes) >= _REMEMBERED:
                self._inboxes.clear()
            found = self._inboxes[mailbox] = self.named(mailbox, name).id
        return found

    def _folder(self, row: Row) -> Folder | None:
        number, mailbox, special, validity, uid_next, modseq, total, unseen, deleted, size = row[
            :10
        ]
        key, sealed, owner, subscribed = row[10:]
        try:
            name = self._seals.open_name(sealed, number, owner, key)
        except SealError:
            return None
        return Folder(
            id=number,
            mailbox=mailbox,
            name=name,
            special=special,
            uid_validity=validity,
            uid_next=uid_next,
            modseq=modseq,
            exists=total,
            unseen=unseen,
            deleted=deleted,
            size=size,
            subscribed=bool(subscribed),
        )

    async def create(
        self, mailbox: int, name: str, now: datetime, special: str | None = None
    ) -> Folder:
        """Make a folder, and those above it that are missing."""
        name = checked(name)
        if self.find(mailbox, name) is not None:
            raise FolderExists("There is already a folder of this name.")
        there = self.all(mailbox)
        above = [each for each in _above(name) if self.find(mailbox, each) is None]
        if len(there) + len(above) >= _MOST:
            raise Limited(f"A mailbox has at most {_MOST} folders.")
        owner = self._owner(mailbox)
        statements = [
            *(one for each in above for one in self.opening(owner, each, now)),
            *self.opening(owner, name, now, special),
        ]
        await self._database.commit(statements)
        return self.named(mailbox, name)

    def named(self, mailbox: int, name: str) -> Folder:
        """Return a folder; ``NoFolder`` if there is none."""
        if (found := self.find(mailbox, name)) is None:
            raise NoFolder("There is no folder of this name.")
        return found

    async def rename(self, mailbox: int, old: str, new: str, now: datetime) -> None:
        """Give a folder, and those below it, another name; their messages keep their UIDs."""
        new = checked(new)
        self.named(mailbox, old)
        if self.find(mailbox, new) is not None:
            raise FolderExists("There is already a folder of this name.")
        if new.startswith(old + SEPARATOR):
            raise Forbidden("A folder cannot be moved below itself.")
        for _ in range(_TRIES):
            try:
                await self._database.commit(self._renaming(mailbox, old, new, now))
            except Conflict:
                continue
            return
        raise FolderExists("There is already a folder of this name.")

    def _renaming(self, mailbox: int, old: str, new: str, now: datetime) -> list[Statement]:
        owner = self._owner(mailbox)
        statements = [
            one
            for each in _above(new)
            if self.find(mailbox, each) is None
            for one in self.opening(owner, each, now)
        ]
        below = old + SEPARATOR
        for folder in self.all(mailbox):
            if folder.name == old or folder.name.startswith(below):
                name = checked(new + folder.name[len(old) :])
                sealed = self._seals.name(name, folder.id, owner)
                statements.append(
                    Statement(
                        "UPDATE folder SET key = ?, name = ? WHERE id = ? AND gone = 0 AND key = ?",
                        (self._seals.key(name), sealed, folder.id, self._seals.key(folder.name)),
                        expect=1,
                        touches=folder.id,
                    )
                )
        return statements

    def leaving(self, folder: Folder) -> list[Statement]:
        """Return the statements by which a folder is no longer there; it is emptied afterwards."""
        if folder.name == INBOX:
            raise Forbidden("INBOX cannot be deleted.")
        return [
            Statement(
                "UPDATE folder SET gone = 1, key = randomblob(16) WHERE id = ? AND gone = 0",
                (folder.id,),
                expect=1,
                touches=folder.id,
            )
        ]

    def gone(self) -> list[int]:
        """Return the folders that were deleted and still lie there."""
        return [number for (number,) in self._database.read("SELECT id FROM folder WHERE gone = 1")]

    @staticmethod
    def forgetting(folder: int) -> list[Statement]:
        """Return the statements that take an emptied folder's row away."""
        return [
            Statement("DELETE FROM vanished WHERE folder = ?", (folder,)),
            Statement("DELETE FROM folder WHERE id = ? AND gone = 1", (folder,)),
        ]

    async def subscribe(self, mailbox: int, name: str, *, on: bool) -> None:
        """Note that a client shows a name, or no longer does."""
        name = checked(name)
        key = self._seals.key(name)
        if not on:
            sql = "DELETE FROM subscription WHERE mailbox = ? AND key = ?"
            await self._database.commit([Statement(sql, (mailbox, key))])
            return
        if len(self.subscriptions(mailbox)) >= 2 * _MOST:
            raise Limited("Too many names are subscribed to.")
        sealed = self._seals.subscription(name, self._owner(mailbox))
        sql = (
            "INSERT INTO subscription (mailbox, key, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        )
        await self._database.commit([Statement(sql, (mailbox, key, sealed))])

    def subscriptions(self, mailbox: int) -> list[str]:
        """Return the names that clients show, whether or not there is a folder."""
        rows = self._database.read(
            "SELECT s.name, s.key, m.key FROM subscription s JOIN mailbox m ON m.id = s.mailbox"
            " WHERE s.mailbox = ?",
            (mailbox,),
        )
        found = []
        for sealed, key, owner in rows:
            with suppress(SealError):
                found.append(self._seals.open_subscription(sealed, owner, key))
        return sorted(found)

    def _owner(self, mailbox: int) -> str:
        ((key,),) = self._database.read("SELECT key FROM mailbox WHERE id = ?", (mailbox,))
        return str(key)


def checked(name: str) -> str:
    """Return a folder's name as it is kept; raise ``Forbidden`` for what no client could show."""
    name = name.removesuffix(SEPARATOR)
    levels = name.split(SEPARATOR)
    if not name or any(not level for level in levels):
        raise Forbidden("A folder's name has no empty level.")
    if len(levels) > _DEEPEST or len(name.encode("utf-8", "replace")) > _LONGEST:
        raise Forbidden("That name is too long.")
    if any(_unshowable(character) for character in name):
        raise Forbidden("A folder's name has no control characters.")
    if levels[0].upper() == INBOX:
        levels[0] = INBOX
    return SEPARATOR.join(levels)


def _unshowable(character: str) -> bool:
    return category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _above(name: str) -> Iterable[str]:
    """Return the names above one in the hierarchy, the highest first."""
    levels: Sequence[str] = name.split(SEPARATOR)
    return [SEPARATOR.join(levels[:depth]) for depth in range(1, len(levels))]
