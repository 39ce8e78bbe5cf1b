"""Sealed mailboxes: ``Mailboxes`` is all that others need; one file a concern behind it."""

from imap.store.filing import Batch, summary_of
from imap.store.mailboxes import Mailboxes
from imap.store.searching import Wanted
from imap.store.values import (
    INBOX,
    PAGE,
    Appended,
    Arrival,
    Copied,
    Entry,
    Flagged,
    Folder,
    Limits,
    Mode,
    Quota,
    Selected,
    Stored,
    Summary,
    holder,
    new_entry_id,
)

__all__ = [
    "INBOX",
    "PAGE",
    "Appended",
    "Arrival",
    "Batch",
    "Copied",
    "Entry",
    "Flagged",
    "Folder",
    "Limits",
    "Mailboxes",
    "Mode",
    "Quota",
    "Selected",
    "Stored",
    "Summary",
    "Wanted",
    "holder",
    "new_entry_id",
    "summary_of",
]
