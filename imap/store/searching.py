"""Search in headers and text: messages are opened and read as they stream, a few at a time.

Nothing of a message's words is kept for it, sealed or not (docs/adr/0012): what a search reads is
forgotten when it ends. The reading is done in a thread, so that mail goes on meanwhile; only the
parts that hold text are opened. RFC 3501 §6.4.4, RFC 5255 §4.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from imap.decoding import Text, comparable
from imap.envelope import spelled
from imap.errors import UnknownEncoding
from imap.folder import UidSet
from imap.index import Index, Section
from imap.store.shelf import Shelf
from imap.store.values import Stored, holder
from smtp.message.fields import words
from smtp.message.header import Header
from vault.errors import Gone, SealError
from vault.store import Held, Vault

_BLOCK = 256 << 10  # octets of a part that are opened at once
_AT_ONCE = 20  # messages a thread takes before others have a turn
_ADDRESSED = frozenset({"from", "sender", "reply-to", "to", "cc", "bcc"})

Field = Literal["HEADER", "BODY", "TEXT"]
Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: in one header field, in the text, or in both."""

    field: Field
    name: str  # the header field's, in any case; "" elsewhere
    needle: str

    @property
    def comparable(self) -> str:
        """The needle as it is compared."""
        return comparable(self.needle)


class Searching:
    """Searches folders; one a gateway."""

    def __init__(self, vault: Vault, shelf: Shelf) -> None:
        self._vault, self._shelf = vault, shelf
        self._threads = ThreadPoolExecutor(1, "sceau-search")

    async def search(self, folder_id: int, uids: UidSet, wanted: Wanted) -> UidSet:
        """Return those of a set in which it is found."""
        loop = asyncio.get_running_loop()
        found: list[int] = []
        async for some in self._shelf.indexes(folder_id, uids):
            for start in range(0, len(some), _AT_ONCE):
                held = [
                    (stored, body)
                    for stored in some[start : start + _AT_ONCE]
                    if (body := self._held(stored)) is not None
                ]
                found += await loop.run_in_executor(
                    self._threads, self._among, held, wanted, wanted.comparable
                )
        return UidSet.of(found)

    def _held(self, stored: Stored) -> Held | None:
        try:
            return self._vault.held(holder(stored.row.id))
        except (Gone, SealError):  # erased meanwhile, or not as we wrote it
            return None

    # In the thread.

    def _among(self, held: Sequence[tuple[Stored, Held]], wanted: Wanted, needle: str) -> list[int]:
        found = []
        for stored, body in held:
            try:
                if self._matches(stored.index, body, wanted, needle):
                    found.append(stored.row.uid)
            except (Gone, SealError):
                continue
        return found

    def _matches(self, index: Index, body: Held, wanted: Wanted, needle: str) -> bool:
        def read(start: int, end: int) -> bytes:
            return self._vault.open_now(body, start, end)

        match wanted.field:
            case "HEADER":
                return in_field(_header(index.parts[0], read), wanted.name.lower(), needle)
            case "BODY":
                return in_body(index, read, needle)
            case "TEXT":
                return in_header(_header(index.parts[0], read), needle) or in_body(
                    index, read, needle
                )


def in_field(header: Header, name: str, needle: str) -> bool:
    """Whether a field of that name holds the needle; an empty needle only wants the field.

    People are looked for in the ENVELOPE as well: ``a (of) @ b`` is found as ``a@b``.
    """
    return any(
        needle in shown(value) or (name in _ADDRESSED and needle in shown(spelled(value)))
        for value in header.all(name)
    )


def in_header(header: Header, needle: str) -> bool:
    """Whether any field of a header holds the needle, its name included."""
    values = (header.raw[f.value : f.end] for f in header.fields)
    return any(
        needle in f"{f.name}: {shown(value)}"
        for f, value in zip(header.fields, values, strict=True)
    )


def in_body(index: Index, read: Read, needle: str) -> bool:
    """Whether the text of a message holds the needle, attached messages and file names included."""
    for place, part in enumerate(index.parts):
        if part.name and needle in comparable(part.name):
            return True
        if place and _is_message(index, part) and in_header(_header(part, read), needle):
            return True
        if part.type.startswith("text/") and _in_text(part, read, needle):
            return True
    return False


def shown(value: bytes) -> str:
    """Return a field's value as it is compared, its encoded words decoded."""
    return comparable(words(value.decode("utf-8", "replace").strip()))


def _in_text(part: Section, read: Read, needle: str) -> bool:
    try:
        text = Text(part.encoding, part.charset, part.type)
    except UnknownEncoding:
        text = Text("", part.charset, part.type)
    at = part.body
    while True:
        stop = min(at + _BLOCK, part.end)
        if text.feed(read(at, stop), needle, last=stop == part.end):
            return True
        if stop == part.end:
            return False
        at = stop


def _is_message(index: Index, part: Section) -> bool:
    return index.parts[part.parent].type.startswith("message/")


def _header(part: Section, read: Read) -> Header:
    return Header.skim(read(part.header, part.body))
