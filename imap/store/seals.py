"""How the sealed columns of a mailbox are bound to their rows.

A folder's name is bound to its id and its mailbox, an entry's card to its id and its folder: who
can write to the database, and has not the key ring, moves no message into another mailbox, and no
folder either. docs/sealed-format.md is the specification.
"""

import msgspec

from imap.index import Index, packed, unpacked
from imap.store.values import INBOX, Summary
from vault.keys import KeyRing

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Summary)


class Seals:
    """Seals and opens the columns of ``folder``, ``subscription``, ``keyword`` and ``card``."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._inbox = ring.index(INBOX, "folder")

    def key(self, name: str) -> bytes:
        """Return what a folder's name is found by; INBOX alone has no case (RFC 3501 §5.1)."""
        return self._inbox if name.upper() == INBOX else self._ring.index(name, "folder")

    def name(self, name: str, folder: int, owner: str) -> bytes:
        """Seal a folder's name for its row; ``owner`` is the mailbox's opaque key."""
        return self._ring.seal(name.encode(), _of_folder(folder, owner, self.key(name)))

    def open_name(self, sealed: bytes, folder: int, owner: str, key: bytes) -> str:
        """Open a folder's name; ``SealError`` if the row is not as we wrote it."""
        return self._ring.open(sealed, _of_folder(folder, owner, key)).decode()

    def subscription(self, name: str, owner: str) -> bytes:
        """Seal a name that was subscribed to."""
        return self._ring.seal(name.encode(), _of_subscription(owner, self.key(name)))

    def open_subscription(self, sealed: bytes, owner: str, key: bytes) -> str:
        """Open a name that was subscribed to."""
        return self._ring.open(sealed, _of_subscription(owner, key)).decode()

    def keyword(self, name: str, owner: str, bit: int) -> bytes:
        """Seal the word that a bit stands for."""
        return self._ring.seal(name.encode(), f"keyword/{owner}/{bit}/name")

    def open_keyword(self, sealed: bytes, owner: str, bit: int) -> str:
        """Open the word that a bit stands for."""
        return self._ring.open(sealed, f"keyword/{owner}/{bit}/name").decode()

    def facts(self, summary: Summary, entry: int, folder: int) -> bytes:
        """Seal what a list shows of an entry."""
        return self._ring.seal(_ENCODER.encode(summary), f"card/{entry}/{folder}/facts")

    def open_facts(self, sealed: bytes, entry: int, folder: int) -> Summary:
        """Open what a list shows of an entry."""
        return _DECODER.decode(self._ring.open(sealed, f"card/{entry}/{folder}/facts"))

    def structure(self, index: Index, entry: int, folder: int) -> bytes:
        """Seal what is told of an entry's message."""
        return self._ring.seal(packed(index), f"card/{entry}/{folder}/structure")

    def open_structure(self, sealed: bytes, entry: int, folder: int) -> Index:
        """Open what is told of an entry's message."""
        return unpacked(self._ring.open(sealed, f"card/{entry}/{folder}/structure"))

    def moved(
        self, sealed: bytes, column: str, entry: int, folder: int, to: tuple[int, int]
    ) -> bytes:
        """Seal a column of a card for another card, of an entry and folder ``to``."""
        plain = self._ring.open(sealed, f"card/{entry}/{folder}/{column}")
        return self._ring.seal(plain, f"card/{to[0]}/{to[1]}/{column}")


def _of_folder(folder: int, owner: str, key: bytes) -> str:
    return f"folder/{folder}/{owner}/{key.hex()}/name"


def _of_subscription(owner: str, key: bytes) -> str:
    return f"subscription/{owner}/{key.hex()}/name"
