"""The composition root: settings become rooms, rooms become a running gateway.

The only file that makes a clock, and with ``gateway.running.serving`` the only one that knows everyone.
Rooms can be open without a gateway running: a command under the lock works on the same ones.
"""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from structlog.typing import FilteringBoundLogger

from gateway.accounts.absences import Absences
from gateway.accounts.credentials import Credentials
from gateway.accounts.factors import Factors
from gateway.accounts.invitations import Invitations
from gateway.accounts.mailboxes import Accounts
from gateway.accounts.operators import Operators
from gateway.accounts.shares import Shares
from gateway.certificates.emergencies import Emergencies
from gateway.control.lock import Lock
from gateway.control.server import actor_of
from gateway.observe.logs import adopt_libraries, open_log
from gateway.observe.metrics import Metrics
from gateway.observe.notes import Notes
from gateway.operations.denials import Denylist, combined
from gateway.operations.error import OperationError
from gateway.operations.legal import LegalHolds
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.receipts.outbox import Outbox
from gateway.relay.books import Books
from gateway.relay.desk import Desk
from gateway.relay.exchanges import Exchanges
from gateway.relay.handing.servers import Servers
from gateway.relay.inspections import Inspections
from gateway.relay.notices import Notices
from gateway.relay.proof import signing
from gateway.relay.spool import Spool
from gateway.running import agreed, believing, certifying, checks, dumps, referring
from gateway.running.housekeeping import sign_journal
from gateway.running.overdue import Overdue
from gateway.running.shelves import Shelves
from gateway.running.supervisor import Supervisor
from gateway.running.versions import Versions
from gateway.settings import Settings, SettingsError, load
from gateway.web.fetching import Fetching
from imap.store import Mailboxes
from quarantine.register import Register
from quarantine.review import Review
from trust.revocation import Standing
from vault.blobs import Folder
from vault.database import Database
from vault.errors import KeyRingError, VaultError
from vault.exporting import Exporting
from vault.forgetting import Forgetting
from vault.journal import Journal
from vault.keys import KeyRing
from vault.store import Vault

Clock = Callable[[], datetime]

# A thread that comes back from the disk waits this long for its turn beside a busy loop. With the
# usual 5 ms, which it waits at each of its steps, every commit took tens of milliseconds.
_TURN = 0.0005


