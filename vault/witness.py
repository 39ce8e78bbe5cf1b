"""The signed head of the journal, and the check of a journal by whoever has the public key.

The head lies in a file outside the data folder. ``check`` needs that file, the database file and
the 32 octets of the public key: no key ring, no running gateway.
"""

import sqlite3
from base64 import b64decode, b64encode
from contextlib import closing
from datetime import datetime
from pathlib import Path

from vault import files, sqlite
from vault.chain import Head, Verdict, verify
from vault.errors import VaultError, of_file
from vault.keys import KeyRing, signed_by

_TITLE = "sceau journal head v1"
_ROWS = "SELECT seq, at, event, actor, message, who, whom, detail, hash FROM journal ORDER BY seq"


def write(path: Path, head: Head, ring: KeyRing, at: datetime) -> None:
    """Sign the head and let it take the place of the one before it."""
    text = f"{_TITLE}\nseq {head.seq}\nhash {head.hash.hex()}\nat {at.isoformat()}\n".encode()
    try:
        files.replace(path, text + b64encode(ring.sign(text)) + b"\n")
    except OSError as error:
        raise of_file(error) from error


def read(path: Path, public_key: bytes) -> Head | None:
    """Return the head, None if there is no such file; raise ``VaultError`` if it is not signed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    text, _, signature = content.removesuffix(b"\n").rpartition(b"\n")
    text += b"\n"
    try:
        title, seq, digest, _, _ = text.decode("ascii").split("\n")
        head = Head(int(seq.removeprefix("seq ")), bytes.fromhex(digest.removeprefix("hash ")))
        genuine = title == _TITLE and signed_by(public_key, b64decode(signature), text)
    except ValueError:
        genuine = False
    if not genuine:
        raise VaultError(f"{path} is not a head of this journal that the key ring signed")
    return head


def check(database: Path, head: Path, public_key: bytes) -> Verdict:
    """Look at every row; a changed, removed, inserted or cut-off one is found."""
    try:
        signed = read(head, public_key)  # before the rows, which may grow meanwhile
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes  # whatever somebody wrote there, it is only hashed
            return verify(connection.execute(_ROWS), signed)
    except VaultError as error:
        return Verdict(0, 0, str(error))
    except sqlite3.Error as error:
        raise sqlite.in_words(error) from error
