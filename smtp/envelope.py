"""Who sends, to whom, over which connection: the values that a message carries all its way.

``Draft`` grows command by command while the session collects it; ``Envelope`` is made once, at
intake, and handed on unchanged until the last receipt. RFC 5321 §2.3.1, RFC 3461 §4.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv6Address
from typing import NewType

from smtp.address import Address
from smtp.reply import Reply

MessageId = NewType("MessageId", str)  # ours, 26 characters; not the header's Message-ID

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]


class Body(StrEnum):
    """What the sender declared the content to be (RFC 6152)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT = "8BITMIME"


class Ret(StrEnum):
    """How much of the message a failure report returns (RFC 3461 §4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"


class Notify(StrEnum):
    """When the sender wants to be told (RFC 3461 §4.1); NEVER stands alone."""

    NEVER = "NEVER"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DELAY = "DELAY"


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection."""

    ip: str
    helo: str = ""
    tls: str = ""  # "TLSv1.3 TLS_AES_256_GCM_SHA384"; "" in clear
    certificate: bytes | None = None  # the leaf, DER
    login: Address | None = None  # the mailbox it logged in as
    listener: str = ""  # "submission", "relay" ...
    issuers: tuple[bytes, ...] = field(
        default=(), repr=False
    )  # by which TLS verified the certificate

    @property
    def network(self) -> str:
        """The place it comes from."""
        return network(self.ip)


@dataclass(frozen=True, slots=True)
class Mail:
    """A MAIL command as it was accepted."""

    mail_from: Address | None  # None is the null reverse-path <>: a bounce, never answered
    size: int | None = None
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    ret: Ret | None = None
    envid: str | None = None  # decoded from xtext
    transfer: str | None = None  # another Sceau's mark, the same for every attempt
    recall: bool = False  # it wants back what it sent under that mark: docs/recall.md
    large: int | None = None  # it stands for a message of so many octets, which we fetch


@dataclass(frozen=True, slots=True)
class Recipient:
    """A RCPT command as it was accepted."""

    address: Address
    notify: frozenset[Notify] | None = None  # None: the sender did not say
    orcpt: str | None = None  # "rfc822;dr@chu.example", decoded


@dataclass(frozen=True, slots=True)
class Refusal:
    """A recipient that was refused at RCPT, and in what words."""

    recipient: Recipient
    reply: Reply


@dataclass(frozen=True, slots=True)
class Draft:
    """One mail transaction as far as it has come."""

    peer: Peer
    mail: Mail
    recipients: tuple[Recipient, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Made once, at intake, and handed on unchanged until the last receipt."""

    id: MessageId
    arrived: datetime
    peer: Peer
    mail: Mail
    recipients: tuple[Recipient, ...]
    refused: tuple[Refusal, ...] = field(default=())

    @property
    def mail_from(self) -> Address | None:
        """The reverse-path; None is ``<>``."""
        return self.mail.mail_from

    @property
    def reference(self) -> str:
        """The short name of the message that a person can read out on the telephone."""
        return reference(self.id)


def network(ip: str) -> str:
    """Return the one place that an address stands for.

    Under IPv6 that is the whole /64: a house has 2^64 addresses and uses as many as it likes.
    """
    if ":" not in ip:
        return ip
    address = IPv6Address(ip.partition("%")[0])
    return str(address.ipv4_mapped or f"{address.exploded[:19]}::/64")


def new_message_id(now: datetime) -> MessageId:
    """Make an id that sorts by time: 48 bits of milliseconds, 80 random bits, in base 32."""
    return _spelled(now, int.from_bytes(os.urandom(10)))


def earliest_message_id(moment: datetime) -> MessageId:
    """Return the id that all messages from before that moment sort below."""
    return _spelled(moment, 0)


def made_at(message_id: str) -> float:
    """Return when an id of ours was made, in seconds since the epoch; nought for anything else."""
    number = 0
    for letter in message_id[:10]:  # two bits of nought, and the 48 of the time
        if (digit := _CROCKFORD.find(letter)) < 0:
            return 0.0
        number = number * 32 + digit
    return number / 1000 if len(message_id) == 26 else 0.0


def _spelled(moment: datetime, random: int) -> MessageId:
    number = (int(moment.timestamp() * 1000) << 80) | random
    return MessageId("".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)]))


def reference(message_id: MessageId) -> str:
    """Return the last eight characters, in two groups: 40 random bits, no I, L, O or U."""
    return f"{message_id[-8:-4]}-{message_id[-4:]}"
