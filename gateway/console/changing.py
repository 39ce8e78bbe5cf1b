"""A change of the list: read by its causes, then approved or rejected; and every one before it. R-C6."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.changes import amount, chapters, domains_of, lines, seats, tally, whys
from gateway.console.frame import Frame
from gateway.console.trust_words import WORDS
from gateway.operations.error import OperationError
from gateway.web import pages

CHANGES = "/console/trust/changes"
APPROVE = "/console/trust/changes/approve"
REJECT = "/console/trust/changes/reject"
_HISTORY = 50


class Changing:
    """The page, and its two verbs."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(CHANGES, self._shown, methods=["GET"]),
            Route(APPROVE, self._approve, methods=["POST"]),
            Route(REJECT, self._reject, methods=["POST"]),
        ]

    async def _shown(self, request: Request) -> Response:
        operator = await self._frame.operator(request)
        version = request.query_params.get("version", "")[:64] or None
        try:
            changes = await self._frame.perform(
                request, "trust.diff", version=version, domains=True
            )
        except OperationError as error:
            return self._frame.refused(request, error, WORDS, 404)
        history = await self._frame.perform(request, "trust.history", limit=_HISTORY)
        language = pages.languages(request)
        whole = _number(request.query_params.get("row", ""))
        return self._frame.page(
            request,
            "trust-changes.html",
            WORDS,
            changes=[_change(each, language, whole, operator.actor) for each in changes],
            version=version,
            history=history,
            chapters=chapters(history["history"], language),
            amount=lambda number: amount(number, language),
            domains_of=lambda number: domains_of(number, language),
        )

    async def _approve(self, request: Request) -> Response:
        fields = await self._frame.acted(request, back=CHANGES)
        try:
            done = await self._frame.perform(
                request, "trust.approve", digest=fields.get("digest", "")
            )
        except OperationError as error:
            return self._frame.refused(request, error, WORDS)
        return self._frame.elsewhere(CHANGES, "waiting" if done["missing"] else "approved")

    async def _reject(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        try:
            await self._frame.perform(
                request,
                "trust.reject",
                digest=fields.get("digest") or None,
                reason=fields.get("reason", "")[:1000],
            )
        except OperationError as error:
            return self._frame.refused(request, error, WORDS)
        return self._frame.elsewhere(CHANGES, "rejected")


def _change(told: dict[str, Any], language: str, whole: int | None, actor: str) -> dict[str, Any]:
    """Return one change as the page shows it; of a past one there is nobody to ask."""
    rows = told["rows"]
    waits = "needed" in told
    return {
        **told,
        "waits": waits,
        "lines": lines(rows, language, whole),
        "tally": tally(rows),
        "whys": whys(told["why"], language) if waits else (),
        "seats": seats(told["approvals"], told["needed"]) if waits else (),
        "agreed": waits and actor in told["approvals"],
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None
