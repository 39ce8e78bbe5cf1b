"""One message: its header in words, its text made safe, its attachments, what became of it.

An attachment goes from the vault to the browser as it streams, to be kept and never to be opened
in our name: it may be anything. Looking is journalled before anything is given out. R-I3.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.relay.delivery import State
from gateway.web.account.session import Visitor
from gateway.web.reading import content
from gateway.web.reading.acts import act, mark
from gateway.web.reading.places import Place
from gateway.web.reading.room import PURPOSE, Room
from gateway.web.reading.rows import people
from gateway.web.reading.shown import disposition, line, size, when
from gateway.web.reading.words import FATES, W
from imap.errors import UnknownEncoding
from imap.folder import UidSet
from imap.store import Mailboxes, Mode, Stored
from smtp.address import key
from smtp.message.fields import words
from smtp.message.header import Header, HeaderError, addresses

HEADER = 256 << 10  # octets of a header that are looked at
_KEPT = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_FIELDS = ("from", "sender", "reply-to", "to", "cc", "bcc")


class Messages:
    """The pages of messages."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._store = room.rooms.mailboxes

    def routes(self) -> list[Route]:
        """Return the routes."""
        route, one = self._room.route, "/read/{folder:int}/{uid:int}"
        return [
            route(one, self._show),
            route(one, self._act, "POST"),
            route(f"{one}/whole", self._whole),
            route(f"{one}/part/{{part}}", self._part),
        ]

    async def _found(self, request: Request, visitor: Visitor) -> tuple[Place, Stored]:
        places, named = self._room.places, request.path_params
        place = places.folder(request, visitor, str(named["folder"]))
        return place, await places.message(request, visitor, place, str(named["uid"]))

    async def _show(self, request: Request, visitor: Visitor) -> Response:
        place, stored = await self._found(request, visitor)
        language = self._room.language(request)
        shape = await content.shape(self._store, stored, rich="html" in request.query_params)
        await self._room.places.opened(request, visitor, place, _alone(stored))
        w = W[language]
        texts = [
            await content.read(self._store, stored, part, (w["link"], w["image"]))
            for part in shape.texts
        ]
        flags = {flag.lower() for flag in stored.row.flags}
        await seen(self._room, request, visitor, place, stored)
        header = await header_of(self._store, stored)
        return self._room.page(
            request,
            visitor,
            "message",
            place,
            uid=stored.row.uid,
            here=f"{place.path}/{stored.row.uid}",
            subject=subject_of(header),
            people={name: people(header.all(name)) for name in _FIELDS},
            at=when(moment(stored), language),
            texts=texts,
            shape=shape,
            rich="html" in request.query_params,
            sizes=[size(each.size, language) for each in shape.attachments],
            whole=size(stored.row.size, language),
            flagged="\\flagged" in flags,
            draft=place.folder.special == "\\Drafts" or "\\draft" in flags,
            sent="sent" in request.query_params,
            fates=self._fates(place, header, language),
        )

    async def _act(self, request: Request, visitor: Visitor) -> Response:
        fields = await self._room.visitors.form(request, visitor, PURPOSE)
        place, stored = await self._found(request, visitor)
        await act(self._room, request, visitor, place, _alone(stored), fields)
        return RedirectResponse(f"{place.path}?said=done", 303)

    async def _part(self, request: Request, visitor: Visitor) -> Response:
        place, stored = await self._found(request, visitor)
        number = request.path_params["part"]
        part = self._room.places.part(request, visitor, place, stored, number)
        file = content.attachment(part)
        blocks = self._store.binary(stored, part.number)
        try:
            first = await anext(blocks, b"")
        except UnknownEncoding:
            blocks = self._store.stream(stored, part.body, part.end)
            first = await anext(blocks, b"")
        await self._room.places.taken(request, visitor, place, _alone(stored), f"part {number}")
        await seen(self._room, request, visitor, place, stored)
        return _kept(file.name, _with(first, blocks))

    async def _whole(self, request: Request, visitor: Visitor) -> Response:
        place, stored = await self._found(request, visitor)
        blocks = self._store.stream(stored)
        first = await anext(blocks, b"")
        await self._room.places.taken(request, visitor, place, _alone(stored), "whole")
        await seen(self._room, request, visitor, place, stored)
        return _kept(f"message-{stored.row.uid}.eml", _with(first, blocks))

    def _fates(self, place: Place, header: Header, language: str) -> dict[str, Any] | None:
        """Return what became of a message that this mailbox sent, recipient by recipient."""
        sender = place.box.mailbox.address
        named = (header.first("message-id") or b"").decode("utf-8", "replace")
        try:
            ours = key(sender) in {key(one) for one in addresses(header.first("from") or b"")}
        except HeaderError:
            ours = False
        copies = self._room.rooms.spool.sent_by(sender, message_id=named) if ours and named else []
        if not copies:
            return None
        told = FATES
        second = 0 if language == "fr" else 1
        return {
            "reference": copies[0].message.reference,
            "rows": [
                {
                    "whom": copy.recipient.address,
                    "state": copy.delivery.state.value,
                    "words": told[copy.delivery.state][second],
                    "at": when(copy.delivery.changed, language),
                    "said": _said(copy.delivery.state, str(copy.delivery.said or "")),
                }
                for copy in copies
            ],
        }


async def seen(
    room: Room, request: Request, visitor: Visitor, place: Place, stored: Stored
) -> None:
    """Mark a message as opened, where that may be done: its content is given out."""
    if "\\Seen" not in stored.row.flags and place.may("s"):
        await mark(room, request, visitor, place, _alone(stored), Mode.ADD, "\\Seen")


async def header_of(store: Mailboxes, stored: Stored) -> Header:
    """Return a message's header, as far as it is looked at."""
    end = min(stored.index.parts[0].body, HEADER)
    return Header.skim(await store.read(stored, 0, end))


def _alone(stored: Stored) -> UidSet:
    return UidSet.of([stored.row.uid])


def subject_of(header: Header) -> str:
    """Return a message's subject as it is shown."""
    return line(words((header.first("subject") or b"").decode("utf-8", "replace")), 500)


def moment(stored: Stored) -> datetime:
    """Return when a message came."""
    return datetime.fromtimestamp(stored.row.arrived, UTC)


def _said(state: State, words_: str) -> str:
    """Return the other side's own words, where they say why."""
    wanted = {State.FAILED, State.EXPIRED, State.REFUSED, State.DEFERRED}
    return line(words_) if state in wanted else ""


def _kept(name: str, blocks: AsyncIterator[bytes]) -> Response:
    headers = {"Content-Disposition": disposition(name), **_KEPT}
    return StreamingResponse(blocks, 200, headers, "application/octet-stream")


async def _with(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for block in rest:
        yield block
