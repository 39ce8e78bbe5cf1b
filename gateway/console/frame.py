"""What every page of the console stands on: who asks, what their role lets them do, and how it looks.

A page asks ``operator`` first; nothing is shown before that. Whatever changes something goes by
``perform``, which looks at the role, and by the operators' verbs, which write it down. R-B3, R-I1.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from gateway.accounts.operators import Operator, Role
from gateway.console import roles
from gateway.console.discreet import discreet
from gateway.console.refusals import Told, told
from gateway.console.words import Words, speaking
from gateway.operations.error import OperationError
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.web import pages
from gateway.web.account.session import Turned, Visitor, Visitors
from gateway.web.problem import Problem
from gateway.web.server import POLICY

HOME = "/console"
SCRIPTED = f"{POLICY}; script-src 'self'; connect-src 'self'"
_READING = "quarantine.preview"  # who may do this may read what was written about messages
_QUIET = 15.0  # seconds after which a silent stream says that it lives

Draw = Callable[[], Awaitable[str]]


class Frame:
    """Given to every page."""

    def __init__(self, rooms: Rooms, visitors: Visitors) -> None:
        self.rooms, self._visitors = rooms, visitors
        self._closing = asyncio.Event()

    async def operator(self, request: Request, role: Role = Role.VIEWER) -> Operator:
        """Return who asks; who is not in is sent to the log-in, who may not is told so."""
        visitor = await self._visitors.of(request)
        request.state.visitor = visitor
        if not roles.covers(visitor.operator.role, role):
            raise self._forbidden(request, role.value)
        return visitor.operator

    async def fresh(self, request: Request, role: Role = Role.VIEWER, back: str = "") -> Operator:
        """Return who asks, if they showed a second factor just now; else they are asked for it."""
        await self.operator(request, role)
        return (await self._visitors.fresh(request, back)).operator

    async def acted(
        self, request: Request, role: Role = Role.VIEWER, back: str = HOME
    ) -> dict[str, str]:
        """Return the fields of a form that matters: after a second factor was shown just now.

        ``back``: the page to go on with once it was.
        """
        await self.fresh(request, role, back)
        return await self.form(request)

    async def form(self, request: Request) -> dict[str, str]:
        """Return the fields of a form that a page of ours sent here."""
        return await self._visitors.form(request, _visitor(request), request.url.path)

    async def perform(self, request: Request, verb: str, **arguments: Any) -> Any:
        """Perform a verb as the operator, if their role may; ``OperationError`` says why not."""
        operator = _visitor(request).operator
        if not roles.may(operator.role, verb):
            raise self._forbidden(request, verb)
        answer = await perform(self.rooms, operator.actor, verb, arguments)
        return answer if roles.may(operator.role, _READING) else discreet(answer)

    def may(self, request: Request, verb: str) -> bool:
        """Whether the operator may do that."""
        return roles.may(_visitor(request).operator.role, verb)

    def page(
        self,
        request: Request,
        template: str,
        words: Words,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """Return a page of the console, of ``templates/console``."""
        visitor = _visitor(request)
        return self._visitors.page(
            request,
            visitor,
            f"console/{template}",
            status,
            saying=speaking(words),
            **values,
        )

    def fragment(self, request: Request, template: str, words: Words, **values: Any) -> str:
        """Return a part of a page, as it is drawn anew."""
        visitor, language = _visitor(request), self._visitors.language(request)
        return pages.text(
            f"console/{template}",
            language,
            t=self.saying(request, words),
            ticket=partial(self._visitors.ticket, visitor),
            **self._visitors.house.shown(request, visitor),
            **values,
        )

    def saying(self, request: Request, words: Words) -> Callable[..., str]:
        """Return what says words in the operator's language: key, values."""
        return partial(speaking(words), self._visitors.language(request))

    def refused(
        self, request: Request, error: OperationError, words: Words, status: int = 409
    ) -> Response:
        """Return a page that says why a verb could not be done, and what to do about it."""
        said = self.told(request, error)
        return self.page(
            request,
            "refused.html",
            words,
            status,
            what=said.what,
            hint=said.hint,
            fixed=False,
            back="",
        )

    def told(self, request: Request, error: OperationError) -> Told:
        """Return why a verb could not be done, for the reader of a page."""
        return told(str(error), error.hint, self._visitors.language(request))

    def elsewhere(self, path: str, said: str = "") -> Response:
        """Send the browser on to a page of ours, which says what was done (``said-<slug>``)."""
        mark = "&" if "?" in path else "?"
        return RedirectResponse(f"{path}{mark}said={quote(said)}" if said else path, 303)

    def live(self, request: Request, draw: Draw, every: float = 2.0) -> Response:
        """Return a stream of what ``draw`` says, whenever that changes, while the session lasts.

        It keeps no session alive: who has gone home is logged out, whatever their screen shows. Who is
        not in hears that alone: a page looked at again after its session must not fall silent.
        """
        return StreamingResponse(
            self._stream(request, draw, every),
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            media_type="text/event-stream",
        )

    def close(self) -> None:
        """End every stream: the gateway is stopping."""
        self._closing.set()

    async def _stream(self, request: Request, draw: Draw, every: float) -> AsyncIterator[str]:
        before, silent = "", 0.0
        while not self._closing.is_set():
            try:
                request.state.visitor = await self._visitors.of(request, idly=True)
            except Problem:
                break
            drawn = await draw()
            if drawn != before:
                yield _event("draw", drawn)
                before, silent = drawn, 0.0
            elif silent >= _QUIET:
                yield ": still here\n\n"
                silent = 0.0
            await self._pause(every)
            silent += every
        yield _event("ended", "")

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    def _forbidden(self, request: Request, what: str) -> Turned:
        operator = _visitor(request).operator
        self.rooms.notes.tell("operator.forbidden", {**operator.told, "reason": what})
        answer = self.page(
            request, "refused.html", {}, 403, what="not-allowed", hint="", fixed=True, back=""
        )
        return Turned("not-allowed", answer)


def _visitor(request: Request) -> Visitor:
    found: Visitor = request.state.visitor
    return found


def _event(name: str, text: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
