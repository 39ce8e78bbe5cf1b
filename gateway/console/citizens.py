"""*Patients*: who objects to being written to, and whom one of them may answer. R-G2, R-G5.

For reviewers alone. A patient is named by what was typed: it is sent, and stands in no page's address; what is
listed shows the domain of their addresses and no more. R-G6.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.accounts.operators import Role
from gateway.console.around import Entry
from gateway.console.citizens_words import WORDS
from gateway.console.frame import Frame
from gateway.operations.error import OperationError

CITIZENS = "/console/citizens"
ENTRY = Entry(CITIZENS, "citizens", Role.REVIEWER)
_LONGEST = {"address": 320, "reason": 500}


class Citizens:
    """The list of objections, and one patient."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(CITIZENS, self._list, methods=["GET"]),
            Route(CITIZENS, self._shown, methods=["POST"]),
            Route(f"{CITIZENS}/oppose", self._oppose, methods=["POST"]),
            Route(f"{CITIZENS}/allow", self._allow, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        await self._frame.operator(request, Role.REVIEWER)
        return await self._page(request, "")

    async def _shown(self, request: Request) -> Response:
        asked = await self._asked(request)
        return await self._page(request, asked["address"])

    async def _oppose(self, request: Request) -> Response:
        return await self._done(request, "citizen.oppose", "opposed")

    async def _allow(self, request: Request) -> Response:
        return await self._done(request, "citizen.allow", "allowed")

    async def _done(self, request: Request, verb: str, said: str) -> Response:
        """Note it, and show the patient as they stand then: their number is in no address."""
        asked = await self._asked(request)
        try:
            await self._frame.perform(request, verb, **asked)
        except OperationError as error:
            return await self._page(request, asked["address"], error)
        return await self._page(request, asked["address"], done=said)

    async def _asked(self, request: Request) -> dict[str, str]:
        await self._frame.operator(request, Role.REVIEWER)
        fields = await self._frame.form(request)
        return {name: fields.get(name, "").strip()[:most] for name, most in _LONGEST.items()}

    async def _page(
        self, request: Request, address: str, error: OperationError | None = None, done: str = ""
    ) -> Response:
        found: Any = None
        if address:
            try:
                found = await self._frame.perform(request, "citizen.show", address=address)
            except OperationError as unknown:
                error = error or unknown
        return self._frame.page(
            request,
            "citizens.html",
            WORDS,
            409 if error else 200,
            listed=await self._frame.perform(request, "citizen.list"),
            found=found,
            address=address,
            done=done,
            error=self._frame.told(request, error) if error else None,
        )
