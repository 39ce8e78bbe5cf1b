"""Writing: a page that holds a letter until it is sent, without a script and without a copy.

One form does everything: it saves, attaches, looks addresses up, and sends. What was typed comes
back in the page whatever happens; what is kept, is kept in Drafts, sealed. R-I4, R-J1.
"""

import asyncio
from dataclasses import replace
from typing import NamedTuple
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.web.account.session import Turned, Visitor
from gateway.web.problem import Problem
from gateway.web.reading import content
from gateway.web.reading import letter as letters
from gateway.web.reading.acts import mark, move
from gateway.web.reading.beginning import HOWS, Beginning, Desk
from gateway.web.reading.drafts import Drafts, Files, Source, kept
from gateway.web.reading.hands import Hands
from gateway.web.reading.letter import Letter
from gateway.web.reading.messages import seen
from gateway.web.reading.places import Box
from gateway.web.reading.room import Room
from gateway.web.reading.sending import Objection, decide, send
from gateway.web.reading.shown import line, size
from gateway.web.reading.upload import Form
from imap.store import Mode
from smtp.address import Address
from smtp.envelope import Peer, Refusal
from trust.lookup import LONGEST

PURPOSE = "/read/write"
_FORM = 1 << 20  # octets of a form beside its files


class Shown(NamedTuple):
    """What the page says beside the letter."""

    said: str = ""
    objections: tuple[Objection, ...] = ()
    question: str = ""
    found: dict[str, object] | None = None


