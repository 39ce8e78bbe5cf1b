"""The first page: who one is here, what there is to do, and the last log-ins at a glance."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.web.account.activity import Activity
from gateway.web.account.parlour import Parlour

ACCOUNT = "/account"


@dataclass(frozen=True, slots=True)
class Overview:
    """The page."""

    parlour: Parlour
    activity: Activity

    def routes(self) -> list[Route]:
        """Return where it is."""
        return [Route(ACCOUNT, self._page, methods=["GET"])]

    async def _page(self, request: Request) -> Response:
        visitor = await self.parlour.visitors.of(request)
        rooms = self.parlour.rooms
        absence = rooms.books.absences.of(visitor.mailbox)
        return self.parlour.page(
            request,
            visitor,
            "overview",
            away=absence is not None and absence.holds(rooms.clock()),
            logins=await self.activity.logins(visitor.mailbox, 5),
        )
