"""How a letter begins: blank, as an answer, as a message handed on, or as a draft taken up again.

Whatever it takes out of a message is given out, and so written down before. R-I3.
"""

import asyncio
from dataclasses import dataclass, replace

from starlette.requests import Request

from gateway.web.account.session import Visitor
from gateway.web.reading import content
from gateway.web.reading import letter as letters
from gateway.web.reading.drafts import Drafts, Source
from gateway.web.reading.hands import Hands
from gateway.web.reading.letter import Letter
from gateway.web.reading.messages import header_of, moment, seen, subject_of
from gateway.web.reading.room import Room
from gateway.web.reading.rows import people
from gateway.web.reading.shown import when
from gateway.web.reading.words import W
from smtp.address import key
from smtp.envelope import new_message_id
from smtp.message.header import Header

HOWS = ("reply", "reply-all", "forward", "edit")


@dataclass(frozen=True, slots=True)
class Desk:
    """The letter on a visitor's desk, with what belongs to it."""

    letter: Letter
    source: Source | None = None  # where its files lie
    origin: str = ""  # the message that it answers or hands on: "folder.uid"
    how: str = ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """One a gateway."""

    room: Room
    hands: Hands
    drafts: Drafts

    def blank(self, visitor: Visitor) -> Letter:
        """Return a letter in which nothing was typed, with a mark of its own."""
        rooms = self.room.rooms
        mark = f"<{new_message_id(rooms.clock())}@{rooms.settings.site.host}>"
        return Letter(visitor.person, mark)

    async def source(self, request: Request, visitor: Visitor, name: str) -> Source | None:
        """Return the message that a form names, among those that its visitor may see."""
        if not name:
            return None
        folder, _, uid = name.partition(".")
        place = self.room.places.folder(request, visitor, folder)
        stored = await self.room.places.message(request, visitor, place, uid)
        return Source(place, stored, await self.drafts.files(stored))

    async def desk(self, request: Request, visitor: Visitor, source: Source, how: str) -> Desk:
        """Begin with a message."""
        await self.room.places.opened(request, visitor, source.place, source.uids)
        await seen(self.room, request, visitor, source.place, source.stored)
        letter = await self._start(request, visitor, source, how)
        if not letter.mark:
            letter = replace(letter, mark=self.blank(visitor).mark)
        carried = source if how in {"forward", "edit"} else None
        return Desk(letter, carried, source.name if how != "edit" else "", how)

    async def _start(self, request: Request, visitor: Visitor, source: Source, how: str) -> Letter:
        language = self.room.language(request)
        header = await header_of(self.room.rooms.mailboxes, source.stored)
        at = when(moment(source.stored), language)
        original = letters.Original(header, await self._text(source, language), at)
        if how == "edit":
            sender = self.hands.sender(visitor, header.first("from") or b"")
            return letters.opened(header, sender, original.text)
        whose = source.place.box.mailbox.address
        sender = whose if self.hands.may_be(visitor, whose) else visitor.person
        if how == "forward":
            return replace(letters.forward(original, _intro(header, at, language)), sender=sender)
        w, author = W[language], next(iter(people(header.all("from"))), None)
        intro = f"{w['on']} {at}, {author.short if author else ''} {w['wrote']}"
        own = frozenset({key(visitor.person), key(whose)})
        begun = letters.reply(original, own, everybody=how == "reply-all", intro=intro)
        return replace(begun, sender=sender)

    async def _text(self, source: Source, language: str) -> str:
        """Return what a message says, as it is quoted."""
        store, w = self.room.rooms.mailboxes, W[language]
        shape = await content.shape(store, source.stored)
        shown = [
            await content.read(store, source.stored, part, (w["link"], w["image"]))
            for part in shape.texts
        ]
        texts = await asyncio.to_thread(lambda: [content.plain(each) for each in shown])
        return "\n".join(texts)


def _intro(header: Header, at: str, language: str) -> list[str]:
    """Return what stands above a message that is handed on."""
    w = W[language]
    colon = "\N{NO-BREAK SPACE}:" if language == "fr" else ":"
    intro = [w["forwarded"]]
    for field in ("from", "to", "cc"):
        named = ", ".join(f"{p.name} <{p.address}>" for p in people(header.all(field)))
        intro += [f"{w[field]}{colon} {named}"] if named else []
    return [*intro, f"{w['date']}{colon} {at}", f"{w['subject']}{colon} {subject_of(header)}"]
