"""The mailboxes: found by a piece of a name, made, and each on a page of its own. R-D1, R-D8."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.around import Entry
from gateway.console.frame import Frame
from gateway.console.mailbox import MAILBOXES, OneMailbox
from gateway.console.mailboxes_words import WORDS
from gateway.operations.error import OperationError

ENTRY = Entry(MAILBOXES, "mailboxes")
ADD = f"{MAILBOXES}/add"
STATES = ("", "active", "suspended", "closed")
KINDS = ("PER", "ORG", "APP", "CAB")
_PAGE = 50
_LONGEST = {"address": 320, "kind": 3, "name": 200, "holder": 100}


class Mailboxes:
    """The list, and each of them."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(MAILBOXES, self._list, methods=["GET"]),
            Route(ADD, self._add, methods=["POST"]),
            *OneMailbox(self._frame).routes(),
        ]

    async def _list(self, request: Request) -> Response:
        await self._frame.operator(request)
        return await self._page(request)

    async def _add(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        asked = {name: fields.get(name, "").strip()[:most] for name, most in _LONGEST.items()}
        try:
            made = await self._frame.perform(request, "mailbox.add", **asked)
        except OperationError as error:
            return await self._page(request, 409, error=error, asked=asked)
        return self._frame.elsewhere(f"{MAILBOXES}/{made['key']}", "added")

    async def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        error: OperationError | None = None,
        asked: dict[str, str] | None = None,
    ) -> Response:
        query = request.query_params
        state = query.get("status", "")
        state = state if state in STATES else ""
        search, after = query.get("q", "").strip()[:200], query.get("after", "")
        before = int(after) if after.isascii() and after.isdecimal() and len(after) < 16 else None
        found = await self._frame.perform(
            request,
            "mailbox.find",
            search=search,
            status=state or None,
            after=before,
            limit=_PAGE,
        )
        return self._frame.page(
            request,
            "mailboxes.html",
            WORDS,
            status,
            found=found,
            states=STATES,
            state=state,
            search=search,
            after=before,
            kinds=KINDS,
            domains=self._frame.rooms.settings.site.domains,
            error=self._frame.told(request, error) if error else None,
            asked=asked or dict.fromkeys(_LONGEST, ""),
        )
