"""The signed head of the journal, and the check of a journal by whoever has the public key.

The head lies in a file outside the data folder, and the heads that earlier days ended with in a
folder beside it. ``check`` needs these, the database file and the 32 octets of the public key: no
key ring, no running gateway.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from vault import files, signed, sqlite
from vault.chain import Head, Signed, Verdict, verify
from vault.errors import VaultError, of_file
from vault.keys import KeyRing
from vault.signed import Mark

_ROWS = "SELECT seq, at, event, actor, message, who, whom, detail, proof, hash FROM journal ORDER BY seq"
_PURGED = "SELECT text FROM journal_purge"
_ERASED = "SELECT text FROM journal_erasure"
_DAY = re.compile(r"\d{4}-\d\d-\d\d\.head")


def write(path: Path, head: Head, ring: KeyRing, at: datetime) -> None:
    """Sign the head and let it take the place of the one before it."""
    try:
        files.replace(path, signed.mark(signed.HEAD, head, ring, at))
    except OSError as error:
        raise of_file(error) from error


def read(path: Path, public_key: bytes) -> Mark | None:
    """Return the head, None if there is no such file; raise ``VaultError`` if it is not signed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return signed.marked(content, signed.HEAD, public_key)
    except VaultError:
        raise VaultError(f"{path} is not a head of this journal that the key ring signed") from None


def days(head: Path) -> Path:
    """Return the folder of the heads that earlier days ended with."""
    return head.with_name(f"{head.name}s")


def put_by(head: Path, day: Mark) -> bytes | None:
    """Keep the head that a day ended with, as it is; return it, None if it was kept before."""
    kept = days(head) / f"{day.at:%Y-%m-%d}.head"
    try:
        if kept.exists():
            return None
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        content = head.read_bytes()
        files.replace(kept, content)
    except OSError as error:
        raise of_file(error) from error
    return content


def of_days(head: Path, public_key: bytes) -> Iterator[Head]:
    """Yield the heads that earlier days ended with, the oldest first."""
    if not (folder := days(head)).is_dir():
        return
    for path in sorted(folder.iterdir()):
        if _DAY.fullmatch(path.name) and (mark := read(path, public_key)) is not None:
            yield mark.head


def purged(texts: list[bytes], public_key: bytes) -> Head:
    """Return the last row that was purged; row 0 if none was."""
    if not texts:
        return Head(0, b"")
    return max((signed.marked(text, signed.PURGE, public_key).head for text in texts), key=_seq)


def _seq(head: Head) -> int:
    return head.seq


def check(database: Path, head: Path, public_key: bytes) -> Verdict:
    """Look at every row; a changed, removed, inserted or cut-off one is found."""
    try:
        last = read(head, public_key)  # before the rows, which may grow meanwhile
        ended = tuple(of_days(head, public_key))
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes  # whatever somebody wrote there, it is only hashed
            connection.execute("BEGIN")  # rows, and what is said of them, at one moment
            begins = purged([text for (text,) in connection.execute(_PURGED)], public_key)
            gone = signed.Erased((text for (text,) in connection.execute(_ERASED)), public_key)
            facts = Signed(last.head if last else None, (*ended, *gone.heads), begins, gone)
            return verify(connection.execute(_ROWS), facts)
    except VaultError as error:
        return Verdict(0, 0, str(error))
    except sqlite3.Error as error:
        raise sqlite.in_words(error) from error
