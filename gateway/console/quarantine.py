"""The quarantine: the queue, one case, and what a reviewer does about it.

What a message says is shown by a form that says why, to those whose role it is; each look is in the
journal before anything is shown. Nothing of a message comes in this page's address. R-J2, R-I1.
"""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.console.around import Entry
from gateway.console.cases import STATES, choices, line, lines, picked, tone_of, whys
from gateway.console.frame import Frame
from gateway.console.preview import Preview, preview
from gateway.console.quarantine_words import WORDS
from gateway.operations.error import OperationError
from gateway.operations.quarantine import list_
from gateway.web import pages

QUARANTINE = "/console/quarantine"
LIVE = "/console/quarantine/live"
CASE = "/console/quarantine/{case}"
ENTRY = Entry(QUARANTINE, "quarantine")
_PAGE = 50
_LONGEST = 4000
_ENCRYPTED = "application/pgp-encrypted"


class Quarantine:
    """Its pages."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(QUARANTINE, self._queue, methods=["GET"]),
            Route(LIVE, self._live, methods=["GET"]),
            Route(CASE, self._case, methods=["GET"]),
            Route(f"{CASE}/look", self._look, methods=["POST"]),
            Route(f"{CASE}/decide", self._decide, methods=["POST"]),
            Route(f"{CASE}/choose", self._choose, methods=["POST"]),
            Route(f"{CASE}/note", self._note, methods=["POST"]),
            Route(f"{CASE}/preserve", self._preserve, methods=["POST"]),
            Route(f"{CASE}/escrow", self._escrow, methods=["POST"]),
        ]

    async def _queue(self, request: Request) -> Response:
        await self._frame.operator(request)
        query, language = request.query_params, pages.languages(request)
        state = query.get("state", STATES[0])
        state = state if state in STATES else STATES[0]
        known = choices(language)
        reason = next((each.slug for each in known if each.slug == query.get("reason")), "")
        after = query.get("after", "")[:80]
        try:
            found = await self._frame.perform(
                request, "quarantine.list", state=state, reason=reason, after=after, limit=_PAGE
            )
        except OperationError as error:
            return self._frame.refused(request, error, WORDS, 400)
        return self._frame.page(
            request,
            "quarantine.html",
            WORDS,
            drawn=self._drawn(request, found, state, reason),
            live=LIVE if state == STATES[0] and not reason and not after else "",
            found=found,
            state=state,
            states=STATES,
            reason=reason,
            reasons=known,
            after=after,
        )

    async def _live(self, request: Request) -> Response:
        """Draw the first page of what waits, whenever that changes; nobody asks, nothing is noted."""

        async def draw() -> str:
            found = await list_(self._frame.rooms, state=STATES[0], limit=_PAGE)
            return self._drawn(request, found, STATES[0], "")

        return self._frame.live(request, draw)

    def _drawn(self, request: Request, found: Any, state: str, reason: str) -> str:
        language, now = pages.languages(request), self._frame.rooms.clock()
        return self._frame.fragment(
            request,
            "quarantine-queue.html",
            WORDS,
            lines=lines(found["cases"], language, now),
            state=state,
            reason=reason,
        )

    async def _case(self, request: Request) -> Response:
        await self._frame.operator(request)
        return await self._page(request)

    async def _look(self, request: Request) -> Response:
        """Show what the message says, for a reason."""
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        why = fields.get("reason", "").strip()[:_LONGEST]
        try:
            told = await self._frame.perform(
                request, "quarantine.preview", case=_name(request), reason=why
            )
        except OperationError as error:
            return await self._page(request, 409, error=error)
        # In a thread: a long text is looked through letter by letter.
        shown = await asyncio.to_thread(preview, told, pages.languages(request))
        return await self._page(request, shown=shown, why=why, findings=told.get("findings", ()))

    async def _decide(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        verb = "refuse" if fields.get("act") == "refuse" else "release"
        # Their addresses were not on the page: those of citizens are shown to nobody.
        copies = self._frame.rooms.spool.several(self._seen(request, fields))
        if not copies:
            return await self._page(request, 400, wrong="nobody-picked", typed=fields)
        try:
            done = await self._frame.perform(
                request,
                f"quarantine.{verb}",
                case=_name(request),
                note=fields.get("note", "")[:_LONGEST],
                tell=fields.get("tell", "")[:_LONGEST],
                to=[copy.recipient.address for copy in copies],
            )
        except OperationError as error:
            return await self._page(request, 409, error=error, typed=fields)
        if done["status"] == "waiting":
            return self._frame.elsewhere(_path(request), "waiting")
        return self._frame.elsewhere(QUARANTINE, f"{verb.removesuffix('e')}ed")

    def _seen(self, request: Request, fields: dict[str, str]) -> list[str]:
        """Return the copies that were ticked and are this case's: of others nothing is told."""
        case = self._frame.rooms.register.find(_name(request))
        own = {one.delivery for one in case.copies} if case else set()
        return [each for each in picked(fields) if each in own]

    async def _choose(self, request: Request) -> Response:
        """Say which mailbox a recipient's number stands for."""
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        return await self._changed(
            request,
            "quarantine.choose",
            "chosen",
            to=fields.get("to", "")[:320],
            note=fields.get("note", "")[:_LONGEST],
            number=fields.get("number", "")[:60],
        )

    async def _note(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        text = fields.get("text", "")[:_LONGEST]
        return await self._changed(request, "quarantine.note", "noted", text=text)

    async def _preserve(self, request: Request) -> Response:
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        lift = "lift" in fields
        return await self._changed(
            request,
            "quarantine.preserve",
            "lifted" if lift else "preserved",
            note=fields.get("note", "")[:_LONGEST],
            lift=lift,
        )

    async def _escrow(self, request: Request) -> Response:
        """Hand the whole message over, encrypted to those who may open it."""
        await self._frame.operator(request)
        fields = await self._frame.form(request)
        try:
            done = await self._frame.perform(
                request,
                "quarantine.escrow",
                case=_name(request),
                reason=fields.get("reason", "")[:_LONGEST],
            )
        except OperationError as error:
            return await self._page(request, 409, error=error)
        if done["status"] == "waiting":
            return self._frame.elsewhere(_path(request), "waiting")
        return FileResponse(done["path"], media_type=_ENCRYPTED, filename=done["name"])

    async def _changed(
        self, request: Request, verb: str, said: str, **arguments: object
    ) -> Response:
        try:
            done = await self._frame.perform(request, verb, case=_name(request), **arguments)
        except OperationError as error:
            return await self._page(request, 409, error=error)
        waits = done.get("status") == "waiting"
        return self._frame.elsewhere(_path(request), "waiting" if waits else said)

    async def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        error: OperationError | None = None,
        wrong: str = "",
        shown: Preview | None = None,
        why: str = "",
        findings: Any = (),
        typed: dict[str, str] | None = None,
    ) -> Response:
        try:
            case = await self._frame.perform(request, "quarantine.show", case=_name(request))
        except OperationError as missing:
            return self._frame.refused(request, missing, WORDS, 404)
        language = pages.languages(request)
        return self._frame.page(
            request,
            "quarantine-case.html",
            WORDS,
            status,
            case=case,
            line=line(case, language, self._frame.rooms.clock()),
            copies=[
                (each, whys(each["reasons"], language), tone_of(each["state"]))
                for each in case["copies"]
            ],
            at=f"{QUARANTINE}/{case['id']}",
            shown=shown,
            why=why,
            findings=[(whys([each["reason"]], language)[0], each["detail"]) for each in findings],
            error=self._frame.told(request, error) if error else None,
            wrong=wrong,
            typed=typed or {},
        )


def _name(request: Request) -> str:
    return str(request.path_params["case"])[:40]


def _path(request: Request) -> str:
    return f"{QUARANTINE}/{_name(request)}"
