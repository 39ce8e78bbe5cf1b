"""What the store speaks in: folders, entries, and what came of a change to them."""

import os
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import count

import msgspec

from imap.folder import Row, UidSet
from imap.index import Index

INBOX = "INBOX"
PAGE = 200  # entries at once, where nobody says how many: the rest of the gateway waits meanwhile

# Entries are numbered within a run of the gateway, so that neighbours in time are neighbours in
# the table; 35 random bits tell the runs apart.
_RUN = int.from_bytes(os.urandom(8), "big") >> 29
_NUMBERS = count(_RUN << 28)


def new_entry_id() -> int:
    """Make an id for an entry."""
    return next(_NUMBERS)


def holder(entry_id: int) -> str:
    """Return the name under which an entry holds its body."""
    return f"entry/{entry_id:016x}"


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a list of messages shows of one; sealed in its row."""

    sender: str = ""
    subject: str = ""
    date: str = ""
    message_id: str = ""
    message: str = ""  # our id, so that its story can be traced from the mailbox


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a mailbox may hold."""

    quota: int | None = None  # octets; None: as much as there is room for
    append_limit: int = 150 << 20  # octets of one message


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a mailbox."""

    id: int
    mailbox: int
    name: str
    special: str | None
    uid_validity: int
    uid_next: int
    modseq: int
    exists: int = 0
    unseen: int = 0
    deleted: int = 0
    size: int = 0
    subscribed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in a folder, as an operator lists it."""

    id: int
    uid: int
    folder: int
    modseq: int
    flags: tuple[str, ...]
    arrived: datetime
    size: int
    summary: Summary


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message about to be filed."""

    id: int
    size: int  # of the message in clear, octets
    arrived: datetime
    summary: Summary
    index: Index
    flags: int = 0  # a mask
    origin: str = ""  # the delivery that brings it
    wanted: bool = False  # its sender wants to know when it is opened, and may


@dataclass(frozen=True, slots=True)
class Stored:
    """A message whose card opened where it lies: only then may its body be read from there."""

    row: Row
    index: Index


@dataclass(frozen=True, slots=True)
class Selected:
    """A folder as a client begins with it."""

    folder: Folder
    uids: UidSet
    first_unseen: int  # its sequence number; 0: none
    keywords: tuple[str, ...]


class Mode(Enum):
    """What a STORE does with the flags it names."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Flagged:
    """What came of a STORE: the messages that took it, and those changed meanwhile (RFC 7162)."""

    rows: tuple[Row, ...]
    modified: UidSet
    behind: UidSet = UidSet()  # noqa: RUF009 - a value; of these others changed something untold


@dataclass(frozen=True, slots=True)
class Appended:
    """Where messages were filed, in their order (RFC 4315)."""

    uid_validity: int
    uids: UidSet


@dataclass(frozen=True, slots=True)
class Copied:
    """Which messages became which, in their order (RFC 4315)."""

    uid_validity: int
    source: UidSet
    target: UidSet


@dataclass(frozen=True, slots=True)
class Quota:
    """How full a mailbox is (RFC 9208)."""

    used: int  # octets
    limit: int | None
    messages: int
