"""What lies here for another gateway, given out to it alone: whole, or from where its fetch broke off.

On the listener where every client has a certificate: the one that shows itself must speak for the
domain that the message went to, as the trust list says at this moment. Every look is counted, the
first one that comes to the end is written down. docs/large-documents.md; RFC 9110 §14.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.relay.desk import Desk
from gateway.relay.large.large import Large
from gateway.relay.large.links import Link
from gateway.web.entry import CERTIFICATE
from gateway.web.problem import Problem
from gateway.web.ranges import Span, UnsatisfiableError, span
from smtp.envelope import Peer
from trust.decision import Action, attempt, speaks_for
from vault.errors import Gone

_TYPE = "application/octet-stream"


class LargeOnes:
    """Given out under ``/large/``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return where it is served."""
        return [Route("/large/{token}", self._serve)]

    async def _serve(self, request: Request) -> Response:
        large, peer = self._desk.large, request.state.peer
        link = None if large is None else large.links.find(request.path_params["token"])
        if large is None or link is None or link.reader or peer.listener != CERTIFICATE:
            raise Problem("not-found")
        if link.expires <= self._desk.clock():  # and is swept within a minute
            raise Problem("not-found")
        await self._admit(peer, link)
        etag = f'"{link.facts.sha256}"'
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            found = span(headers, link.size, etag)
        except UnsatisfiableError:
            told = {"Content-Range": f"bytes */{link.size}"}
            return Response(status_code=416, headers=told)
        await self._desk.books.database.commit([large.links.looked(link.id)])
        told = {**found.headers, "ETag": etag}
        if request.method == "HEAD":
            return Response(None, found.status, told, _TYPE)
        return StreamingResponse(self._blocks(large, link, found), found.status, told, _TYPE)

    async def _admit(self, peer: Peer, link: Link) -> None:
        """Let none in but who speaks for the domain that it is for."""
        desk = self._desk
        if peer.certificate is None:
            raise Problem("not-found")
        await desk.watch.met(peer.certificate, peer.issuers, "peer")
        if speaks_for(peer, link.domain, desk.keeper.current, desk.clock()) and self._goes(link):
            return
        desk.on_event("large.refused", {"message": link.message, "domain": link.domain})
        raise Problem("not-theirs")

    def _goes(self, link: Link) -> bool:
        """Whether any of its recipients may still have it: somebody may have been denied since."""
        desk = self._desk
        listed, now = desk.keeper.current, desk.clock()
        return any(
            attempt(copy.message.mail.mail_from, copy.recipient.address, listed, now).action
            is not Action.REFUSE
            for copy in desk.books.spool.copies(link.message)
            if copy.domain == link.domain
        )

    async def _blocks(self, large: Large, link: Link, found: Span) -> AsyncIterator[bytes]:
        """Yield what was asked for; that its end was reached is written down."""
        desk = self._desk
        try:
            body = desk.books.vault.stream(link.holder, found.start, found.end)
            async with aclosing(body):
                async for block in body:
                    yield block
        except Gone:  # it ended while it was given out: the client sees that it is not whole
            return
        if found.end == link.size and link.taken is None:
            now = desk.clock()
            told = desk.books.journal.entry(now, "large.taken", "gateway", message=link.message)
            await desk.books.database.commit([large.links.taking(link.id, now), told])
            desk.metrics.large.labels("taken").inc()
