"""``trace.story``: everything that is known of one message, in the order in which it happened.

The journal, the receipts that software was given, and how each recipient's copy stands. No subject:
what may name a patient is shown by ``trace.reveal`` alone, to who says why, and that is written down.
"""

from collections.abc import Mapping
from typing import Any

from gateway.operations import trace
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.spool import row
from gateway.operations.veil import veiled
from gateway.operations.words import told
from gateway.receipts.outbox import Row
from gateway.relay.delivery import State
from gateway.relay.message import Copy, Message
from smtp.envelope import MessageId, reference
from smtp.message import fields
from vault.journal import Entry

_MANY = 500  # steps of one story


async def story(rooms: Rooms, *, what: str) -> object:
    """Return one message with its deliveries and what happened to it, oldest first."""
    found = await _one(rooms, what)
    entries = await rooms.journal.by_message(found)
    copies = rooms.spool.copies(found)
    if not entries and not copies:
        raise OperationError(
            f"nothing here is known as {what}", "sceau trace finds it by whatever else you have"
        )
    receipts = await rooms.outbox.about(found, _MANY)
    steps = [_step(entry) for entry in entries[-_MANY:]] + [_receipt(one) for one in receipts]
    # What software was told stands after what it was told of.
    steps.sort(key=lambda step: (step["at"], step["kind"] == "receipt", step["seq"] or 0))
    withdrawn = trace.withdrawn(entries)
    told_ = {
        "message": found,
        "reference": reference(MessageId(found)),
        "facts": _facts(copies[0].message) if copies else None,
        "deliveries": [_copy(rooms, copy, withdrawn) for copy in copies],
        "steps": steps,
        "left_out": max(0, len(entries) - _MANY),
    }
    return veiled(told_, rooms.settings.journal.citizens)


async def reveal(rooms: Rooms, *, what: str, why: str) -> object:
    """Return what of a message may name a patient, to who says why they must see it."""
    if len(why.strip()) < _REASON:
        raise OperationError("say why you must see it", "a sentence that an audit understands")
    found = await _one(rooms, what)
    copies = rooms.spool.copies(found)
    if not copies:
        raise OperationError(
            f"of {what} only the journal is left", "its subject went with its rows"
        )
    message = copies[0].message
    entry = rooms.journal.entry(
        rooms.clock(),
        "content.viewed",
        rooms.actor,
        message=found,
        who=message.mail.mail_from,
        what="subject, addresses",
        reason=why.strip(),
    )
    await rooms.database.commit([entry])
    return {
        "message": found,
        "subject": fields.words(message.summary.subject),
        "author": fields.words(message.summary.sender),
        "sender": message.mail.mail_from or "<>",
        "recipients": [copy.recipient.address for copy in copies],
    }


_REASON = 5  # letters of a reason, at least


async def _one(rooms: Rooms, what: str) -> str:
    """Return the one message that is meant: the newest, where a name was used twice."""
    text = what.strip()
    return next(iter(trace.named(rooms, text)), text.upper())


def _facts(message: Message) -> dict[str, Any]:
    return {
        "arrived": told(message.arrived),
        "door": message.door,
        "size": message.size,
        "sender": message.mail.mail_from or "<>",
        "message_id": message.summary.message_id,
        "transfer": message.mail.transfer,
    }


def _copy(rooms: Rooms, copy: Copy, withdrawn: Mapping[str, str | None]) -> dict[str, Any]:
    """Return a recipient's copy, its case if there is one, and since when it is taken back."""
    case = rooms.register.of_delivery(copy.delivery.id)
    since = withdrawn.get(copy.recipient.address)
    return row(copy) | {"case": case and case.id, "withdrawn": since}


def _step(entry: Entry) -> dict[str, Any]:
    """Return a row of the journal as a step: what it was, to whom, in whose words."""
    told_ = trace.row(entry)
    detail = entry.detail
    return {
        "kind": "journal",
        "seq": entry.seq,
        "at": told_["at"],
        "event": entry.event,
        "actor": entry.actor,
        "who": entry.who,
        "whom": entry.whom,
        "reason": str(detail.get("reason") or ""),
        "said": str(detail.get("said") or ""),
        "attempts": detail.get("attempts"),
        "notice": detail.get("notice"),
        "mood": mood(entry.event),
        "summary": told_["summary"],
    }


def _receipt(one: Row) -> dict[str, Any]:
    return {
        "kind": "receipt",
        "seq": None,
        "at": told(one.at),
        "event": f"receipt.{one.kind}",
        "actor": "gateway",
        "mailbox": one.mailbox,
        "sent": told(one.sent),
        "mood": "told",
    }


def mood(event: str) -> str:
    """Say at a glance what a step is: good, bad, waits, by a person, or told to somebody."""
    noun, _, verb = event.partition(".")
    if noun in _PEOPLE:
        return "person"
    if noun in {"notice", "receipt", "reading", "absence"}:
        return "told"
    return _MOODS.get(verb, "plain")


_PEOPLE = frozenset({"operation", "content", "mailbox", "case"})
_MOODS = {
    **dict.fromkeys(("accepted", "relayed", "delivered", "read", "released", "proved"), "good"),
    **dict.fromkeys(
        ("failed", "refused", "expired", "wrong_certificate", "unproven", "throttled", "revoked"),
        "bad",
    ),
    **dict.fromkeys((State.DEFERRED.value, State.HELD.value, State.INSPECTING.value), "waits"),
    **dict.fromkeys((State.FETCHING.value, State.UNCONFIRMED.value), "waits"),
    **dict.fromkeys(("cancelled", "withdrawn", "hastened", "asked"), "person"),
}
