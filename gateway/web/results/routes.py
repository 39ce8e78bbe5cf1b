"""``/v1/messages``: software hands results in by HTTPS, and asks what became of them.

The same offering as the watched folder's, so the same result is one message whatever the door. Every
refusal says why in words that a person can act on. R-A7, R-I4, R-J5; docs/laboratories.md.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.tokens import Scope
from gateway.documents import acknowledgement
from gateway.documents.errors import DocumentError
from gateway.labs import answers
from gateway.labs.composing import compose
from gateway.labs.composing import told as said_of
from gateway.labs.names import Form
from gateway.labs.offering import IN_HAND, OTHER_BYTES, Offering, Outcome, Result, blocks
from gateway.labs.offers import Facts
from gateway.labs.recipients import NotNowError, Resolve, resolving
from gateway.labs.unsent import Turned
from gateway.operations.rooms import Rooms
from gateway.relay.applications import Applications, Said
from gateway.relay.message import Copy
from gateway.web.entry import Entry
from gateway.web.problem import Problem
from gateway.web.results import told, uploads
from gateway.web.results.arrived import Arrived
from gateway.web.results.events import Events
from gateway.web.results.mornings import Mornings
from smtp.address import key
from smtp.envelope import Peer
from vault.errors import VaultError

DOOR = "*api"  # no folder has that name
_LISTENER = "api"
_PRODUCT = "SCEAU"
_IN_MEMORY = 256 << 20  # octets of documents that are packed at once


class Results:
    """The routes."""

    def __init__(self, rooms: Rooms, entry: Entry, offering: Offering) -> None:
        self._rooms, self._entry, self._offering = rooms, entry, offering
        self._memory = uploads.Memory(_IN_MEMORY)
        self.events = Events(rooms)
        self._arrived = Arrived(rooms, entry, self.events)
        self._mornings = Mornings(rooms, entry)

    def routes(self) -> list[Route]:
        """Return where software offers and asks."""
        return [
            Route("/v1/messages", self._offered, methods=["POST"]),
            Route("/v1/messages/{id}", self._standing),
            Route("/v1/messages/{id}/events", self._events_of),
            Route("/v1/events", self._events),
            *self._arrived.routes(),
            *self._mornings.routes(),
        ]

    async def _offered(self, request: Request) -> Response:
        mailbox = await self._entry.mailbox(request, Scope.SUBMIT)
        largest = self._rooms.settings.labs.largest
        request.state.body.widen(largest)
        try:
            return self._answer(request, await self._outcome(request, mailbox, largest))
        except Problem:
            await request.state.body.drain()
            raise

    async def _outcome(self, request: Request, mailbox: Mailbox, largest: int) -> Outcome:
        listed = self._rooms.keeper.current
        hold = self._rooms.settings.labs.ambiguous == "hold"
        resolve = resolving(mailbox.address, listed, self._rooms.clock(), hold=hold)
        try:
            match uploads.kind(request):
                case uploads.MAIL:
                    result = await self._mail(request, mailbox, resolve)
                    return await self._offer(result)
                case uploads.FORM:
                    with self._memory.holding(request, largest):
                        result = await self._document(request, mailbox, resolve)
                        return await self._offer(result)
        except DocumentError as error:
            known_by = uploads.idempotency_key(request)
            turned = Turned(mailbox.address, "", known_by, str(error))
            await self._offering.turned(
                DOOR, known_by or str(error), turned, critical=uploads.critical(request)
            )
            raise self._not_taken(request, str(error)) from None
        except (NotNowError, VaultError):
            raise Problem("not-now", {"Retry-After": "60"}) from None
        raise Problem("wrong-type")

    async def _offer(self, result: Result) -> Outcome:
        outcome = await self._offering.offer(result)
        if outcome.row is None and outcome.said.permanent:
            told = Turned(result.mailbox, "", result.facts.key, outcome.said.text, outcome.refused)
            await self._offering.turned(DOOR, result.key, told, critical=result.critical)
        return outcome

    async def _mail(self, request: Request, mailbox: Mailbox, resolve: Resolve) -> Result:
        header_size = self._rooms.settings.limits.header_size
        mail = await uploads.mail(request, resolve, header_size)
        known_by = uploads.idempotency_key(request) or mail.key
        marked = self._rooms.desk.urgency.asked(mail.header, mailbox.address)
        if not known_by:
            raise Problem("key-needed")
        return Result(
            DOOR,
            _peer(request, mailbox),
            mailbox.address,
            known_by,
            mail.recipients,
            uploads.marked(mail.blocks) if uploads.critical(request) else mail.blocks,
            Facts("", secrets.token_hex(16), key=uploads.idempotency_key(request)),
            beside=mail.beside,
            answered=True,
            critical=marked or uploads.critical(request),
        )

    async def _document(self, request: Request, mailbox: Mailbox, resolve: Resolve) -> Result:
        offer = await uploads.document(request)
        asked = acknowledgement.asked(offer.content) if offer.form is Form.HL7 else ""
        request.state.asked = asked  # a refusal is told in HL7, too
        said = said_of(offer)
        if given := uploads.idempotency_key(request):
            said = msgspec.structs.replace(said, key=given)
        if uploads.critical(request):
            said = msgspec.structs.replace(said, critical=True)
        now = self._rooms.clock()
        composed = await asyncio.to_thread(
            compose, offer, said, mailbox.address, now, _PRODUCT, resolve
        )
        return Result(
            DOOR,
            _peer(request, mailbox),
            mailbox.address,
            said.key or offer.digest,
            composed.recipients,
            blocks(composed.message),
            Facts("", secrets.token_hex(16), key=said.key, asked=asked),
            digest=offer.digest,
            answered=True,
            critical=said.critical,
        )

    def _answer(self, request: Request, outcome: Outcome) -> Response:
        if outcome.row is None:
            raise self._problem(request, outcome)
        copies = self._offering.copies(outcome.row)
        refused = told.refused(outcome.refused)
        ack = told.ack(answers.taken(outcome.row))
        if not copies:  # its time here is over; that it was taken is all that is known
            known = {"message": outcome.row.message, "again": True, "recipients": refused}
            return _json(known | ack)
        shown = self._shown(copies, self._said(copies)) | ack
        shown["recipients"] = [*shown["recipients"], *refused]
        headers = {"Location": f"/v1/messages/{copies[0].message.id}"}
        return _json(shown | {"again": outcome.again}, 200 if outcome.again else 201, headers)

    async def _standing(self, request: Request) -> Response:
        copies = await self._own(request, await self._who(request))
        said = self._said(copies)
        message = copies[0].message.id
        row = self._offering.offers.became([message]).get(message)
        ack = told.ack(answers.became(row, copies, said) if row is not None else b"")
        return _json(self._shown(copies, said) | ack)

    async def _events_of(self, request: Request) -> Response:
        mailbox = await self._who(request)
        copies = await self._own(request, mailbox)
        return self.events.stream(request, mailbox, copies[0].message.id)

    async def _events(self, request: Request) -> Response:
        return self.events.stream(request, await self._who(request))

    async def _who(self, request: Request) -> Mailbox:
        return await self._entry.mailbox(request, Scope.SUBMIT)

    async def _own(self, request: Request, mailbox: Mailbox) -> list[Copy]:
        """Return the copies of a message that this mailbox sent; any other is not there."""
        copies = self._rooms.spool.copies(request.path_params["id"])
        sender = copies[0].message.mail.mail_from if copies else None
        if sender is None or key(sender) != key(mailbox.address):
            raise Problem("not-found")
        return copies

    def _said(self, copies: list[Copy]) -> Mapping[str, Said]:
        return Applications(self._rooms.database).of(copy.delivery.id for copy in copies)

    def _shown(self, copies: list[Copy], said: Mapping[str, Said]) -> dict[str, Any]:
        return told.message(copies[0].message, copies, self._rooms.spool.recipient_key, said)

    def _problem(self, request: Request, outcome: Outcome) -> Problem:
        if outcome.said is IN_HAND:
            return Problem("in-hand", {"Retry-After": "1"})
        if outcome.said is OTHER_BYTES:
            return Problem("other-bytes", told=self._turned(request, outcome.said.text))
        if not outcome.said.permanent:
            return Problem("not-now", {"Retry-After": "60"})
        return self._not_taken(request, outcome.said.text, outcome.refused)

    def _not_taken(
        self, request: Request, words: str, refused: tuple[tuple[str, str], ...] = ()
    ) -> Problem:
        why: dict[str, object] = {"words": words, "recipients": told.refused(refused)}
        return Problem("not-taken", told=why | self._turned(request, words))

    def _turned(self, request: Request, words: str) -> dict[str, str]:
        asked = getattr(request.state, "asked", "")  # nothing, where no document was read
        return told.ack(answers.turned(asked, self._rooms.clock(), words))


def _peer(request: Request, mailbox: Mailbox) -> Peer:
    peer: Peer = request.state.peer
    return replace(peer, login=mailbox.address, listener=_LISTENER)


def _json(shown: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    octets = msgspec.json.encode(shown)
    return Response(octets, status, dict(headers or {}), media_type="application/json")
