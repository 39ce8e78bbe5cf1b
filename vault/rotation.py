"""After a rotation: what older keys sealed moves to the current one, a little at a time.

Wraps and sealed values move; bodies never do, because only the wraps of their file keys depend on
the ring. The journal stays as it is, for its chain covers the sealed bytes: an old key is needed
as long as entries from its time are kept. ``uses`` says when nothing needs a key any more.
"""

from contextlib import suppress
from dataclasses import dataclass

from vault.database import Database, Statement
from vault.errors import SealError
from vault.keys import KeyRing

_OWNER = "SELECT m.key FROM mailbox m WHERE m.id = mailbox"
_PERSON = "SELECT key FROM mailbox WHERE mailbox.id = person"
# Every sealed column: the table, its row's name, the column, and the place as SQL knows it.
_COLUMNS = (
    ("message", "id", "facts", "'message/' || id || '/facts'"),
    ("delivery", "id", "facts", "'delivery/' || id || '/facts'"),
    ("delivery", "id", "said", "'delivery/' || id || '/said'"),
    ("inspection", "message", "facts", "'inspection/' || message || '/facts'"),
    ("offer", "id", "facts", "'offer/' || id || '/facts'"),
    (
        "link",
        "id",
        "facts",
        "'link/' || id || '/' || message || '/' || domain || '/' || reader || '/facts'",
    ),
    ("fetch", "message", "facts", "'fetch/' || message || '/facts'"),
    ("critical", "id", "facts", "'critical/' || id || '/facts'"),
    ("unsent", "mark", "facts", "'unsent/' || lower(hex(mark)) || '/facts'"),
    ("outbox", "id", "payload", "'outbox/' || id || '/payload'"),
    ("mailbox", "key", "facts", "'mailbox/' || key || '/facts'"),
    (
        "credential",
        "id",
        "label",
        "'credential/' || id || '/' || mailbox || '/' || kind || '/' || secret || '/label'",
    ),
    (
        "folder",
        "id",
        "name",
        f"'folder/' || id || '/' || ({_OWNER}) || '/' || lower(hex(key)) || '/name'",
    ),
    (
        "subscription",
        "id",
        "name",
        f"'subscription/' || ({_OWNER}) || '/' || lower(hex(key)) || '/name'",
    ),
    ("keyword", "id", "name", f"'keyword/' || ({_OWNER}) || '/' || bit || '/name'"),
    ("card", "id", "facts", "'card/' || id || '/' || folder || '/facts'"),
    ("card", "id", "structure", "'card/' || id || '/' || folder || '/structure'"),
    (
        "share",
        "id",
        "rights",
        f"'share/' || ({_OWNER}) || '/' || ({_PERSON}) || '/rights'",
    ),
    ("factor", "id", "facts", "'factor/' || id || '/' || owner || '/' || kind || '/facts'"),
    (
        "invitation",
        "id",
        "facts",
        "'invitation/' || lower(hex(id)) || '/' || owner || '/facts'",
    ),
    ("operator", "key", "facts", "'operator/' || key || '/' || name || '/facts'"),
    ("absence", "mailbox", "facts", f"'absence/' || ({_OWNER}) || '/facts'"),
    ("thread", "pair", "facts", "'thread/' || lower(hex(pair)) || '/' || version || '/facts'"),
    ("opposition", "id", "facts", "'opposition/' || id || '/facts'"),
    ("proposal", "id", "facts", "'proposal/' || lower(hex(id)) || '/facts'"),
    ("hold", "id", "preserved", "'hold/' || id || '/preserved'"),
    ("held", "id", "found", "'held/' || id || '/found'"),
    ("held", "id", "ruling", "'held/' || id || '/ruling'"),
    ("remark", "id", "facts", "'remark/' || id || '/facts'"),
    ("alarm", "id", "facts", "'alarm/' || id || '/facts'"),
    ("denial", "id", "facts", "'denial/' || id || '/facts'"),
    ("legal_hold", "id", "facts", "'legal_hold/' || id || '/facts'"),
    ("trust_edition", "id", "signatures", "'trust_edition/' || id || '/signatures'"),
    ("trust_trail", "seq", "entry", "'trust_trail/' || seq || '/entry'"),
    ("certificate", "fingerprint", "facts", "'certificate/' || fingerprint || '/facts'"),
    ("authority", "name", "facts", "'authority/' || name || '/facts'"),
    ("patience", "domain", "facts", "'patience/' || domain || '/facts'"),
    ("bridge", "domain", "facts", "'bridge/' || domain || '/facts'"),
)

