"""The console, put together: its house, its door, its pages."""

from typing import Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.accounts.admission import Admission
from gateway.accounts.logins import Revoked
from gateway.accounts.operators import Operator
from gateway.accounts.persons import Persons
from gateway.console import (
    citizens,
    configuration,
    indicators,
    journal,
    mailboxes,
    quarantine,
    spool,
    today,
    trace,
    trust,
)
from gateway.console.around import Around, Entry
from gateway.console.certificate import ByCertificate
from gateway.console.citizens import Citizens
from gateway.console.configuration import Configuration
from gateway.console.frame import HOME, SCRIPTED, Frame
from gateway.console.indicators import Indicators
from gateway.console.journal import Journal
from gateway.console.mailboxes import Mailboxes
from gateway.console.operating import Operating
from gateway.console.quarantine import Quarantine
from gateway.console.spool import Spool
from gateway.console.today import Today
from gateway.console.trace import Trace
from gateway.console.trust import Trust
from gateway.console.words import speaking
from gateway.operations.rooms import Rooms
from gateway.web.account.invited import Invited
from gateway.web.account.login import LogIn
from gateway.web.account.parlour import Parlour
from gateway.web.account.security import Security
from gateway.web.account.session import House, Turned, Visitors, within
from gateway.web.account.tickets import Tickets
from gateway.web.files import ACCOUNT, files
from gateway.web.problem import Problem
from smtp.envelope import Peer

_FILES = {
    "/console.css": "text/css",
    "/console.js": "text/javascript",
    "/htmx.js": "text/javascript",
    "/sse.js": "text/javascript",
}


_REFUSALS = {"bad-request", "not-found", "wrong-method", "too-big", "too-slow", "failed"}


class Room(Protocol):
    """A page, or several."""

    def __init__(self, frame: Frame, /) -> None: ...

    def routes(self) -> list[BaseRoute]:
        """Return where it is."""


# In the order of the navigation.
ROOMS: tuple[tuple[Entry, type[Room]], ...] = (
    (today.ENTRY, Today),
    (trace.ENTRY, Trace),
    (quarantine.ENTRY, Quarantine),
    (spool.ENTRY, Spool),
    (trust.ENTRY, Trust),
    (mailboxes.ENTRY, Mailboxes),
    (citizens.ENTRY, Citizens),
    (journal.ENTRY, Journal),
    (indicators.ENTRY, Indicators),
    (configuration.ENTRY, Configuration),
)


class Console:
    """What is served on the operators' listeners."""

    def __init__(self, rooms: Rooms, revoked: Revoked) -> None:
        settings = rooms.settings.console
        house = House(
            base=HOME,
            within=within("console"),
            session="__Host-sceau-console",
            form="__Host-sceau-console-form",
            frame="console/base.html",
            find=rooms.operators.by_key,
            say=speaking({}),
            idle=settings.idle,
            longest=settings.longest,
            fresh=settings.fresh,
            origin=settings.origin,
            least=settings.passphrase,
            policy=SCRIPTED,
            shown=Around(rooms.settings.site.name, tuple(entry for entry, _ in ROOMS), rooms.clock),
        )
        self.visitors = Visitors(rooms, house, Tickets())
        self.frame = Frame(rooms, self.visitors)
        limits, self._tell = rooms.settings.limits, rooms.notes.tell
        admission = Admission(rooms.operators, rooms.clock, limits, self._tell, revoked)
        persons = Persons(
            rooms.operators.by_key, rooms.factors, admission, self._guessed, tell=rooms.notes.tell
        )
        self._certificate = ByCertificate(self.visitors, admission)
        self._parlour = Parlour(rooms, self.visitors, persons, rooms.summons, _nothing)

    def routes(self) -> list[BaseRoute]:
        """Return every page."""
        return [
            Route("/", _first, methods=["GET"]),
            *files("account", ACCOUNT),
            *files("console", _FILES),
            *LogIn(self._parlour).routes(),
            *self._certificate.routes(),
            *Invited(self._parlour).routes(),
            *Security(self._parlour).routes(),
            *Operating(self.frame).routes(),
            *(route for _, room in ROOMS for route in room(self.frame).routes()),
        ]

    def refusal(self, problem: Problem, request: Request) -> Response:
        """Return a refusal as a page; where the problem has an answer of its own, that."""
        if isinstance(problem, Turned):
            return problem.answer
        words = problem.reason if problem.reason in _REFUSALS else "failed"
        number = request.state.request_id
        return self.visitors.page(
            request,
            self.visitors.seen(request),
            "console/lost.html",
            problem.status,
            headers=problem.headers,
            why=words,
            number=number,
        )

    def _guessed(self, operator: Operator, peer: Peer) -> None:
        """Say that somebody has an operator's passphrase, and not their code."""
        self._tell("operator.guessed", {**operator.told, "ip": peer.ip})


async def _first(request: Request) -> Response:
    del request
    return RedirectResponse(HOME, 303)


async def _nothing() -> None:
    """Nobody is told by mail: operators have alarms for that."""
