"""A letter goes out by the one door in: its recipients are decided first, and all of them.

Where a mail program learns of a refusal by a message afterwards, here the writer is still at the
page: as long as one recipient is refused nothing is sent, and each is told why, and whom they may
have meant. Sent twice (a second click, a page gone back to) it leaves once: the letter's mark is
the transfer's name. R-C1, R-J1, RFC 6409.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from gateway.relay.refusals import refusal
from gateway.web.reading.letter import Letter, Typed, recipients
from gateway.web.reading.room import Room
from gateway.web.reading.words import W
from smtp.address import key, parse
from smtp.envelope import Draft, Mail, Peer, Recipient, Refusal


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a letter does not leave: about one recipient, or about the letter (``place`` -1)."""

    place: int  # among the recipients as they were typed
    field: str
    whom: str
    words: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided of a letter before any of it went."""

    draft: Draft
    objections: tuple[Objection, ...]


def decide(room: Room, letter: Letter, peer: Peer, language: str) -> Decided:
    """Ask the intake about a letter's sender and each of its recipients."""
    w, typed = W[language], recipients(letter)
    addresses = [one.named.address for one in typed if one.named]
    smtputf8 = not "".join((letter.sender, *addresses)).isascii()
    mail = Mail(parse(letter.sender), smtputf8=smtputf8, transfer=letter.mark)
    draft = Draft(peer, mail)
    most = room.rooms.settings.reading.max_recipients
    if not room.intake.mail(draft).positive:
        return Decided(draft, (_about(w["not-yours"]),))
    if not typed:
        return Decided(draft, (_about(w["nobody"]),))
    if len(typed) > most:
        return Decided(draft, (_about(f"{w['too-many']} {most}."),))
    objections = []
    had: set[str] = set()
    for place, one in enumerate(typed):
        if one.named is None:
            objections.append(Objection(place, one.field, one.text, w["not-an-address"]))
        elif key(one.named.address) not in had:
            had.add(key(one.named.address))
            draft, objection = _asked(room, draft, place, one, language)
            objections += [objection] if objection else []
    return Decided(draft, tuple(objections))


def _asked(
    room: Room, draft: Draft, place: int, one: Typed, language: str
) -> tuple[Draft, Objection | None]:
    assert one.named is not None
    recipient = Recipient(one.named.address)
    said = room.intake.rcpt(draft, recipient)
    if said.positive:
        return replace(draft, recipients=(*draft.recipients, recipient)), None
    refused = replace(draft, refused=(*draft.refused, Refusal(recipient, said)))
    words = refusal(said, language)
    return refused, Objection(place, one.field, one.named.address, words, said.cure)


def _about(words: str) -> Objection:
    return Objection(-1, "", "", words)


async def send(
    room: Room, decided: Decided, blocks: AsyncIterator[bytes], language: str
) -> Sequence[Objection]:
    """Hand a letter in; return why it was not taken, or nothing."""
    said = await room.intake.accept(decided.draft, blocks)
    return () if said.positive else (_about(refusal(said, language)),)
