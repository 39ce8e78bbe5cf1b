"""``/document/…``: whoever received a link proves who they are, and reads what was too large to come.

Before that a page says whose domain sent something, and no more. Somebody is sent to the issuer with an
errand that only their browser can end: it lies sealed in a cookie, nothing of it here. After it a
session says who they are, and each document asks again whether it is for them. Cookies are Lax: the
issuer's page leads back here. Pages run no script. R-B1, R-I3, RFC 6265; docs/large-documents.md.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.accounts.codeflow import CodeFlow, Errand
from gateway.accounts.issuers import TokenError, UnreachableError
from gateway.accounts.sessions import Sessions
from gateway.operations.rooms import Rooms
from gateway.relay.large.links import Link
from gateway.relay.large.readers import Readers
from gateway.relay.message import Copy
from gateway.web import pages, ranges
from gateway.web.account.session import ours
from gateway.web.document import served
from gateway.web.document.words import say
from gateway.web.files import ACCOUNT, files
from gateway.web.problem import Problem
from gateway.web.reading.shown import disposition, file_name, line, size, when
from smtp.envelope import Peer
from smtp.message.fields import words
from vault.errors import SealError

SESSION, ERRAND = "__Host-sceau-reader", "__Host-sceau-errand"
BACK = "/document/back"
_PLACE = "document/errand"
_LIFE = timedelta(minutes=10)  # of a log-in
_STATUSES = {"gone": 404, "spent": 410, "not-yours": 403, "not-now": 503}
_KEPT = "sandbox; default-src 'none'; frame-ancestors 'none'"


class Documents:
    """The routes; ``flow`` is where readers log in."""

    def __init__(self, rooms: Rooms, readers: Readers, flow: CodeFlow) -> None:
        self._rooms, self._readers, self._flow = rooms, readers, flow
        self._settings = flow.settings
        longest = timedelta(seconds=rooms.settings.account.longest)
        self._sessions = Sessions(timedelta(seconds=self._settings.session), longest)

    def routes(self) -> list[Route]:
        """Return where readers come, and where the issuer sends them back."""
        one = "/document/{token}"
        return [
            *files("account", ACCOUNT),
            Route(BACK, self._back, methods=["GET"]),
            Route("/document/leave", self._leave, methods=["POST"]),
            Route(one, self._show, methods=["GET"]),
            Route(f"{one}/login", self._log_in, methods=["GET"]),
            Route(f"{one}/part/{{number:int}}", self._part, methods=["GET"]),
            Route(f"{one}/whole", self._whole, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        link = self._found(request)
        if link is None:
            return self._said(request, "gone")
        named = self._named(request)
        if not named:
            language = pages.languages(request)
            until, large = when(link.expires, language), size(link.size, language)
            domain = self._domain(link)
            return self._page(request, "door", domain=domain, size=large, until=until)
        copies = await self._admitted(request, link, named)
        if not copies:
            return self._said(request, "not-yours")
        await self._readers.looked(link, copies, "shown", _facts(request), begun=False)
        return self._listed(request, link, copies[0])

    def _listed(self, request: Request, link: Link, copy: Copy) -> Response:
        language, summary = pages.languages(request), copy.message.summary
        shown = [
            {
                "name": file_name(cut.name, str(number)),
                "size": size(cut.octets, language),
                "sha256": cut.sha256,
            }
            for number, cut in enumerate(link.facts.cuts, 1)
        ]
        return self._page(
            request,
            "documents",
            files=shown,
            whole=size(link.size, language),
            subject=line(words(summary.subject), 500),
            sender=line(words(summary.sender)),
            recipient=copy.recipient.address,
            sent=when(copy.message.arrived, language),
            until=when(link.expires, language),
        )

    async def _log_in(self, request: Request) -> Response:
        if self._found(request) is None:
            return self._said(request, "gone")
        token = request.path_params["token"]
        errand = Errand.to(token, self._rooms.clock())
        try:
            there = await self._flow.address(errand, self._origin + BACK)
        except TokenError:
            return self._said(request, "not-now", again=f"/document/{token}")
        answer = RedirectResponse(there, 303)
        sealed = self._rooms.ring.seal(msgspec.json.encode(errand), _PLACE)
        life = int(_LIFE.total_seconds())
        self._cookie(answer, ERRAND, base64.urlsafe_b64encode(sealed).decode(), life)
        return answer

    async def _back(self, request: Request) -> Response:
        errand = self._errand(request)
        if errand is None:
            return self._said(request, "not-known")
        token = errand.purpose
        link, again = self._readers.find(token), f"/document/{token}"
        if link is None:
            return self._forgotten(self._said(request, "gone"))
        try:
            named = await self._flow.holder(errand, request.query_params, self._origin + BACK)
        except TokenError as error:
            return self._forgotten(self._unknown(request, link, error, again))
        if not self._readers.theirs(link, named):
            await self._readers.refused(link, named, _facts(request))
            return self._forgotten(self._said(request, "not-yours"))
        answer = self._forgotten(RedirectResponse(again, 303))
        self._cookie(answer, SESSION, self._sessions.begin(named, "oidc", self._rooms.clock()))
        return answer

    def _unknown(self, request: Request, link: Link, error: TokenError, again: str) -> Response:
        peer: Peer = request.state.peer
        facts = {"reason": str(error), "message": link.message, "ip": peer.ip}
        self._rooms.notes.tell("document.not_known", facts | {"listener": peer.listener})
        weak = str(error) == "log-in-too-weak"
        slug = "too-weak" if weak else "not-known"
        return self._said(
            request, "not-now" if isinstance(error, UnreachableError) else slug, again=again
        )

    async def _leave(self, request: Request) -> Response:
        name = request.cookies.get(SESSION, "")
        found = self._sessions.of(name, self._rooms.clock()) if name and ours(request) else None
        if found is not None:
            self._sessions.end(lambda each: each.key == found.key)
        answer = self._said(request, "left")
        answer.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    async def _part(self, request: Request) -> Response:
        link = self._found(request)
        cuts = link.facts.cuts if link is not None else ()
        number = request.path_params["number"]
        if link is None or not 1 <= number <= len(cuts):
            return self._said(request, "gone")
        cut = cuts[number - 1]
        name = file_name(cut.name, str(number))
        span = _span(request, cut.octets, cut.sha256)
        blocks = served.part(self._rooms.vault, link, cut, span)
        return await self._given(request, link, (f"part {number}", name, cut.sha256), span, blocks)

    async def _whole(self, request: Request) -> Response:
        if (link := self._found(request)) is None:
            return self._said(request, "gone")
        digest = link.facts.sha256
        span = _span(request, link.size, digest)
        blocks = served.whole(self._rooms.vault, link, span)
        return await self._given(request, link, ("whole", "message.eml", digest), span, blocks)

    async def _given(
        self,
        request: Request,
        link: Link,
        what: tuple[str, str, str],
        span: ranges.Span,
        blocks: AsyncIterator[bytes],
    ) -> Response:
        """Give something out, once it is written down to whom."""
        named, token = self._named(request), request.path_params["token"]
        if not named:
            return RedirectResponse(f"/document/{token}", 303)
        copies = await self._admitted(request, link, named)
        if not copies:
            return self._said(request, "not-yours")
        if span.start == 0 and link.looks >= self._settings.looks:
            return self._said(request, "spent")
        detail, name, digest = what
        headers = {
            **span.headers,
            "ETag": f'"{digest}"',
            "Content-Disposition": disposition(name),
            "Content-Security-Policy": _KEPT,
            "Cache-Control": "private, no-cache",
        }
        if request.method == "HEAD":
            return Response(None, span.status, headers, "application/octet-stream")
        told = _facts(request) | {"detail": detail, "range": f"{span.start}-{span.end}/{span.size}"}
        await self._readers.looked(link, copies, "downloaded", told, begun=span.start == 0)
        if span.end == span.size:
            blocks = served.ending(blocks, partial(self._readers.taken, link, copies))
        return StreamingResponse(blocks, span.status, headers, "application/octet-stream")

    def _found(self, request: Request) -> Link | None:
        return self._readers.find(request.path_params["token"])

    def _named(self, request: Request) -> str:
        """Return whom the issuer named whose browser this is; "": nobody yet."""
        name = request.cookies.get(SESSION, "")
        found = self._sessions.of(name, self._rooms.clock()) if name else None
        return "" if found is None else found.owner

    async def _admitted(self, request: Request, link: Link, named: str) -> list[Copy]:
        copies = self._readers.theirs(link, named)
        if not copies:
            await self._readers.refused(link, named, _facts(request))
        return copies

    def _domain(self, link: Link) -> str:
        copies = self._readers.copies(link)
        sender = copies[0].message.mail.mail_from if copies else None
        return (sender or "").rpartition("@")[2]

    def _errand(self, request: Request) -> Errand | None:
        """Return the log-in that this browser began, if it did, not long ago."""
        try:
            sealed = base64.urlsafe_b64decode(request.cookies.get(ERRAND, ""))
            errand = msgspec.json.decode(self._rooms.ring.open(sealed, _PLACE), type=Errand)
        except (binascii.Error, ValueError, SealError, msgspec.MsgspecError):
            return None
        return errand if self._rooms.clock() < errand.began + _LIFE else None

    @property
    def _origin(self) -> str:
        return self._settings.origin

    def _said(self, request: Request, reason: str, again: str = "") -> Response:
        status = _STATUSES.get(reason, 200 if reason == "left" else 403)
        return self._page(request, "said", status, reason=reason, again=again, wrong=status >= 400)

    def _page(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        language = pages.languages(request)
        answer = pages.page(
            f"document/{name}.html",
            language,
            status,
            t=partial(say, language),
            visitor=None,
            path=request.url.path,
            elsewise=pages.elsewise(request, language),
            issuer=self._settings.name,
            **values,
        )
        # Under "no-referrer" browsers hide the origin of our own form, which we look at.
        answer.headers["Referrer-Policy"] = "same-origin"
        return answer

    def _forgotten(self, answer: Response) -> Response:
        answer.delete_cookie(ERRAND, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def _cookie(self, answer: Response, name: str, value: str, life: int | None = None) -> None:
        answer.set_cookie(name, value, life, path="/", secure=True, httponly=True, samesite="lax")


def _facts(request: Request) -> dict[str, str]:
    peer: Peer = request.state.peer
    return {"ip": peer.ip, "listener": peer.listener}


def _span(request: Request, octets: int, digest: str) -> ranges.Span:
    headers: Mapping[str, str] = request.headers
    try:
        return ranges.span(headers, octets, f'"{digest}"')
    except ranges.UnsatisfiableError:
        raise Problem("no-such-range", {"Content-Range": f"bytes */{octets}"}) from None
