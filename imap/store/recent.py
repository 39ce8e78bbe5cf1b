r"""Which messages no client was told of before: ``\Recent``.

A folder has one bound: what lies from it on is recent for whoever opens the folder next, and for
nobody after. It moves in memory, as clients are told, and is written every few minutes; where a
crash loses that, messages are recent once more, as the RFC wishes when nobody can know.
RFC 3501 §2.3.2, §7.3.2.
"""

from vault.database import Database, Statement

_COUNT = "SELECT count(*) FROM entry WHERE folder = ? AND uid >= ?"
_AT_ONCE = 200  # folders in one transaction


class Recents:
    """The column ``folder.told``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._moved: dict[int, int] = {}  # bounds that are not written yet

    def bound(self, folder_id: int) -> int:
        """Return the first UID that no client was told of."""
        if (moved := self._moved.get(folder_id)) is not None:
            return moved
        rows = self._database.read("SELECT told FROM folder WHERE id = ?", (folder_id,))
        return int(rows[0][0]) if rows else 1

    def claim(self, folder_id: int, uid_next: int) -> int:
        """Return the bound, and move it: a client is told of all messages below that UID."""
        bound = self.bound(folder_id)
        if uid_next > bound:
            self._moved[folder_id] = uid_next
        return bound

    def count(self, folder_id: int) -> int:
        """Return how many messages no client was told of."""
        ((count,),) = self._database.read(_COUNT, (folder_id, self.bound(folder_id)))
        return int(count)

    async def write(self) -> None:
        """Write the bounds that moved."""
        moved = list(self._moved.items())
        for start in range(0, len(moved), _AT_ONCE):
            some = moved[start : start + _AT_ONCE]
            sql = "UPDATE folder SET told = ? WHERE id = ? AND told < ?"
            await self._database.commit([Statement(sql, (uid, of, uid)) for of, uid in some])
            for folder_id, uid in some:
                if self._moved.get(folder_id) == uid:
                    del self._moved[folder_id]
