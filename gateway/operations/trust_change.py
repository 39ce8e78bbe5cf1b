"""``sceau trust diff``, ``approve``, ``reject``, ``history``: what a new list would change, and who agreed.

A change is shown grouped by cause and ranked by our own mail, so that a thousand domains that follow
their operator elsewhere are one line. R-C4, R-C6.
"""

from collections.abc import Iterable
from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.traffic import loads
from gateway.operations.words import told
from trust.audit import audit
from trust.change import Change, Ranked, compare
from trust.sources import Edition, TrustList
from trust.trail import Entry, Step, flaw
from trust.verification import OfferError, Outcome
from trust.watch import Pending

_SOME = 3  # domains named in a row that is not expanded
_LEAST = 4  # digits of a digest by which a version may be named
# Digits by which an operator says what was read. Whoever writes a list can make two that begin alike,
# show one and send the other: 16 digits cost them some days, 32 nobody can pay.
_SHOWN = 32
_MOST = 10_000


async def diff(
    rooms: Rooms,
    *,
    version: str | None = None,
    against: str | None = None,
    source: str | None = None,
    domains: bool = False,
) -> object:
    """Return what waits for approval; or what a version changed, after the one before or another."""
    if version is None and not rooms.keeper.pending:
        return []
    mail = await loads(rooms)
    if version is None:
        found = [each for each in rooms.keeper.pending if source in {None, each.source}]
        return [_pending(each, each.change.ranked(mail), domains=domains) for each in found]
    for pending in rooms.keeper.pending:
        if against is None and pending.digest.startswith(version.lower()):
            return [_pending(pending, pending.change.ranked(mail), domains=domains)]
    past = await _past(rooms, source)
    after = _version(past, version)
    before = _version(past, against) if against else _followed(past, after)
    change = await _between(rooms, before, after)
    return [
        {
            "source": after.source,
            "version": _name(after),
            "digest": after.digest,
            "against": _name(before) if before else None,
            "rows": _rows(change.ranked(mail), domains=domains),
        }
    ]


async def approve(rooms: Rooms, *, digest: str) -> object:
    """Agree to the change that was read; with enough operators it is in force.

    By its digest, always: while an operator reads, another version may have taken its place.
    """
    if len(digest) < _SHOWN:
        raise OperationError(
            f"{digest or 'nothing'} is too short to say which change was read",
            f"give the first {_SHOWN} digits of its digest at least: sceau trust diff",
        )
    pending = _waiting(rooms, digest)
    if rooms.actor in pending.approvals and pending.missing:
        raise OperationError(
            f"{rooms.actor} has agreed already, and {_operators(pending.missing)} must",
            f"as another user of this machine: sceau trust approve {pending.digest[:_SHOWN]}",
        )
    arrival = await _decided(rooms.keeper.approve(rooms.actor, pending.digest))
    rooms.wake()
    left = next((one for one in rooms.keeper.pending if one.digest == pending.digest), None)
    return {
        "source": pending.source,
        "digest": pending.digest,
        "outcome": arrival.outcome.value,
        "sentence": arrival.sentence,
        "approvals": [*pending.approvals, rooms.actor],
        "missing": left.missing if left else 0,
    }


async def reject(rooms: Rooms, *, digest: str | None = None, reason: str) -> object:
    """Refuse a change that waits: the list before it stays, until another comes."""
    pending = _waiting(rooms, digest)
    if not reason.strip():
        raise OperationError("a rejection needs a reason", "--reason says it to whoever asks")
    arrival = await _decided(rooms.keeper.reject(rooms.actor, pending.digest, reason.strip()))
    rooms.wake()
    return {
        "source": pending.source,
        "digest": pending.digest,
        "outcome": arrival.outcome.value,
        "sentence": arrival.sentence,
    }


async def history(
    rooms: Rooms, *, source: str | None = None, limit: int = 50, verify: bool = False
) -> object:
    """Return every version ever verified here, and who decided about it; the newest last.

    ``verify`` reads each of them again, as on the day it came: what is not as it was is an error.
    """
    versions = await _verified(rooms) if verify else None
    kept = await rooms.keeper.history()
    entries = [one.entry for one in kept if one.entry and source in {None, one.entry.source}]
    number = flaw(kept)
    return {
        "entries": len(entries),
        "altered": number,
        "verified": versions,
        "history": [_entry(entry) for entry in entries[-min(limit, _MOST) :]],
    }


