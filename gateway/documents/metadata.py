"""METADATA.XML of an XDM archive: what lies in it, about whom, and by whom; written and read.

ebRIM 3.0 as IHE uses it: one submission set, one entry a document, and the association of both.
What a document's header says is repeated, never reworded, so the two can be compared (R-E1: the
patient is found by ``patientId``). IHE ITI TF-3 §4.2, TF-2b §3.32; CI-SIS, *lien entre en-tête CDA et métadonnées XDS*.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from gateway.documents import xml
from gateway.documents.document import (
    NO_TRAITS,
    UNSAID,
    Code,
    Document,
    Identifier,
    Professional,
    universal,
)
from gateway.documents.errors import DocumentError
from gateway.documents.ins import Traits
from gateway.documents.xml import attributes, text

RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
_MOST = 100  # documents that one archive may name

_DOCUMENT = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
_SET = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
_ENTRY_PATIENT = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
_ENTRY_NUMBER = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
_ENTRY_AUTHOR = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
_CLASS = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
_TYPE = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
_FORMAT = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
_CONFIDENTIALITY = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
_FACILITY = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
_PRACTICE = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
_SET_PATIENT = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"
_SET_SOURCE = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
_SET_NUMBER = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"
_SET_AUTHOR = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
_SET_CONTENT = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
_HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
_APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"

_CLASSES = "1.2.250.1.213.1.1.4.1"
_SEPARATORS = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\"}
_ESCAPES = str.maketrans({char: f"\\{name}\\" for name, char in _SEPARATORS.items()})
_ESCAPED = re.compile(r"\\([FSTRE])\\")
# Of what class a type of document is; what is not named here is a report.
_CLASS_OF = {
    "SYNTH": Code("11", _CLASSES, "Synthèse"),
    "60593-1": Code("43", _CLASSES, "Dispensation"),
    "57833-6": Code("42", _CLASSES, "Prescription"),
}
_REPORT = Code("10", _CLASSES, "Compte rendu")
_PDF_FORMAT = Code("urn:ihe:iti:xds-sd:pdf:2008", "1.3.6.1.4.1.19376.1.2.3", "Document PDF")
_ANY_FORMAT = Code(
    "urn:ihe:iti:xds:2017:mimeTypeSufficient", "1.3.6.1.4.1.19376.1.2.3", "mimeType Sufficient"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One document as the metadata tell it."""

    uri: str  # the file's name, beside METADATA.XML
    number: str  # uniqueId
    patient: Identifier | None = field(repr=False)  # patientId
    type: Code = UNSAID
    title: str = field(default="", repr=False)
    mime: str = ""
    size: int | None = None
    hash: str = ""  # SHA-1, in hexadecimal
    traits: Traits = NO_TRAITS  # sourcePatientInfo
    confidentiality: tuple[str, ...] = ()  # N, and from whom it is to be kept


@dataclass(frozen=True, slots=True)
class Submission:
    """What is sent together: whose it is, and its documents."""

    number: str
    source: str
    at: str  # UTC
    patient: Identifier | None = field(repr=False)
    entries: tuple[Entry, ...]
    recipients: tuple[str, ...] = field(default=(), repr=False)


def number(patient: Identifier | None) -> str:
    """Write a patient's number as these metadata do (HL7 CX): an INS is of type NH."""
    if patient is None:
        return ""
    kind = "^NH" if patient.root.startswith("1.2.250.1.213.1.4.") else "^PI"
    return f"{_escaped(patient.extension)}^^^&{_escaped(patient.root)}&ISO{kind}"


def write(
    name: str,
    content: bytes,
    document: Document,
    *,
    recipients: Iterable[str],
    at: str,
    source: str,
) -> bytes:
    """Return the metadata of an archive with one document; ``at`` is in UTC, ``source`` an OID."""
    digest = hashlib.sha1(content, usedforsecurity=False)  # the one that they name
    made = uuid.UUID(bytes=digest.digest()[:16], version=5)
    patient = number(document.patient.claimed)
    entry = "".join(_entry(name, (digest.hexdigest(), len(content)), document, patient))
    package = "".join(
        _package(document, patient, recipients=recipients, at=at, source=source, made=made)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<SubmitObjectsRequest xmlns="{LCM}"><RegistryObjectList xmlns="{RIM}">\n'
        f"{entry}{package}"
        f'<Association id="Association01" associationType="{_HAS_MEMBER}"'
        ' sourceObject="SubmissionSet01" targetObject="Document01">'
        f"{_slot('SubmissionSetStatus', ['Original'])}</Association>\n"
        "</RegistryObjectList></SubmitObjectsRequest>\n"
    ).encode()


