"""The first page: how things stand, and what waits for somebody."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.around import Entry
from gateway.console.frame import HOME, Frame

ENTRY = Entry(HOME, "today")
WORDS: Mapping[str, tuple[str, str]] = {
    "today": ("Aujourd'hui", "Today"),
}


class Today:
    """The page."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where it is."""
        return [Route(HOME, self._page, methods=["GET"])]

    async def _page(self, request: Request) -> Response:
        await self._frame.operator(request)
        return self._frame.page(request, "today.html", WORDS)
