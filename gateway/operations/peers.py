"""``spool.peers``: what waits, by where it is going; the first question when mail is stuck."""

import asyncio
from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.spool import row
from gateway.operations.veil import veiled
from gateway.operations.words import told
from gateway.relay.delivery import State
from smtp.address import AddressError, parse_domain
from smtp.envelope import made_at

_PEERS = 500  # domains in one answer, those with most mail first
_TOLD = 100  # of them, with what was last said there
_MANY = 200  # deliveries in one answer
# Read from delivery_due alone, which has what waits and nothing else: a domain with nothing added to
# it keeps the database from walking the index by domain, which has everything.
_WAITING = """SELECT domain || '', count(*), min(id), min(due) FROM delivery WHERE due > 0
    GROUP BY 1 ORDER BY 2 DESC LIMIT ?"""
_IN_HAND = """SELECT domain, state, count(*), min(id) FROM delivery
    WHERE state IN ('held', 'inspecting', 'fetching') GROUP BY 1, 2"""
_OF_ONE = """SELECT id FROM (
    SELECT id FROM delivery WHERE due > 0 AND domain || '' = ?1 AND id || '' > ?2
    UNION ALL
    SELECT id FROM delivery WHERE state IN ('held', 'inspecting', 'fetching') AND domain || '' = ?1 AND id > ?2)
    ORDER BY id || '' LIMIT ?3"""


async def peers(rooms: Rooms) -> object:
    """Return the domains that mail waits for: how much, since when, and what was last said."""
    found: dict[str, dict[str, Any]] = {}
    for domain, count, oldest, due in await rooms.database.query(_WAITING, (_PEERS,)):
        found[domain] = _peer(domain) | {
            "waiting": count,
            "oldest": oldest,
            "due": told(due),
        }
    for domain, state, count, oldest in await rooms.database.query(_IN_HAND):
        peer = found.setdefault(domain, _peer(domain))
        peer[state] = count
        peer["oldest"] = min(filter(None, (peer["oldest"], oldest)))
    for patience in rooms.emergencies.holds():
        peer = found.setdefault(patience.domain, _peer(patience.domain))
        peer["patience"] = {
            "since": told(patience.since),
            "by": patience.by,
            "why": patience.why,
        }
    ordered = sorted(found.values(), key=lambda one: (-one["waiting"], one["domain"]))
    for peer in ordered:
        peer["since"] = told(made_at(peer["oldest"][:26])) if peer["oldest"] else None
    for peer in ordered[:_TOLD]:
        peer.update(_oldest(rooms, peer["oldest"]))
        await asyncio.sleep(0)  # each is opened: mail goes on meanwhile
    return veiled(ordered, rooms.settings.journal.citizens)


async def waiting(rooms: Rooms, *, domain: str, after: str = "", limit: int = 50) -> object:
    """Return what waits for a domain, the oldest first; ``after`` a delivery's id, to go on."""
    try:
        name = parse_domain(domain)
    except AddressError as error:
        raise OperationError(f"{domain} is no domain: {error}", "check its spelling") from None
    many = max(1, min(limit, _MANY))
    ids = [one for (one,) in await rooms.database.query(_OF_ONE, (name, after, many))]
    copies = rooms.spool.several(ids)
    return {
        "domain": name,
        "deliveries": veiled([row(copy) for copy in copies], rooms.settings.journal.citizens),
        "after": ids[-1] if len(ids) == many else None,
    }


def _peer(domain: str) -> dict[str, Any]:
    return {
        "domain": domain,
        "waiting": 0,
        State.HELD.value: 0,
        State.INSPECTING.value: 0,
        State.FETCHING.value: 0,
        "oldest": None,
        "due": None,
        "since": None,
        "said": None,
        "attempts": 0,
        "patience": None,
    }


def _oldest(rooms: Rooms, delivery: str | None) -> dict[str, Any]:
    """Return since when the oldest waits, and what its domain last said to it."""
    copy = rooms.spool.find(delivery) if delivery else None
    if copy is None:
        return {"since": None}
    shown = row(copy)
    return {
        "since": shown["arrived"],
        "said": shown["said"],
        "attempts": shown["attempts"],
        "reference": shown["reference"],
    }
