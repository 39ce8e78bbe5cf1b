"""Writing: a page that holds a letter until it is sent, without a script and without a copy.

One form does everything: it saves, attaches, looks addresses up, and sends. What was typed comes
back in the page whatever happens; what is kept, is kept in Drafts, sealed. R-I4, R-J1.
"""

import asyncio
from dataclasses import dataclass, replace
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
from gateway.web.reading.drafts import Drafts, Files, Hand, Source, kept
from gateway.web.reading.letter import Letter
from gateway.web.reading.messages import header_of, moment, subject_of
from gateway.web.reading.places import Box
from gateway.web.reading.room import Room
from gateway.web.reading.rows import people
from gateway.web.reading.sending import Objection, decide, send
from gateway.web.reading.shown import line, size, when
from gateway.web.reading.upload import Form
from gateway.web.reading.words import W
from imap.folder import UidSet
from imap.store import Mode
from smtp.address import Address, key
from smtp.envelope import Peer, Refusal, new_message_id
from trust.addresses import Kind
from trust.lookup import LONGEST

PURPOSE = "/read/write"
_FORM = 1 << 20  # octets of a form beside its files
_PERSONAL = frozenset({Kind.PER, Kind.CAB})
_HOWS = ("reply", "reply-all", "forward", "edit")


@dataclass(frozen=True, slots=True)
class Desk:
    """The letter on a visitor's desk, with what belongs to it."""

    letter: Letter
    source: Source | None = None  # where its files lie
    origin: str = ""  # the message that it answers or hands on: "folder.uid"
    how: str = ""


class Shown(NamedTuple):
    """What the page says beside the letter."""

    said: str = ""
    objections: tuple[Objection, ...] = ()
    question: str = ""
    found: dict[str, object] | None = None