def clock() -> datetime:
    """Return the time."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock of the product


def serve(config: Path, announce: Callable[[Mapping[str, int]], None] = lambda _: None) -> int:
    """Run the gateway until it is told to stop; ``announce`` is told the ports when all listen."""
    os.umask(0o077)
    dumps.forbid()
    settings = settings_of(config)
    checks.all_is_well(settings, clock())
    lock = _locked(settings, "sceau serve")
    sys.setswitchinterval(_TURN)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, announce))
    finally:
        lock.release()
    return 0


async def _serve(settings: Settings, announce: Callable[[Mapping[str, int]], None]) -> None:
    from gateway.running.serving import Gateway  # a command alone needs neither doors nor web pages

    log = open_log(sys.stderr, settings.log.level, json_lines=settings.log.json_lines)
    adopt_libraries(log)
    async with opened(settings, log) as rooms:
        # What stands at the start stays, and a message leaves no cycles behind: looking through
        # everything after each 700 new objects was a tenth of a message's cost.
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        bound = Overdue(log).within
        await Gateway(rooms, log, Supervisor(os.environ), announce, bound).run()


def alone(config: Path, verb: str, arguments: Mapping[str, Any]) -> tuple[bool, Any]:
    """Perform one operation here, if nothing else works in the data folder; say whether."""
    os.umask(0o077)
    settings = settings_of(config)
    checks.data_folder(settings.paths.data)
    lock = Lock(settings.paths.data)
    if not lock.take(f"sceau {verb}"):
        return False, None
    try:
        return True, asyncio.run(_alone(settings, verb, arguments))
    finally:
        lock.release()


async def _alone(settings: Settings, verb: str, arguments: Mapping[str, Any]) -> Any:
    async with opened(settings, open_log(sys.stderr, "error")) as rooms:
        await rooms.watch.restore(rooms.emergencies.bridges(rooms.clock()))
        await rooms.keeper.restore()
        await sign_journal(rooms)
        result = await perform(rooms, actor_of(os.geteuid()), verb, arguments)
        await rooms.notes.write()
        await sign_journal(rooms)
        return msgspec.to_builtins(result)


def create_keys(config: Path) -> dict[str, object]:
    """Make the key ring that the settings name, where there is none."""
    os.umask(0o077)
    settings = settings_of(config)
    paths = settings.paths
    try:
        paths.keys.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ring = KeyRing.create(paths.keys, clock(), _passphrase(settings))
    except (KeyRingError, OSError) as error:
        raise OperationError(
            f"no key ring was made: {error}", "an existing ring opens what lies in the data folder"
        ) from None
    return {"ring": ring.current, "path": str(paths.keys)}


def settings_of(config: Path) -> Settings:
    """Read and check the configuration."""
    try:
        return load(config)
    except SettingsError as error:
        raise OperationError(str(error), "config/gateway.toml explains every key") from None


@asynccontextmanager
async def opened(
    settings: Settings, log: FilteringBoundLogger, now: Clock = clock
) -> AsyncIterator[Rooms]:
    """Open the rooms, and close them in good order."""
    at_rest = _, database, vault = _at_rest(settings)
    try:
        yield _rooms(settings, log, now, at_rest)
    finally:
        await vault.close()
        await database.close()


def _rooms(
    settings: Settings,
    log: FilteringBoundLogger,
    now: Clock,
    at_rest: tuple[KeyRing, Database, Vault],
) -> Rooms:
    """Make everything that works on what lies on the disk."""
    ring, database, vault = at_rest
    journal = Journal(database, ring, settings.paths.journal_head)
    metrics = Metrics()
    notes = Notes(database, journal, now, log, metrics)
    mailboxes = Mailboxes(database, vault, ring, now, agreed.room(settings))
    accounts = Accounts(database, ring, mailboxes, now, notes.tell)
    outbox = Outbox(database, ring, settings.site.name, asyncio.Event())
    register = Register(database, ring)
    review = Review(database, register, timedelta(days=settings.limits.hold_days))
    spool = Spool(database, ring)
    operators = Operators(database, ring, now, notes.tell)
    shares = Shares(database, ring, accounts, notes.tell)
    books = Books(
        database,
        vault,
        spool,
        accounts,
        shares,
        Absences(database, ring),
        mailboxes,
        outbox,
        journal,
        review,
    )
    fetch = Fetching()

    def vouched(chain: tuple[bytes, ...], at: datetime) -> Standing:
        return watch.vouched(chain, at)  # which needs the keeper, and is made after it

    keeper = believing.keeper(
        settings,
        Versions(database, ring, vault),
        now,
        notes,
        fetch,
        revocation=vouched,
    )
    watch = certifying.watch(settings, database, ring, keeper, now, notes.tell)
    emergencies = Emergencies(database, ring)
    shelves = Shelves(database, vault)
    directories = referring.directories(
        settings.trust, shelves, now, keeper, notes=notes, fetch=fetch
    )
    denylist = Denylist(database, ring, notes.tell)
    keeper.overlaid(replace(keeper.overlay, denied=combined(denylist.all())))
    exchanges = Exchanges(database, ring, agreed.citizens(settings), notes.tell)
    desk = Desk.of(
        settings.site,
        books,
        keeper,
        agreed.schedule(settings),
        now,
        metrics,
        notes.tell,
        watch,
        lambda: emergencies.patience,
        Servers.of(settings.mailboxes.server),
        settings.mailboxes.reports_folder,
        signing(settings.tls.certificate, settings.tls.key),
        agreed.screening(settings, Inspections(database, ring)),
        agreed.terms(settings),
        large=agreed.large(settings, database, ring),
        exchanges=exchanges,
        urgency=agreed.urgency(settings),
        forwards=settings.mailboxes.forwards,
    )
    return Rooms(
        settings=settings,
        clock=now,
        ring=ring,
        database=database,
        vault=vault,
        journal=journal,
        exporting=Exporting(database, journal, settings.paths.journal_head, ring.public_key),
        forgetting=Forgetting(database, journal, ring),
        legal=LegalHolds(database, ring, notes.tell),
        keeper=keeper,
        directories=directories,
        exchanges=exchanges,
        denylist=denylist,
        watch=watch,
        emergencies=emergencies,
        mailboxes=mailboxes,
        accounts=accounts,
        shares=shares,
        credentials=Credentials(database, ring, now, tell=notes.tell),
        factors=Factors(database, ring, now, tell=notes.tell),
        operators=operators,
        invitations=Invitations(database, ring, accounts.by_key, now),
        summons=Invitations(database, ring, operators.by_key, now),
        spool=spool,
        outbox=outbox,
        register=register,
        review=review,
        books=books,
        metrics=metrics,
        notes=notes,
        desk=desk,
        notices=Notices(desk),
    )


def _at_rest(settings: Settings) -> tuple[KeyRing, Database, Vault]:
    ring = ring_of(settings)
    folder, limits = settings.paths.data, settings.vault
    blobs = folder / "blobs"
    try:
        blobs.mkdir(mode=0o700, exist_ok=True)
        database = Database.open(folder / "sceau.db")
        vault = Vault(
            database,
            ring,
            Folder(blobs),
            inline_limit=limits.inline_limit,
            reserve=limits.reserve,
        )
    except (VaultError, OSError) as error:
        raise OperationError(
            f"the database in {folder} cannot be opened: {error}",
            "if it is damaged, restore a backup: docs/operations.md says how",
        ) from None
    return ring, database, vault


def ring_of(settings: Settings) -> KeyRing:
    """Open the key ring that the settings name."""
    path = settings.paths.keys
    if not path.exists():
        raise OperationError(
            f"there is no key ring at {path}",
            "restore it from its safe place; for a new gateway: sceau keys create",
        )
    try:
        return KeyRing.load(path, _passphrase(settings))
    except KeyRingError as error:
        raise OperationError(
            str(error),
            "run the command as the gateway's user; [paths] keys and passphrase_file say where it is",
        ) from None


def _passphrase(settings: Settings) -> str | None:
    path = settings.paths.passphrase_file
    if path is None:
        return None
    return checks.private(path, "the passphrase").decode("utf-8").strip()


def _locked(settings: Settings, holder: str) -> Lock:
    lock = Lock(settings.paths.data)
    if not lock.take(holder):
        raise OperationError(
            f"{lock.holder} works in {settings.paths.data} already",
            "one gateway a data folder; stop the other first",
        )
    return lock


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # not on this platform
        return None
    return uvloop.new_event_loop
