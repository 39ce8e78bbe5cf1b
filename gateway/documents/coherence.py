"""Does a mail say what its document says: header, archive, identity, addressees, held together.

Every contradiction is a finding under a stable name; what is done about it the quarantine's rules
say (hold, refuse, tag, or nothing at all). No finding tells whom a document is about: what it
names are fields and parts. R-E1, R-E5, R-E6, R-E9, R-G5, R-H4.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gateway.documents import cda, ins, marks, visibility, xdm
from gateway.documents.document import PEOPLE, STRUCTURES, Document, Patient
from gateway.documents.errors import DocumentError
from gateway.documents.ins import Register
from gateway.documents.marks import Marks
from gateway.documents.metadata import Entry
from quarantine.policy import Finding
from smtp.address import Address, domain_of, key, local_of
from smtp.message.header import Header
from smtp.message.mime import Part
from trust import identifiers
from trust.errors import HolderError

_XML = frozenset({"text/xml", "application/xml", "application/hl7-sda+xml", "text/plain"})
_START = 16 << 10  # octets within which a document says that it is one
_MOST = 50  # documents of one mail that are looked at


class Letter(Protocol):
    """A message whose parts can be looked into (``quarantine.letter``)."""

    @property
    def header(self) -> Header:
        """Its header."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its parts."""

    @property
    def recipients(self) -> Sequence[Address]:
        """Who gets it."""

    def content(self, part: Part) -> bytes:
        """Return what a part holds, decoded; ``b""`` if that is more than is looked at."""


class Citizens(NamedTuple):
    """Where citizens have their mailboxes, and of how many digits their names are (R-G1)."""

    domain: str = "patient.mssante.fr"
    digits: int = 15
    services: frozenset[str] = frozenset()  # keys of addresses there that are nobody's

    def has(self, who: Address) -> bool:
        """Whether an address is a citizen's, well-formed or not."""
        if domain_of(who) != self.domain:
            return False
        return key(who) not in self.services and local_of(who).lower() != "postmaster"

    def address(self, matricule: str) -> Address:
        """Return a citizen's address, as the house writes it."""
        local = matricule if self.digits == 13 else matricule + ins.key(matricule)
        return Address(f"{local}@{self.domain}")

    def number(self, who: Address) -> str | None:
        """Return whose it is, if it bears as many digits as the house says."""
        return ins.of_address(local_of(who), self.digits)


@dataclass(frozen=True, slots=True)
class Enclosed:
    """One document of a mail: in an archive, with its entry, or as a file of its own."""

    part: str
    content: bytes = field(repr=False)
    document: Document
    entry: Entry | None = None


@dataclass(slots=True)
class Contents:
    """What a mail holds, as far as documents go."""

    documents: list[Enclosed] = field(default_factory=list)
    unreadable: list[Finding] = field(default_factory=list)
    pdf: bool = False


def findings(letter: Letter, citizens: Citizens | None = None) -> tuple[Finding, ...]:
    """Return every contradiction, each once, in the order in which a reader would meet them."""
    said, found = marks.read(letter.header), contents(letter)
    who = citizens or Citizens()
    recipients = tuple(letter.recipients)
    all_found = [
        *found.unreadable,
        *_announced(said, found),
        *_one_patient(found.documents),
        *(each for one in found.documents for each in _alone(said, one)),
        *_addressed(found.documents, recipients, who),
    ]
    return tuple(dict.fromkeys(all_found))


def contents(letter: Letter) -> Contents:
    """Return the documents of a mail, each once, and what could not be read as one."""
    found, seen = Contents(), set[bytes]()
    for part in letter.parts:
        if part.type.startswith("multipart/") or len(found.documents) >= _MOST:
            continue
        content = letter.content(part)
        found.pdf = found.pdf or content[:1024].lstrip().startswith(b"%PDF-")
        try:
            for each in _enclosed(part, content):
                if (digest := hashlib.sha256(each.content).digest()) not in seen:
                    seen.add(digest)
                    found.documents.append(each)
        except DocumentError as error:
            found.unreadable.append(Finding("document-unreadable", f"{part.number}: {error}"))
    return found


def _enclosed(part: Part, content: bytes) -> Iterator[Enclosed]:
    """Yield the documents of one part: by what it is, or by what its name says it is."""
    archive = content.startswith(b"PK") and (b"IHE_XDM/" in content or b"ihe_xdm/" in content)
    if archive or part.name.upper() == xdm.NAME.upper():
        yield from (
            Enclosed(part.number, each.content, cda.read(each.content), each.entry)
            for each in xdm.read(content).documents
            if _is_cda(each.content)
        )
    elif part.type in _XML and _is_cda(content):
        yield Enclosed(part.number, content, cda.read(content))


def _is_cda(content: bytes) -> bool:
    return b"<ClinicalDocument" in content[:_START] or b":ClinicalDocument" in content[:_START]


