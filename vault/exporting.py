"""The journal as a file that proves itself: read by a person, checked by whoever has the public key.

A line of JSON a row, opened, each with what its hash was made of; before them what the first is
chained to, after them all that the key ring signed. Nobody needs our database, our key ring or our
code to check it: ``vault/standalone.py``. docs/journal.md gives the format.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from vault import witness
from vault.database import Database, Row
from vault.errors import SealError, VaultError
from vault.journal import SALT, Journal

FORMAT = "sceau journal export v1"
_ROWS = """
SELECT seq, at, event, actor, message, who, whom, detail, proof, hash FROM journal
WHERE seq > ? ORDER BY seq LIMIT ?
"""
_BEFORE = "SELECT seq, hash FROM journal WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
_PURGED = "SELECT text FROM journal_purge"
_ERASED = "SELECT text FROM journal_erasure ORDER BY id"


class Exporting:
    """What an export is made of, page by page."""

    def __init__(self, database: Database, journal: Journal, head: Path, key: bytes) -> None:
        self._database, self._journal, self._head, self._key = database, journal, head, key

    def begins(self, after: int) -> dict[str, Any]:
        """Return the first line: what the row after ``after`` is chained to."""
        rows = self._database.read(_BEFORE, (after,))
        if not rows:
            purged = witness.purged(self._texts(_PURGED), self._key)
            rows = [(purged.seq, purged.hash)]
        seq, digest = rows[0]
        return {"format": FORMAT, "after": seq, "hash": digest.hex() or "00" * 32}

    async def rows(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the rows that follow a number, opened, each with its proof."""
        return [self._line(row) for row in await self._database.query(_ROWS, (after, limit))]

    def _line(self, row: Row) -> dict[str, Any]:
        seq, at, event, actor, message, who, whom, detail, proof, digest = row
        line: dict[str, Any] = {
            "seq": seq,
            "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"),
            "event": event,
            "actor": actor,
            "message": message,
            "who": None,
            "whom": None,
            "detail": None,
        }
        proven: dict[str, Any] = {"at": at, "hash": digest.hex()}
        if detail is None:
            return line | {"proof": proven | {"content": proof.hex()}}
        try:
            plain = self._journal.plain(at, event, actor, message, detail)
            told = msgspec.json.decode(plain[SALT:], type=dict[str, Any])
        except (SealError, msgspec.MsgspecError):
            return line | {"proof": None}  # somebody damaged it: there is nothing to show or prove
        line |= {"who": told.pop("who", None), "whom": told.pop("whom", None), "detail": told}
        proven |= {
            "who": who and who.hex(),
            "whom": whom and whom.hex(),
            "sealed": hashlib.sha256(detail).hexdigest(),
            "salt": plain[:SALT].hex(),
            "text": plain[SALT:].decode("utf-8"),
        }
        return line | {"proof": proven}

    def ends(self) -> dict[str, Any]:
        """Return the last line: everything that was signed. ``VaultError``: the disk failed."""
        days = witness.days(self._head)
        try:
            kept = sorted(days.glob("*.head")) if days.is_dir() else []
            heads = [path.read_text("ascii") for path in kept]
            head = self._head.read_text("ascii") if self._head.exists() else None
        except (OSError, UnicodeDecodeError):
            raise VaultError(f"the signed heads beside {self._head} cannot be read") from None
        purged = self._texts(_PURGED)
        return {
            "head": head,
            "days": heads,
            "purged": purged[0].decode("ascii", "replace") if purged else None,
            "erased": [text.decode("ascii", "replace") for text in self._texts(_ERASED)],
        }

    def _texts(self, sql: str) -> list[bytes]:
        return [text for (text,) in self._database.read(sql)]
