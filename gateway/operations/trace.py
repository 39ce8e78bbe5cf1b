"""The whole story of a message, or of an address, from the journal."""

from collections.abc import Iterable
from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from gateway.receipts.recalled import Outcome
from smtp.address import Address, AddressError, parse
from smtp.envelope import MessageId, reference
from vault.journal import Entry

_WITHDRAWN = {("delivery.withdrawn", "recalled"), ("recall.proved", Outcome.WITHDRAWN)}
WITHDRAWALS = sorted(event for event, _ in _WITHDRAWN)  # the events that may say so


async def trace(rooms: Rooms, *, what: str, limit: int = 1000) -> object:
    """Return the entries about a message or an address, oldest first, each with its summary."""
    entries = [
        entry
        # Our own id still names a message whose rows were forgotten; the journal outlives them.
        for message in named(rooms, what.strip()) or [MessageId(what.strip().upper())]
        for entry in await rooms.journal.by_message(message)
    ]
    if not entries and (who := _address(what)) is not None:
        entries = await rooms.journal.by_address(who, limit)
    if not entries:
        raise OperationError(
            f"the journal knows nothing of {what}",
            "give the reference from the 250, the Message-ID, our own id or an address",
        )
    entries.sort(key=lambda entry: entry.seq)
    return [row(entry) for entry in entries[-limit:]]


def withdrawn(entries: Iterable[Entry]) -> dict[str, str | None]:
    """Return whose copies left their mailboxes unopened, and since when: here, or as is proved."""
    return {
        entry.whom: told(entry.at)
        for entry in entries
        if entry.whom and (entry.event, entry.detail.get("reason")) in _WITHDRAWN
    }


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
    """Say in one line what happened: which message, who to whom, in whose words."""
    parts = []
    if entry.message:
        parts.append(reference(MessageId(entry.message)))
    if entry.who or entry.whom:
        parts.append(" → ".join(end for end in (entry.who, entry.whom) if end))
    detail = {name: fact for name, fact in entry.detail.items() if fact not in _SILENT}
    parts += [_words(detail[name]) for name in _BARE if name in detail]
    parts += [_MEANING[reason] for reason in (str(detail.get("reason")),) if reason in _MEANING]
    parts += [f"{n} {_words(f)}" for n, f in detail.items() if n not in _BARE and n not in _LEFT]
    if entry.actor != "gateway":
        parts.append(f"by {entry.actor}")
    return "; ".join(parts)


_BARE = ("reason", "said")  # speak for themselves
# What a slug means for an operator, where it is not plain.
_MEANING = {
    "next-hop-not-entitled": "whoever answers for that domain showed a certificate that the trust"
    " list does not name for it; nothing was sent there: ask the member whether it has a new one,"
    " and the list's authority",
    "next-hop-expired": "the certificate of that domain's server is outside its dates; nothing was"
    " sent there: ask the member to renew it",
    "peer-unreachable": "no server of that domain could be reached, or none would talk with us",
    "peer-backed-off": "not tried: a moment ago that domain's server could not be reached or was"
    " not the right one; `sceau spool retry` tries at once",
}
_LEFT = frozenset({"delivery"})  # the message's reference and the recipient say as much
_SILENT: tuple[object, ...] = (None, "", 0, [], {})


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    return str(value)


def named(rooms: Rooms, text: str) -> list[MessageId]:
    """Return the messages of that id, reference, Message-ID or delivery, the newest first."""
    message, _, number = text.upper().rpartition(".")
    names = [text, f"<{text}>", spoken(text)]
    if number.isdecimal():
        names.append(message)  # a delivery's id
    return list(dict.fromkeys(each for name in names for each in rooms.spool.named(name)))


def spoken(text: str) -> str:
    """Return a reference as it is written, however it was heard: 40 bits, no I, L, O or U."""
    letters = "".join(letter for letter in text.upper() if letter.isalnum())
    letters = letters.translate(_HEARD)
    return f"{letters[:4]}-{letters[4:]}" if len(letters) == _REFERENCE else text


_HEARD = str.maketrans("OILU", "011V")
_REFERENCE = 8


def _address(text: str) -> Address | None:
    try:
        return parse(text)
    except AddressError:
        return None
