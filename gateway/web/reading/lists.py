"""Folders and what lies in them: the list, a search in it, and what is done to several at once."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.web.account.session import Visitor
from gateway.web.problem import Problem
from gateway.web.reading import acts
from gateway.web.reading.places import Place
from gateway.web.reading.room import PURPOSE, Room
from gateway.web.reading.rows import rows, search
from gateway.web.reading.shown import line
from imap.folder import UidSet
from imap.principal import Act
from imap.store import Entry

_MOST_FOUND = 100
_LONGEST_QUESTION = 200


class Lists:
    """The pages of folders."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._store = room.rooms.mailboxes

    def routes(self) -> list[Route]:
        """Return the routes."""
        route = self._room.route
        return [
            route("/read", self._inbox),
            route("/read/{folder:int}", self._folder),
            route("/read/{folder:int}", self._act, "POST"),
            route("/read/{folder:int}/search", self._search, "POST"),
            route("/read/{folder:int}/search", self._forgotten),
        ]

    async def _inbox(self, request: Request, visitor: Visitor) -> Response:
        return await self._page(request, visitor, self._room.places.inbox(visitor))

    async def _folder(self, request: Request, visitor: Visitor) -> Response:
        return await self._page(request, visitor, self._place(request, visitor))

    def _place(self, request: Request, visitor: Visitor) -> Place:
        return self._room.places.folder(request, visitor, str(request.path_params["folder"]))

    async def _page(self, request: Request, visitor: Visitor, place: Place) -> Response:
        most = self._room.rooms.settings.reading.page
        text = request.query_params.get("before", "")
        before = int(text) if text.isascii() and text.isdecimal() and len(text) < 11 else None
        found = self._store.latest(
            place.box.mailbox.id, place.folder.name, before=before, limit=most + 1
        )
        older = found[-most].uid if len(found) > most else None
        return await self._listed(
            request, visitor, place, found[-most:], older=older, before=before, question=""
        )

    async def _listed(
        self,
        request: Request,
        visitor: Visitor,
        place: Place,
        entries: list[Entry],
        **values: Any,
    ) -> Response:
        return self._room.page(
            request,
            visitor,
            "list",
            place,
            rows=await rows(
                self._store, place, entries, self._room.language(request), self._room.rooms.clock()
            ),
            said=request.query_params.get("said", ""),
            **{"search": None, "older": None, "before": None, **values},
        )

    async def _search(self, request: Request, visitor: Visitor) -> Response:
        """Search by POST: what was looked for stays in no browser's history."""
        fields = await self._room.visitors.form(request, visitor, PURPOSE)
        place = self._place(request, visitor)
        question = line(fields.get("q", ""), _LONGEST_QUESTION)
        if not question:
            return await self._page(request, visitor, place)
        found = await search(self._store, place, question, _MOST_FOUND)
        if not place.box.own:
            act = Act("searched", place.folder, UidSet())
            await self._room.places.acted(request, visitor, act)
        return await self._listed(
            request, visitor, place, list(found.entries), search=found, question=question
        )

    async def _forgotten(self, request: Request, visitor: Visitor) -> Response:
        """What was looked for is known no more: show the folder, in the language that was chosen."""
        place = self._place(request, visitor)
        return RedirectResponse(f"{place.path}?lang={self._room.language(request)}", 303)

    async def _act(self, request: Request, visitor: Visitor) -> Response:
        fields = await self._room.visitors.form(request, visitor, PURPOSE)
        place = self._place(request, visitor)
        ticked = [name[1:] for name in fields if name[:1] == "m"]
        if not all(text.isascii() and text.isdecimal() and len(text) < 11 for text in ticked):
            raise Problem("bad-request")
        uids = UidSet.of(uid for text in ticked if (uid := int(text)))
        if len(uids):
            await acts.act(self._room, request, visitor, place, uids, fields)
        said = "done" if len(uids) else "nothing-chosen"
        return RedirectResponse(f"{place.path}?said={said}", 303)
