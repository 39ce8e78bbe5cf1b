"""Our own word: whom we deny whatever a list says, and over which certificate a bridge stands. R-C6, R-A5."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.frame import Frame
from gateway.console.trust_words import WORDS
from gateway.operations.error import OperationError
from gateway.operations.veil import veiled

DENIALS = "/console/trust/denials"
DENY = "/console/trust/denials/deny"
ALLOW = "/console/trust/denials/allow"
BRIDGE = "/console/trust/denials/bridge"
UNBRIDGE = "/console/trust/denials/unbridge"
_LONGEST = 1000


class Denying:
    """The page, and its four verbs."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(DENIALS, self._shown, methods=["GET"]),
            Route(DENY, self._deny, methods=["POST"]),
            Route(ALLOW, self._allow, methods=["POST"]),
            Route(BRIDGE, self._bridge, methods=["POST"]),
            Route(UNBRIDGE, self._unbridge, methods=["POST"]),
        ]

    async def _shown(self, request: Request) -> Response:
        await self._frame.operator(request)
        return await self._page(request)

    async def _deny(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        asked = {name: fields.get(name, "").strip()[:_LONGEST] for name in ("what", "reason")}
        try:
            done = await self._frame.perform(request, "trust.deny", **asked)
        except OperationError as error:
            return await self._page(request, 409, error=error, asked=asked)
        return await self._page(request, done=done)

    async def _allow(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        denials = await self._frame.perform(request, "trust.denials")
        # Named by its number: what is denied may be an address that is not shown.
        what = next(
            (each["what"] for each in denials if str(each["denial"]) == fields.get("denial")), ""
        )
        return await self._changed(
            request, "lifted", "trust.allow", what=what, reason=fields.get("reason", "")[:_LONGEST]
        )

    async def _bridge(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        asked: dict[str, Any] = {"domain": fields.get("domain", "").strip()[:_LONGEST]}
        if fields.get("hours"):
            asked["hours"] = _hours(fields["hours"])
        try:
            done = await self._frame.perform(
                request, "trust.bridge", why=fields.get("why", "")[:_LONGEST], **asked
            )
        except OperationError as error:
            return self._frame.refused(request, error, WORDS)
        return self._frame.elsewhere(DENIALS, "bridged" if done["stands"] else "waiting")

    async def _unbridge(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        return await self._changed(
            request, "unbridged", "trust.unbridge", domain=fields.get("domain", "")
        )

    async def _changed(
        self, request: Request, said: str, verb: str, **arguments: object
    ) -> Response:
        try:
            await self._frame.perform(request, verb, **arguments)
        except OperationError as error:
            return self._frame.refused(request, error, WORDS)
        return self._frame.elsewhere(DENIALS, said)

    async def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        done: dict[str, Any] | None = None,
        error: OperationError | None = None,
        asked: dict[str, str] | None = None,
    ) -> Response:
        denials = await self._frame.perform(request, "trust.denials")
        query, citizens = request.query_params, self._frame.rooms.settings.journal.citizens
        return self._frame.page(
            request,
            "trust-denials.html",
            WORDS,
            status,
            denials=veiled(list(reversed(denials)), citizens),
            bridges=await self._frame.perform(request, "trust.bridges"),
            bridging=self._frame.rooms.settings.certificates.bridge,
            done=veiled(done, citizens) if done else None,
            error=self._frame.told(request, error) if error else None,
            asked=asked or {"what": query.get("what", "")[:300], "reason": ""},
        )


def _hours(text: str) -> float:
    """Return how many hours somebody typed; what is no number is too many."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return 0.0
