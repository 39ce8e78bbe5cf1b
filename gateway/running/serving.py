"""A running gateway: its doors, its loops, one TaskGroup that owns them, and how it stops.

Every loop is kept: one that ends by a bug is told of and started again, more slowly each time.
Stopping: nobody new comes in, messages in hand are finished for a bounded time, and what has not
had its 250 by then is its sender's to send again. R-A7.
"""

import asyncio
import json
import signal
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from gateway.control.server import Control
from gateway.labs.answering import Answering
from gateway.labs.folder import Folder
from gateway.labs.mornings import Mornings
from gateway.labs.outbox import Outbox
from gateway.labs.watched import Watched
from gateway.observe.metrics import Standing
from gateway.operations.error import OperationError
from gateway.operations.lab import night
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.operations.veil import hidden
from gateway.relay.carrier import Carrier, dialling
from gateway.relay.concluding import Concluding
from gateway.relay.courier import Courier
from gateway.relay.escalating import Escalating
from gateway.relay.handing.account import Accounts
from gateway.relay.handing.lines import Caller, Lines, Unusable, anchors, lines, pinned
from gateway.relay.handing.replies import Replies
from gateway.relay.handing.watching import Watching
from gateway.relay.lanes import Link
from gateway.relay.large.collecting import Collecting
from gateway.relay.readings import Readings
from gateway.relay.recalls import Recalls
from gateway.relay.resolver import Dns
from gateway.running import certifying, checks
from gateway.running.alerting import Alerting
from gateway.running.certifying import named
from gateway.running.doors import Doors
from gateway.running.examining import inspecting
from gateway.running.forwarding import Forwarding, Place
from gateway.running.housekeeping import chores, keep, sign_journal
from gateway.running.overdue import MARGIN
from gateway.running.standing import Door, problems, standing
from gateway.running.supervisor import Supervisor
from gateway.running.webs import Webs
from gateway.settings import Settings, labs
from gateway.web.entry import CERTIFICATE
from gateway.web.fetching import Fetching
from gateway.web.status import pages
from smtp import tls
from smtp.address import Address
from smtp.reply import Reply
from smtp.send.client import Entitled
from trust.sources import TrustList
from vault import files
from vault.errors import VaultError

Announce = Callable[[Mapping[str, int]], None]

_LONGEST_PAUSE = 60.0
_GOODBYE = 2.0  # seconds for a loop to put its things away


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say in an operator's words that the disk does not take what we write at the start."""
    try:
        yield
    except OSError as error:
        raise OperationError(
            f"the data folder {folder} cannot be written: {error.strerror}",
            "look at that disk: no mail can be taken without it",
        ) from None


def _lines(settings: Settings) -> Lines:
    """Return the ways to the mailbox servers of the house."""
    caller = Caller(settings.site.host, settings.tls, settings.relay.connect_timeout)
    try:
        return lines(caller, settings.mailboxes.server)
    except Unusable as error:
        raise OperationError(str(error), "see [[mailboxes.server]] in the settings") from None


def _watched(settings: Settings) -> list[tuple[labs.Outbox, Accounts]]:
    """Return the outboxes, each with the way to its server."""
    try:
        return [
            (each, Accounts(each, anchors(each), pinned(each))) for each in settings.labs.outbox
        ]
    except Unusable as error:
        raise OperationError(str(error), "see [[labs.outbox]] in the settings") from None


async def _given_up(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel loops till they end: a library may swallow it, or wait for an answer to its goodbye.

    ``asyncio.wait_for`` does, in Python 3.11, if what it waits for comes in the same turn.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_GOODBYE)


