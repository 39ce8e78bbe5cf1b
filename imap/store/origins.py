r"""What became of delivered messages: where each lies now, and when it was first opened.

Whoever delivers names what it delivers; the name stays with the entry when it is moved, and the
moment its ``\Seen`` was first set is kept, whatever becomes of the entry. A mail client's preview
(``BODY.PEEK``) opens nothing. RFC 3501 §2.3.2.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from imap.store.flags import SEEN
from vault.database import Database, Statement

_ADD = "INSERT INTO origin (origin, entry, wanted) VALUES (?, ?, ?)"
_FIND = (
    "SELECT o.entry, o.opened, o.withdrawn, o.copied, e.folder, e.uid, e.flags FROM origin o"
    " LEFT JOIN entry e ON e.id = o.entry WHERE o.origin = ?"
)
_OPENING = (
    "UPDATE origin SET opened = ? WHERE opened IS NULL AND entry IN"
    " (SELECT id FROM entry WHERE folder = ? AND uid BETWEEN ? AND ? AND flags & 1 = 0"
    " AND modseq <= ?)"
)
_WATCHED = "SELECT origin FROM origin WHERE entry = ? AND opened IS NULL AND wanted = 1"
_OPENED = "UPDATE origin SET opened = ? WHERE origin = ? AND opened IS NULL"
_COPIED = "UPDATE origin SET copied = ? WHERE entry = ? AND copied IS NULL"
_FOLLOW = "UPDATE origin SET entry = ? WHERE entry = ?"
_DUE = "SELECT origin FROM origin WHERE wanted = 1 AND opened IS NOT NULL LIMIT ?"
_SETTLE = "UPDATE origin SET wanted = 0 WHERE origin = ? AND wanted = 1"
# Whoever opened it a moment before is the quicker one: then the row has moved.
_UNOPENED = "UPDATE entry SET flags = flags WHERE id = ? AND flags & 1 = 0"
_WITHDRAW = (
    "UPDATE origin SET withdrawn = ? WHERE origin = ? AND withdrawn IS NULL AND copied IS NULL"
)
_MANY = 200
ELSEWHERE = 0  # the entry of what was delivered to another server


@dataclass(frozen=True, slots=True)
class Origin:
    """A delivered message, as it stands in its mailbox."""

    entry: int
    opened: datetime | None
    withdrawn: datetime | None  # its sender took it back
    copied: datetime | None  # since then there is another of it
    folder: int | None  # None: it was erased
    uid: int | None

    @property
    def unopened(self) -> bool:
        """It lies there, and there alone, and nobody has opened it."""
        return self.opened is None and self.copied is None and self.folder is not None


class Origins:
    """The table ``origin``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def adding(self, origin: str, entry: int, *, wanted: bool) -> Statement:
        """Return the statement that names an entry; ``wanted``: its opening is to be told."""
        return Statement(_ADD, (origin, entry, wanted), expect=1)

    def find(self, origin: str) -> Origin | None:
        """Return how a delivered message stands; None: it was never here, or is forgotten."""
        rows = self._database.read(_FIND, (origin,))
        if not rows:
            return None
        entry, opened, withdrawn, copied, folder, uid, flags = rows[0]
        moment = _moment(opened)
        if moment is None and flags is not None and flags & SEEN:
            folder = uid = None  # opened by a way that told nobody: not to be touched
        return Origin(entry, moment, _moment(withdrawn), _moment(copied), folder, uid)

    def opening(
        self, folder: int, first: int, last: int, now: datetime, unchanged_since: int
    ) -> Statement:
        """Return the statement that notes what is opened, before its flags are set."""
        return Statement(_OPENING, (now.timestamp(), folder, first, last, unchanged_since))

    def watched(self) -> list[str]:
        """Return what lies elsewhere, and is looked at there until it is opened."""
        return [origin for (origin,) in self._database.read(_WATCHED, (ELSEWHERE,))]

    def opened(self, origin: str, now: datetime) -> Statement:
        """Return the statement that notes that something elsewhere was opened."""
        return Statement(_OPENED, (now.timestamp(), origin))

    def copying(self, entry: int, now: datetime) -> Statement:
        """Return the statement that notes that an entry is copied."""
        return Statement(_COPIED, (now.timestamp(), entry))

    def following(self, entry: int, to: int) -> Statement:
        """Return the statement that lets a name follow its entry to another place."""
        return Statement(_FOLLOW, (to, entry))

    def due(self) -> list[str]:
        """Return what was opened, and is still to be told."""
        return [origin for (origin,) in self._database.read(_DUE, (_MANY,))]

    def settling(self, origin: str) -> Statement:
        """Return the statement that says that it was told; ``Conflict`` if it was before."""
        return Statement(_SETTLE, (origin,), expect=1)

    def claiming(self, origin: str, entry: int, now: datetime) -> list[Statement]:
        """Return the statements by which an unopened message may go; ``Conflict`` if it was opened."""
        return [
            Statement(_UNOPENED, (entry,), expect=1),
            Statement(_WITHDRAW, (now.timestamp(), origin), expect=1),
        ]


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
