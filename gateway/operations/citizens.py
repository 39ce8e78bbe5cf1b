"""The verbs of ``sceau citizen``: who objects to being written to, and what stands open. R-G5.

A citizen is named by their address or their INS number, in either form. Everything here is about somebody's care,
so the journal has each question too.
"""

from typing import Any

from gateway.documents.ins import of_address
from gateway.operations.error import OperationError
from gateway.operations.retention import people
from gateway.operations.rooms import Rooms
from gateway.operations.veil import veiled
from gateway.operations.words import told
from gateway.relay.exchanges import Exchange, Objecting
from smtp.address import Address, domain_of, local_of

_SHORTEST = 3  # characters of a reason


async def show(rooms: Rooms, *, address: str) -> object:
    """Return whether a citizen objects, and the threads they have with whom."""
    citizen = _citizen(rooms, address)
    noted = rooms.exchanges.objecting(citizen)
    threads = rooms.exchanges.with_citizen(citizen, rooms.clock())
    return {
        "address": citizen,
        "objects": rooms.exchanges.objects(citizen),
        "objections": [_row(each) for each in noted],
        "threads": [_threads(each) for each in threads],
    }


async def list_(rooms: Rooms) -> object:
    """Return all objections that were ever noted, the newest first, without whose they are."""
    exchanges = rooms.exchanges
    noted = [_row(each) for each in reversed(exchanges.objecting())]
    return {
        "objections": veiled(noted, exchanges.rules.citizens.domain),
        "pairs": exchanges.pairs(),
    }


async def oppose(rooms: Rooms, *, address: str, reason: str) -> object:
    """Note that a citizen objects to being written to; from this moment nobody here does."""
    citizen = _citizen(rooms, address)
    if len(reason.strip()) < _SHORTEST:
        raise OperationError("an objection needs a reason", "say how and when it was told")
    if rooms.exchanges.objects(citizen):
        raise OperationError("that citizen objects already", "see sceau citizen show")
    made = await rooms.exchanges.object(citizen, reason.strip(), rooms.actor, rooms.clock())
    return _row(made)


async def allow(rooms: Rooms, *, address: str, reason: str = "") -> object:
    """Note that a citizen no longer objects; what was noted before stays on the record."""
    del reason  # the journal has it
    citizen = _citizen(rooms, address)
    standing = [one for one in rooms.exchanges.objecting(citizen) if one.withdrawn is None]
    if not standing:
        if rooms.exchanges.objects(citizen):
            raise OperationError(
                "an objection of that citizen was altered and cannot be withdrawn",
                "the journal tells when it was noted; restore the database: docs/operations.md",
            )
        raise OperationError("that citizen does not object", "see sceau citizen show")
    await rooms.exchanges.withdraw(standing, rooms.actor, rooms.clock())
    return _row(standing[-1]) | {"withdrawn": told(rooms.clock()), "withdrawn_by": rooms.actor}


def _citizen(rooms: Rooms, address: str) -> Address:
    """Return a citizen's address as the house writes it, however it was typed."""
    given, citizens = people(rooms, address)[0], rooms.exchanges.rules.citizens
    local = local_of(given)
    matricule = of_address(local, 15) or of_address(local, 13)
    if domain_of(given) != citizens.domain or matricule is None:
        raise OperationError(
            "that is no citizen's address",
            f"an INS, 13 or 15 digits, alone or before @{citizens.domain}",
        )
    return citizens.address(matricule)


def _row(one: Objecting) -> dict[str, Any]:
    return {
        "address": one.citizen,
        "reason": one.reason,
        "by": one.actor,
        "since": told(one.at),
        "withdrawn": told(one.withdrawn),
        "withdrawn_by": one.withdrawn_by,
    }


def _threads(one: Exchange) -> dict[str, Any]:
    opened = sum(not each.closed for each in one.threads)
    return {
        "with": one.pair.professional,
        "open": opened,
        "closed": len(one.threads) - opened,
        "last": told(one.at),
    }
