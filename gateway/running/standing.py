"""How the gateway stands at this moment, for its metrics and for ``/readyz``."""

import shutil
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from gateway.observe.metrics import Standing
from gateway.operations.rooms import Rooms
from gateway.relay.delivery import FINAL, State
from gateway.running.housekeeping import told_upto

_OPEN = tuple(state for state in State if state not in FINAL and state is not State.RELAYED)


class Door(Protocol):
    """A listener, and who is in by it."""

    listener: str

    @property
    def connections(self) -> Collection[object]:
        """Its connections."""


def standing(rooms: Rooms, doors: Iterable[Door], certificate: datetime) -> Standing:
    """Ask the rooms; each answer is one short indexed read."""
    now, at = rooms.clock(), rooms.clock().timestamp()
    lists = rooms.keeper.standing().sources
    editions = {each.name: each.edition.claims for each in lists if each.edition}
    head, large = rooms.settings.paths.journal_head, rooms.desk.large
    return Standing(
        sessions={door.listener: len(door.connections) for door in doors},
        deliveries={state.value: _count(rooms, state) for state in _OPEN},
        oldest_delivery=at - oldest_delivery(rooms, _OPEN, at),
        outbox=rooms.outbox.waiting(),
        oldest_receipt=at - oldest_receipt(rooms, at),
        held=rooms.register.count(),
        critical=rooms.desk.criticals.unattended(),
        oldest_case=_oldest_case(rooms, at),
        scanner_silent=int(_silent(rooms)),
        list_version={
            each.name: (each.edition and each.edition.claims.version) or 0 for each in lists
        },
        list_age={name: (now - said.issued).total_seconds() for name, said in editions.items()},
        list_stale_in={
            name: (said.stale_after - now).total_seconds() for name, said in editions.items()
        },
        list_waiting={
            each.name: len(each.pending.judgement.waiting) for each in lists if each.pending
        },
        directory_addresses={
            each.name: len(each.directory) if each.directory else 0
            for each in rooms.directories.standing()
        },
        directory_age={
            each.name: (now - each.taken).total_seconds()
            for each in rooms.directories.standing()
            if each.taken
        },
        certificate_expires_in=(certificate - now).total_seconds(),
        certificates=rooms.watch.states(),
        bridges=len(rooms.keeper.overlay.bridges.all),
        journal_head_age=at - head.stat().st_mtime if head.exists() else 0.0,
        siem_waiting=untold(rooms),
        large_kept=large.links.standing()[1] if large else 0,
        large_fetching=large.fetches.standing()[0] if large else 0,
        disk_free=shutil.disk_usage(rooms.settings.paths.data).free,
    )


def untold(rooms: Rooms) -> int:
    """Return how many rows of the journal the SIEM was not told; none if there is no SIEM."""
    if not rooms.settings.siem.host:
        return 0
    return int(_number(rooms, "SELECT coalesce(max(seq), 0) FROM journal", 0)) - told_upto(rooms)


def _silent(rooms: Rooms) -> bool:
    inspections = rooms.desk.screening.inspections
    return inspections is not None and bool(inspections.silent)


def problems(rooms: Rooms, certificate: datetime, *, stopping: bool) -> dict[str, str]:
    """Return why no mail can be taken now, a word and a sentence each; nothing: all is well."""
    found = {}
    if stopping:
        found["stopping"] = "the gateway is stopping"
    list_ = rooms.keeper.standing()
    if list_.listed is None:
        found["list"] = "no trust list is in force: every message is put off"
    elif list_.stale:
        found["list"] = "the trust list is stale: every message is put off"
    if certificate <= rooms.clock():
        found["certificate"] = "our certificate has expired: no peer accepts us"
    if shutil.disk_usage(rooms.settings.paths.data).free < rooms.settings.vault.reserve:
        found["disk"] = "the disk is down to its reserve: every message is put off"
    return found


def _oldest_case(rooms: Rooms, at: float) -> float:
    urgency = rooms.register.urgency()
    return at - urgency[0].timestamp() if urgency else 0.0


def oldest_delivery(rooms: Rooms, states: Iterable[State], otherwise: float) -> float:
    """Return when the oldest message arrived that has a copy in one of these states."""
    # Ids sort by time and begin with the message's: the first of each state is found at once.
    first = " UNION ALL ".join(
        f"SELECT substr(min(id), 1, 26) FROM delivery WHERE state = '{state}'"  # noqa: S608 - constants only
        for state in states
    )
    sql = f"SELECT min(arrived) FROM message WHERE id IN ({first})"  # noqa: S608 - constants only
    return _number(rooms, sql, otherwise)


def oldest_receipt(rooms: Rooms, otherwise: float) -> float:
    """Return when the oldest receipt was made that the broker has not taken."""
    return _number(rooms, _OLDEST_RECEIPT, otherwise)


_COUNT = "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE state = ? LIMIT ?)"
_MANY = 100_000  # nobody acts on more, and mail waits while we count
_OLDEST_RECEIPT = "SELECT at FROM outbox WHERE sent IS NULL ORDER BY seq LIMIT 1"


def _count(rooms: Rooms, state: State) -> int:
    rows = rooms.database.read(_COUNT, (state.value, _MANY))
    return int(rows[0][0])


def _number(rooms: Rooms, sql: str, otherwise: float) -> float:
    rows = rooms.database.read(sql)
    return float(rows[0][0]) if rows and rows[0][0] is not None else otherwise
