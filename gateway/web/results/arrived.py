"""``/v1/arrived``: what lies in a mailbox's INBOX, for the program that files it.

A list, each message as it came (in pieces, if the line is a broken one), *read* when the program has it,
and what the program made of it, which goes back to the sender. That something arrived is told by MQTT
and by ``/v1/arrived/events``. R-E7, R-F3; docs/laboratories.md.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.tokens import Scope
from gateway.operations.rooms import Rooms
from gateway.relay.handing import said
from gateway.relay.handing.said import SaidError
from gateway.relay.integrating import HEADER, WHOLE, Integrating, Verdict, header
from gateway.relay.message import Copy
from gateway.relay.placing import asks_for_a_receipt
from gateway.web.entry import Entry
from gateway.web.problem import Problem
from gateway.web.ranges import UnsatisfiableError, span
from gateway.web.results.events import Events
from imap.folder import UidSet
from imap.store import INBOX, Mode
from imap.store import Entry as Filed
from smtp.address import key
from smtp.message.fields import words
from vault.errors import Conflict

_SEEN = "\\Seen"
_PAGE = 200
_TRIES = 3


class Arrived:
    """The routes."""

    def __init__(self, rooms: Rooms, entry: Entry, events: Events) -> None:
        self._rooms, self._entry, self._events = rooms, entry, events
        self._store = rooms.mailboxes

    def routes(self) -> list[Route]:
        """Return where software asks for what arrived."""
        return [
            Route("/v1/arrived", self._list),
            Route("/v1/arrived/events", self._stream),
            Route("/v1/arrived/{id}", self._content),
            Route("/v1/arrived/{id}/read", self._read, methods=["PUT"]),
            Route("/v1/arrived/{id}/answer", self._answered, methods=["PUT"]),
        ]

    async def _who(self, request: Request) -> Mailbox:
        return await self._entry.mailbox(request, Scope.READ)

    async def _stream(self, request: Request) -> Response:
        return self._events.stream(request, await self._who(request))

    async def _list(self, request: Request) -> Response:
        mailbox = await self._who(request)
        asked = request.query_params
        after, read = _number(asked.get("after", "0")), asked.get("read", "")
        if after is None or read not in {"", "true", "false"}:
            raise Problem("bad-request")
        found = self._store.entries(mailbox.id, after=after, limit=_PAGE)
        shown = [_told(one) for one in found if read in {"", str(_SEEN in one.flags).lower()}]
        more = found[-1].uid if len(found) == _PAGE else None
        return _json({"messages": shown, "after": more})

    async def _content(self, request: Request) -> Response:
        mailbox = await self._who(request)
        entry = self._found(request, mailbox)
        folder = self._store.folder(entry.folder)
        assert folder is not None
        etag = f'"{folder.uid_validity}-{entry.uid}"'
        try:
            wanted = span(request.headers, entry.size, etag)
        except UnsatisfiableError:
            raise Problem("no-such-range", {"Content-Range": f"bytes */{entry.size}"}) from None
        return StreamingResponse(
            self._store.stream(entry, wanted.start, wanted.end),
            wanted.status,
            {**wanted.headers, "ETag": etag},
            media_type="message/rfc822",
        )

    async def _read(self, request: Request) -> Response:
        """Mark it as read: it is not on the list of what is not."""
        entry = self._found(request, await self._who(request))
        await self._store.flag(entry.folder, UidSet.of([entry.uid]), Mode.ADD, [_SEEN])
        return Response(status_code=204)

    async def _answered(self, request: Request) -> Response:
        """Tell the sender what became of a document; the same said again is not told again."""
        mailbox = await self._who(request)
        entry = self._found(request, mailbox)
        try:
            failure = said.read(await request.body())
        except SaidError:
            raise Problem("bad-request") from None
        copy = self._copy(mailbox, entry)
        whole = failure is not None and entry.size <= WHOLE  # what was filed is not sent back
        end = entry.size if whole else min(entry.size, HEADER)
        content = await self._store.read(entry, 0, end)
        head = header(content)
        verdict = Verdict(copy, failure, content if whole else head.raw)
        asked = asks_for_a_receipt(head, copy.message)
        if await self._tell(verdict, mailbox, asked=asked):
            self._rooms.outbox.bell.set()
            self._rooms.wake()
        return Response(status_code=204)

    async def _tell(self, verdict: Verdict, mailbox: Mailbox, *, asked: bool) -> bool:
        """Commit what it means; return whether that is new."""
        integrating, actor = Integrating(self._rooms.desk), f"mailbox:{mailbox.key}"
        for _ in range(_TRIES):
            told = await integrating.telling(verdict, asked=asked, errors=None, actor=actor)
            try:
                await self._rooms.database.commit(told)
            except Conflict:  # somebody says it by another way, at this moment
                continue
            return bool(told)
        raise Problem("failed")

    def _found(self, request: Request, mailbox: Mailbox) -> Filed:
        uid = _number(request.path_params["id"])
        entry = self._store.entry(mailbox.id, uid, INBOX) if uid else None
        if entry is None:
            raise Problem("not-found")
        return entry

    def _copy(self, mailbox: Mailbox, entry: Filed) -> Copy:
        """Return the delivery that put it there; what was filed by hand, or long ago, has none."""
        copies = self._rooms.spool.copies(entry.summary.message)
        own = [one for one in copies if key(one.recipient.address) == key(mailbox.address)]
        if not own:
            raise Problem("not-found")
        return own[0]


def _told(entry: Filed) -> Mapping[str, Any]:
    about = entry.summary
    return {
        "id": str(entry.uid),
        "message": about.message,
        "message_id": about.message_id,
        "from": words(about.sender),
        "subject": words(about.subject),
        "at": entry.arrived.isoformat(),
        "size": entry.size,
        "read": _SEEN in entry.flags,
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 11 else None


def _json(shown: object) -> Response:
    return Response(msgspec.json.encode(shown), media_type="application/json")
