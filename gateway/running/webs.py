"""The web listeners that the settings name, opened, renewed and closed together.

``web`` asks no browser for a certificate; ``web_certificate`` is the same application for software that
logs in with one (docs/adr/0010). ``status`` is for monitors on the inside and speaks in the clear. R-A2.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from gateway.accounts.codeflow import CodeFlow
from gateway.accounts.issuers import Issuer
from gateway.console.desk import Console
from gateway.operations.rooms import Rooms
from gateway.relay.large.links import Links
from gateway.relay.large.readers import Readers
from gateway.running import checks
from gateway.running.certifying import named
from gateway.running.doors import Doors, cannot_bind
from gateway.settings.listen import Listener, WebListener
from gateway.web import pages
from gateway.web.account.routes import Account
from gateway.web.document.pages import Documents
from gateway.web.door import Bounds, WebDoor
from gateway.web.entry import CERTIFICATE, Entry
from gateway.web.fetching import Fetching
from gateway.web.large import LargeOnes
from gateway.web.lookup import Lookup
from gateway.web.published import Published
from gateway.web.reading.places import Places
from gateway.web.reading.room import Room
from gateway.web.reading.routes import Reading
from gateway.web.results.routes import Results
from gateway.web.server import Patience, Site
from gateway.web.setup.routes import SetUp
from smtp import tls

NAMES = ("web", CERTIFICATE)
OPERATORS = ("console", "console_certificate")


class Webs:
    """The web doors of one gateway."""

    def __init__(self, rooms: Rooms, doors: Doors, status: ASGIApp) -> None:
        self._rooms, self._status = rooms, status
        entry = Entry(doors.logins, rooms.accounts)
        self._lookup = Lookup(rooms, entry)
        self.results = Results(rooms, entry, doors.offering)
        self.account = Account(rooms, doors.logins)
        self.console = Console(rooms, doors.revoked)
        self._reading = Reading(
            Room(
                rooms,
                self.account.visitors,
                doors.intake,
                self._lookup,
                Places(rooms, doors.principals, doors.witness),
            )
        )
        self._documents = _documents(rooms)
        self._bound: dict[str, int] = {}  # what mail programs are told, as far as it is known
        self._set_up = SetUp(rooms.settings, self._bound)
        self.open_ones: list[WebDoor] = []

    def open(self, bound: Mapping[str, int]) -> dict[str, int]:
        """Open every web door of the settings; return their ports. ``bound``: those of mail."""
        self._bound |= bound
        listen, ports = self._rooms.settings.listen, {}
        for names, routes in ((NAMES, self._routes), (OPERATORS, self.console.routes)):
            for name in names:
                listener: WebListener | None = getattr(listen, name)
                if listener is not None:
                    door = self._door(name, listener, routes())
                    ports[name] = self._opened(door, listener)
        self._bound |= ports
        if listen.status is not None:
            door = WebDoor("status", self._status, on_event=self._rooms.notes.tell)
            ports["status"] = self._opened(door, listen.status)
        return ports

    def contexts(self) -> list[ssl.SSLContext]:
        """Return what each door would show and believe now; may run in a thread."""
        return [self._context(door.listener) for door in self._secure]

    def take(self, contexts: Sequence[ssl.SSLContext]) -> None:
        """Let connections from now on see that."""
        for door, context in zip(self._secure, contexts, strict=True):
            door.context = context

    @property
    def _secure(self) -> list[WebDoor]:
        return [door for door in self.open_ones if door.context is not None]

    async def stop(self) -> None:
        """Close every door; answers under way are finished for a bounded time."""
        self.console.frame.close()
        self.results.events.close()
        async with asyncio.TaskGroup() as group:
            for door in self.open_ones:
                group.create_task(door.stop())

    def _opened(self, door: WebDoor, listener: Listener | WebListener) -> int:
        try:
            port = door.open(listener.host, listener.port)
        except OSError as error:
            raise cannot_bind(door.listener, listener, error) from None
        self.open_ones.append(door)
        return port

    def _door(self, name: str, listener: WebListener, routes: list[BaseRoute]) -> WebDoor:
        bounds = Bounds(
            max_connections=listener.max_connections,
            max_connections_per_address=listener.max_connections_per_address,
            idle_timeout=listener.idle_timeout,
        )
        site = Site(
            routes,
            self._rooms.notes.tell,
            lambda route, status: self._rooms.metrics.web.labels(name, route, status).inc(),
            Patience(body_size=listener.max_size),
            self.console.refusal if name in OPERATORS else None,
        )
        return WebDoor(name, site, self._context(name), bounds, self._rooms.notes.tell)

    def _routes(self) -> list[BaseRoute]:
        folder = self._rooms.settings.publish.folder
        published = Published(folder).routes() if folder else []
        return [
            *self._lookup.routes(),
            *LargeOnes(self._rooms.desk).routes(),
            *self.results.routes(),
            *self._set_up.routes(),
            *self.account.routes(),
            *self._reading.routes(),
            *(self._documents.routes() if self._documents else []),
            *pages.routes(),
            *published,
        ]

    def _context(self, name: str) -> ssl.SSLContext:
        ours = self._rooms.settings.tls
        # Gateways fetch there what is too large for them: those, too, whose anchors the list names.
        more = b"".join(named(self._rooms.keeper.current)) if name == CERTIFICATE else b""
        return tls.server_context(
            ours.certificate,
            ours.key,
            ours.anchors,
            client_certificates=name.endswith("_certificate"),
            more=more,
        )


def _documents(rooms: Rooms) -> Documents | None:
    """Return the pages of large documents, if there is somewhere for their readers to log in."""
    settings = rooms.settings.large.reader
    if settings is None:
        return None
    fetching = Fetching()
    anchors = checks.readable(settings.anchors, "the anchors of the readers' issuer")
    issuer = Issuer(settings, anchors, fetching, rooms.clock)
    file, secret = settings.client_secret_file, ""
    if file is not None:
        secret = checks.private(file, "the client's secret").decode("utf-8").strip()
    flow = CodeFlow(issuer, settings, fetching, secret)
    links = Links(rooms.database, rooms.ring)
    return Documents(rooms, Readers(rooms.desk, links, rooms.notices, rooms.wake), flow)