class Writing:
    """The pages of letters."""

    def __init__(self, room: Room) -> None:
        self._room, self._drafts, self._hands = room, Drafts(room), Hands(room)
        self._beginning = Beginning(room, self._hands, self._drafts)
        self._store = room.rooms.mailboxes
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[Route]:
        """Return the routes."""
        route, one = self._room.route, "/read/{folder:int}/{uid:int}"
        return [
            route("/read/write", self._blank),
            route("/read/write", self._written, "POST"),
            *(route(f"{one}/{how}", self._begun) for how in HOWS),
        ]

    # Beginning.

    async def _blank(self, request: Request, visitor: Visitor) -> Response:
        return self._page(request, visitor, Desk(self._beginning.blank(visitor)))

    async def _begun(self, request: Request, visitor: Visitor) -> Response:
        """Begin with a message: an answer to it, the same handed on, or a draft taken up again."""
        how, named = request.url.path.rpartition("/")[2], request.path_params
        name = f"{named['folder']}.{named['uid']}"
        source = await self._beginning.source(request, visitor, name)
        assert source is not None
        return self._page(
            request, visitor, await self._beginning.desk(request, visitor, source, how)
        )

    # The form.

    async def _written(self, request: Request, visitor: Visitor) -> Response:
        most = self._room.rooms.settings.reading.upload
        request.state.body.widen(most + _FORM)
        fields: dict[str, str] = {}
        form = Form(request.headers.get("content-type", ""), request.stream())
        first = await form.fields(fields)
        desk = await self._desk(request, visitor, fields)
        try:
            self._room.visitors.checked(request, visitor, fields.get("ticket", ""), PURPOSE)
        except Turned:
            # Somebody wrote for longer than a ticket holds: nothing is done, nothing is lost.
            await request.state.body.drain()
            return self._page(request, visitor, desk, Shown("old-page"), status=403)
        files = Files(form, first, fields, most)
        async with self._turns.setdefault(visitor.mailbox.id, asyncio.Lock()):
            return await self._done(request, visitor, desk, files, fields)

    async def _done(
        self, request: Request, visitor: Visitor, desk: Desk, files: Files, fields: dict[str, str]
    ) -> Response:
        what, _, more = fields.get("do", "").partition(" ")
        if what in {"", "save", "send"} or files.any:
            desk = await self._saved(request, visitor, desk, files)
            what, _, more = fields.get("do", "save").partition(" ")
        if what == "send":
            return await self._sent(request, visitor, desk)
        if what == "discard":
            return await self._discarded(visitor, desk)
        if what == "add":
            desk = replace(desk, letter=_added(desk.letter, more))
        elif what == "swap":
            desk = replace(desk, letter=_swapped(desk.letter, more))
        elif what == "search":
            return await self._looked_up(request, visitor, desk, fields.get("q", ""))
        return self._page(request, visitor, desk, Shown("saved" if what == "save" else ""))

    async def _desk(self, request: Request, visitor: Visitor, fields: dict[str, str]) -> Desk:
        """Read a form; what it names is looked up among what its visitor may see."""
        given = {name: fields.get(name, "") for name in Letter.__dataclass_fields__}
        given["sender"] = self._hands.sender(visitor, given["sender"].encode("utf-8", "replace"))
        letter = await asyncio.to_thread(letters.cleaned, Letter(**given))
        if letters.marked(letter.mark) is None:
            letter = replace(letter, mark=self._beginning.blank(visitor).mark)
        source = await self._beginning.source(request, visitor, fields.get("source", ""))
        if source is not None:
            source = replace(source, files=kept(source.files, fields))
        origin = await self._beginning.source(request, visitor, fields.get("origin", ""))
        how = fields.get("how", "")
        return Desk(letter, source, origin.name if origin else "", how if how in HOWS else "")

    async def _saved(self, request: Request, visitor: Visitor, desk: Desk, files: Files) -> Desk:
        """Put the letter into Drafts, in place of the draft it was."""
        box = self._room.places.boxes(visitor)[0]
        place = await self._room.places.for_use(box, "Drafts")
        before = desk.source
        if before is not None and before.files and not _is_draft(before, box):
            await self._room.places.opened(request, visitor, before.place, before.uids)
            await seen(self._room, request, visitor, before.place, before.stored)
        stored = await self._drafts.save(
            place, desk.letter, self._hands.hand(visitor, desk.letter), before, files
        )
        if before is not None and _is_draft(before, box) and before.place.may("te"):
            await self._drafts.remove(before.place, before.stored)
        return replace(desk, source=Source(place, stored, await self._drafts.files(stored)))

    async def _sent(self, request: Request, visitor: Visitor, desk: Desk) -> Response:
        """Decide, hand in, and file the draft as what was sent."""
        language, letter, draft = self._room.language(request), desk.letter, desk.source
        assert draft is not None
        if self._room.rooms.spool.sent_by(Address(letter.sender), message_id=letter.mark):
            await self._drafts.remove(draft.place, draft.stored)
            return await self._shown_as_sent(request, visitor, letter, None)
        peer: Peer = replace(request.state.peer, login=visitor.person, certificate=None)
        decided = decide(self._room, letter, peer, language)
        objections = decided.objections
        if not objections:
            blocks = self._store.stream(draft.stored)
            objections = tuple(await send(self._room, decided, blocks, language))
        if objections:
            self._journal(visitor, decided.draft.refused, peer)
            return self._page(request, visitor, desk, Shown("not-sent", objections), status=422)
        await self._answered(request, visitor, desk)
        return await self._shown_as_sent(request, visitor, letter, draft)

    async def _shown_as_sent(
        self, request: Request, visitor: Visitor, letter: Letter, draft: Source | None
    ) -> Response:
        boxes = self._room.places.boxes(visitor)
        box = next((b for b in boxes if b.mailbox.address == letter.sender), boxes[0])
        box = box if {"i", "w"} <= set(box.rights) else boxes[0]
        place = await self._room.places.for_use(box, "Sent")
        if draft is None:
            return RedirectResponse(f"{place.path}?said=sent-already", 303)
        uids = draft.uids
        await self._store.flag(draft.place.folder.id, uids, Mode.REMOVE, ["\\Draft"])
        for uid in await move(self._room, request, visitor, draft.place, uids, place):
            return RedirectResponse(f"{place.path}/{uid}?sent", 303)
        return RedirectResponse(f"{place.path}?said=sent-already", 303)

    async def _answered(self, request: Request, visitor: Visitor, desk: Desk) -> None:
        """Mark the message that was answered or handed on, where that may be done."""
        origin = await self._beginning.source(request, visitor, desk.origin)
        if origin is None or not origin.place.may("w"):
            return
        flag = "$Forwarded" if desk.how == "forward" else "\\Answered"
        await mark(self._room, request, visitor, origin.place, origin.uids, Mode.ADD, flag)

    async def _discarded(self, visitor: Visitor, desk: Desk) -> Response:
        box = self._room.places.boxes(visitor)[0]
        if desk.source is not None and _is_draft(desk.source, box):
            await self._drafts.remove(desk.source.place, desk.source.stored)
        return RedirectResponse("/read?said=done", 303)

    async def _looked_up(
        self, request: Request, visitor: Visitor, desk: Desk, question: str
    ) -> Response:
        question = line(question, LONGEST)
        said, found = "", None
        try:
            found = await self._room.directory.answer(request, visitor.mailbox, question)
        except Problem as problem:
            said = "look-up-many" if problem.status == 429 else "look-up-none"
        return self._page(request, visitor, desk, Shown(said, (), question, found))

    # The page.

    def _page(
        self,
        request: Request,
        visitor: Visitor,
        desk: Desk,
        shown: Shown | None = None,
        status: int = 200,
    ) -> Response:
        language, shown = self._room.language(request), shown or Shown()
        files = [content.attachment(part) for part in desk.source.files] if desk.source else []
        return self._room.page(
            request,
            visitor,
            "write",
            None,
            status=status,
            stays=True,
            desk=desk,
            letter=desk.letter,
            files=[(each, size(each.size, language)) for each in files],
            senders=self._hands.senders(visitor),
            most=size(self._room.rooms.settings.reading.upload, language),
            shown=shown,
            purpose=PURPOSE,
        )

    def _journal(self, visitor: Visitor, refused: tuple[Refusal, ...], peer: Peer) -> None:
        """Take note of whom somebody could not write to, as at every door."""
        for each in refused:
            facts = {
                "who": visitor.person,
                "whom": each.recipient.address,
                "listener": peer.listener,
                "said": str(each.reply),
            }
            self._room.rooms.notes.tell("recipient.refused", facts)


def _is_draft(source: Source, box: Box) -> bool:
    place = source.place
    return place.box.mailbox.id == box.mailbox.id and place.folder.special == "\\Drafts"


def _added(letter: Letter, text: str) -> Letter:
    """Add a recipient that was found: "to claire@chu.example"."""
    field, _, address = text.partition(" ")
    if field not in letters.FIELDS or not address:
        return letter
    before = str(getattr(letter, field))
    return letters.cleaned(
        replace(letter, **{field: f"{before}, {address}" if before else address})
    )


def _swapped(letter: Letter, text: str) -> Letter:
    """Put the address that was meant in the place of one that was refused: "2 claire@…"."""
    place, _, address = text.partition(" ")
    typed = letters.recipients(letter)
    if not place.isdecimal() or int(place) >= len(typed) or not address:
        return letter
    chosen = [
        one if at != int(place) else one._replace(text=address) for at, one in enumerate(typed)
    ]
    return letters.cleaned(
        replace(
            letter,
            **{
                field: ", ".join(one.text for one in chosen if one.field == field)
                for field in letters.FIELDS
            },
        )
    )
