"""The chores that keep the house small and its promises provable, each on its own round.

A chore that fails is told and done again at its next round; it stops neither the others nor mail.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from gateway.labs.offers import Offers
from gateway.labs.unsent import Unsent
from gateway.operations import escrow, ruling, tally
from gateway.operations.rooms import Rooms
from gateway.relay.large.ending import Ending
from gateway.relay.once import Once
from gateway.running import certifying
from vault.errors import VaultError
from vault.rotation import Rotation

Crashed = Callable[[str, BaseException], None]
Pause = Callable[[float], Awaitable[None]]

_ENDLESS = 1 << 62  # above every row
_MOVED = 500  # wraps and values a round: mail goes first


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds."""

    name: str
    every: float
    work: Callable[[], Awaitable[object]]


def chores(rooms: Rooms) -> tuple[Chore, ...]:
    """Return the chores of a gateway."""
    settings, database = rooms.settings, rooms.database
    rotation = Rotation(database, rooms.ring)

    async def forget_messages() -> None:
        keep = timedelta(days=settings.relay.keep_days)
        await rooms.spool.forget(rooms.clock(), keep)
        await database.commit([rooms.desk.criticals.forgetting(rooms.clock(), keep)])

    async def forget_offers() -> None:
        window = timedelta(days=settings.labs.window_days)
        offers = Offers(database, rooms.ring)
        unsent = Unsent(database, rooms.ring)
        now = rooms.clock()
        statements = [
            offers.forgetting(now, window),
            unsent.forgetting(now, window),
            Once(database, rooms.ring).forgetting(now, window),
        ]
        await database.commit(statements)

    async def forget_threads() -> None:
        await database.commit(rooms.exchanges.ending(rooms.clock()))

    async def forget_receipts() -> None:
        keep = timedelta(days=settings.receipts.keep_days)
        await database.commit([rooms.outbox.forgetting(rooms.clock(), keep)])

    async def forget_journal() -> None:
        await forget(rooms)

    async def erase_lists() -> None:
        keep = timedelta(days=settings.trust.keep_days)
        await rooms.keeper.erase(rooms.clock() - keep, settings.trust.keep_versions)

    async def rotate() -> None:
        await rotation.move(_MOVED)

    async def expire_cases() -> None:
        await ruling.expire(rooms)

    async def purge_cases() -> None:
        await ruling.purge(rooms)
        await escrow.sweep(rooms)

    async def bridges() -> None:
        now = rooms.clock()
        certifying.bridged(rooms.keeper, rooms.emergencies, now)
        await rooms.emergencies.end(now)

    return (
        Chore("cases", 60, expire_cases),
        Chore("purge-cases", 3600, purge_cases),
        Chore("certificates", 3600, rooms.watch.warn),
        Chore("bridges", 10, bridges),
        Chore("journal-head", 10, partial(sign_journal, rooms)),
        Chore("clear", 1, rooms.vault.clear),
        Chore("sweep", 300, rooms.vault.sweep),
        Chore("folders", 300, rooms.mailboxes.sweep),
        Chore("rotation", 30, rotate),
        Chore("forget-journal", 3600, forget_journal),
        Chore("tally", 60, partial(tally.keep, rooms)),
        Chore("forget-messages", 3600, forget_messages),
        Chore("links", 60, partial(end_links, rooms)),
        Chore("forget-offers", 3600, forget_offers),
        Chore("forget-receipts", 3600, forget_receipts),
        Chore("forget-threads", 3600, forget_threads),
        Chore("erase-lists", 86400, erase_lists),
    )


async def end_links(rooms: Rooms) -> None:
    """End what lies here for others and is waited for no more."""
    if (large := rooms.desk.large) is not None:
        await Ending(rooms.desk, large.links, rooms.notices).round()


async def sign_journal(rooms: Rooms) -> None:
    """Sign the journal's head; that it cannot be is told, loudly, and stops nothing.

    The head that a day ended with goes into the journal too, and so to whoever is told of it.
    """
    try:
        day = await rooms.journal.sign_head(rooms.clock())
        if day is not None:
            told = rooms.journal.entry(
                rooms.clock(), "journal.day", "gateway", digest=day.decode("ascii")
            )
            await rooms.database.commit([told])
    except (VaultError, OSError) as error:
        rooms.notes.tell("journal.unsigned", {"reason": str(error)})


async def forget(rooms: Rooms) -> None:
    """Purge what the journal has kept long enough, save for what is held or still to be told."""
    now = rooms.clock()
    before = now - timedelta(days=rooms.settings.journal.keep_days)
    kept = await rooms.legal.kept(rooms.forgetting)
    upto = told_upto(rooms) + 1 if rooms.settings.siem.host else _ENDLESS
    forgot = False
    while await rooms.forgetting.step(before, upto, kept, now):
        forgot = True
        await asyncio.sleep(0)  # mail goes first
    if forgot:
        await rooms.database.empty_log()


def told_upto(rooms: Rooms) -> int:
    """Return the row up to which the SIEM was told."""
    rows = rooms.database.read("SELECT seq FROM siem")
    return int(rows[0][0]) if rows else 0


async def keep(chore: Chore, crashed: Crashed, pause: Pause = asyncio.sleep) -> None:
    """Do one chore for ever."""
    while True:
        try:
            await chore.work()
        except Exception as error:  # noqa: BLE001 - the boundary of this loop
            crashed(f"chore-{chore.name}", error)
        await pause(chore.every)