def _announced(said: Marks, found: Contents) -> Iterator[Finding]:
    """What the header promises against what lies in the mail."""
    documents = found.documents
    if not documents:
        if (said.codes or said.structured) and not found.unreadable:
            told = "X-MSS-CODECDA" if said.codes else "Subject"
            yield Finding("document-missing", told)
        return
    if set(said.codes) != {each.document.code.code for each in documents}:
        yield Finding("document-code-differs", "X-MSS-CODECDA")
    if said.structured and not all(marks.names(said.subject, one.document) for one in documents):
        yield Finding("subject-differs", "Subject")
    if not found.pdf:
        yield Finding("pdf-missing")


def _one_patient(documents: Sequence[Enclosed]) -> Iterator[Finding]:
    """One patient a message (R-E1)."""
    people = {_who(each) for one in documents for each in one.document.patients}
    if len(people) > 1:
        yield Finding("several-patients", f"{len(people)}")
        return
    traits = [each.traits for one in documents for each in one.document.patients]
    if told := [name for each in traits[1:] for name in ins.differences(traits[0], each)]:
        yield Finding("patient-differs", ", ".join(dict.fromkeys(told)))


def _who(patient: Patient) -> object:
    if (number := patient.ins) is not None:
        return number.matricule
    traits = patient.traits
    told = (ins.plain(traits.name), ins.plain(traits.given), traits.born)
    return told if any(told) else frozenset(patient.identifiers)


def _alone(said: Marks, one: Enclosed) -> Iterator[Finding]:
    """What one document says, against itself, its entry and the header."""
    for patient in one.document.patients:
        yield from _identity(said, patient, one.part)
    if one.entry is not None:
        yield from _entered(one, one.entry)
    for which, number in _numbers(one.document):
        if not number:
            yield Finding("professional-number-wrong", f"{one.part}: {which}")


def _identity(said: Marks, patient: Patient, part: str) -> Iterator[Finding]:
    if patient.claimed is None:
        yield Finding("ins-missing", part)
    elif (number := patient.ins) is None:
        yield Finding("ins-invalid", part)
    else:
        if number.register in {Register.TEST, Register.DEMONSTRATION}:
            yield Finding("test-identity", part)
        if told := ins.contradictions(number, patient.traits):
            yield Finding("ins-unlike-traits", f"{part}: {', '.join(told)}")
    if said.ins and not patient.qualified:
        yield Finding("ins-not-qualified", part)
    if not said.ins and patient.qualified:
        yield Finding("ins-not-declared", part)


def _entered(one: Enclosed, entry: Entry) -> Iterator[Finding]:
    """What an archive's metadata say of a document, against the document."""
    patient = entry.patient
    if patient is None or all(patient not in each.identifiers for each in one.document.patients):
        yield Finding("patient-differs", f"{one.part}: patientId")
    told = [ins.differences(entry.traits, each.traits) for each in one.document.patients]
    if all(told):  # of none of its patients
        yield Finding("patient-differs", f"{one.part}: {', '.join(told[0])}")
    digest = hashlib.sha1(one.content, usedforsecurity=False).hexdigest()
    differing = [
        name
        for name, told, really in (
            ("hash", entry.hash or digest, digest),
            ("size", len(one.content) if entry.size is None else entry.size, len(one.content)),
            ("typeCode", entry.type.code, one.document.code.code),
            ("uniqueId", entry.number, one.document.id.whole),
        )
        if told != really
    ]
    if differing:
        yield Finding("metadata-differs", f"{one.part}: {', '.join(differing)}")


def _numbers(document: Document) -> Iterator[tuple[str, bool]]:
    """Yield which professional or establishment has a national number, and whether it is right."""
    for who in (*document.authors, document.responsible):
        if who is None:
            continue
        if who.id is not None and who.id.root == PEOPLE:
            yield "person", _right(identifiers.person, who.id.extension)
        if who.organisation and (number := who.organisation.id) and number.root == STRUCTURES:
            yield "organisation", _right(identifiers.structure, number.extension)


class _Reading(Protocol):
    def __call__(self, national: str, /) -> str: ...


def _right(read: _Reading, national: str) -> bool:
    """Whether a number's check digit is right; of a register's we do not know it cannot be said."""
    try:
        read(national)
    except HolderError:
        return False
    return True


def _addressed(
    documents: Sequence[Enclosed], recipients: Iterable[Address], citizens: Citizens
) -> Iterator[Finding]:
    """Whom a mail goes to, against whom its documents are about and from whom they are kept."""
    to_citizens = [each for each in recipients if citizens.has(each)]
    to_others = any(domain_of(each) != citizens.domain for each in recipients)
    for one in documents:
        patients = {number.matricule for each in one.document.patients if (number := each.ins)}
        if any(citizens.number(each) not in patients for each in to_citizens):
            yield Finding("recipient-not-patient", one.part)
        said = one.entry.confidentiality if one.entry is not None else ()
        hidden = visibility.kept((*said, one.document.confidentiality.code))
        if visibility.breached(hidden, professionals=to_others, citizens=bool(to_citizens)):
            yield Finding("visibility-forbidden", one.part)
