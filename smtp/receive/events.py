"""What a server's session asks of its shell, and tells it: one small value each."""

from dataclasses import dataclass

from smtp.envelope import Draft, Recipient
from smtp.receive.login import Claim


@dataclass(frozen=True, slots=True)
class MailAsked:
    """May this transaction begin? Answer with a reply."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class RecipientAsked:
    """May this recipient be added? Answer with a reply."""

    draft: Draft
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class LoginAsked:
    """Is this claim true? Answer with the mailbox, or with the refusal."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class TlsAsked:
    """Write what is outgoing, start TLS, and say ``secured``."""


@dataclass(frozen=True, slots=True)
class ContentBegun:
    """A message begins; answer with its verdict, whenever it is there."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class ContentBlock:
    """Some of the message, dots unstuffed."""

    block: bytes


@dataclass(frozen=True, slots=True)
class ContentEnded:
    """The whole message has arrived and may be kept."""


@dataclass(frozen=True, slots=True)
class ContentFailed:
    """The message may not be kept: ``"smuggled"``, ``"too-big"``, ``"reset"`` ..."""

    reason: str


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A transaction ended without content though a recipient was refused: tell its sender."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Closed:
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
    | Abandoned
    | Closed
)
