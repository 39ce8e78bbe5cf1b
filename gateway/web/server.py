"""The one web application: routes of other rooms, under the rules that all of them share.

Every answer has a number, strict headers (nothing may be framed, sniffed, referred or kept unless its
room says so), and every refusal is a fixed sentence. A request has a size, a time, and one boundary
at which the unexpected ends: told of, and not a word of it to the client. RFC 9110, RFC 6797, RFC 9457.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import Message, Receive, Scope, Send

from gateway.web.problem import Problem

OnEvent = Callable[[str, Mapping[str, object]], None]
Count = Callable[[str, int], None]  # the route's own spelling, the status
Refusal = Callable[[Problem, Request], Response]  # how a refusal looks

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """What one request may cost: octets of its body, seconds to its answer and to each block of it."""

    body_size: int = 64 << 10
    within: float = 30.0


class Site:
    """An ASGI application."""

    def __init__(
        self,
        routes: Iterable[BaseRoute],
        on_event: OnEvent,
        count: Count,
        patience: Patience | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        self._router = Router(list(routes), redirect_slashes=False)
        self._on_event, self._count = on_event, count
        self._patience = patience or Patience()
        self._refusal = refusal or _plain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        number = secrets.token_hex(8)
        answer = _Answer(send, number, self._patience.within)
        scope["app"] = self  # tells the router to raise what it does not find
        scope.setdefault("state", {})["request_id"] = number
        try:
            async with asyncio.timeout(self._patience.within) as answer.clock:
                body = Body(receive, self._patience.body_size, scope, answer)
                scope["state"]["body"] = body
                await self._answered(scope, body, answer)
        except TimeoutError:
            answer.clock = None
            await self._refuse(Problem("too-slow", {"Connection": "close"}), scope, answer)
        finally:
            self._count(getattr(scope.get("route"), "path", ""), answer.status)

    async def _answered(self, scope: Scope, body: "Body", answer: "_Answer") -> None:
        try:
            await self._router(scope, body, answer)
        except Problem as problem:
            await self._refuse(problem, scope, answer)
        except HTTPException as error:
            await self._refuse(Problem.of_status(error.status_code, error.headers), scope, answer)
        except ClientDisconnect:
            pass
        except Exception as error:  # noqa: BLE001 - the boundary: one request's bug is its own
            number = scope["state"]["request_id"]
            self._on_event("web.failed", {"request": number, "exception": error})
            await self._refuse(Problem("failed"), scope, answer)

    async def _refuse(self, problem: Problem, scope: Scope, answer: "_Answer") -> None:
        if answer.status:
            # Too late for words: what was begun stays unfinished, and the client can tell.
            return
        with suppress(OSError):
            await self._refusal(problem, Request(scope))(scope, _nothing, answer)


class Body:
    """The request's octets, counted."""

    def __init__(self, receive: Receive, limit: int, scope: Scope, answer: "_Answer") -> None:
        self._receive, self.limit = receive, limit
        self._answer, self._wide = answer, False
        length = Request(scope).headers.get("content-length", "")
        self._declared = int(length) if length.isascii() and length.isdecimal() else 0
        self._taken = 0
        self._over = False

    def widen(self, limit: int) -> None:
        """Let a longer body come, block by block: for a room that knows by now who sends it."""
        self.limit, self._wide = limit, True

    async def drain(self) -> None:
        """Read past what is left, within bounds: a client that still sends hears no answer."""
        self.limit *= 2
        with suppress(Problem):
            while not self._over:
                await self()

    async def __call__(self) -> Message:
        """Return what comes next (ASGI's ``receive``)."""
        if (came := max(self._declared, self._taken)) > self.limit:
            raise Problem.too_big(came, self.limit)
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        self._over = not message.get("more_body", False)
        if self._taken > self.limit:
            raise Problem.too_big(self._taken, self.limit)
        if self._wide:
            self._answer.again()
        return message


class _Answer:
    """The way out: our headers on whatever the room said, unless it said otherwise itself."""

    def __init__(self, send: Send, number: str, within: float) -> None:
        self._send, self._number, self._within = send, number, within
        self.clock: asyncio.Timeout | None = None
        self.status = 0  # 0: nothing was said yet

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = self._number
        await self._send(message)
        self.again()  # the client took a block more

    def again(self) -> None:
        """Let the time for a block begin anew."""
        if self.clock is not None:
            self.clock.reschedule(asyncio.get_running_loop().time() + self._within)


def _plain(problem: Problem, request: Request) -> Response:
    return problem.response(request.state.request_id)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
