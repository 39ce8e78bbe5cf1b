"""A held message as a reviewer sees it: its words, what it is made of, and nothing that could act.

Made of what ``quarantine.preview`` answers. Text is shown as text; HTML is written anew with a few
harmless tags; of files there is the name, the kind, the size and the hash, and no way to open them.
Pure; slow for large HTML: ask it in a thread. HAZARDS (e), R-J2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.web.reading.markup import safe
from gateway.web.reading.shown import clear, file_name, line, size

_LONGEST = 2000  # characters of one header field
_MOST = 200  # fields, and parts, of one page

# What a part looks like, by its type and then by the ending of its name; only a picture beside words.
_KINDS: Sequence[tuple[str, frozenset[str], tuple[str, ...]]] = [
    (
        "program",
        frozenset(
            [
                "exe",
                "com",
                "scr",
                "bat",
                "cmd",
                "ps1",
                "vbs",
                "vbe",
                "js",
                "jse",
                "jar",
                "msi",
                "dll",
                "hta",
                "lnk",
                "sh",
                "py",
                "pif",
                "wsf",
                "cpl",
                "reg",
                "apk",
            ]
        ),
        ("application/x-msdownload", "application/x-dosexec", "application/javascript"),
    ),
    (
        "archive",
        frozenset(["zip", "7z", "rar", "gz", "tar", "tgz", "bz2", "xz", "iso", "cab", "img"]),
        ("application/zip", "application/x-7z-compressed", "application/gzip", "application/x-rar"),
    ),
    (
        "document",
        frozenset(
            [
                "pdf",
                "doc",
                "docx",
                "docm",
                "xls",
                "xlsx",
                "xlsm",
                "ppt",
                "pptx",
                "pptm",
                "odt",
                "ods",
                "odp",
                "rtf",
                "xml",
            ]
        ),
        (
            "application/pdf",
            "application/vnd.",
            "application/msword",
            "application/xml",
            "text/xml",
        ),
    ),
    (
        "picture",
        frozenset(["png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "svg", "dcm"]),
        ("image/",),
    ),
    ("message", frozenset(["eml"]), ("message/",)),
    ("text", frozenset(["txt", "html", "htm", "csv"]), ("text/",)),
    ("folder", frozenset(), ("multipart/",)),
]


class Passage(NamedTuple):
    """One text of the message."""

    text: str  # as markup of ours if it was HTML, else as it is
    rich: bool
    cut: bool


class Piece(NamedTuple):
    """One part of the message, as a line of a tree."""

    number: str
    depth: int
    kind: str  # by what it is drawn
    name: str
    type: str
    size: str
    sha256: str
    reasons: tuple[str, ...]  # slugs of what was found in it


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page shows of a held message."""

    subject: str
    fields: tuple[tuple[str, str], ...]  # the header, in its order
    texts: tuple[Passage, ...]
    pieces: tuple[Piece, ...]
    more: int  # parts that the page leaves out


def preview(told: Mapping[str, Any], language: str) -> Preview:
    """Return what may be shown of a message."""
    fields = [(line(name, 80), line(value, _LONGEST)) for name, value in told["headers"][:_MOST]]
    subject = next((value for name, value in fields if name.lower() == "subject"), "")
    parts = told["parts"]
    # All others lie in the first, if that is there to hold some.
    inside = bool(parts) and parts[0]["type"].startswith("multipart/")
    return Preview(
        subject,
        tuple(fields),
        tuple(_passage(each, language) for each in told["texts"]),
        tuple(
            _piece(each, language, inside and place > 0) for place, each in enumerate(parts[:_MOST])
        ),
        told.get("more", 0) + max(0, len(parts) - _MOST),
    )


def _passage(text: Mapping[str, Any], language: str) -> Passage:
    if text["type"] != "text/html":
        return Passage(clear(text["text"]), rich=False, cut=bool(text.get("cut")))
    link, image = ("lien :", "image :") if language == "fr" else ("link:", "image:")
    markup, cut = safe(text["text"], link=link, image=image)
    return Passage(markup, rich=True, cut=cut or bool(text.get("cut")))


def _piece(part: Mapping[str, Any], language: str, inside: int) -> Piece:
    number, kind = str(part["part"]), line(part["type"] or "", 100)
    name = file_name(part["name"], number) if part["name"] else ""
    return Piece(
        number,
        number.count(".") + inside,
        kind_of(kind, name),
        name,
        kind,
        size(part["octets"], language),
        part.get("sha256") or "",
        tuple(part.get("reasons") or ()),
    )


def kind_of(media: str, name: str) -> str:
    """Return what a part looks like: by its name first, for that is what would be opened."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    for kind, endings, _ in _KINDS:
        if ending in endings:
            return kind
    for kind, _, media_types in _KINDS:
        if media.lower().startswith(media_types):
            return kind
    return "other"
