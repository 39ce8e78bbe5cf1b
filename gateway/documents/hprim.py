"""A result in HPRIM Médecin: twelve lines that say whose it is, then what a physician reads. Pure.

It holds no document of its own: it is sent as it is, in a mail whose text is the report, so that
both the physician and their software have what they are used to. What software reads (from
``****LAB****``) is left in the file alone. Letters are UTF-8, else those of Windows or of DOS, as the
file has them. H.PR.I.M. Médecins 3.0.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from gateway.documents.errors import DocumentError
from gateway.documents.packing import coded, part_of
from smtp.address import Address
from smtp.message.trace import date
from trust import identifiers
from trust.errors import HolderError

_HEAD = 12
_LONGEST = 1 << 20  # octets: it is text
_SHOWN = 100_000  # characters of the report in the mail's own text
_DAY = re.compile(r"(\d{2})[/.-]?(\d{2})[/.-]?(\d{4}|\d{2})")
_FIN = "****FIN****"
_END = frozenset({_FIN, "****FINFICHIER****"})
_MARK = re.compile(r"^\*{4}[A-Z]+\*{4}\s*$", re.MULTILINE)
_TITLE = "Résultat (HPRIM)"
_GREETING = "Bonjour,\n\nVeuillez trouver ci-joint un résultat au format HPRIM.\n\n"


@dataclass(frozen=True, slots=True)
class Result:
    """What is read of it: that it is whole, to whom it goes, what it says."""

    recipients: tuple[str, ...] = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cover:
    """What goes around it."""

    sender: Address
    recipients: tuple[Address, ...] = field(repr=False)
    at: datetime
    message_id: str
    words: str = field(default="", repr=False)
    label: str = ""


def read(content: bytes) -> Result:
    """Read it; raise ``DocumentError`` naming the line, and nothing of what stands there."""
    if len(content) > _LONGEST:
        raise DocumentError("the HPRIM file is larger than any that is sent")
    text = _decoded(content)
    if "\0" in text:
        raise DocumentError("the HPRIM file is no text")
    lines = text.splitlines()
    if len(lines) < _HEAD or not any(line.strip() for line in lines[_HEAD:]):
        raise DocumentError("the HPRIM file is cut off: twelve lines come before the result")
    for place, what in ((2, "the patient's name"), (3, "the patient's given name")):
        if not lines[place - 1].strip():
            raise DocumentError(f"the HPRIM file lacks {what} (line {place})")
    for place, what in ((7, "the patient's day of birth"), (10, "the day of the result")):
        if not _DAY.fullmatch(lines[place - 1].strip()):
            raise DocumentError(f"the HPRIM file does not tell {what} (line {place})")
    if any(_MARK.match(line) for line in lines[:_HEAD]):
        raise DocumentError("the HPRIM file is cut off: twelve lines come before the result")
    if _several(lines[_HEAD:]):
        raise DocumentError("the HPRIM file has several results: one is sent at a time")
    body = _MARK.split("\n".join(lines[_HEAD:]), maxsplit=1)[0].strip("\n ")
    return Result(tuple(_holder(lines[_HEAD - 1])), _clean(body)[:_SHOWN])


def _several(lines: list[str]) -> bool:
    """Whether another result, of another patient perhaps, follows the first one's end."""
    told = [line.strip() for line in lines if line.strip()]
    ends = told.index(_FIN) if _FIN in told else len(told)
    return told.count("****LAB****") > 1 or any(each not in _END for each in told[ends:])


def pack(content: bytes, result: Result, cover: Cover) -> bytes:
    """Return the mail: the report to read, the file as it is. Its name says nothing."""
    boundary = f"=_{hashlib.sha256(content).hexdigest()[:32]}"
    words = cover.words or _GREETING + result.text + "\n"
    name = f"{hashlib.sha256(cover.message_id.encode()).hexdigest()[:16]}.hpr"
    said = {
        "Date": date(cover.at),
        "From": cover.sender,
        "To": ",\r\n ".join(cover.recipients) or "undisclosed-recipients:;",
        "Subject": coded(cover.label or _TITLE, len("Subject: ")),
        "Message-ID": cover.message_id,
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/mixed;\r\n boundary="{boundary}"',
    }
    parts = (
        part_of("text/plain; charset=utf-8", words.encode(), ""),
        part_of("application/octet-stream", content, name),
    )
    between = f"--{boundary}\r\n".encode()
    return b"".join(
        (
            "".join(f"{field}: {value}\r\n" for field, value in said.items()).encode(),
            b"\r\n",
            *(piece for part in parts for piece in (between, *part)),
            f"--{boundary}--\r\n".encode(),
        )
    )


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # In DOS's letters é and è are where Windows has signs that no French text is full of.
    dos = sum(content.count(each) for each in (b"\x82", b"\x8a", b"\x85", b"\x87"))
    windows = sum(content.count(each) for each in (b"\xe9", b"\xe8", b"\xe0", b"\xe7"))
    return content.decode("cp850" if dos > windows else "cp1252", "replace")


def _holder(line: str) -> list[str]:
    """Return whom the twelfth line names, if it is by a national number."""
    for word in line.replace("|", " ").split():
        for scheme in ("rpps", "adeli"):
            try:
                return [str(identifiers.parse(f"{scheme}:{word}"))]
            except HolderError:
                continue
    return []


def _clean(text: str) -> str:
    return "".join(each for each in text if each.isprintable() or each in "\n\t")