class Gateway:
    """One process's worth of gateway, over rooms that are open."""

    def __init__(
        self,
        rooms: Rooms,
        log: FilteringBoundLogger,
        supervisor: Supervisor,
        announce: Announce,
        bound: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._log, self._supervisor, self._announce = log, supervisor, announce
        self._bound = bound  # told when to stop how long that may take, the process's end included
        self._settings = settings = rooms.settings
        self.rooms = rooms
        self._outward = self._client_context()
        self._lines = _lines(settings)
        self._watched = _watched(settings)
        carrier = Carrier(rooms.desk, Dns(), settings.relay, self._dial, self._lines)
        self._courier = Courier(rooms.desk, rooms.notices, carrier, settings.relay)
        self.rooms = replace(
            rooms, wake=self._courier.hasten, leave=self._leave, ask=carrier.recall
        )
        self._escalating = Escalating(
            rooms.desk,
            rooms.notices,
            rooms.desk.criticals,
            settings.site.name,
            self._courier.ring,
            partial(hidden, domain=settings.journal.citizens),
        )
        self._inspecting = inspecting(rooms, self._courier.ring)
        self._doors = Doors(rooms, self._courier)
        self._control = Control(settings.paths.data, self._perform, rooms.notes.crashed)
        self._webs = Webs(self.rooms, self._doors, pages(rooms.metrics, self._problems))
        self._expires: datetime = checks.expires(settings.tls)
        self._written = settings.paths.data / "ports.json"
        self._stop, self._renewed = asyncio.Event(), asyncio.Event()
        self._stopping = False
        self._alerting = Alerting.of(self.rooms, Fetching(), lambda: self._expires)
        rooms.metrics.standing = self._standing
        rooms.keeper.subscribe(self._list_changed)

    async def run(self) -> None:
        """Listen, carry and keep house until told to stop."""
        await self.rooms.watch.restore(self.rooms.emergencies.bridges(self.rooms.clock()))
        certifying.own(self._settings, self.rooms.watch)
        await self.rooms.keeper.restore()
        try:
            ports = await self._listen()
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._kept(*each), name=each[0]) for each in self._loops()
                ]
                self._ready(ports)
                await self._stop.wait()
                await self._wind_up()
                await _given_up(tasks)
        finally:
            await self._doors.stop()
            self._control.stop()
            await self._webs.stop()
            await sign_journal(self.rooms)
            await self.rooms.notes.write()
            self._log.info("gateway.stopped")

    async def _listen(self) -> dict[str, int]:
        """Open every door that the settings name; return the ports by listener."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self._renewed.set)
        with _writing(self._settings.paths.data):
            self._written.unlink(missing_ok=True)
        ports = await self._doors.open()
        ports |= self._webs.open(ports)
        if (large := self.rooms.desk.large) is not None:
            large.port = large.port or ports.get(CERTIFICATE, 0)
        with _writing(self._settings.paths.data):
            await self._control.open()
            files.replace(self._written, json.dumps(ports).encode())
        return ports

    def _loops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        rooms, crashed = self.rooms, self.rooms.notes.crashed
        readings = Readings(rooms.desk, rooms.notices, self._courier.ring)
        loops: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("notes", rooms.notes.run),
            ("reloading", self._reloading),
            ("keeper", rooms.keeper.run),
            ("directories", rooms.directories.run),
            ("courier", self._courier.run),
            ("unheard", self._doors.intake.unheard.run),
            ("readings", readings.run),
            ("watching", Watching(rooms.desk, self._lines, readings.bell.set).run),
            ("replies", Replies(rooms.desk, self._lines, self._courier.ring).run),
            ("inspecting", self._inspecting.run),
            ("recalls", Recalls(rooms.desk, rooms.notices, rooms.ask, self._courier.ring).run),
            ("escalating", self._escalating.run),
            ("concluding", Concluding(rooms.desk, rooms.notices, self._courier.ring).run),
            *self._collecting(),
            ("certificates", rooms.watch.run),
            ("watchdog", self._supervisor.feed),
            ("alerting", self._alerting.run),
        ]
        if self._settings.receipts.host:
            # Two MiB that a gateway without a broker does not need.
            from gateway.receipts.mqtt import Broker
            from gateway.receipts.publisher import Publisher

            broker = Broker.of(self._settings)
            publisher = Publisher(rooms.outbox, broker.connected, rooms.clock, rooms.notes.tell)
            loops.append(("publisher", publisher.run))
        if self._settings.siem.host:
            place = Place.of(self._settings)
            loops.append(("siem", Forwarding(rooms, place.connected).run))
        for each in self._settings.labs.folder:
            loops += self._folder(each)
        loops += [(f"morning-{each.name}", each.run) for each in self._mornings()]
        loops += [(f"outbox-{each.settings.name}", each.run) for each in self._outboxes()]
        loops += [(f"chore-{each.name}", partial(keep, each, crashed)) for each in chores(rooms)]
        return loops

    def _collecting(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Return the loop that fetches what came as a stub, if that is wanted."""
        rooms, large = self.rooms, self.rooms.desk.large
        if large is None:
            return []
        collecting = Collecting(
            rooms.desk, large, rooms.notices, self._draw, Dns(), self._courier.ring
        )
        return [("collecting", collecting.run)]

    def _draw(
        self, url: str, start: int, size: int, entitled: Entitled
    ) -> AsyncGenerator[bytes, None]:
        # One of its own: a library for HTTP says in it that HTTP follows, which no mail server likes.
        context, within = self._outgoing(), self._settings.large.timeout
        return Fetching().draw(url, start, size, context=context, within=within, judge=entitled)

    def _folder(
        self, settings: labs.WatchedFolder
    ) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Return who takes what lies in a watched folder, and who says what became of it."""
        watched = Watched.of(settings, hold=self._settings.labs.ambiguous == "hold")
        taking = Folder(watched, self.rooms.desk, self._doors.offering)
        answering = Answering(watched, self.rooms.desk, self._doors.offering)
        return [
            (f"folder-{watched.name}", taking.run),
            (f"answers-{watched.name}", answering.run),
        ]

    def _outboxes(self) -> list[Outbox]:
        """Return the outboxes on servers of the house, each a door of its own."""
        limit = self._settings.limits.header_size
        return [
            Outbox(each, accounts, self.rooms.desk, self._doors.offering, limit)
            for each, accounts in self._watched
        ]

    def _mornings(self) -> list[Mornings]:
        """Return who writes what must go another way, for the folders that have an hour for it."""
        return [
            Mornings(
                each.name,
                each.path,
                Address(each.mailbox),
                time.fromisoformat(each.morning),
                timedelta(seconds=each.unconfirmed_after),
                self.rooms.desk,
                night(self.rooms),
            )
            for each in self._settings.labs.folder
            if each.morning
        ]

    async def _dial(self, host: str, port: int, entitled: Entitled) -> Link | Reply:
        # Made anew for each connection: the certificate may have been renewed.
        dial = dialling(self._settings.site.host, self._outward, self._settings.relay)
        return await dial(host, port, entitled)

    def _client_context(self) -> ssl.SSLContext:
        keeper = self.rooms.keeper
        self._believed = named(keeper.current), bool(keeper.overlay.bridges.all)
        return self._outgoing()

    def _outgoing(self) -> ssl.SSLContext:
        ours, (more, any_date) = self._settings.tls, self._believed
        return tls.client_context(
            ours.certificate, ours.key, ours.anchors, more=b"".join(more), any_date=any_date
        )

    async def _kept(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run a loop; start it again if a bug ended it."""
        pause = 1.0
        while not self._stopping:
            try:
                await loop()
            except Exception as error:  # noqa: BLE001 - no loop's bug ends the others
                self.rooms.notes.crashed(name, error)
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _ready(self, ports: Mapping[str, int]) -> None:
        listed = self.rooms.keeper.current
        version = listed.editions[0].claims.version if listed else None
        self._log.info("gateway.ready", ports=ports, version=version)
        self._supervisor.tell("READY=1", f"STATUS=trust list {version or 'missing'}")
        self._announce(ports)

    async def _wind_up(self) -> None:
        """Let no one in, finish what is in hand, for a bounded time."""
        self._supervisor.tell("STOPPING=1")
        grace = self._settings.limits.stop_within
        async with asyncio.TaskGroup() as group:
            group.create_task(self._doors.stop())
            group.create_task(self._courier.stop(grace))
            group.create_task(self._inspecting.stop(grace))
        try:
            await self._doors.intake.unheard.settle()
        except VaultError as error:  # what it did not write down the next start takes up
            self.rooms.notes.crashed("unheard", error)

    def stop(self, why: str) -> None:
        """Let ``run`` end in good order."""
        self._log.info("gateway.stopping", signal=why)
        if not self._stopping:
            self._bound(self._settings.limits.stop_within + MARGIN)
        self._stopping = True
        self._stop.set()

    async def _reloading(self) -> None:
        """Read anew what SIGHUP says was renewed, for ever."""
        while True:
            await self._renewed.wait()
            self._renewed.clear()
            await self.reload()

    async def reload(self) -> None:
        """Take a renewed certificate, other anchors, a list that was just dropped."""
        before, believed = self._believed, None
        try:
            await asyncio.to_thread(checks.pair, self._settings.tls)
            while believed != self._believed:  # or else a list came meanwhile, and was heeded first
                outward, believed = self._client_context(), self._believed
                doors = await asyncio.to_thread(self._doors.contexts)
                webs = await asyncio.to_thread(self._webs.contexts)
            self._doors.take(doors)
            self._webs.take(webs)
            self._outward = outward
            self._expires = checks.expires(self._settings.tls)
            certifying.own(self._settings, self.rooms.watch)
            self.rooms.watch.look_again()
        except Exception as error:  # noqa: BLE001 - what was loaded before goes on serving
            self._believed = before
            self._log.error("reload.failed", exc_info=error)
        else:
            self._log.info("gateway.reloaded", until=self._expires)
        self.rooms.keeper.wake()
        self.rooms.directories.wake()

    def _list_changed(self, listed: TrustList, before: TrustList | None) -> None:
        del before
        self._doors.list_changed(listed, self.rooms.clock())
        self._believe()

    def _believe(self) -> None:
        """Let TLS know the anchors that the list names now, and whether a bridge stands.

        What cannot be loaded, a certificate half renewed say, is tried again at the next change.
        """
        keeper, before = self.rooms.keeper, self._believed
        now = named(keeper.current), bool(keeper.overlay.bridges.all)
        if now == before:
            return
        try:
            self._outward = self._client_context()
            self._doors.take(self._doors.contexts())
            self._webs.take(self._webs.contexts())
        except tls.TlsError as error:
            self._believed = before
            self._log.error("reload.failed", exc_info=error)
            return
        if now[0] != before[0]:
            self.rooms.watch.look_again()

    def _standing(self) -> Standing:
        found = standing(self.rooms, self._listening(), self._expires)
        webs = self._webs
        return replace(
            found,
            account_sessions=len(webs.account.visitors.sessions),
            console_sessions=len(webs.console.visitors.sessions),
        )

    def _listening(self) -> list[Door]:
        return [*self._doors.open_ones, *self._webs.open_ones]

    def _leave(self, who: Address) -> None:
        self._doors.leave(who)
        self._webs.account.visitors.closed(who)

    def _problems(self) -> dict[str, str]:
        return problems(self.rooms, self._expires, stopping=self._stopping)

    async def _perform(self, actor: str, verb: str, arguments: Mapping[str, Any]) -> object:
        return await perform(self.rooms, actor, verb, arguments)
