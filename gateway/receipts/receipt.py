"""What software is told about a delivery: one CloudEvents 1.0 document a state change.

A receipt names the message by the sender's own Message-ID and the recipient by an opaque key; it
carries codes and slugs and never a sentence of a peer, an address or anything of the content: it
goes to a broker, where it is no longer sealed. ``docs/receipts.md`` and ``docs/asyncapi.yaml`` are
its specification. R-F1.
"""

import re
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

import msgspec

from smtp.envelope import MessageId, reference
from smtp.reply import Reply

TYPE_PREFIX = "sante.sceau."

_SLUG = re.compile(r"[a-z0-9-]{0,60}")
_KEY = re.compile(r"[A-Za-z0-9_-]{0,64}")


class Kind(StrEnum):
    """What happened; consumers must ignore kinds they do not know."""

    ACCEPTED = "accepted"  # we took responsibility for it
    RELAYED = "relayed"  # the peer's server took it: theirs now, not yet delivered
    DELIVERED = "delivered"  # it is in the recipient's mailbox
    DELAYED = "delayed"  # still trying
    FAILED = "failed"  # refused for good on the way
    EXPIRED = "expired"  # tried for as long as we may
    REFUSED = "refused"  # never taken, or refused by a reviewer
    HELD = "held"  # a person must look at it
    RELEASED = "released"  # a person let it go on
    READ = "read"  # the recipient's reader says that it was displayed
    WITHDRAWN = "withdrawn"  # its sender took it back from the mailbox, unopened
    UNCONFIRMED = "unconfirmed"  # time is up: the peer took it, and it may have arrived
    CORRECTED = "corrected"  # the final answer was wrong: the recipient does not have it
    FILED = "application.filed"  # the recipient's software has filed it
    UNFILED = "application.failed"  # it could not; the failure's number says why
    ESCALATED = "escalated"  # a critical result did not arrive in time: a person was told
    HANDLED = "handled"  # it says that something else was done with it; the reason says what


class Receipt(msgspec.Struct, frozen=True):
    """One event of one delivery. It cannot be built with foreign text in it."""

    kind: Kind
    at: datetime
    message: MessageId
    state: str  # the delivery's state after the event, a slug
    subject: str = ""  # the sender's Message-ID, as it stands in the header
    recipient: str = ""  # opaque, the same for the same address at this site
    number: int | None = None  # the recipient's place in the message, from 1; None: never taken
    attempts: int = 0
    reply: Reply | None = None  # only its codes go out
    reason: str = ""  # a slug
    failure: int | None = None  # why software could not file it: 900 to 906
    id: str = msgspec.field(default_factory=lambda: secrets.token_hex(16))

    def __post_init__(self) -> None:
        # The broker is outside the vault: a sentence or an address here would be a leak.
        if not _SLUG.fullmatch(self.state) or not _SLUG.fullmatch(self.reason):
            raise ValueError("a receipt's state and reason are slugs")
        if not _KEY.fullmatch(self.recipient):
            raise ValueError("a receipt names its recipient by an opaque key")

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return TYPE_PREFIX + ("" if "." in self.kind else "delivery.") + self.kind

    def encode(self, source: str) -> bytes:
        """Return the CloudEvents JSON document; ``source`` is the site that speaks."""
        return _ENCODER.encode(
            _Event(
                id=self.id,
                source=source,
                type=self.type,
                time=_rfc3339(self.at),
                subject=self.subject or msgspec.UNSET,
                data=_Delivery(
                    message=self.message,
                    reference=reference(self.message),
                    state=self.state,
                    attempts=self.attempts,
                    recipient=self.recipient or msgspec.UNSET,
                    number=msgspec.UNSET if self.number is None else self.number,
                    code=self.reply.code if self.reply else msgspec.UNSET,
                    enhanced=(self.reply and self.reply.enhanced) or msgspec.UNSET,
                    reason=self.reason or msgspec.UNSET,
                    failure=msgspec.UNSET if self.failure is None else self.failure,
                ),
            )
        )


def topic(site: str, mailbox_key: str) -> str:
    """Return the MQTT topic of a mailbox's receipts."""
    return f"sceau/v1/receipts/{site}/{mailbox_key}"


def _rfc3339(at: datetime) -> str:
    whole = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return whole.removesuffix("+00:00") + "Z"


class _Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    message: str
    reference: str
    recipient: str | msgspec.UnsetType = msgspec.UNSET
    number: int | msgspec.UnsetType = msgspec.UNSET
    state: str
    attempts: int
    code: int | msgspec.UnsetType = msgspec.UNSET
    enhanced: str | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType = msgspec.UNSET
    failure: int | msgspec.UnsetType = msgspec.UNSET


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: str
    subject: str | msgspec.UnsetType = msgspec.UNSET
    datacontenttype: Literal["application/json"] = "application/json"
    data: _Delivery


_ENCODER = msgspec.json.Encoder()
