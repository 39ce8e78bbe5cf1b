"""``quarantine.preview``: a held message looked into, for a reason that the journal keeps.

Its header, its texts, and of each part the name, the kind, the size and the hash of what it holds;
never the content of a file. The words are the message's own: whoever shows them makes them harmless
(``web.reading.shown`` and ``markup``). It streams: a message of any size takes the same memory.
"""

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.quarantine import content_holder, find
from gateway.operations.rooms import Rooms
from imap.decoding import decoder, readable
from imap.errors import UnknownEncoding
from quarantine.case import Case
from smtp.message.fields import media, words
from smtp.message.header import Header
from smtp.message.mime import Part, PartIndex
from vault.database import Statement
from vault.errors import VaultError

REASON = 5  # letters of a reason, at least
_SLICE = 8 << 10  # octets of a message looked through in one go
_MOST_PARTS = 200
_MOST_TEXTS = 10
_LONGEST_TEXT = 256 << 10  # octets of a text
_LONGEST_HEADER = 64 << 10
_MOST_FIELDS = 200
_TEXTS = frozenset({"text/plain", "text/html"})


async def preview(rooms: Rooms, *, case: str, reason: str) -> object:
    """Return what may be shown of a held message; the journal has who looked, and why."""
    found = find(rooms, case)
    holder = readable_by(rooms, found, reason)
    await rooms.database.commit([looked(rooms, found, "content.viewed", reason)])
    try:
        parts = await _parts(rooms, holder)
        top = await rooms.vault.read(holder, 0, min(parts[0].body, _LONGEST_HEADER))
        texts = [part for part in parts[:_MOST_PARTS] if _is_text(part, parts)]
        return {
            "case": found.id,
            "message": found.message,
            "headers": await asyncio.to_thread(_fields, top),
            "texts": [await _text(rooms, holder, part) for part in texts[:_MOST_TEXTS]],
            "findings": findings(found),
            "parts": [await _part(rooms, holder, part, found) for part in parts[:_MOST_PARTS]],
            "more": max(0, len(parts) - _MOST_PARTS),
        }
    except VaultError:
        raise OperationError(
            f"the content of case {found.id} went, or is damaged", "see sceau quarantine show"
        ) from None


def readable_by(rooms: Rooms, case: Case, reason: str) -> str:
    """Return who holds a case's content, for who says why they must see it."""
    if len(reason.strip()) < REASON:
        raise OperationError("say why you must see it", "a sentence that an audit understands")
    holder = content_holder(rooms, case)
    if holder is None:
        raise OperationError(
            f"the content of case {case.id} is gone",
            "what was released or cancelled is kept by the quarantine no more",
        )
    return holder


def looked(
    rooms: Rooms, case: Case, event: str, reason: str, what: str = "text, names of files"
) -> Statement:
    """Return the journal's line about who opens a case's content, and why."""
    return rooms.journal.entry(
        rooms.clock(),
        event,
        rooms.actor,
        message=case.message,
        case=case.id,
        what=what,
        reason=reason.strip(),
    )


async def _parts(rooms: Rooms, holder: str) -> tuple[Part, ...]:
    index = PartIndex()
    async with aclosing(rooms.vault.stream(holder)) as blocks:
        async for block in blocks:
            for start in range(0, len(block), _SLICE):
                index.feed(block[start : start + _SLICE])
                await asyncio.sleep(0)  # mail goes on, whatever the message is made of
    return index.finish()


def _fields(top: bytes) -> list[list[str]]:
    header = Header.skim(top)
    return [
        [
            header.raw[field.start : field.value].decode("ascii", "replace").rstrip(" \t:"),
            words(header.value(field).decode("utf-8", "replace")),
        ]
        for field in header.fields[:_MOST_FIELDS]
    ]


def _is_text(part: Part, parts: tuple[Part, ...]) -> bool:
    """Whether a part is there to be read: text that is no file, and not inside an attached message."""
    if part.type not in _TEXTS or part.name or part.attachment:
        return False
    at = part.parent
    while at >= 0:
        if parts[at].type.startswith("message/"):
            return False
        at = parts[at].parent
    return True


async def _text(rooms: Rooms, holder: str, part: Part) -> dict[str, Any]:
    stop = min(part.end, part.body + 2 * _LONGEST_TEXT)
    octets = await rooms.vault.read(holder, part.body, stop)
    head = await rooms.vault.read(
        holder, part.header, min(part.body, part.header + _LONGEST_HEADER)
    )
    text = await asyncio.to_thread(_read, octets, part.encoding, head)
    cut = stop < part.end or len(text) > _LONGEST_TEXT
    return {"part": part.number, "type": part.type, "text": text[:_LONGEST_TEXT], "cut": cut}


def _read(octets: bytes, encoding: str, head: bytes) -> str:
    try:
        undo = decoder(encoding)
        octets = undo.feed(octets) + undo.finish()
    except UnknownEncoding:
        pass  # shown as it lies there, as other readers do
    _, parameters = media(Header.skim(head).first("content-type") or b"")
    return octets.decode(readable(parameters.get("charset", "")), "replace")


async def _part(rooms: Rooms, holder: str, part: Part, case: Case) -> dict[str, Any]:
    leaf = not part.type.startswith("multipart/")
    octets, sha256 = await _hashed(rooms, holder, part) if leaf else (part.end - part.body, None)
    return {
        "part": part.number,
        "type": part.type,
        "name": part.name,
        "encoding": part.encoding,
        "octets": octets,
        "sha256": sha256,
        "reasons": _reasons(case, part.name),
    }


async def _hashed(rooms: Rooms, holder: str, part: Part) -> tuple[int, str]:
    """Return how long a part's content is and its hash, its encoding undone: what a file would be."""
    try:
        undo = decoder(part.encoding)
    except UnknownEncoding:
        undo = decoder("")
    digest, size = hashlib.sha256(), 0
    async with aclosing(rooms.vault.stream(holder, part.body, part.end)) as blocks:
        async for block in blocks:
            plain = undo.feed(block)
            digest.update(plain)
            size += len(plain)
            await asyncio.sleep(0)
    last = undo.finish()
    digest.update(last)
    return size + len(last), digest.hexdigest()


def findings(case: Case) -> list[dict[str, str]]:
    """Return what was found in detail; it may name files, and so a patient."""
    found = dict.fromkeys(each for one in case.copies for each in one.found)
    return [{"reason": each.reason, "detail": each.detail} for each in found]


def _reasons(case: Case, name: str) -> list[str]:
    """Return why a file was noticed: its name stands in what was found."""
    if not name:
        return []
    found: Iterable[str] = (
        finding.reason for one in case.copies for finding in one.found if name in finding.detail
    )
    return list(dict.fromkeys(found))
