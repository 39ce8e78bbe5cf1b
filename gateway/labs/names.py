"""What the names in a watched folder mean: results, what is said of them, and our answers.

``tsh.pdf`` is a result, ``tsh.pdf.json`` its companion, ``tsh.pdf.accepted.json`` an answer. A name
that begins with a dot, or ends as a file does that is still being written, is nobody's yet. Pure.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

CLAIMED = ".claimed"  # files that we have taken, and not yet answered
FAILED = "failed"  # files that were not sent
MORNING = "morning"  # what of each night must go another way


class Form(StrEnum):
    """What a result is, by the end of its name."""

    MAIL = ".eml"
    CDA = ".xml"
    PDF = ".pdf"
    HL7 = ".hl7"
    HPRIM = ".hpr"


class Answer(StrEnum):
    """What stands beside a file, once it was taken."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    CORRECTED = "corrected"
    ANSWERED = "answered"


_COMPANION = ".json"
_ACKNOWLEDGEMENT = ".ack"  # an answer in HL7, for who asks for it
_WRITING = (".tmp", ".part", ".partial", ".filepart", ".writing", ".crdownload", "~")
_LONGEST, _SHORT = 200, 120  # octets, so that every claim's and answer's name fits
_MARK = re.compile(r"[0-9a-f]{32}")


class Offered(NamedTuple):
    """A result that lies in the folder."""

    name: str
    companion: str | None


def offered(names: Iterable[str]) -> Iterator[Offered]:
    """Yield the results among the names of a folder, in their order."""
    found = set(names)
    for name in sorted(found):
        if name.startswith(".") or name in {FAILED, MORNING} or name.lower().endswith(_WRITING):
            continue
        if not name.endswith((_COMPANION, _ACKNOWLEDGEMENT)):  # which are companions, and answers
            beside = name + _COMPANION
            yield Offered(name, beside if beside in found else None)


def form(name: str) -> Form | None:
    """Return what a result is; None: of a kind that is not sent."""
    return next((each for each in Form if name.lower().endswith(each)), None)


def short(name: str) -> str:
    """Return a name that can be kept, with room for a mark and an answer's end; most stay as they are.

    One in the letters of another system is spelled anew: nothing that is sealed could hold it.
    """
    octets = name.encode("utf-8", "surrogateescape")
    mark, kind = hashlib.sha256(octets).hexdigest()[:12], form(name)
    try:
        octets.decode()
    except UnicodeDecodeError:
        octets = octets.decode("iso-8859-15").encode()
    else:
        if len(octets) <= _LONGEST:
            return name
    return octets[:_SHORT].decode("utf-8", "ignore") + f"~{mark}{kind or ''}"


def answer(name: str, which: Answer) -> str:
    """Return the name of an answer about a file."""
    return f"{name}.{which}{_COMPANION}"


def acknowledgement(name: str, which: Answer) -> str:
    """Return the name of that answer in HL7, for who asks for it."""
    return f"{name}.{which}{_ACKNOWLEDGEMENT}"


def claim(mark: str, name: str) -> str:
    """Return under which name a claimed file waits; ``mark`` is the claim's own."""
    return f"{mark}.{name}"


def claims(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the claims among the names of the folder of claimed files: mark and name."""
    for each in sorted(names):
        mark, dot, name = each.partition(".")
        if dot and name and _MARK.fullmatch(mark) and not name.endswith(_COMPANION):
            yield mark, name
