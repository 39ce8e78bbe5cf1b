"""The whole story of a message, or of an address, from the journal."""

from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from smtp.address import AddressError, parse
from smtp.envelope import MessageId, reference
from vault.journal import Entry


async def trace(rooms: Rooms, *, what: str, limit: int = 1000) -> object:
    """Return the entries about a message or an address, oldest first, each with its summary."""
    entries = [entry for message in _messages(rooms, what) for entry in await _of(rooms, message)]
    if not entries and (who := _address(what)) is not None:
        entries = await rooms.journal.by_address(who, limit)
    if not entries:
        raise OperationError(
            f"the journal knows nothing of {what}",
            "give the reference from the 250, the Message-ID, our own id or an address",
        )
    entries.sort(key=lambda entry: entry.seq)
    return [row(entry) for entry in entries[-limit:]]


def row(entry: Entry) -> dict[str, Any]:
    """Return an entry as a line of the story."""
    message = entry.message
    return {
        "seq": entry.seq,
        "at": told(entry.at),
        "event": entry.event,
        "actor": entry.actor,
        "message": message,
        "reference": reference(MessageId(message)) if message else None,
        "who": entry.who,
        "whom": entry.whom,
        "summary": summary(entry),
        "detail": entry.detail,
    }


def summary(entry: Entry) -> str:
    """Say in one line what happened."""
    parts = []
    if entry.message:
        parts.append(reference(MessageId(entry.message)))
    if entry.who or entry.whom:
        ends = [end for end in (entry.who, entry.whom) if end]
        parts.append(" → ".join(ends))
    parts += [
        _words(entry.detail[name]) if name in _BARE else f"{name} {_words(entry.detail[name])}"
        for name in entry.detail
        if entry.detail[name] not in (None, "", [], {})
    ]
    if entry.actor != "gateway":
        parts.append(f"by {entry.actor}")
    return "; ".join(parts)


_BARE = frozenset({"said", "reason", "words"})


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    return str(value)


def _messages(rooms: Rooms, what: str) -> list[str]:
    names = [what] if what.startswith("<") else [what, f"<{what}>"]
    return list(dict.fromkeys(found for name in names for found in rooms.spool.named(name)))


async def _of(rooms: Rooms, message: str) -> list[Entry]:
    return await rooms.journal.by_message(message)


def _address(text: str) -> Any:
    try:
        return parse(text)
    except AddressError:
        return None
