"""What a mailbox's owner chose: reading receipts, where reports lie, who files what was sent."""

from enum import StrEnum

import msgspec


class Read(StrEnum):
    """What becomes of a sender's wish to know that a message was opened (R-F2, RFC 8098 §2.1)."""

    NEVER = "never"  # they are not told, and mail programs do not ask the owner
    ASK = "ask"  # the owner's mail program asks the owner
    ALWAYS = "always"  # we tell them, once, when it is opened


class Reports(StrEnum):
    """Where reports on what was sent are filed."""

    INBOX = "inbox"
    FOLDER = "folder"


class Sent(StrEnum):
    """Who files what was sent."""

    CLIENT = "client"  # the mail program, as most do
    SERVER = "server"  # we do; a mail program's own copy is recognised


class Habits(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mailbox's, sealed with its other facts."""

    read: Read = Read.ASK
    reports: Reports = Reports.INBOX
    sent: Sent = Sent.CLIENT
