"""What software is told of a message it handed in: JSON objects. docs/openapi.yaml. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gateway.labs.answers import application
from gateway.relay import ambiguous
from gateway.relay.applications import Said
from gateway.relay.delivery import FINAL
from gateway.relay.message import Copy, Message
from smtp.address import Address

Named = Callable[[Address], str]  # the opaque key that receipts name a recipient by


def message(
    about: Message, copies: Sequence[Copy], named: Named, said: Mapping[str, Said]
) -> dict[str, Any]:
    """Return a message and how each recipient's copy of it stands."""
    return {
        "message": about.id,
        "reference": about.reference,
        "message_id": about.summary.message_id,
        "at": about.arrived.isoformat(),
        "final": all(each.delivery.state in FINAL for each in copies),
        "recipients": [_recipient(each, named, said.get(each.delivery.id)) for each in copies],
    }


def refused(those: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return recipients that were never taken, and why."""
    return [
        {"address": address, "taken": False, "state": "refused", "words": words}
        for address, words in those
    ]


def ack(written: bytes) -> dict[str, str]:
    """Return an acknowledgement in HL7; nothing, where none is asked for."""
    return {"ack": written.decode()} if written else {}


def _recipient(copy: Copy, named: Named, said: Said | None) -> dict[str, Any]:
    one = copy.delivery
    told: dict[str, Any] = {
        "address": ambiguous.shown(copy.recipient.address),
        "key": named(copy.recipient.address),
        "taken": True,
        "state": one.state.value,
        "at": one.changed.isoformat(),
        "attempts": one.attempts,
    }
    if one.said is not None:
        told |= {"code": one.said.code, "enhanced": one.said.enhanced, "words": one.said.text}
    if said is not None and said.at is not None:
        told |= application(said)
    return told
