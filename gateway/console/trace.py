"""*Trace*: the telephone call "my message did not arrive".

Whatever the caller has is typed into one field; the answer is the message's whole story. What is
typed may be an address, so it is sent and never stands in a page's own address. R-G6.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console import happenings
from gateway.console.around import Entry
from gateway.console.frame import Frame
from gateway.console.trace_words import WORDS
from gateway.operations.error import OperationError

TRACE = "/console/trace"
STORY = "/console/trace/{message}"
ENTRY = Entry(TRACE, "trace")
_PAGE = 25
_FIELDS = ("what", "since", "until", "before")
_LONG = 500  # characters of a question


class Trace:
    """The search, and one message."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(TRACE, self._search, methods=["GET", "POST"]),
            Route(STORY, self._story, methods=["GET", "POST"]),
        ]

    async def _search(self, request: Request) -> Response:
        await self._frame.operator(request)
        form = request.query_params if request.method == "GET" else await self._frame.form(request)
        asked = {name: str(form.get(name, "")).strip()[:_LONG] for name in _FIELDS}
        if request.method == "GET":
            asked["what"] = _harmless(asked["what"])
        error, found = None, None
        try:
            found = await self._frame.perform(
                request,
                "trace.find",
                what=asked["what"],
                since=asked["since"] or None,
                until=asked["until"] or None,
                before=asked["before"],
                limit=_PAGE,
            )
        except OperationError as caught:
            error = self._frame.told(request, caught)
        if found and asked["what"] and found["kind"] == "message" and len(found["messages"]) == 1:
            return self._frame.elsewhere(f"{TRACE}/{found['messages'][0]['message']}")
        return self._frame.page(
            request,
            "trace.html",
            WORDS,
            200 if error is None else 404,
            asked=asked,
            found=found,
            error=error,
            **_words(),
        )

    async def _story(self, request: Request) -> Response:
        await self._frame.operator(request)
        message = request.path_params["message"][:80]
        shown = None
        try:
            if request.method == "POST":
                form = await self._frame.form(request)
                why = form.get("why", "")
                shown = await self._frame.perform(request, "trace.reveal", what=message, why=why)
            story = await self._frame.perform(request, "trace.story", what=message)
        except OperationError as error:
            return self._frame.refused(request, error, WORDS, 404)
        return self._frame.page(
            request,
            "trace-story.html",
            WORDS,
            story=story,
            steps=paced(story["steps"]),
            shown=shown,
            **_words(),
        )


def paced(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the steps with how long after the one before each came, in seconds; none for at once.

    What happened again and again without a change is one step, with how often and until when.
    """
    told: list[dict[str, Any]] = []
    before: datetime | None = None
    for step in steps:
        at = datetime.fromisoformat(step["at"])
        later = 0.0 if before is None else (at - before).total_seconds()
        before = at
        if told and _same(told[-1], step):
            told[-1]["times"] += 1
            told[-1]["until"] = step["at"]
        else:
            told.append({**step, "later": later if later >= 1 else None, "times": 1, "until": ""})
    return told


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(name) == other.get(name) for name in _TOLD)


_TOLD = ("kind", "event", "actor", "who", "whom", "reason", "said", "notice", "sent")


def _harmless(what: str) -> str:
    """Return what an address of a page may ask: never somebody's own."""
    return "" if "@" in what.strip("<>@") and not what.startswith("<") else what


def _words() -> dict[str, Any]:
    return {
        "naming": happenings.naming,
        "because": happenings.because,
        "tone": happenings.tone,
        "mood": happenings.mood,
    }
