"""What the journal keeps and forgets about people: legal holds, access and erasure. R-I2, R-G6.

People are found by their keyed address, a patient by the number in it: nothing readable is searched.
What was erased is gone for us too; that there was a row, when, and that somebody erased it stays.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.documents.errors import DocumentError
from gateway.documents.ins import Ins
from gateway.operations import words
from gateway.operations.consent import agreed
from gateway.operations.error import OperationError
from gateway.operations.legal import Kind, LegalHold, Spoilt
from gateway.operations.rooms import Rooms
from gateway.operations.trace import row
from smtp import address as addresses
from smtp.address import Address
from smtp.envelope import MessageId, reference
from vault.database import Statement
from vault.forgetting import Kept, Line

_STEP = 200  # rows opened in one go: mail goes on
_ALL = "everything"
_KNOWN = "SELECT 1 FROM journal WHERE message = ? LIMIT 1"


def people(rooms: Rooms, whom: str) -> tuple[Address, ...]:
    """Return the addresses of a person: the one that was typed, or those that bear an INS.

    Sources disagree whether a citizen's address has the number's key, so both are meant (R-G1).
    """
    given = whom.strip()
    if "@" in given:
        return (words.address(given),)
    plain = "".join(given.split()).upper()
    try:
        found = Ins(plain[:13])
    except DocumentError:
        found = None
    if found is not None and len(plain) == 15 and plain[13:] != found.key:
        raise OperationError(
            "that is no INS: its key does not go with it", "read the number again in the record"
        )
    if found is None or plain[13:] not in {"", found.key}:
        raise OperationError(
            "that is neither a mail address nor an INS", "give an address, or 13 or 15 digits"
        )
    domain = rooms.settings.journal.citizens
    return tuple(Address(f"{each}@{domain}") for each in (found.number, found.matricule))


async def access(rooms: Rooms, *, address: str, after: int = 0, limit: int = 500) -> object:
    """Return what the journal says of a person: what they may ask to be given, by pages."""
    meant = people(rooms, address)
    lines = await _about(rooms, meant)
    most = max(1, min(limit, 500))
    wanted = [line.seq for line in lines if line.seq > after][:most]
    rows: list[dict[str, Any]] = []
    for start in range(0, len(wanted), _STEP):
        rows += map(row, await rooms.journal.numbered(wanted[start : start + _STEP]))
        await asyncio.sleep(0)
    messages = sorted({line.message for line in lines if line.message})
    return {
        "addresses": list(meant),
        "rows": rows,
        "total": len(lines),
        "next": wanted[-1] if len(wanted) == most else None,
        "messages": len(messages),
        "kept": [reference(MessageId(one)) for one in _spooled(rooms, messages)],
        "held": rooms.legal.held(addresses=meant),
    }


async def erase(rooms: Rooms, *, address: str, reason: str) -> object:
    """Erase what old rows say of a person, once two operators ask it; the chain stays provable."""
    meant, why = people(rooms, address), _reason(reason)
    if rooms.legal.held(addresses=meant):
        raise OperationError(
            "a legal hold names this person, or cannot be read: nothing was erased",
            "see sceau journal holds",
        )
    kept = await rooms.legal.kept(rooms.forgetting)
    lines = [line for line in await _about(rooms, meant) if not line.gone]
    days = timedelta(days=rooms.settings.journal.trace_days)
    before = (rooms.clock() - days).timestamp()
    due = [line.seq for line in lines if line.at < before and not kept.holds(line)]
    answer = {
        "addresses": list(meant),
        "erased": 0,
        "kept": len(lines) - len(due),
        "until": _until(lines, kept, before, days),
    }
    if not due:
        return answer | {"status": "nothing"}
    subject = " ".join(addresses.key(one) for one in meant)
    if not await agreed(rooms, "journal.erase", subject):
        return answer | {"status": "waiting", "erased": 0, "due": len(due)}
    count = await rooms.forgetting.erase(due, rooms.clock(), why, rooms.actor)
    await rooms.database.empty_log()
    return answer | {"status": "done", "erased": count}


def _until(lines: Sequence[Line], kept: Kept, before: float, days: timedelta) -> str | None:
    """Return when the last of the rows that are too young may be erased."""
    young = [line.at for line in lines if line.at >= before and not kept.holds(line)]
    return words.told(datetime.fromtimestamp(max(young), UTC) + days) if young else None


async def hold(rooms: Rooms, *, what: str, reason: str) -> object:
    """Keep all that names an address, a message or everything, until it is lifted."""
    kind, name = _named(rooms, what)
    standing = next((one for one in _standing(rooms) if (one.kind, one.what) == (kind, name)), None)
    if standing is not None:
        raise OperationError(
            f"it is held already, since {standing.at:%F} by {standing.actor}",
            "see sceau journal holds",
        )
    why = _reason(reason)
    told = _told(rooms, "journal.held", kind, name, why)
    return _row(await rooms.legal.add(kind, name, why, rooms.actor, rooms.clock(), [told]))


async def unhold(rooms: Rooms, *, number: int, reason: str) -> object:
    """Lift a hold, once two operators ask it: what it kept is then purged in its time."""
    found = next((one for one in _standing(rooms) if one.id == number), None)
    if found is None:
        raise OperationError(f"no hold {number} stands", "see sceau journal holds")
    why = _reason(reason)
    if not await agreed(rooms, "journal.unhold", str(number)):
        return {**_row(found), "status": "waiting"}
    told = _told(rooms, "journal.unheld", found.kind, found.what, why)
    lifted = await rooms.legal.lift(found, rooms.actor, rooms.clock(), [told])
    return {**_row(lifted), "status": "done"}


async def holds(rooms: Rooms) -> object:
    """Return every hold, the lifted ones too."""
    try:
        return [_row(one) for one in rooms.legal.all()]
    except Spoilt:
        raise _spoilt() from None


async def _about(rooms: Rooms, meant: Sequence[Address]) -> list[Line]:
    found: dict[int, Line] = {}
    for one in meant:
        key = rooms.ring.index(addresses.key(one), "address")
        found |= {line.seq: line for line in await rooms.forgetting.about(key)}
    return sorted(found.values())


def _spooled(rooms: Rooms, messages: Sequence[str]) -> list[str]:
    known = "SELECT 1 FROM message WHERE id = ?"
    return [one for one in messages if rooms.database.read(known, (one,))]


def _named(rooms: Rooms, what: str) -> tuple[Kind, str]:
    given = what.strip()
    if given == _ALL:
        return Kind.EVERYTHING, ""
    if "@" in given and not given.startswith("<"):
        return Kind.ADDRESS, addresses.key(words.address(given))
    found: list[str] = [*(rooms.spool.named(given) or rooms.spool.named(f"<{given}>"))]
    if not found and rooms.database.read(_KNOWN, (given.upper(),)):
        found = [given.upper()]  # the spool forgot it; the journal outlives it
    if not found:
        raise OperationError(
            f"{given} names no message here, and no address",
            f"give an address, a message's reference or id, or '{_ALL}'",
        )
    return Kind.MESSAGE, found[0]


def _standing(rooms: Rooms) -> list[LegalHold]:
    try:
        return rooms.legal.standing()
    except Spoilt:
        raise _spoilt() from None


def _spoilt() -> OperationError:
    return OperationError(
        "a legal hold is missing or does not open: nothing is purged or erased",
        "something else than the gateway changed the database: compare it with a backup",
    )


def _reason(text: str) -> str:
    if not text.strip():
        raise OperationError("no reason was given", "say why, for those who read the journal later")
    return text.strip()


def _told(rooms: Rooms, event: str, kind: Kind, name: str, reason: str) -> Statement:
    return rooms.journal.entry(
        rooms.clock(),
        event,
        rooms.actor,
        message=name if kind is Kind.MESSAGE else None,
        who=Address(name) if kind is Kind.ADDRESS else None,
        kind=kind.value,
        reason=reason,
    )


def _row(hold: LegalHold) -> dict[str, object]:
    name = reference(MessageId(hold.what)) if hold.kind is Kind.MESSAGE else hold.what
    return {
        "number": hold.id,
        "kind": hold.kind.value,
        "what": name or _ALL,
        "reason": hold.reason,
        "by": hold.actor,
        "since": words.told(hold.at),
        "lifted": words.told(hold.lifted),
        "lifted_by": hold.lifted_by,
    }
