"""``/document/…``: whoever received a link reads what was too large to come, once it is known who they are.

Before that a page says whose domain sent something, and no more. Each document asks anew whether it is
for them, whatever their session says, and it is written down before anything is given out. Pages run
no script, and what is downloaded is kept, never opened in our name. R-I3; docs/large-documents.md.
"""

from collections.abc import AsyncIterator, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.accounts.codeflow import CodeFlow
from gateway.operations.rooms import Rooms
from gateway.relay.large.links import Link
from gateway.relay.large.readers import Readers
from gateway.relay.message import Copy
from gateway.web import pages, ranges
from gateway.web.document import served
from gateway.web.document.entering import Entering
from gateway.web.document.frame import Frame, origin
from gateway.web.files import ACCOUNT, files
from gateway.web.problem import Problem
from gateway.web.reading.shown import disposition, file_name, line, size, when
from smtp.address import domain_of
from smtp.message.fields import words

_KEPT = "sandbox; default-src 'none'; frame-ancestors 'none'"


class Documents:
    """The routes; ``flow`` is where readers log in."""

    def __init__(self, rooms: Rooms, readers: Readers, flow: CodeFlow) -> None:
        self._rooms, self._readers = rooms, readers
        self._looks = flow.settings.looks
        self._frame = Frame(flow.settings.name)
        self.entering = Entering(rooms, readers, flow, self._frame)

    def routes(self) -> list[Route]:
        """Return every page."""
        one = "/document/{token}"
        return [
            *files("account", ACCOUNT),
            *self.entering.routes(),
            Route(one, self._show, methods=["GET"]),
            Route(f"{one}/part/{{number:int}}", self._part, methods=["GET"]),
            Route(f"{one}/whole", self._whole, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        link = self._found(request)
        if link is None:
            return self._frame.said(request, "gone")
        named = self.entering.named(request)
        if not named:
            language = pages.languages(request)
            until, large = when(link.expires, language), size(link.size, language)
            domain = self._domain(link)
            return self._frame.page(request, "door", domain=domain, size=large, until=until)
        copies = await self._admitted(request, link, named)
        if not copies:
            return self._frame.said(request, "not-yours")
        await self._readers.looked(link, copies, "shown", origin(request), begun=False)
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
        return self._frame.page(
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

    async def _part(self, request: Request) -> Response:
        link = self._found(request)
        cuts = link.facts.cuts if link is not None else ()
        number = request.path_params["number"]
        if link is None or not 1 <= number <= len(cuts):
            return self._frame.said(request, "gone")
        cut = cuts[number - 1]
        name = file_name(cut.name, str(number))
        span = _span(request, cut.octets, cut.sha256)
        blocks = served.part(self._rooms.vault, link, cut, span)
        return await self._given(request, link, (f"part {number}", name, cut.sha256), span, blocks)

    async def _whole(self, request: Request) -> Response:
        if (link := self._found(request)) is None:
            return self._frame.said(request, "gone")
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
        named, token = self.entering.named(request), request.path_params["token"]
        if not named:
            return RedirectResponse(f"/document/{token}", 303)
        copies = await self._admitted(request, link, named)
        if not copies:
            return self._frame.said(request, "not-yours")
        if span.start == 0 and link.looks >= self._looks:
            return self._frame.said(request, "spent")
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
        told = origin(request) | {"detail": detail, "range": f"{span.start}-{span.end}/{span.size}"}
        await self._readers.looked(link, copies, "downloaded", told, begun=span.start == 0)
        if span.end == span.size and (span.start == 0 or link.looks):  # the end alone is no reading
            blocks = served.ending(blocks, partial(self._readers.taken, link, copies))
        return StreamingResponse(blocks, span.status, headers, "application/octet-stream")

    def _found(self, request: Request) -> Link | None:
        return self._readers.find(request.path_params["token"])

    async def _admitted(self, request: Request, link: Link, named: str) -> list[Copy]:
        copies = self._readers.theirs(link, named)
        if not copies:
            await self._readers.refused(link, named, origin(request))
        return copies

    def _domain(self, link: Link) -> str:
        copies = self._readers.copies(link)
        sender = copies[0].message.mail.mail_from if copies else None
        return domain_of(sender) if sender else ""


def _span(request: Request, octets: int, digest: str) -> ranges.Span:
    headers: Mapping[str, str] = request.headers
    try:
        return ranges.span(headers, octets, f'"{digest}"')
    except ranges.UnsatisfiableError:
        raise Problem("no-such-range", {"Content-Range": f"bytes */{octets}"}) from None
