"""What becomes of messages, told while it happens: server-sent events from the outbox.

Each event is the CloudEvents document that a broker would be given, its id the outbox's own number: who
was cut off says the last one it saw (``Last-Event-ID``) and misses none. A stream ends after a while, so
that who asks is known anew. WHATWG HTML §9.2, docs/receipts.md.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.accounts.mailboxes import Mailbox
from gateway.operations.rooms import Rooms
from gateway.receipts.outbox import Row
from gateway.web.problem import Problem

_LASTS, _QUIET, _EVERY = 600.0, 15.0, 1.0  # seconds: a stream; silence; between two looks
_MOST = 8  # streams of one mailbox


@dataclass(slots=True)
class Events:
    """The streams that are open."""

    rooms: Rooms
    every: float = _EVERY
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _open: dict[int, int] = field(default_factory=dict)  # how many, by mailbox

    def close(self) -> None:
        """End every stream: the gateway is stopping."""
        self._closing.set()

    def stream(self, request: Request, mailbox: Mailbox, message: str = "") -> Response:
        """Return what happens to a mailbox's messages from now on, or to one message at all."""
        if self._open.get(mailbox.id, 0) >= _MOST:
            raise Problem("too-many", {"Retry-After": "60"})
        said = request.headers.get("last-event-id", "")
        known = said.isascii() and said.isdecimal() and len(said) < 16
        start = int(said) if known else 0 if message else self.rooms.outbox.newest()
        return StreamingResponse(
            self._told(mailbox, message, start),
            headers={"X-Accel-Buffering": "no"},
            media_type="text/event-stream",
        )

    async def _told(self, mailbox: Mailbox, message: str, after: int) -> AsyncIterator[str]:
        self._open[mailbox.id] = self._open.get(mailbox.id, 0) + 1
        try:
            yield ": here\n\n"
            silent = lasted = 0.0
            while lasted < _LASTS and not self._closing.is_set() and self._may(mailbox):
                rows, after = self.rooms.outbox.following(mailbox.key, after, message)
                for row in rows:
                    yield _event(row)
                silent = 0.0 if rows else silent + self.every
                if silent >= _QUIET:
                    yield ": still here\n\n"
                    silent = 0.0
                await self._pause()
                lasted += self.every
        finally:
            self._open[mailbox.id] -= 1

    def _may(self, mailbox: Mailbox) -> bool:
        found = self.rooms.accounts.by_id(mailbox.id)
        return found is not None and found.sends

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.every):
                await self._closing.wait()


def _event(row: Row) -> str:
    told = (row.payload or b"{}").decode()  # of one that opens no more: that it happened
    return f"id: {row.seq}\nevent: {row.kind}\ndata: {told}\n\n"