class Writing:
    """The pages of letters."""

    def __init__(self, room: Room) -> None:
        self._room, self._drafts = room, Drafts(room)
        self._store = room.rooms.mailboxes
        self._hands: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[Route]:
        """Return the routes."""
        route, one = self._room.route, "/read/{folder:int}/{uid:int}"
        return [
            route("/read/write", self._blank),
            route("/read/write", self._written, "POST"),
            *(route(f"{one}/{how}", self._begun) for how in _HOWS),
        ]

    # Beginning.

    async def _blank(self, request: Request, visitor: Visitor) -> Response:
        return self._page(request, visitor, Desk(self._new(visitor)))

    def _new(self, visitor: Visitor) -> Letter:
        site = self._room.rooms.settings.site
        mark = f"<{new_message_id(self._room.rooms.clock())}@{site.host}>"
        return Letter(visitor.person, mark)

    async def _begun(self, request: Request, visitor: Visitor) -> Response:
        """Begin with a message: an answer to it, the same handed on, or a draft taken up again."""
        how = request.url.path.rpartition("/")[2]
        named = request.path_params
        source = await self._source(request, visitor, f"{named['folder']}.{named['uid']}")
        assert source is not None
        await self._room.places.opened(request, visitor, source.place, source.stored)
        letter = await self._start(request, visitor, source, how)
        if not letter.mark:
            letter = replace(letter, mark=self._new(visitor).mark)
        carried = source if how in {"forward", "edit"} else None
        origin = source.name if how != "edit" else ""
        return self._page(request, visitor, Desk(letter, carried, origin, how))

    async def _start(self, request: Request, visitor: Visitor, source: Source, how: str) -> Letter:
        language = self._room.language(request)
        w = W[language]
        header = await header_of(self._store, source.stored)
        shape = await content.shape(self._store, source.stored)
        shown = [
            await content.read(self._store, source.stored, part, (w["link"], w["image"]))
            for part in shape.texts
        ]
        texts = await asyncio.to_thread(lambda: [content.plain(each) for each in shown])
        at = when(moment(source.stored), language)
        text = "\n".join(texts)
        original = letters.Original(header, text, at)
        if how == "edit":
            sender = self._sender(visitor, header.first("from") or b"")
            return letters.opened(header, sender, text)
        whose = source.place.box.mailbox.address
        sender = whose if self._may_send_as(visitor, whose) else visitor.person
        if how == "forward":
            intro, colon = [w["forwarded"]], "\N{NO-BREAK SPACE}:" if language == "fr" else ":"
            for field in ("from", "to", "cc"):
                named = ", ".join(f"{p.name} <{p.address}>" for p in people(header.all(field)))
                intro += [f"{w[field]}{colon} {named}"] if named else []
            intro += [f"{w['date']}{colon} {at}", f"{w['subject']}{colon} {subject_of(header)}"]
            return replace(letters.forward(original, intro), sender=sender)
        author = next(iter(people(header.all("from"))), None)
        intro_line = f"{w['on']} {at}, {author.short if author else ''} {w['wrote']}"
        own = frozenset({key(visitor.person), key(whose)})
        begun = letters.reply(original, own, everybody=how == "reply-all", intro=intro_line)
        return replace(begun, sender=sender)

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
        async with self._hands.setdefault(visitor.mailbox.id, asyncio.Lock()):
            return await self._done(request, visitor, desk, files, fields)

    async def _done(
        self, request: Request, visitor: Visitor, desk: Desk, files: Files, fields: dict[str, str]
    ) -> Response:
        what, _, more = fields.get("do", "").partition(" ")
        if what in {"", "save", "send"} or files.any:
            desk = await self._saved(visitor, desk, files)
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
        given["sender"] = self._sender(visitor, given["sender"].encode("utf-8", "replace"))
        letter = await asyncio.to_thread(letters.cleaned, Letter(**given))
        if letters.marked(letter.mark) is None:
            letter = replace(letter, mark=self._new(visitor).mark)
        source = await self._source(request, visitor, fields.get("source", ""))
        if source is not None:
            source = replace(source, files=kept(source.files, fields))
        origin = await self._source(request, visitor, fields.get("origin", ""))
        how = fields.get("how", "")
        return Desk(letter, source, origin.name if origin else "", how if how in _HOWS else "")

    async def _source(self, request: Request, visitor: Visitor, name: str) -> Source | None:
        if not name:
            return None
        folder, _, uid = name.partition(".")
        place = self._room.places.folder(request, visitor, folder)
        stored = await self._room.places.message(request, visitor, place, uid)
        return Source(place, stored, await self._drafts.files(stored))

    async def _saved(self, visitor: Visitor, desk: Desk, files: Files) -> Desk:
        """Put the letter into Drafts, in place of the draft it was."""
        box = self._room.places.boxes(visitor)[0]
        place = await self._room.places.for_use(box, "Drafts")
        before = desk.source
        stored = await self._drafts.save(
            place, desk.letter, self._hand(visitor, desk.letter), before, files
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
        uids = UidSet.of([draft.stored.row.uid])
        await self._store.flag(draft.place.folder.id, uids, Mode.REMOVE, ["\\Draft"])
        for uid in await move(self._room, request, visitor, draft.place, uids, place):
            return RedirectResponse(f"{place.path}/{uid}?sent", 303)
        return RedirectResponse(f"{place.path}?said=sent-already", 303)

    async def _answered(self, request: Request, visitor: Visitor, desk: Desk) -> None:
        """Mark the message that was answered or handed on, where that may be done."""
        origin = await self._source(request, visitor, desk.origin)
        if origin is None or not origin.place.may("w"):
            return
        flag = "$Forwarded" if desk.how == "forward" else "\\Answered"
        uids = UidSet.of([origin.stored.row.uid])
        await mark(self._room, request, visitor, origin.place, uids, Mode.ADD, flag)

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
            senders=self._senders(visitor),
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

    # In whose name.

    def _senders(self, visitor: Visitor) -> list[Address]:
        boxes = self._room.places.boxes(visitor)
        return [box.mailbox.address for box in boxes if box.own or "p" in box.rights]

    def _may_send_as(self, visitor: Visitor, address: Address) -> bool:
        return key(address) in {key(each) for each in self._senders(visitor)}

    def _sender(self, visitor: Visitor, text: bytes) -> Address:
        """Return the sender that was chosen, if it may be; else the visitor."""
        named = next(iter(people([text])), None)
        for address in self._senders(visitor):
            if named is not None and named.address and key(address) == key(Address(named.address)):
                return address
        return visitor.person

    def _hand(self, visitor: Visitor, letter: Letter) -> Hand:
        mailbox = self._room.rooms.accounts.find(Address(letter.sender)) or visitor.mailbox
        other = mailbox.id != visitor.mailbox.id and mailbox.kind in _PERSONAL
        return Hand(line(mailbox.name, 100), visitor.person if other else None)


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
