"""*Journal*: who did what, when, and whether anybody changed the record.

Searched by what a row is; checked in one press; exported whole for an auditor. What is typed may be
an address, so it is sent and never stands in a page's own address. R-I1, R-G6.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from gateway.console import happenings
from gateway.console.around import Entry
from gateway.console.frame import Frame
from gateway.console.journal_words import WORDS
from gateway.operations.error import OperationError

JOURNAL = "/console/journal"
ENTRY = Entry(JOURNAL, "journal")
_PAGE = 50
_FIELDS = ("event", "actor", "who", "message", "text", "since", "until")
_LONG = 300
_LINES = 500  # rows of the export in one go


class Journal:
    """The search, the check, the export."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(JOURNAL, self._search, methods=["GET", "POST"]),
            Route(f"{JOURNAL}/verify", self._verify, methods=["POST"]),
            Route(f"{JOURNAL}/export", self._export, methods=["POST"]),
        ]

    async def _search(self, request: Request) -> Response:
        await self._frame.operator(request)
        form: Any = {}
        if request.method == "POST":
            form = await self._frame.form(request)
        asked = {name: str(form.get(name, "")).strip()[:_LONG] for name in _FIELDS}
        before = str(form.get("before", ""))
        arguments = {name: asked[name] for name in _FIELDS[:5]}
        error, found = None, None
        try:
            found = await self._frame.perform(
                request,
                "journal.search",
                **arguments,
                since=asked["since"] or None,
                until=asked["until"] or None,
                before=int(before) if before.isdecimal() else None,
                limit=_PAGE,
            )
        except OperationError as caught:
            error = self._frame.told(request, caught)
        return await self._page(request, asked, found=found, error=error)

    async def _verify(self, request: Request) -> Response:
        await self._frame.operator(request)
        await self._frame.form(request)
        verdict, tampered = None, None
        try:
            verdict = await self._frame.perform(request, "journal.verify")
        except OperationError as error:
            tampered = self._frame.told(request, error)
        asked = dict.fromkeys(_FIELDS, "")
        return await self._page(request, asked, verdict=verdict, tampered=tampered)

    async def _page(self, request: Request, asked: dict[str, str], **values: Any) -> Response:
        shown = {"found": None, "error": None, "verdict": None, "tampered": None, **values}
        names = await self._frame.rooms.journal.events()
        return self._frame.page(
            request,
            "journal.html",
            WORDS,
            400 if shown["error"] else 200,
            asked=asked,
            kinds=sorted({f"{name.partition('.')[0]}." for name in names}),
            events=names,
            naming=happenings.naming,
            **shown,
        )

    async def _export(self, request: Request) -> Response:
        await self._frame.operator(request)
        await self._frame.form(request)
        first = await self._frame.perform(request, "journal.export", limit=_LINES)
        return StreamingResponse(
            self._lines(request, first),
            media_type="application/jsonl",
            headers={
                "Content-Disposition": 'attachment; filename="journal.jsonl"',
                "Cache-Control": "no-store",
            },
        )

    async def _lines(self, request: Request, page: Any) -> AsyncIterator[bytes]:
        """Yield the export page by page: the proof that it is whole comes last."""
        yield _ENCODER.encode(page["begins"]) + b"\n"
        while True:
            yield b"".join(_ENCODER.encode(line) + b"\n" for line in page["rows"])
            if page["ends"] is not None:
                break
            after = page["rows"][-1]["seq"]
            page = await self._frame.perform(request, "journal.export", after=after, limit=_LINES)
        yield _ENCODER.encode(page["ends"]) + b"\n"


_ENCODER = msgspec.json.Encoder()
