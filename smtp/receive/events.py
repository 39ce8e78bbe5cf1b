"""What a server's session asks of its shell, and tells it: one small value each."""

import msgspec

from smtp.envelope import Draft, Recipient
from smtp.receive.login import Claim


class MailAsked(msgspec.Struct, frozen=True):
    """May this transaction begin? Answer with a reply."""

    draft: Draft


class RecipientAsked(msgspec.Struct, frozen=True):
    """May this recipient be added? Answer with a reply."""

    draft: Draft
    recipient: Recipient


class LoginAsked(msgspec.Struct, frozen=True):
    """Is this claim true? Answer with the mailbox, or with the refusal."""

    claim: Claim


class TlsAsked(msgspec.Struct, frozen=True):
    """Write what is outgoing, start TLS, and say ``secured``."""


class ContentBegun(msgspec.Struct, frozen=True):
    """A message begins; answer with its verdict, whenever it is there."""

    draft: Draft


class ContentBlock(msgspec.Struct, frozen=True):
    """Some of the message, dots unstuffed."""

    block: bytes


class ContentEnded(msgspec.Struct, frozen=True):
    """The whole message has arrived and may be kept."""


class ContentFailed(msgspec.Struct, frozen=True):
    """The message may not be kept: ``"smuggled"``, ``"too-big"``, ``"reset"`` ..."""

    reason: str


class Heard(msgspec.Struct, frozen=True):
    """The peer said something more since its last message was taken; or it left, and may not know."""

    draft: Draft
    certain: bool


class Abandoned(msgspec.Struct, frozen=True):
    """A transaction ended without content though a recipient was refused: tell its sender."""

    draft: Draft


class Closed(msgspec.Struct, frozen=True):
    """Write what is outgoing, then close."""


Event = (
    MailAsked
    | RecipientAsked
    | LoginAsked
    | TlsAsked
    | ContentBegun
    | ContentBlock
    | ContentEnded
    | ContentFailed
    | Heard
    | Abandoned
    | Closed
)
