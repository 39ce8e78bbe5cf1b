"""What can go wrong with a mailbox, as its owner caused it: each is one answer of the protocol."""


class ImapError(Exception):
    """What was asked cannot be done; nothing of it was done."""


class NoSuchFolder(ImapError):
    """There is no folder of that name, or no longer."""


class FolderExists(ImapError):
    """There is a folder of that name already."""


class FolderInUse(ImapError):
    """That folder cannot be taken away: INBOX, or one with folders below it."""


class OverQuota(ImapError):
    """The mailbox has no room for it."""


class TooBig(ImapError):
    """A message larger than any mailbox takes."""
