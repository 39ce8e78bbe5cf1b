"""What all pages of the reading room have in common: who visits, the way about, and how it ends.

No page is kept by a browser; one that nobody uses makes way for an empty one when the session has
ended. What goes wrong is a page with words for it, never a stack of them. R-B3, R-I1.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts.mailboxes import Mailbox
from gateway.operations.rooms import Rooms
from gateway.relay.intake import Intake
from gateway.web.account.session import Turned, Visitor, Visitors
from gateway.web.pages import languages
from gateway.web.problem import Problem
from gateway.web.reading.places import Place, Places
from gateway.web.reading.shown import size
from gateway.web.reading.words import W
from imap.errors import MailboxError
from vault.errors import Gone, SealError, StorageFull

PURPOSE = "/read"  # of all forms but the letter's
AWAY = "/read/away"

Answer = Callable[[Request, Visitor], Awaitable[Response]]


class Directory(Protocol):
    """Who looks addresses up, so many a minute (``gateway.web.lookup``)."""

    async def answer(
        self, request: Request, mailbox: Mailbox, question: str, page: str = "1"
    ) -> dict[str, Any]:
        """Answer a question; ``Problem`` if there were too many."""


@dataclass(frozen=True, slots=True)
class Room:
    """One a gateway."""

    rooms: Rooms
    visitors: Visitors
    intake: Intake
    directory: Directory
    places: Places

    def route(self, path: str, answer: Answer, method: str = "GET") -> Route:
        """Return a route that only visitors come by."""

        async def answered(request: Request) -> Response:
            visitor = await self.visitors.of(request)
            try:
                return await answer(request, visitor)
            except Turned:
                raise
            except Problem as problem:
                why = problem.reason, problem.status
            except (Gone, SealError):
                why = "gone", 404
            except (MailboxError, StorageFull):
                why = "mailbox", 409
            await request.state.body.drain()
            return self.refusal(request, visitor, *why)

        return Route(path, answered, methods=[method])

    def refusal(self, request: Request, visitor: Visitor, reason: str, status: int) -> Response:
        """Return a page that says why not."""
        language = languages(request)
        words = W[language].get(reason) or W[language]["bad-request"]
        most = size(self.rooms.settings.reading.upload, language)
        return self.page(request, visitor, "refused", None, status=status, words=words.format(most))

    def page(
        self,
        request: Request,
        visitor: Visitor,
        name: str,
        place: Place | None,
        *,
        status: int = 200,
        stays: bool = False,
        **values: Any,
    ) -> Response:
        """Return a page; ``stays``: what is typed there is not taken off the screen."""
        idle = self.rooms.settings.account.idle
        boxes = self.places.boxes(visitor)
        answer = self.visitors.page(
            request,
            visitor,
            f"reading/{name}.html",
            status,
            w=W[languages(request)],
            place=place,
            boxes=[(box, self.places.folders(box)) for box in boxes],
            idle=int(idle // 60),
            **values,
        )
        if not stays:
            answer.headers["Refresh"] = f"{int(idle) + 1}; url={AWAY}"
        return answer

    async def away(self, request: Request) -> Response:
        """Say that the visit ended; it asks for no session, and so keeps none alive."""
        return self.visitors.page(request, None, "reading/away.html", w=W[languages(request)])

    def language(self, request: Request) -> str:
        """Return the language that the visitor reads."""
        return languages(request)
