"""The account's pages, put together; other pages for people stand on the same session."""

from datetime import timedelta
from importlib import resources
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts.logins import Logins
from gateway.accounts.persons import Persons
from gateway.accounts.sessions import Sessions
from gateway.operations.rooms import Rooms
from gateway.web.account.activity import Activity
from gateway.web.account.away import Away
from gateway.web.account.devices import Devices
from gateway.web.account.invited import Invited
from gateway.web.account.login import LogIn
from gateway.web.account.overview import Overview
from gateway.web.account.parlour import Parlour
from gateway.web.account.security import Security
from gateway.web.account.session import Visitors
from gateway.web.account.sharing import Sharing
from gateway.web.account.tickets import Tickets

_FILES = {"/account.css": "text/css", "/account.js": "text/javascript"}


class _Room(Protocol):
    def routes(self) -> list[Route]: ...


class Account:
    """The rooms, and who is in them."""

    def __init__(self, rooms: Rooms, logins: Logins) -> None:
        settings = rooms.settings.account
        idle, longest = timedelta(seconds=settings.idle), timedelta(seconds=settings.longest)
        self.visitors = Visitors(rooms, Sessions(idle, longest), Tickets())
        persons = Persons(rooms.accounts, rooms.factors, logins, tell=rooms.notes.tell)
        self._enabled = settings.enabled
        self._parlour = Parlour(rooms, self.visitors, persons)

    def routes(self) -> list[Route]:
        """Return every page, if the settings want them."""
        if not self._enabled:
            return []
        return [
            *(Route(path, _file, methods=["GET"]) for path in _FILES),
            *(route for room in self._rooms() for route in room.routes()),
        ]

    def _rooms(self) -> list[_Room]:
        parlour, activity = self._parlour, Activity(self._parlour)
        return [
            LogIn(parlour),
            Invited(parlour),
            Overview(parlour, activity),
            Devices(parlour),
            Security(parlour),
            activity,
            Away(parlour),
            Sharing(parlour),
        ]


async def _file(request: Request) -> Response:
    path = request.url.path
    name = f"templates/account{path}"
    octets = resources.files("gateway.web").joinpath(name).read_bytes()
    return Response(octets, headers={"Cache-Control": "max-age=3600"}, media_type=_FILES[path])
