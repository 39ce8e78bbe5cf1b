"""A laboratory's HL7 v2 ORU^R01: the document in it, what that is, and who is to have it. Pure.

A CDA document (OBX of type ED) is taken out and sent as it is. A PDF becomes one: the patient is
PID's, the document OBR's, its author who answers for the result, its keeper who performed it. What
has neither is no document, and refused in words. docs/laboratories.md names every field that is
read. HL7 v2.5 §7.3, §7.4; R-E1, R-H1, R-D6.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo

from gateway.documents import er7
from gateway.documents.document import LOINC
from gateway.documents.er7 import Segment, Value
from gateway.documents.errors import DocumentError
from gateway.documents.ins import Register
from gateway.documents.order import About, Establishment, Person, Writer
from trust import identifiers
from trust.errors import HolderError

_REPORT = ("11502-2", "CR d'examens biologiques")  # where OBR-4 has no LOINC
_WHO = (3, 5, 7, 8)  # of PID: numbers, names, birth, sex
_TIME = re.compile(r"(\d{8})(\d{2})?(\d{2})?(\d{2})?(?:\.\d+)?([+-]\d{4})?")
_NUMBER = re.compile(r"[0-9A-Za-z]{8,15}")
_REGISTERS = frozenset(each.value for each in Register)
_HEX = re.compile(r"[0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Found:
    """What an ORU carries: a CDA document, or a PDF and what it is."""

    recipients: tuple[str, ...] = field(repr=False)  # as a companion names them
    cda: bytes | None = field(default=None, repr=False)
    pdf: bytes | None = field(default=None, repr=False)
    about: About | None = field(default=None, repr=False)
    ins: str = field(default="", repr=False)  # of the patient, as PID has it


def read(content: bytes) -> Found:
    """Return it; raise ``DocumentError`` in words for the laboratory."""
    segments = er7.read(content)
    kind = segments[0].value(9)
    if (kind.component(1), kind.component(2) or "R01") != ("ORU", "R01"):
        raise DocumentError("the HL7 message is no result: only ORU^R01 is sent (MSH-9)")
    patients = {tuple(map(each.raw, _WHO)) for each in segments if each.name == "PID"}
    if len(patients) != 1:
        raise DocumentError("the HL7 message must be about one patient: one PID, with its PID-3")
    recipients = tuple(dict.fromkeys(_recipients(segments)))
    files = [_decoded(each.value(5)) for each in _files(segments)]
    documents = [each for each in files if each.lstrip()[:1] == b"<"]
    pdfs = [each for each in files if each[:1024].lstrip().startswith(b"%PDF-")]
    if len(documents) + len(pdfs) < len(files):
        raise DocumentError("an OBX of type ED holds neither a PDF nor a CDA document")
    if len(documents) == 1:
        return Found(recipients, cda=documents[0], ins=_ins(_first(segments, "PID"))[0])
    if documents or len(pdfs) > 1:
        raise DocumentError("the HL7 message has several documents: one is sent at a time")
    if not pdfs:
        raise DocumentError("the HL7 message has neither a PDF nor a CDA document (OBX of type ED)")
    return Found(recipients, pdf=pdfs[0], about=_about(segments))


def _files(segments: Sequence[Segment]) -> Iterator[Segment]:
    return (each for each in segments if each.name == "OBX" and each.raw(2) == "ED")


def _decoded(value: Value) -> bytes:
    coding, content = value.component(4).lower(), value.whole(5)
    try:
        if coding == "base64":
            return base64.b64decode("".join(content.split()), validate=True)
        if coding == "hex" and _HEX.fullmatch(content):
            return bytes.fromhex(content)
    except (binascii.Error, ValueError):
        pass
    raise DocumentError("a file in the HL7 message is not the Base64 or Hex that OBX-5.4 says")


def _about(segments: Sequence[Segment]) -> About:
    result = next(_files(segments))
    # One message may tell of several acts: the document's is the one that it lies under.
    orders = [each for each in segments[: segments.index(result)] if each.name == "OBR"]
    if not orders:
        raise DocumentError("the HL7 message has no OBR: nothing says what the document is")
    order = orders[-1]
    head = segments[0]
    number = order.value(3).component(1) or order.value(2).component(1)
    if not number:
        raise DocumentError("the HL7 message gives the document no number (OBR-3)")
    sent = _time(head.raw(7))
    zone = sent.tzinfo if sent is not None else None  # of times that do not say theirs
    at = _time(order.raw(22), zone) or _time(result.raw(14), zone) or sent
    if at is None:
        raise DocumentError("the HL7 message does not say when the document was made (OBR-22)")
    code, title = _code(order.value(4))
    return About(
        id=number[:200],
        code=code,
        title=title,
        at=at,
        patient=_patient(_first(segments, "PID") or order),
        author=_author(order, result),
        organisation=_place(result, head),
        performed=_time(order.raw(7), zone),
    )


def _code(value: Value) -> tuple[str, str]:
    title = value.component(2) or value.component(5)
    for place in (1, 4):
        if value.component(place + 2) in {"LN", "LOINC", LOINC} and value.component(place):
            return value.component(place)[:40], (title or _REPORT[1])[:200]
    return _REPORT[0], (title or _REPORT[1])[:200]


def _patient(pid: Segment) -> Person:
    """Return whom it is about: the INS by its OID, else the laboratory's own number."""
    name = pid.value(5)
    births = _time(pid.raw(7))
    if not (name.component(1) and name.component(2) and births):
        raise DocumentError(
            "the patient's name, given name or day of birth is missing (PID-5, PID-7)"
        )
    (ins, oid), own, owns = _ins(pid), "", ""
    for each in pid.repeated(3):
        number, root = each.component(1), each.part(2, of=4)
        if root and number and root not in _REGISTERS and not own:
            own, owns = number, root
    sex = pid.value(8).component(1)
    return Person(
        name=name.component(1)[:200],
        given=name.component(2)[:200],
        born=f"{births:%Y-%m-%d}",
        sex=sex if sex in {"M", "F"} else "U",
        ins=ins[:30],
        oid=oid,
        number=own[:100],
        numbers=owns[:64],
    )


