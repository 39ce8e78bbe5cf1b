"""What software says beside a file: who gets it, and what it is; a small JSON object.

A laboratory's system that has only a PDF tells here what the document's header needs; one that has
a CDA document or a ready mail need only say to whom it goes. Every word is checked, an unknown one
refused: a misspelt key must not send a result without its patient. docs/documents.md. R-E1, R-D6.
"""

import re
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gateway.documents import ins
from gateway.documents.document import (
    LOINC,
    PEOPLE,
    STRUCTURES,
    Code,
    Document,
    Identifier,
    Organisation,
    Patient,
    Professional,
    timestamp,
)
from gateway.documents.errors import DocumentError
from gateway.documents.ins import Register, Traits
from trust import identifiers
from trust.errors import HolderError

LARGEST = 1 << 20

Words = Annotated[str, Meta(max_length=500)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Person(Struct, frozen=True, forbid_unknown_fields=True):
    """The patient."""

    name: Name
    given: Name
    born: Day
    sex: Annotated[str, Meta(pattern="^[MFU]$")]
    ins: Annotated[str, Meta(max_length=30)] = ""
    oid: Annotated[str, Meta(max_length=64)] = Register.NIR
    place: Annotated[str, Meta(max_length=10)] = ""
    number: Annotated[str, Meta(max_length=100)] = ""  # the establishment's own
    numbers: Annotated[str, Meta(max_length=64)] = ""  # and its OID

    def __repr__(self) -> str:
        return "Person(…)"


class Writer(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wrote the document and answers for it."""

    family: Name
    given: Words = ""
    holder: Annotated[str, Meta(max_length=40)] = ""  # rpps:… or adeli:…
    title: Annotated[str, Meta(max_length=20)] = ""
    profession: Annotated[str, Meta(max_length=40)] = ""


class Establishment(Struct, frozen=True, forbid_unknown_fields=True):
    """Who keeps the document."""

    name: Name
    holder: Annotated[str, Meta(max_length=40)] = ""  # finess:… or siret:…


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """What a PDF is."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    code: Annotated[str, Meta(min_length=1, max_length=40)]
    title: Name
    at: datetime
    patient: Person
    author: Writer
    organisation: Establishment
    system: Annotated[str, Meta(max_length=64)] = LOINC
    display: Words = ""
    oid: Annotated[str, Meta(max_length=64)] = "1.2.250.1.213.1.1.9"  # that numbers documents
    performed: datetime | None = None
    replaces: tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...] = ()
    version: Annotated[int, Meta(ge=1, le=9999)] = 1
    facility: Annotated[str, Meta(max_length=40)] = ""
    practice: Annotated[str, Meta(max_length=40)] = ""


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """A file's companion."""

    to: Annotated[
        tuple[Annotated[str, Meta(min_length=3, max_length=320)], ...], Meta(max_length=100)
    ] = ()
    key: Annotated[str, Meta(max_length=200)] = ""  # the same result has the same key
    text: Annotated[str, Meta(max_length=100_000)] = ""
    label: Words = ""  # what the subject calls it
    record: Annotated[str, Meta(max_length=60)] = ""  # the sender's number of the case
    answer: bool = True  # the recipient's software is asked what it makes of it (R-F2)
    critical: bool = False  # it may not wait, and somebody is told if it does not arrive
    document: About | None = None

    def __repr__(self) -> str:
        return "Order(…)"


_DECODER = msgspec.json.Decoder(Order)
_WHERE = re.compile(r"`(\$[^`]*)`")


def read(content: bytes) -> Order:
    """Return what it says; raise ``DocumentError`` naming the place, and nothing of what is there."""
    if len(content) > LARGEST:
        raise DocumentError("the file's companion is larger than any that is read")
    try:
        return _DECODER.decode(content)
    except msgspec.ValidationError as error:
        found = _WHERE.search(str(error))
        unknown = "unknown field" in str(error)
        where = f" at {found[1]}" if found else ""
        what = "has a key that nobody knows" if unknown else "is not as it must be"
        raise DocumentError(f"the file's companion {what}{where}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DocumentError("the file's companion is no JSON") from None


def document(about: About, pdf: bytes) -> Document:
    """Return the document that a PDF becomes; raise ``DocumentError`` for numbers that are wrong."""
    place = _place(about.organisation)
    who = _writer(about.author, place)
    if about.at.tzinfo is None or (about.performed and about.performed.tzinfo is None):
        raise DocumentError("a time without its offset from UTC is no time")
    if not pdf[:1024].lstrip().startswith(b"%PDF-"):
        raise DocumentError("the file is no PDF")
    return Document(
        id=Identifier(about.oid, about.id),
        code=Code(about.code, about.system, about.display or about.title),
        title=about.title,
        at=timestamp(about.at),
        patients=(_patient(about.patient),),
        set_id=Identifier(about.oid, about.replaces[0]) if about.replaces else None,
        version=about.version,
        authors=(who,),
        custodian=place,
        responsible=who,
        replaces=tuple(Identifier(about.oid, each) for each in about.replaces),
        performed=timestamp(about.performed or about.at),
        facility=Code(about.facility, "1.2.250.1.71.4.2.4") if about.facility else None,
        practice=Code(about.practice, "1.2.250.1.213.1.1.4.9") if about.practice else None,
        pdf=pdf,
    )


def _patient(told: Person) -> Patient:
    traits = Traits(told.name, told.given, told.born.replace("-", ""), told.sex, told.place)
    numbers = []
    if told.ins:
        found = ins.parse(told.ins, told.oid)
        numbers.append(Identifier(told.oid, found.number))
    if told.number:
        if not told.numbers:
            raise DocumentError("a patient's number needs the OID of who gave it")
        numbers.append(Identifier(told.numbers, told.number))
    return Patient(tuple(numbers), traits)


def _writer(told: Writer, place: Organisation) -> Professional:
    profession = Code(told.profession, "1.2.250.1.213.1.1.4.5") if told.profession else None
    number = _holder(told.holder, PEOPLE, person=True)
    return Professional(
        told.family,
        told.given,
        number,
        suffix=told.title,
        profession=profession,
        organisation=place,
    )


def _place(told: Establishment) -> Organisation:
    return Organisation(told.name, _holder(told.holder, STRUCTURES, person=False))


def _holder(told: str, root: str, *, person: bool) -> Identifier | None:
    if not told:
        return None
    try:
        found = identifiers.parse(told)
    except HolderError as error:
        raise DocumentError(str(error)) from None
    if found.scheme.person != person:
        raise DocumentError("a person has a person's number, an establishment one of its own")
    return Identifier(root, found.national)
