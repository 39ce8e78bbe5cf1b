"""``sceau trust deny`` and ``allow``: an operator's own word, which wins over every list.

It counts from the next decision on: open connections that it concerns are ended, and what is queued
is asked about again at once, so that a refused sender has an answer. R-C6, R-C7.
"""

from dataclasses import replace
from typing import Any

from gateway.operations.denials import Denial, DenialError, Denied, Kind, combined
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import told
from smtp.address import domain_of
from trust.members import Member
from vault.database import Statement
from vault.errors import Conflict

_MOST = 20  # domains named in an answer


async def deny(rooms: Rooms, *, what: str, reason: str) -> object:
    """Deny a domain, an address, an operator or a certificate, from now on."""
    denied = _meant(what)
    if not reason.strip():
        raise OperationError("a denial needs a reason", "--reason says it to whoever asks later")
    if (before := rooms.denylist.standing(denied)) is not None:
        raise OperationError(
            f"{denied} is denied already, by {before.noted.actor} since {told(before.noted.at)}",
            "see sceau trust denials",
        )
    now = rooms.clock()
    also = [_entry(rooms, "trust.denied", denied, reason)]
    try:
        made = await rooms.denylist.add(denied, reason.strip(), rooms.actor, now, also)
    except Conflict:
        raise OperationError(
            "somebody else denied something at this very moment", "look again and repeat"
        ) from None
    _lay(rooms)
    return {**_row(made), **_reach(rooms, denied)}


async def allow(rooms: Rooms, *, what: str, reason: str = "") -> object:
    """Lift a denial: the lists alone decide again."""
    denied = _meant(what)
    found = rooms.denylist.standing(denied)
    if found is None:
        raise OperationError(
            f"{denied} is not denied here",
            "see sceau trust denials for what is; what a list says, its authority changes",
        )
    also = [_entry(rooms, "trust.allowed", denied, reason)]
    ended = await rooms.denylist.lift(found, rooms.actor, rooms.clock(), also)
    _lay(rooms)
    return _row(ended)


async def denials(rooms: Rooms, *, everything: bool = False) -> object:
    """Return what is denied; with what was lifted too, if asked for."""
    return [_row(one) for one in rooms.denylist.all() if everything or one.stands]


def why(rooms: Rooms, denied: Denied) -> str:
    """Return the reason that an operator gave for a denial that stands, or nothing."""
    found = rooms.denylist.standing(denied)
    if found is None:
        return ""
    return f"{found.noted.reason} ({found.noted.actor}, {told(found.noted.at)})"


def _meant(what: str) -> Denied:
    try:
        return Denied.parse(what)
    except DenialError as error:
        raise OperationError(
            str(error),
            "give a domain, an address, a DN (CN=...,O=...) or a certificate's SHA-256",
        ) from None


def _lay(rooms: Rooms) -> None:
    """Let what is denied count from now on: its subscribers end connections and wake the courier."""
    denied = combined(rooms.denylist.all())
    rooms.keeper.overlaid(replace(rooms.keeper.overlay, denied=denied))


def _entry(rooms: Rooms, event: str, denied: Denied, reason: str) -> Statement:
    # An address stands where addresses are looked for, keyed, and not among the details.
    what = "" if denied.address else denied.what
    return rooms.journal.entry(
        rooms.clock(),
        event,
        rooms.actor,
        who=denied.address,
        kind=denied.kind.value,
        what=what,
        reason=reason.strip(),
    )


def _row(denial: Denial) -> dict[str, Any]:
    noted = denial.noted
    return {
        "denial": noted.id,
        "kind": noted.kind.value,
        "what": noted.what,
        "reason": noted.reason,
        "by": noted.actor,
        "since": told(noted.at),
        "lifted": told(noted.lifted),
        "lifted_by": noted.lifted_by or None,
    }


def _reach(rooms: Rooms, denied: Denied) -> dict[str, Any]:
    """Return whom a denial meets: an operator's may meet a thousand domains, or none."""
    listed = rooms.keeper.current
    members = listed.members.values() if listed else ()
    hit = sorted(member.domain for member in members if _meets(denied, member))
    ours = frozenset(rooms.settings.site.domains)
    return {
        "domains": len(hit),
        "some": hit[:_MOST],
        "ours": [domain for domain in hit if domain in ours],
    }


def _meets(denied: Denied, member: Member) -> bool:
    if denied.kind is Kind.OPERATOR:
        return denied.meant in member.marks
    # A list names no certificate, only what certificates bear.
    domain = domain_of(denied.address) if denied.address else denied.what
    return denied.kind is not Kind.CERTIFICATE and member.domain == domain
