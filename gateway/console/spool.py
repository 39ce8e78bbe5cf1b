"""*Spool*: what waits, by where it is going; what to do about it stands beside it.

Live: who watches a peer come back sees its mail go. Retry, hold and resume are for a domain or a
message; a message that is cancelled ends, and its sender is told. R-A5.
"""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console import happenings
from gateway.console.around import Entry
from gateway.console.critical import Critical, waiting
from gateway.console.frame import Frame
from gateway.console.large import Large
from gateway.console.spool_words import WORDS
from gateway.operations.error import OperationError
from gateway.operations.peers import peers

SPOOL = "/console/spool"
ENTRY = Entry(SPOOL, "spool")
_PAGE = 50
_EVERY = 5.0  # seconds between two looks
_VERBS = {"retry": "spool.retry", "cancel": "spool.cancel"}
_PATIENCE = {"hold": "spool.hold", "resume": "spool.resume"}


class Spool:
    """The peers, one peer's mail, and what can be done."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(SPOOL, self._peers, methods=["GET"]),
            Route(f"{SPOOL}/live", self._live, methods=["GET"]),
            Route(f"{SPOOL}/of/{{domain}}", self._peer, methods=["GET"]),
            *(
                Route(f"{SPOOL}/{name}", partial(self._move, verb=verb), methods=["POST"])
                for name, verb in _VERBS.items()
            ),
            *(
                Route(f"{SPOOL}/{name}", partial(self._patience, verb=verb), methods=["POST"])
                for name, verb in _PATIENCE.items()
            ),
            *Large(self._frame).routes(),
            *Critical(self._frame).routes(),
        ]

    async def _peers(self, request: Request) -> Response:
        await self._frame.operator(request)
        found = await self._frame.perform(request, "spool.peers")
        critical = waiting(self._frame.rooms)
        return self._frame.page(request, "spool.html", WORDS, critical=critical, **_shown(found))

    async def _live(self, request: Request) -> Response:
        async def draw() -> str:
            # Not as a verb: the journal knows who opened the page, and need not know every blink.
            shown = _shown(await peers(self._frame.rooms))
            return self._frame.fragment(request, "spool-peers.html", WORDS, **shown)

        return self._frame.live(request, draw, _EVERY)

    async def _peer(self, request: Request) -> Response:
        await self._frame.operator(request)
        domain = request.path_params["domain"][:300]
        after = request.query_params.get("after", "")[:40]
        try:
            found = await self._frame.perform(
                request, "spool.waiting", domain=domain, after=after, limit=_PAGE
            )
            every = await self._frame.perform(request, "spool.peers")
        except OperationError as error:
            return self._frame.refused(request, error, WORDS, 404)
        peer = next((one for one in every if one["domain"] == found["domain"]), None)
        return self._frame.page(
            request,
            "spool-peer.html",
            WORDS,
            peer=peer,
            found=found,
            first=bool(after),
            naming=happenings.naming,
            tone=happenings.tone,
        )

    async def _move(self, request: Request, *, verb: str) -> Response:
        """Retry or cancel a message, or retry all that waits for a domain."""
        await self._frame.operator(request)
        form = await self._frame.form(request)
        what, domain = form.get("what", "")[:200], form.get("domain", "")[:300]
        arguments = {"what": what} if what else {"domain": domain}
        try:
            await self._frame.perform(request, verb, **arguments)
        except OperationError as error:
            return self._frame.refused(request, error, WORDS)
        return self._frame.elsewhere(_back(domain), said=verb.replace("spool.", "spool-"))

    async def _patience(self, request: Request, *, verb: str) -> Response:
        """Let mail for a domain not grow old, or grow old again."""
        await self._frame.operator(request)
        form = await self._frame.form(request)
        domain, why = form.get("domain", "").strip()[:300], form.get("why", "").strip()[:500]
        arguments = {"domain": domain, "why": why} if verb == "spool.hold" else {"domain": domain}
        try:
            await self._frame.perform(request, verb, **arguments)
        except OperationError as error:
            return self._frame.refused(request, error, WORDS)
        return self._frame.elsewhere(_back(domain), said=verb.replace("spool.", "spool-"))


def _shown(peers: Any) -> dict[str, Any]:
    return {
        "peers": peers,
        "most": max((one["waiting"] for one in peers), default=0),
        "sum": {
            name: sum(one[name] for one in peers) for name in ("waiting", "held", "inspecting")
        },
    }


def _back(domain: str) -> str:
    # A domain's page only for what can be one: nothing else is put into an address.
    plain = domain.isascii() and all(letter.isalnum() or letter in ".-" for letter in domain)
    return f"{SPOOL}/of/{domain}" if domain and plain else SPOOL
