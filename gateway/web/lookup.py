"""Looking addresses up by HTTPS: ``/v1/addresses`` for software, ``/addresses`` for a person.

Both ask the same operation as ``sceau address search``; both answer only those who have a mailbox here,
so many questions a minute, a page at a time: a directory to look into, not to carry away. What was
asked is written down nowhere, only by whom. R-D3, R-I1, R-J4.
"""

from functools import partial
from importlib import resources
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.tokens import Scope
from gateway.operations import addresses
from gateway.operations.rooms import Rooms
from gateway.web.account.words import say
from gateway.web.allowance import Allowance
from gateway.web.entry import Entry
from gateway.web.pages import elsewise, languages, page
from gateway.web.problem import Problem
from smtp.envelope import Peer
from trust import lookup


class Lookup:
    """The routes, and how much each mailbox has asked."""

    def __init__(self, rooms: Rooms, entry: Entry) -> None:
        self._rooms, self._entry = rooms, entry
        self._allowance = Allowance(rooms.settings.lookup.per_minute)

    def routes(self) -> list[Route]:
        """Return where people and software ask."""
        return [
            Route("/v1/addresses", self._software),
            Route("/v1/openapi.json", _described),
            Route("/addresses", self._person),
        ]

    async def _software(self, request: Request) -> Response:
        mailbox = await self._entry.mailbox(request, Scope.ADDRESSES)
        found = await self._answer(request, mailbox)
        return _json({"query": request.query_params.get("q", ""), **found})

    async def _person(self, request: Request) -> Response:
        mailbox = await self._entry.mailbox(request, Scope.ADDRESSES)
        asked = lookup.read(request.query_params.get("q", ""))
        found = await self._answer(request, mailbox) if asked else None
        language = languages(request)
        return page(
            "addresses.html",
            language,
            t=partial(say, language),
            visitor=None,
            path="/addresses",
            elsewise=elsewise(request, language),
            q=request.query_params.get("q", "")[: lookup.LONGEST],
            found=found,
        )

    async def _answer(self, request: Request, mailbox: Mailbox) -> dict[str, Any]:
        asked = request.query_params
        return await self.answer(request, mailbox, asked.get("q", ""), asked.get("page", "1"))

    async def answer(
        self, request: Request, mailbox: Mailbox, question: str, page: str = "1"
    ) -> dict[str, Any]:
        """Answer a question of a mailbox, within its allowance (``Problem`` otherwise)."""
        if wait := self._allowance.ask(mailbox.key, self._rooms.clock()):
            raise Problem("too-many", {"Retry-After": str(wait)})
        if not lookup.read(question):
            raise Problem("too-little")
        number = _number(page)
        if not 1 <= number <= addresses.last_page(self._rooms):
            raise Problem("no-page")
        found = await addresses.search(self._rooms, q=question, page=number, sender=mailbox.address)
        peer: Peer = request.state.peer
        self._rooms.notes.tell(
            "address.searched",
            {"who": mailbox.address, "ip": peer.ip, "listener": peer.listener},
        )
        return found


async def _described(request: Request) -> Response:
    del request
    octets = resources.files("gateway.web").joinpath("openapi.json").read_bytes()
    return Response(octets, headers={"Cache-Control": "no-cache"}, media_type="application/json")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _json(told: object) -> Response:
    return Response(msgspec.json.encode(told), media_type="application/json")