async def _verified(rooms: Rooms) -> int:
    found = await audit(rooms.keeper)
    doubts = [f"{_name(entry)} of {entry.source}: {why}" for entry, why in found.doubts]
    if found.altered is not None:
        doubts.insert(0, f"it was altered at entry {found.altered}")
    if doubts:
        raise OperationError(
            f"the history of the lists is not as it was: {'; '.join(doubts)}",
            "SECURITY.md says what to do if somebody could write to the database",
        )
    return found.versions


async def _decided(decision: Any) -> Any:
    try:
        arrival = await decision
    except OfferError as error:
        raise OperationError(str(error), "see sceau trust diff") from None
    if arrival.outcome is Outcome.NOT_SAVED:
        raise OperationError(arrival.sentence, "look at the disk; then repeat")
    return arrival


def _waiting(rooms: Rooms, digest: str | None) -> Pending:
    waiting = rooms.keeper.pending
    if digest:
        waiting = tuple(one for one in waiting if one.digest.startswith(digest.lower()))
    if not waiting:
        which = f" with the digest {digest}" if digest else ""
        raise OperationError(f"no change{which} waits for approval", "see sceau trust show")
    if len(waiting) > 1:
        names = ", ".join(f"{one.digest[:_SHOWN]} ({one.source})" for one in waiting)
        raise OperationError(f"several changes wait: {names}", "name one by its digest")
    return waiting[0]


def _pending(pending: Pending, ranked: Iterable[Ranked], *, domains: bool) -> dict[str, Any]:
    return {
        "source": pending.source,
        "version": pending.edition.claims.name,
        "digest": pending.digest,
        "arrived": told(pending.arrived),
        "why": pending.judgement.why,
        "needed": pending.judgement.approvals,
        "approvals": list(pending.approvals),
        "missing": pending.missing,
        "domains_waiting": len(pending.judgement.waiting),
        "rows": _rows(ranked, domains=domains),
    }


def _rows(ranked: Iterable[Ranked], *, domains: bool) -> list[dict[str, Any]]:
    return [
        {
            "cause": row.cause.value,
            "sentence": str(row),
            "before": list(row.before),
            "after": list(row.after),
            "count": len(row.domains),
            "domains": list(row.domains if domains else row.domains[:_SOME]),
            "messages": load.messages,
            "waiting": load.waiting,
        }
        for row, load in ranked
    ]


async def _past(rooms: Rooms, source: str | None) -> list[Entry]:
    """Return the versions ever verified, oldest first."""
    entries = [kept.entry for kept in await rooms.keeper.history() if kept.entry]
    return [e for e in entries if e.step is Step.VERIFIED and source in {None, e.source}]


def _version(past: list[Entry], name: str) -> Entry:
    """Return the version meant by its number, or by the beginning of its digest."""
    short = name.lower()
    found = [entry for entry in past if str(entry.version) == name]
    if not found and len(short) >= _LEAST:
        found = [entry for entry in past if entry.digest.startswith(short)]
    if not found:
        raise OperationError(f"there is no version {name}", "see sceau trust history")
    if len({entry.source for entry in found}) > 1:
        raise OperationError(f"several sources have a version {name}", "say which with --source")
    return found[-1]


def _followed(past: list[Entry], after: Entry) -> Entry | None:
    mine = [entry for entry in past if entry.source == after.source]
    place = mine.index(after)
    return mine[place - 1] if place else None


async def _between(rooms: Rooms, before: Entry | None, after: Entry) -> Change:
    if before is not None and before.source != after.source:
        raise OperationError("those are versions of two sources", "compare two of one source")
    old = TrustList.of([await _edition(rooms, before)]) if before else None
    return compare(old, TrustList.of([await _edition(rooms, after)]))


async def _edition(rooms: Rooms, entry: Entry) -> Edition:
    try:
        return await rooms.keeper.recall(entry.source, entry.digest)
    except OfferError as error:
        raise OperationError(
            f"{_name(entry)} cannot be read again: {error}", "see sceau trust history"
        ) from None


def _name(entry: Entry) -> str:
    if entry.version is not None:
        return f"version {entry.version}"
    return f"the version of {entry.issued:%F %T} UTC"


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": told(entry.at),
        "source": entry.source,
        "version": _name(entry),
        "step": entry.step.value,
        "by": entry.actor or None,
        "why": entry.why or None,
        "digest": entry.digest,
    }


def _operators(number: int) -> str:
    return "another operator" if number == 1 else f"{number} other operators"
