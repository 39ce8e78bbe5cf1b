"""Being away: what correspondents are told, from when, until when. Days begin and end at midnight UTC."""

from datetime import date, datetime, time, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.operations.error import OperationError
from gateway.web.account.parlour import Parlour
from gateway.web.account.session import Visitor, elsewhere

ABSENCE = "/account/absence"

_LONGEST = 4000  # characters


class Away:
    """The page."""

    def __init__(self, parlour: Parlour) -> None:
        self._parlour, self._visitors = parlour, parlour.visitors

    def routes(self) -> list[Route]:
        """Return where it is."""
        return [
            Route(ABSENCE, self._shown, methods=["GET"]),
            Route(ABSENCE, self._sent, methods=["POST"]),
        ]

    async def _shown(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        done = "done" if "done" in request.query_params else ""
        return self._page(request, visitor, said=done)

    async def _sent(self, request: Request) -> Response:
        visitor = await self._visitors.of(request)
        fields = await self._visitors.form(request, visitor, ABSENCE)
        asked: dict[str, object] = {"end": True}
        if "end" not in fields:
            text = fields.get("text", "").replace("\r\n", "\n").strip()[:_LONGEST]
            if not text:
                return self._page(request, visitor, wrong="absence-empty")
            since, until = _day(fields.get("since", "")), _day(fields.get("until", ""))
            last = until + timedelta(days=1) if until else None
            asked = {"text": text, "since": _begin(since), "until": _begin(last)}
        try:
            await self._parlour.perform(
                visitor, "mailbox.absence", address=visitor.mailbox.address, **asked
            )
        except OperationError:
            return self._page(request, visitor, wrong="absence-wrong")
        return elsewhere(f"{ABSENCE}?done")

    def _page(
        self, request: Request, visitor: Visitor, *, wrong: str = "", said: str = ""
    ) -> Response:
        rooms = self._parlour.rooms
        found = rooms.books.absences.of(visitor.mailbox)
        return self._parlour.page(
            request,
            visitor,
            "absence",
            400 if wrong else 200,
            absence=found,
            away=found is not None and found.holds(rooms.clock()),
            last=_last(found.until) if found and found.until else "",
            wrong=wrong,
            said=said,
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _begin(day: date | None) -> str | None:
    return datetime.combine(day, time()).isoformat() if day else None


def _last(until: datetime) -> str:
    return (until - timedelta(microseconds=1)).date().isoformat()
