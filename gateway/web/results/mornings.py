"""``GET /v1/morning``: what of a mailbox's results must go another way, as JSON or for a spreadsheet.

The same rows and the same count as ``sceau lab morning`` has, of the mailbox that asks alone. R-F1.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts.tokens import Scope
from gateway.labs.morning import as_csv
from gateway.operations import lab
from gateway.operations.rooms import Rooms
from gateway.web.entry import Entry
from gateway.web.problem import Problem

_A_DAY = timedelta(days=1)
_CSV = "text/csv"


class Mornings:
    """The route."""

    def __init__(self, rooms: Rooms, entry: Entry) -> None:
        self._rooms, self._entry = rooms, entry

    def routes(self) -> list[Route]:
        """Return where software asks."""
        return [Route("/v1/morning", self._morning)]

    async def _morning(self, request: Request) -> Response:
        mailbox = await self._entry.mailbox(request, Scope.SUBMIT)
        now = self._rooms.clock()
        since = _moment(request.query_params.get("since")) or now - _A_DAY
        if since >= now:
            raise Problem("bad-request")
        found = await lab.night(self._rooms).of([mailbox.address], since, now)
        if request.query_params.get("format", "json") == "csv":
            return Response(as_csv(found.told()), media_type=f"{_CSV}; charset=utf-8")
        return Response(msgspec.json.encode(found.told()), media_type="application/json")


def _moment(text: str | None) -> datetime | None:
    """Return a time in ISO form; one without a zone is UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Problem("bad-request") from None