def _entry(name: str, content: tuple[str, int], document: Document, patient: str) -> Iterator[str]:
    digest, size = content
    yield (
        f'<ExtrinsicObject id="Document01" mimeType="text/xml" objectType="{_DOCUMENT}"'
        f' status="{_APPROVED}">\n'
    )
    yield _slot("creationTime", [universal(document.at)])
    yield _slot("hash", [digest])
    yield _slot("languageCode", [document.language])
    if document.responsible is not None:
        yield _slot("legalAuthenticator", [_person(document.responsible)])
    if document.performed:
        yield _slot("serviceStartTime", [universal(document.performed)])
    yield _slot("size", [str(size)])
    yield _slot("sourcePatientId", [patient])
    yield _slot("sourcePatientInfo", _traits(document, patient))
    yield _slot("URI", [name])
    yield _name(document.title)
    for scheme, code in (
        (_CLASS, _CLASS_OF.get(document.code.code, _REPORT)),
        (_TYPE, document.code),
        (_FORMAT, _ANY_FORMAT if document.structured else _PDF_FORMAT),
        (_CONFIDENTIALITY, document.confidentiality),
        (_FACILITY, document.facility or UNSAID),
        (_PRACTICE, document.practice or UNSAID),
    ):
        yield _classified("Document01", scheme, code)
    for author in document.authors:
        yield _author("Document01", _ENTRY_AUTHOR, author)
    yield _external("Document01", _ENTRY_PATIENT, patient, "XDSDocumentEntry.patientId")
    yield _external("Document01", _ENTRY_NUMBER, document.id.whole, "XDSDocumentEntry.uniqueId")
    yield "</ExtrinsicObject>\n"


def _package(
    document: Document,
    patient: str,
    *,
    recipients: Iterable[str],
    at: str,
    source: str,
    made: uuid.UUID,
) -> Iterator[str]:
    yield f'<RegistryPackage id="SubmissionSet01" status="{_APPROVED}">\n'
    yield _slot("submissionTime", [at])
    yield _slot("intendedRecipient", [f"||^^Internet^{each}" for each in recipients])
    yield _name(document.title)
    for author in document.authors:
        yield _author("SubmissionSet01", _SET_AUTHOR, author)
    yield _classified("SubmissionSet01", _SET_CONTENT, _CLASS_OF.get(document.code.code, _REPORT))
    yield _external("SubmissionSet01", _SET_PATIENT, patient, "XDSSubmissionSet.patientId")
    yield _external("SubmissionSet01", _SET_SOURCE, source, "XDSSubmissionSet.sourceId")
    yield _external("SubmissionSet01", _SET_NUMBER, f"2.25.{made.int}", "XDSSubmissionSet.uniqueId")
    yield "</RegistryPackage>\n"
    yield (
        f'<Classification id="{uuid.uuid5(made, "node").urn}" classifiedObject="SubmissionSet01"'
        f' classificationNode="{_SET}"/>\n'
    )


def _slot(name: str, values: Iterable[str]) -> str:
    told = "".join(f"<Value>{text(each)}</Value>" for each in values if each)
    return f'<Slot name="{name}"><ValueList>{told}</ValueList></Slot>\n' if told else ""


def _name(title: str) -> str:
    if not title:
        return ""
    return f'<Name><LocalizedString xml:lang="fr-FR"{attributes(value=title)}/></Name>\n'


def _classified(of: str, scheme: str, code: Code) -> str:
    if not code.code:
        return ""
    told = attributes(nodeRepresentation=code.code)
    return (
        f'<Classification id="{_mark(of, scheme)}" classificationScheme="{scheme}"'
        f' classifiedObject="{of}"{told}>'
        f"{_slot('codingScheme', [code.system])}{_name(code.display)}</Classification>\n"
    )


def _author(of: str, scheme: str, who: Professional) -> str:
    told = _slot("authorPerson", [_person(who)])
    if who.organisation is not None:
        told += _slot("authorInstitution", [_institution(who)])
    if who.profession is not None:
        code, system, display = map(_escaped, who.profession)
        told += _slot("authorSpecialty", [f"{code}^{display}^{system}"])
    mark = _mark(of, scheme + _person(who))
    return (
        f'<Classification id="{mark}" classificationScheme="{scheme}" classifiedObject="{of}"'
        f' nodeRepresentation="">{told}</Classification>\n'
    )


def _external(of: str, scheme: str, value: str, name: str) -> str:
    if not value:
        return ""
    return (
        f'<ExternalIdentifier id="{_mark(of, scheme)}" registryObject="{of}"'
        f' identificationScheme="{scheme}"{attributes(value=value)}>'
        f'<Name><LocalizedString value="{name}"/></Name></ExternalIdentifier>\n'
    )


