"""How a reader comes in: sent to the issuer with an errand, and back with its answer.

The errand lies sealed in a cookie that only this browser has, for some minutes, and nothing of it here. A
session says who somebody is, and opens nothing by itself. Cookies are Lax: it is the issuer's page that
leads back. R-B1, RFC 6265, RFC 6819 §4.4.1.
"""

import base64
import binascii
from datetime import timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.accounts.codeflow import CodeFlow, Errand
from gateway.accounts.issuers import TokenError, UnreachableError
from gateway.accounts.sessions import Sessions
from gateway.operations.rooms import Rooms
from gateway.relay.large.links import Link
from gateway.relay.large.readers import Readers
from gateway.web.account.session import ours
from gateway.web.document.frame import Frame, origin
from vault.errors import SealError

SESSION, ERRAND = "__Host-sceau-reader", "__Host-sceau-errand"
BACK = "/document/back"
_PLACE = "document/errand"
_LIFE = timedelta(minutes=10)  # of a log-in


class Entering:
    """The door of the pages; ``flow`` is where readers log in."""

    def __init__(self, rooms: Rooms, readers: Readers, flow: CodeFlow, frame: Frame) -> None:
        self._rooms, self._readers, self._flow, self._frame = rooms, readers, flow, frame
        longest = timedelta(seconds=rooms.settings.account.longest)
        self._sessions = Sessions(timedelta(seconds=flow.settings.session), longest)
        self._home = flow.settings.origin + BACK

    def routes(self) -> list[Route]:
        """Return where readers come in and go out."""
        return [
            Route(BACK, self._back, methods=["GET"]),
            Route("/document/leave", self._leave, methods=["POST"]),
            Route("/document/{token}/login", self._log_in, methods=["GET"]),
        ]

    def named(self, request: Request) -> str:
        """Return whom the issuer named whose browser this is; "": nobody yet."""
        name = request.cookies.get(SESSION, "")
        found = self._sessions.of(name, self._rooms.clock()) if name else None
        return "" if found is None else found.owner

    async def _log_in(self, request: Request) -> Response:
        token = request.path_params["token"]
        if self._readers.find(token) is None:
            return self._frame.said(request, "gone")
        errand = Errand.to(token, self._rooms.clock())
        try:
            there = await self._flow.address(errand, self._home)
        except TokenError:
            return self._frame.said(request, "not-now", f"/document/{token}", again=True)
        answer = RedirectResponse(there, 303)
        sealed = self._rooms.ring.seal(msgspec.json.encode(errand), _PLACE)
        life = int(_LIFE.total_seconds())
        self._cookie(answer, ERRAND, base64.urlsafe_b64encode(sealed).decode(), life)
        return answer

    async def _back(self, request: Request) -> Response:
        errand = self._errand(request)
        if errand is None:
            return self._frame.said(request, "not-known")
        token = errand.purpose
        link, again = self._readers.find(token), f"/document/{token}"
        if link is None:
            return self._forgotten(self._frame.said(request, "gone", again))
        try:
            named = await self._flow.holder(errand, request.query_params, self._home)
        except TokenError as error:
            return self._forgotten(self._unknown(request, link, error, again))
        if not self._readers.theirs(link, named):
            await self._readers.refused(link, named, origin(request))
            return self._forgotten(self._frame.said(request, "not-yours", again))
        answer = self._forgotten(RedirectResponse(again, 303))
        self._cookie(answer, SESSION, self._sessions.begin(named, "oidc", self._rooms.clock()))
        return answer

    def _unknown(self, request: Request, link: Link, error: TokenError, again: str) -> Response:
        facts = {"reason": str(error), "message": link.message, **origin(request)}
        self._rooms.notes.tell("document.not_known", facts)
        said = "too-weak" if str(error) == "log-in-too-weak" else "not-known"
        if isinstance(error, UnreachableError):
            said = "not-now"
        return self._frame.said(request, said, again, again=True)

    async def _leave(self, request: Request) -> Response:
        if not ours(request):  # a page elsewhere ends nobody's visit
            return self._frame.said(request, "not-known")
        answer = self._frame.said(request, "left")
        found = self._sessions.of(request.cookies.get(SESSION, ""), self._rooms.clock())
        if found is not None:
            self._sessions.end(lambda each: each.key == found.key)
        answer.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def _errand(self, request: Request) -> Errand | None:
        """Return the log-in that this browser began, if it did, not long ago."""
        try:
            sealed = base64.urlsafe_b64decode(request.cookies.get(ERRAND, ""))
            errand = msgspec.json.decode(self._rooms.ring.open(sealed, _PLACE), type=Errand)
        except (binascii.Error, ValueError, SealError, msgspec.MsgspecError):
            return None
        return errand if self._rooms.clock() < errand.began + _LIFE else None

    def _forgotten(self, answer: Response) -> Response:
        answer.delete_cookie(ERRAND, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def _cookie(self, answer: Response, name: str, value: str, life: int | None = None) -> None:
        answer.set_cookie(name, value, life, path="/", secure=True, httponly=True, samesite="lax")
