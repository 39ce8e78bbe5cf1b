"""What cannot be done to a mailbox: words for a person, and the code that a mail client acts on.

RFC 5530 and RFC 9051 §7.1 name the codes; the words never repeat what lies in a message.
"""


class ImapError(Exception):
    """What was asked cannot be done; nothing of it was done."""


class BrokenOff(ImapError):  # noqa: N818 - what happened to the answer
    """A literal was announced and cannot be said to its end: nothing that follows would be understood."""


class MailboxError(ImapError):
    """Something asked of a mailbox was not done, and nothing changed."""

    code = "CANNOT"

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class NoFolder(MailboxError):  # noqa: N818 - what was found, said in two words
    """There is no folder of that name, or it was deleted meanwhile."""

    code = "NONEXISTENT"


class Expunged(MailboxError):  # noqa: N818 - what became of them
    """Messages that were asked for are gone, though their numbers still count (RFC 2180 §4.1)."""

    code = "EXPUNGEISSUED"


class FolderExists(MailboxError):  # noqa: N818 - what was found, said in two words
    """There is a folder of that name already."""

    code = "ALREADYEXISTS"


class Forbidden(MailboxError):  # noqa: N818 - the answer, in one word
    """The store never does this: INBOX is not deleted, a name has bounds."""


class OverQuota(MailboxError):  # noqa: N818 - a state of the mailbox
    """The mailbox has no room left for it (RFC 9208)."""

    code = "OVERQUOTA"


class TooBig(MailboxError):  # noqa: N818 - what the message is
    """The message is longer than any that may be appended (RFC 7889)."""

    code = "TOOBIG"


class Limited(MailboxError):  # noqa: N818 - a state of the mailbox
    """A bound was reached: so many folders, so many keywords."""

    code = "LIMIT"


class UnknownEncoding(MailboxError):  # noqa: N818 - what the part has
    """A part names a transfer encoding that cannot be undone (RFC 3516 §4.3)."""

    code = "UNKNOWN-CTE"


class NoRights(MailboxError):  # noqa: N818 - what somebody has not
    """Somebody who is in may not do that there (RFC 4314)."""

    code = "NOPERM"