def _mark(of: str, what: str) -> str:
    """Return an identifier that is unique in the file, and the same each time it is written."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{of} {what}").urn


def _person(who: Professional) -> str:
    """Write a person or a device as HL7 XCN."""
    root, extension = who.id or Identifier("")
    kind = "IDNPS" if root.startswith("1.2.250.1.71.") else "RI"
    domain = f"&{_escaped(root)}&ISO^D^^^{kind}" if root else ""
    name = f"{_escaped(who.family)}^{_escaped(who.given)}"
    return f"{_escaped(extension)}^{name}^^^^^^{domain}".rstrip("^")


def _institution(who: Professional) -> str:
    """Write an organisation as HL7 XON."""
    assert who.organisation is not None
    root, extension = who.organisation.id or Identifier("")
    domain = f"&{_escaped(root)}&ISO^IDNST^^^{_escaped(extension)}" if root else ""
    return f"{_escaped(who.organisation.name)}^^^^^{domain}".rstrip("^")


def _traits(document: Document, patient: str) -> list[str]:
    """Write the traits of the patient as the fields of an HL7 PID."""
    traits = document.patient.traits
    return [
        f"PID-3|{patient}" if patient else "",
        f"PID-5|{_escaped(traits.name)}^{_escaped(traits.given)}^^^^^L" if traits.name else "",
        f"PID-7|{_escaped(traits.born)}" if traits.born else "",
        f"PID-8|{_escaped(traits.sex)}" if traits.sex else "",
    ]


def _escaped(value: str) -> str:
    """Write what separates HL7's components so that it does not (HL7 v2 §2.7.1)."""
    return value.translate(_ESCAPES)


def _unescaped(written: str) -> str:
    return _ESCAPED.sub(lambda found: _SEPARATORS[found[1]], written)


def read(content: bytes) -> Submission:
    """Return what metadata tell; raise ``DocumentError`` if they are none, or name no document."""
    root = xml.parse(content)
    if etree.QName(root).localname != "SubmitObjectsRequest":
        raise DocumentError("METADATA.XML is XML, but no submission")
    found = list(root.iter(f"{{{RIM}}}ExtrinsicObject"))
    if not found or len(found) > _MOST:
        raise DocumentError("METADATA.XML names no document, or too many")
    package = next(root.iter(f"{{{RIM}}}RegistryPackage"), None)
    entries = tuple(_read_entry(each) for each in found)
    if package is None:
        return Submission("", "", "", None, entries)
    return Submission(
        number=_read_external(package, _SET_NUMBER),
        source=_read_external(package, _SET_SOURCE),
        at=next(iter(_read_slot(package, "submissionTime")), ""),
        patient=_read_number(_read_external(package, _SET_PATIENT)),
        entries=entries,
        recipients=tuple(
            each.rpartition("^Internet^")[2]
            for each in _read_slot(package, "intendedRecipient")
            if "^Internet^" in each
        ),
    )


def _read_entry(element: etree._Element) -> Entry:
    size = next(iter(_read_slot(element, "size")), "")
    return Entry(
        uri=next(iter(_read_slot(element, "URI")), ""),
        number=_read_external(element, _ENTRY_NUMBER),
        patient=_read_number(_read_external(element, _ENTRY_PATIENT)),
        type=next(iter(_read_codes(element, _TYPE)), UNSAID),
        title=_read_name(element),
        mime=element.get("mimeType", "")[:100],
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 15 else None,
        hash=next(iter(_read_slot(element, "hash")), "").lower(),
        traits=_read_traits(_read_slot(element, "sourcePatientInfo")),
        confidentiality=tuple(each.code for each in _read_codes(element, _CONFIDENTIALITY)),
    )


def _read_slot(element: etree._Element, name: str) -> list[str]:
    for slot in element.iterchildren(f"{{{RIM}}}Slot"):
        if slot.get("name") == name:
            values = slot.iterfind(f"{{{RIM}}}ValueList/{{{RIM}}}Value")
            return [(each.text or "").strip() for each in values][:_MOST]
    return []


def _read_external(element: etree._Element, scheme: str) -> str:
    for each in element.iterchildren(f"{{{RIM}}}ExternalIdentifier"):
        if each.get("identificationScheme", "").lower() == scheme:
            return each.get("value", "")
    return ""


def _read_codes(element: etree._Element, scheme: str) -> list[Code]:
    found = []
    for each in element.iterchildren(f"{{{RIM}}}Classification"):
        if each.get("classificationScheme", "").lower() == scheme:
            system = next(iter(_read_slot(each, "codingScheme")), "")
            found.append(Code(each.get("nodeRepresentation", ""), system, _read_name(each)))
    return found[:_MOST]


def _read_name(element: etree._Element) -> str:
    found = element.find(f"{{{RIM}}}Name/{{{RIM}}}LocalizedString")
    return "" if found is None else found.get("value", "")


def _read_traits(lines: Iterable[str]) -> Traits:
    told = dict(line.split("|", 1) for line in lines if "|" in line)
    name, given, *_ = (*map(_unescaped, told.get("PID-5", "").split("^")), "", "")
    return Traits(name, given, told.get("PID-7", "")[:8], told.get("PID-8", ""))


def _read_number(written: str) -> Identifier | None:
    """Read a patient's number out of HL7 CX; None: there is none."""
    extension, _, rest = written.partition("^^^")
    root = rest.partition("^")[0].split("&")
    if not extension or len(root) < 2:
        return None
    return Identifier(_unescaped(root[1]), _unescaped(extension))
