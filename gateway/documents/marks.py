"""What a mail says of the document in it: its subject and the header fields ``X-MSS-…``.

They are written when a document is packed, passed on untouched, and compared with the document
when a rule asks for it. R-E2 to R-E6, R-G4.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.documents.document import Document, Professional
from gateway.documents.ins import plain
from smtp.message.fields import words
from smtp.message.header import Header

PREFIX = "XDM/1.0/DDM+"
_END = "[FIN]"
_CODES = 20
_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")
_BREAKS = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Marks:
    """What a mail's header says of the document in it."""

    codes: tuple[str, ...] = ()  # X-MSS-CODECDA; none: no document, it says
    ins: bool | None = None  # X-MSS-INS: O, N, or nothing
    product: str = ""  # X-MSS-NIL
    closing: bool = False  # it ends a thread with a citizen
    subject: str = field(default="", repr=False)  # without the prefix
    structured: bool = False  # the prefix was there


def read(header: Header) -> Marks:
    """Return what a header says; what is not there is empty."""
    said = _said(header, "subject").lstrip()
    structured = said.startswith(PREFIX)
    codes = (each.strip() for each in _said(header, "x-mss-codecda").split(","))
    ins = {"O": True, "N": False}.get(_said(header, "x-mss-ins").strip().upper())
    return Marks(
        codes=tuple(each for each in codes if each)[:_CODES],
        ins=ins,
        product=_said(header, "x-mss-nil").strip(),
        closing=_said(header, "x-mss-mes").strip().upper() == "FIN" or _END in said.upper(),
        subject=said.removeprefix(PREFIX),
        structured=structured,
    )


def _said(header: Header, name: str) -> str:
    return words((header.first(name) or b"").decode("utf-8", "replace"))


def subject(document: Document, label: str = "") -> str:
    """Return a document's subject: what it is, and about whom (R-E2)."""
    traits = document.patient.traits
    told = (label or document.title, traits.name.upper(), traits.given, _day(traits.born))
    return PREFIX + " ".join(_BREAKS.sub(" ", each) for each in told if each)


def fields(documents: Iterable[Document], product: str) -> dict[str, str]:
    """Return the header fields of a mail with these documents (R-E5)."""
    found = tuple(documents)
    said = {}
    if found:
        said["X-MSS-CODECDA"] = ",".join(dict.fromkeys(each.code.code for each in found))
        said["X-MSS-INS"] = "O" if all(each.patient.qualified for each in found) else "N"
    return said | {"X-MSS-NIL": product}


def pdf_name(document: Document, record: str = "") -> str:
    """Return the name of a document's PDF copy (R-E3); plain letters, so every system takes it."""
    traits = document.patient.traits
    label = document.code.display or document.title
    day = (document.performed or document.at)[:8]
    told = (day, label, traits.name.upper(), traits.given, record)
    return "_".join(filter(None, map(_safe, told))) + ".pdf"


def sender_name(who: Professional) -> str:
    """Return how the sender of a document is shown: title, first name, name, establishment (R-E4)."""
    entity = who.organisation.name if who.organisation else ""
    told = (who.suffix or who.prefix, who.given, who.family.upper(), entity)
    return "_".join("-".join(_BREAKS.sub(" ", each).split()) for each in told if each)


def names(told: str, document: Document) -> bool:
    """Whether a subject tells of the patient of a document: their name and their date of birth.

    What the document does not know cannot be missed.
    """
    traits = document.patient.traits
    said, digits = f" {plain(told)} ", re.sub(r"\D", "", told)
    named = not traits.name or f" {plain(traits.name)} " in said
    year, month, day = traits.born[:4], traits.born[4:6], traits.born[6:8]
    dated = len(traits.born) < 8 or any(
        each in digits for each in (year + month + day, day + month + year)
    )
    return named and dated


def _day(born: str) -> str:
    return f"{born[6:8]}/{born[4:6]}/{born[:4]}" if len(born) >= 8 else born


def _safe(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    bare = "".join(each for each in letters if not unicodedata.combining(each))
    return _UNSAFE.sub("_", bare).strip("_")[:60]
