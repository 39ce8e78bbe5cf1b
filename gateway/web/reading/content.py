"""What a message shows: which of its parts are its text, and which are attachments.

Decided from the index that was made when the message came; of the parts' own headers only those of
texts are looked at. An attached message is one attachment, whatever it holds. However many parts
there are, a page shows so many, says how many more there are, and offers the whole. RFC 2046 §5.1.
"""

import asyncio
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from gateway.web.reading.markup import safe
from gateway.web.reading.shown import clear, file_name
from imap.decoding import decoder, readable
from imap.errors import UnknownEncoding
from imap.index import Index, Section
from imap.store import Mailboxes, Stored
from smtp.message.fields import media
from smtp.message.header import Header

_MOST_TEXTS = 10
_LOOKED_AT = 100  # parts that may be texts; what comes later is listed as a file
_MOST_ATTACHMENTS = 200
_LONGEST_TEXT = 256 << 10  # octets of a text as it lies in the message
_LONGEST_HEADER = 16 << 10
_TEXTS = frozenset({"text/plain", "text/html"})
_TAG = re.compile(r"<[^<>]*>")


class Attachment(NamedTuple):
    """A part that is a file."""

    number: str
    name: str
    type: str
    size: int  # about, once its encoding is undone


@dataclass(frozen=True, slots=True)
class Shape:
    """What a message is made of, for a page."""

    texts: tuple[Section, ...]
    attachments: tuple[Attachment, ...]
    more: int = 0  # parts that the page leaves out
    both: bool = False  # it says the same as plain text and as HTML


class Shown(NamedTuple):
    """One text: as markup of ours if it was HTML, else as it is."""

    text: str
    cut: bool
    rich: bool = False


async def shape(mailboxes: Mailboxes, stored: Stored, *, rich: bool = False) -> Shape:
    """Return what a message is made of; ``rich``: of two forms of one text, the HTML is wanted."""
    leaves = list(_leaves(stored.index))
    texts: list[tuple[int, Section]] = []
    files: list[Section] = []
    for seen, (place, part) in enumerate(leaves):
        if (
            seen < _LOOKED_AT
            and len(texts) < 2 * _MOST_TEXTS
            and await _is_text(mailboxes, stored, part)
        ):
            texts.append((place, part))
        else:
            files.append(part)
    chosen, both = _chosen(stored.index, texts, "text/html" if rich else "text/plain")
    shown = tuple(chosen[:_MOST_TEXTS])
    listed = tuple(map(attachment, [*chosen[_MOST_TEXTS:], *files][:_MOST_ATTACHMENTS]))
    return Shape(shown, listed, len(chosen) + len(files) - len(shown) - len(listed), both)


def attachment(part: Section) -> Attachment:
    """Return a part as a file."""
    octets = part.end - part.body
    kind = part.type if part.type.isascii() and part.type.isprintable() else ""
    name = part.name or ("message.eml" if kind.startswith("message/") else "")
    size = octets * 3 // 4 if part.encoding == "base64" else octets
    return Attachment(part.number, file_name(name, part.number), kind, size)


async def read(
    mailboxes: Mailboxes, stored: Stored, part: Section, words: tuple[str, str]
) -> Shown:
    """Return a text of a message; ``words`` are those for a link and a picture."""
    stop = min(part.end, part.body + _LONGEST_TEXT)
    octets = await mailboxes.read(stored, part.body, stop)
    # In a thread: mail goes on while a long text is looked through letter by letter.
    found = await asyncio.to_thread(_shown, octets, part, words)
    return found._replace(cut=found.cut or stop < part.end)


def _shown(octets: bytes, part: Section, words: tuple[str, str]) -> Shown:
    try:
        undo = decoder(part.encoding)
        octets = undo.feed(octets) + undo.finish()
    except UnknownEncoding:
        pass  # shown as it lies there, as other readers do
    text = octets.decode(readable(part.charset), "replace")
    if part.type != "text/html":
        return Shown(clear(text), cut=False)
    markup, cut = safe(text, link=words[0], image=words[1])
    return Shown(markup, cut, rich=True)


def plain(shown: Shown) -> str:
    """Return a text without markup, to be quoted in an answer."""
    if not isinstance(shown.text, Markup):
        return shown.text
    spaced = str(shown.text).replace("<br>", "\n").replace("</p>", "\n\n").replace("</div>", "\n")
    # Only our own tags are in it: nothing that a message could have written like one.
    bare = html.unescape(_TAG.sub("", spaced))
    return "\n".join(line.strip() for line in bare.splitlines())


def _leaves(index: Index) -> Iterator[tuple[int, Section]]:
    """Yield the parts that hold something, those of attached messages left out."""
    inside: set[int] = set()
    parents = {part.parent for part in index.parts}
    for place, part in enumerate(index.parts):
        above = index.parts[part.parent] if part.parent >= 0 else None
        if part.parent in inside or (above is not None and above.type.startswith("message/")):
            inside.add(place)
        elif not (part.type.startswith("multipart/") and place in parents):
            yield place, part


async def _is_text(mailboxes: Mailboxes, stored: Stored, part: Section) -> bool:
    """Whether a part is there to be read: text that is no file."""
    if part.type not in _TEXTS or part.name:
        return False
    octets = await mailboxes.read(
        stored, part.header, min(part.body, part.header + _LONGEST_HEADER)
    )
    said, _ = media(Header.skim(octets).first("content-disposition") or b"")
    return said != "attachment"


def _chosen(
    index: Index, texts: list[tuple[int, Section]], wanted: str
) -> tuple[list[Section], bool]:
    """Return the texts to show: of each multipart/alternative the one form that is wanted."""
    forms: dict[int, set[str]] = {}
    for place, part in texts:
        if (choice := _choice(index, place)) >= 0:
            forms.setdefault(choice, set()).add(part.type)
    both = {choice for choice, kinds in forms.items() if kinds == _TEXTS}
    chosen = [
        part for place, part in texts if _choice(index, place) not in both or part.type == wanted
    ]
    return chosen, bool(both)


def _choice(index: Index, place: int) -> int:
    """Return the multipart/alternative that a part lies in; -1: none."""
    at = index.parts[place].parent
    while at >= 0 and index.parts[at].type != "multipart/alternative":
        at = index.parts[at].parent
    return at
