"""The reading room's pages, put together on the account's session."""

from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.web.reading.lists import Lists
from gateway.web.reading.messages import Messages
from gateway.web.reading.room import AWAY, Room
from gateway.web.reading.writing import Writing


class Reading:
    """One a gateway."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Return every page, if the settings want them."""
        settings = self._room.rooms.settings
        if not (settings.reading.enabled and settings.account.enabled):
            return []
        return [
            Route("/read.css", _style, methods=["GET"]),
            Route(AWAY, self._room.away, methods=["GET"]),
            *Writing(self._room).routes(),
            *Lists(self._room).routes(),
            *Messages(self._room).routes(),
        ]


async def _style(request: Request) -> Response:
    del request
    octets = resources.files("gateway.web").joinpath("templates/reading/read.css").read_bytes()
    return Response(octets, headers={"Cache-Control": "max-age=3600"}, media_type="text/css")
