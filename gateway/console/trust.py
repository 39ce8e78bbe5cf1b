"""The trust list: how its sources stand, its members, and one member whole. R-C4, R-C6."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.around import Entry
from gateway.console.changing import Changing
from gateway.console.denying import Denying
from gateway.console.explaining import Explaining
from gateway.console.frame import Frame
from gateway.console.trust_words import WORDS
from gateway.operations.error import OperationError
from gateway.operations.veil import veiled

TRUST = "/console/trust"
MEMBER = "/console/trust/members/{domain}"
ENTRY = Entry(TRUST, "trust")
_PAGE = 50
_TONES = {"good": "well", "ageing": "wait", "stale": "ill", "none": "ill", "waiting": "wait"}


class Source(NamedTuple):
    """One source as a card shows it."""

    told: Mapping[str, Any]
    state: str  # good, ageing, stale, none, waiting, problem
    tone: str
    left: int  # of its life, in hundredths


class Trust:
    """The first of its pages, and the others."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(TRUST, self._overview, methods=["GET"]),
            Route(MEMBER, self._member, methods=["GET"]),
            *Explaining(self._frame).routes(),
            *Changing(self._frame).routes(),
            *Denying(self._frame).routes(),
        ]

    async def _overview(self, request: Request) -> Response:
        await self._frame.operator(request)
        query = request.query_params
        search, after = query.get("q", "").strip()[:200], query.get("after", "")[:300]
        shown = await self._frame.perform(
            request, "trust.show", search=search, after=after, limit=_PAGE
        )
        now = self._frame.rooms.clock()
        return self._frame.page(
            request,
            "trust.html",
            WORDS,
            sources=[source(each, now) for each in shown["sources"]],
            shown=shown,
            search=search,
            after=after,
        )

    async def _member(self, request: Request) -> Response:
        await self._frame.operator(request)
        domain = request.path_params["domain"][:300]
        try:
            member = await self._frame.perform(request, "trust.show", domain=domain)
        except OperationError as error:
            return self._frame.refused(request, error, WORDS, 404)
        denials = await self._frame.perform(request, "trust.denials")
        return self._frame.page(
            request,
            "trust-member.html",
            WORDS,
            member=veiled(member, self._frame.rooms.settings.journal.citizens),
            denied=[each for each in denials if each["what"] == member["domain"]],
        )


def source(told: Mapping[str, Any], now: datetime) -> Source:
    """Return how a source stands, in one word and one tone, and how much life it has left."""
    state = "waiting" if told["pending"] and told["state"] in _TONES else str(told["state"])
    state = state if state in _TONES else "problem"
    return Source(told, state, _TONES.get(state, "ill"), _left(told, now))


def _left(told: Mapping[str, Any], now: datetime) -> int:
    if not told["issued"] or not told["stale_after"]:
        return 0
    begins, ends = (datetime.fromisoformat(told[name]) for name in ("issued", "stale_after"))
    whole, left = (ends - begins).total_seconds(), (ends - now).total_seconds()
    return round(100 * min(1.0, max(0.0, left / whole))) if whole > 0 else 0