def _ins(pid: Segment | None) -> tuple[str, str]:
    """Return the patient's INS and its register."""
    for each in pid.repeated(3) if pid is not None else ():
        if (root := each.part(2, of=4)) in _REGISTERS:
            return each.component(1), root
    return "", Register.NIR.value


def _author(order: Segment, result: Segment) -> Writer:
    """Return who answers for the result: OBX-16, else OBR-32 (whose first component has it all)."""
    who = result.value(16)
    number, family, given = who.component(1), who.component(2), who.component(3)
    if not family:
        who = order.value(32)
        number, family, given = who.part(1, of=1), who.part(2, of=1), who.part(3, of=1)
    if not family:
        raise DocumentError("the HL7 message does not say who answers for it (OBX-16, OBR-32)")
    return Writer(family[:200], given[:200], _person(number))


def _place(result: Segment, head: Segment) -> Establishment:
    """Return who keeps the document: OBX-23, else who sends (MSH-4)."""
    there = result.value(23)
    name, number = there.component(1), there.component(10) or there.component(3)
    if not name:
        name, number = head.value(4).component(1), head.value(4).component(2)
    if not name:
        raise DocumentError("the HL7 message does not say which laboratory it is (OBX-23, MSH-4)")
    return Establishment(name[:200], _structure(number))


def _recipients(segments: Sequence[Segment]) -> Iterator[str]:
    """Yield who is to have it: PRT of the role RCT, then OBR-28 and OBR-16, by address or number."""
    for each in segments:
        if each.name == "PRT" and each.value(4).component(1) == "RCT":
            found = [mail for way in each.repeated(15) if (mail := way.component(4))]
            yield from found[:1] or _numbered(each.repeated(5))
    for each in segments:
        if each.name == "OBR":
            yield from _numbered((*each.repeated(28), *each.repeated(16)))


def _numbered(people: Sequence[Value]) -> Iterator[str]:
    return (number for each in people if (number := _person(each.component(1))))


def _person(number: str) -> str:
    """Return a professional's number as a companion writes it; empty for what is none."""
    for read in (f"rpps:{number}", f"adeli:{number}"):
        try:
            return str(identifiers.parse(read))
        except HolderError:
            continue
    try:  # with the digit of its kind in front
        return identifiers.person(number) if _NUMBER.fullmatch(number) else ""
    except HolderError:
        return ""


def _structure(number: str) -> str:
    for read in (f"finess:{number}", f"siret:{number}"):
        try:
            return str(identifiers.parse(read))
        except HolderError:
            continue
    try:
        return identifiers.structure(number) if _NUMBER.fullmatch(number) else ""
    except HolderError:
        return ""


def _time(raw: str, zone: tzinfo | None = None) -> datetime | None:
    """Return a time; without an offset in ``zone``, without hours as the day's beginning."""
    match = _TIME.fullmatch(raw.partition("^")[0].strip())
    if match is None:
        return None
    day, hour, minute, second, offset = match.groups()
    try:
        if offset:
            away = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
            zone = timezone(-away if offset[0] == "-" else away)
        clock = f"{hour or '00'}{minute or '00'}{second or '00'}"
        found = datetime.strptime(day + clock, "%Y%m%d%H%M%S").replace(tzinfo=zone)
        return found if zone is not None else found.astimezone()  # this machine's
    except (ValueError, OverflowError):
        return None


def _first(segments: Sequence[Segment], name: str) -> Segment | None:
    return next((each for each in segments if each.name == name), None)
