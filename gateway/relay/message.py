"""A message as the spool knows it: its envelope, and the few header fields others will ask for.

Made once, at intake, sealed in one row, and handed on unchanged until the last receipt.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from gateway.relay.delivery import Delivery
from smtp.address import Address, domain_of
from smtp.envelope import Mail, MessageId, Notify, Recipient, reference
from smtp.reply import Reply

_NEVER = frozenset({Notify.NEVER})


class Door(StrEnum):
    """Where a message came in, when that is not a listener's name."""

    REPORT = "report"  # our own: bounces and notices
    COPY = "copy"  # of what arrived for a person, for the software that files it
    ANSWER = "answer"  # for who is away, in their name


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """The header fields that receipts, reports and mailbox lists show."""

    author: Address | None = None  # From: in whose name a null reverse-path is judged
    sender: str = ""  # From, as it stands
    subject: str = ""
    date: str = ""
    message_id: str = ""
    critical: bool = False  # it overtakes what waits: a sender of ours says that it may not


class Message(msgspec.Struct, frozen=True):
    """What we took responsibility for."""

    id: MessageId
    arrived: datetime
    size: int
    door: str  # the listener it came by, or a ``Door``
    mail: Mail
    summary: Summary

    @property
    def reference(self) -> str:
        """The short name of the message that a person can read out on the telephone."""
        return reference(self.id)

    @property
    def envid(self) -> str:
        """What reports about it will quote: the sender's own mark, else ours (RFC 3461 §4.4)."""
        return self.mail.envid or self.id

    @property
    def ours(self) -> bool:
        """Whether we wrote it ourselves; it passes no policy, and is never answered."""
        return self.door == Door.REPORT

    @property
    def inward(self) -> bool:
        """Whether it never leaves the house: nobody outside is asked whether it may go."""
        return self.door in {Door.REPORT, Door.COPY}


class Copy(msgspec.Struct, frozen=True):
    """One recipient's copy of a message."""

    message: Message
    recipient: Recipient
    delivery: Delivery

    @property
    def domain(self) -> str:
        """Where it goes."""
        return domain_of(self.recipient.address)

    def wants(self, notice: Notify) -> bool:
        """Whether its sender is to be told of this by mail (RFC 3461 §4.1).

        Who did not say is told of failures and delays; a null reverse-path is never answered.
        """
        if self.message.mail.mail_from is None:
            return False
        if self.recipient.notify is None:
            return notice is not Notify.SUCCESS
        return notice in self.recipient.notify and self.recipient.notify != _NEVER


class _Facts(msgspec.Struct, frozen=True, array_like=True):
    mail: Mail
    summary: Summary


def message_facts(mail: Mail, summary: Summary) -> bytes:
    """Write what a message's row keeps sealed."""
    return _ENCODER.encode(_Facts(mail, summary))


def read_message_facts(facts: bytes) -> tuple[Mail, Summary]:
    """Read it again."""
    read = _MESSAGE.decode(facts)
    return read.mail, read.summary


def recipient_facts(recipient: Recipient) -> bytes:
    """Write what a delivery's row keeps sealed."""
    return _ENCODER.encode(recipient)


def read_recipient_facts(facts: bytes) -> Recipient:
    """Read it again."""
    return _RECIPIENT.decode(facts)


def reply_facts(said: Reply) -> bytes:
    """Write the last reply; it may hold a peer's own words."""
    return _ENCODER.encode(said)


def read_reply_facts(facts: bytes) -> Reply:
    """Read it again."""
    return _REPLY.decode(facts)


_ENCODER = msgspec.json.Encoder()
_MESSAGE = msgspec.json.Decoder(_Facts)
_RECIPIENT = msgspec.json.Decoder(Recipient)
_REPLY = msgspec.json.Decoder(Reply)