_MOVE_WRAP = "UPDATE wrap SET ring = ?, wrapped = ? WHERE holder = ? AND wrapped = ?"


@dataclass(frozen=True, slots=True)
class Uses:
    """How much one key of the ring still opens."""

    wraps: int = 0
    values: int = 0
    entries: int = 0  # of the journal


class Rotation:
    """Moves what lies under older keys."""

    def __init__(self, database: Database, ring: KeyRing) -> None:
        self._database, self._ring = database, ring
        self._settled = min(ring.ids)  # the key under which all is known to be

    async def move(self, limit: int) -> int:
        """Move at most ``limit`` wraps or values to the current key; return how many.

        None left: the answer costs nothing until the next rotation.
        """
        current = self._ring.current
        if self._settled == current:
            return 0
        statements = await self._wraps(limit)
        for column in _COLUMNS:
            if len(statements) < limit:
                statements += await self._values(*column, limit - len(statements))
        if statements:
            await self._database.commit(statements)
        else:
            self._settled = current
        return len(statements)

    async def _wraps(self, limit: int) -> list[Statement]:
        rows = await self._database.query(
            "SELECT holder, ring, wrapped FROM wrap WHERE ring <> ? LIMIT ?",
            (self._ring.current, limit),
        )
        statements = []
        for holder, number, wrapped in rows:
            with suppress(SealError):  # a damaged wrap stays, and its key with it
                file_key = self._ring.unwrap(number, wrapped, holder)
                args = (*self._ring.wrap(file_key, holder), holder, wrapped)
                statements.append(Statement(_MOVE_WRAP, args))
        return statements

    async def _values(
        self, table: str, key: str, column: str, place: str, limit: int
    ) -> list[Statement]:
        rows = await self._database.query(
            f"SELECT {key}, {column}, {place} FROM {table}"  # noqa: S608 - the table above
            f" WHERE substr({column}, 1, 4) <> ? LIMIT ?",
            (_prefix(self._ring.current), limit),
        )
        update = f"UPDATE {table} SET {column} = ? WHERE {key} = ? AND {column} = ?"  # noqa: S608 - the table above
        statements = []
        for row, old, where in rows:
            with suppress(SealError):
                new = self._ring.seal(self._ring.open(old, where), where)
                statements.append(Statement(update, (new, row, old)))
        return statements

    async def uses(self) -> dict[int, Uses]:
        """Return, for each key of the ring, how much it still opens; a look at every row."""
        rows = await self._database.query("SELECT ring, count(*) FROM wrap GROUP BY ring")
        wraps: dict[int, int] = dict(rows)
        entries = await self._count("journal", "detail")
        values: dict[int, int] = {}
        for table, _, column, _ in _COLUMNS:
            for number, count in (await self._count(table, column)).items():
                values[number] = values.get(number, 0) + count
        return {
            number: Uses(wraps.get(number, 0), values.get(number, 0), entries.get(number, 0))
            for number in self._ring.ids
        }

    async def _count(self, table: str, column: str) -> dict[int, int]:
        rows = await self._database.query(
            f"SELECT substr({column}, 1, 4), count(*) FROM {table}"  # noqa: S608 - the table above
            f" WHERE {column} IS NOT NULL GROUP BY 1"
        )
        return {int.from_bytes(prefix, "big"): count for prefix, count in rows}


def _prefix(number: int) -> bytes:
    return number.to_bytes(4, "big")
