"""A CDA R2 document of level 1: a header as the French framework asks for it, around a PDF.

What the header needs and nobody told is written as *not known* (``nullFlavor``), in the order of
the schema. The time and the numbers come from the caller, so the same value gives the same bytes.
HL7 CDA R2 §4.2; CI-SIS, *structuration minimale*; IHE XDS-SD. R-E1.
"""

import pybase64

from gateway.documents.document import (
    Code,
    Document,
    Identifier,
    Organisation,
    Patient,
    Professional,
)
from gateway.documents.errors import DocumentError
from gateway.documents.xml import attributes, text

_TEMPLATES = (
    "2.16.840.1.113883.2.8.2.1",  # HL7 France
    "1.2.250.1.213.1.1.1.1",  # CI-SIS
    "1.3.6.1.4.1.19376.1.2.20",  # a document whose body is a file
)
_UNKNOWN = '<addr nullFlavor="UNK"/><telecom nullFlavor="UNK"/>'
_GENDERS = {"M": "Masculin", "F": "Féminin"}


def write(document: Document) -> bytes:
    """Return the document; raise ``DocumentError`` if it has no PDF or too little is known."""
    if document.pdf is None or document.structured:
        raise DocumentError("only a document around a PDF is written; others travel as they are")
    if not document.authors or document.custodian is None or document.responsible is None:
        raise DocumentError("a document needs an author, who answers for it, and who keeps it")
    head = "".join(_head(document))
    people = "".join(_people(document))
    before = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ClinicalDocument xmlns="urn:hl7-org:v3"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        f"{head}{people}"
        '<component><nonXMLBody><text mediaType="application/pdf" representation="B64">'
    )
    after = b"</text></nonXMLBody></component>\n</ClinicalDocument>\n"
    return before.encode() + pybase64.b64encode(document.pdf) + after


def _head(document: Document) -> list[str]:
    return [
        '<realmCode code="FR"/>\n<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>\n',
        *(f'<templateId root="{each}"/>\n' for each in _TEMPLATES),
        _id("id", document.id),
        _code("code", document.code),
        f"<title>{text(document.title)}</title>\n",
        _value("effectiveTime", document.at),
        _code("confidentialityCode", document.confidentiality),
        f"<languageCode{attributes(code=document.language)}/>\n",
        _id("setId", document.set_id) if document.set_id else "",
        f'<versionNumber value="{document.version}"/>\n',
    ]


def _people(document: Document) -> list[str]:
    assert document.custodian is not None and document.responsible is not None  # noqa: PT018
    when = _value("time", document.at)
    entity = _entity(document.responsible)
    return [
        *(_patient(each) for each in document.patients),
        *(
            f"<author>{when}<assignedAuthor>{_entity(each)}</assignedAuthor></author>\n"
            for each in document.authors
        ),
        "<custodian><assignedCustodian>",
        _organisation("representedCustodianOrganization", document.custodian),
        "</assignedCustodian></custodian>\n",
        *(_recipient(each) for each in document.recipients),
        f'<legalAuthenticator>{when}<signatureCode code="S"/>',
        f"<assignedEntity>{entity}</assignedEntity></legalAuthenticator>\n",
        _event(document),
        *(
            '<relatedDocument typeCode="RPLC"><parentDocument>'
            f"{_id('id', each)}</parentDocument></relatedDocument>\n"
            for each in document.replaces
        ),
        _encounter(document),
    ]


def _id(name: str, number: Identifier | None) -> str:
    if number is None:
        return f'<{name} nullFlavor="UNK"/>\n'
    return f"<{name}{attributes(root=number.root, extension=number.extension)}/>\n"


def _code(name: str, code: Code | None) -> str:
    if code is None or not code.code:
        return f'<{name} nullFlavor="UNK"/>\n'
    told = attributes(code=code.code, displayName=code.display, codeSystem=code.system)
    return f"<{name}{told}/>\n"


def _value(name: str, value: str) -> str:
    told = attributes(value=value) or attributes(nullFlavor="UNK")
    return f"<{name}{told}/>\n"


def _patient(patient: Patient) -> str:
    traits = patient.traits
    gender = Code(traits.sex, "2.16.840.1.113883.5.1", _GENDERS.get(traits.sex, ""))
    place = (
        f"<birthplace><place><addr><county>{text(traits.place)}</county></addr></place></birthplace>"
        if traits.place
        else ""
    )
    return (
        "<recordTarget><patientRole>\n"
        f"{''.join(_id('id', each) for each in patient.identifiers)}{_UNKNOWN}\n"
        f'<patient classCode="PSN"><name><family qualifier="BR">{text(traits.name)}</family>'
        f'<given qualifier="BR">{text(traits.given)}</given></name>\n'
        f"{_code('administrativeGenderCode', gender)}{_value('birthTime', traits.born)}{place}"
        "</patient></patientRole></recordTarget>\n"
    )


def _entity(who: Professional) -> str:
    parts = [_id("id", who.id)]
    if who.profession is not None:
        parts.append(_code("code", who.profession))
    parts.append(_UNKNOWN)
    parts.append("<assignedPerson><name>")
    for tag, value in (
        ("prefix", who.prefix),
        ("given", who.given),
        ("family", who.family),
        ("suffix", who.suffix),
    ):
        if value:
            parts.append(f"<{tag}>{text(value)}</{tag}>")
    parts.append("</name></assignedPerson>")
    if who.organisation is not None:
        parts.append(_organisation("representedOrganization", who.organisation))
    return "".join(parts)


def _organisation(tag: str, who: Organisation) -> str:
    number = _id("id", who.id) if who.id is not None else ""
    return f"<{tag}>{number}<name>{text(who.name)}</name></{tag}>"


def _recipient(address: str) -> str:
    return (
        "<informationRecipient><intendedRecipient>"
        f"<telecom{attributes(value=f'mailto:{address}')}/>"
        "</intendedRecipient></informationRecipient>\n"
    )


def _event(document: Document) -> str:
    """Write what was done, and by whom: whoever answers for the document, in their setting."""
    who = document.responsible
    organisation = who.organisation if who is not None else None
    name = text(organisation.name) if organisation is not None else ""
    setting = _code("standardIndustryClassCode", document.practice) if document.practice else ""
    return (
        "<documentationOf><serviceEvent>"
        f"<effectiveTime>{_value('low', document.performed)}</effectiveTime>"
        f'<performer typeCode="PRF"><assignedEntity>{_id("id", who.id if who else None)}'
        f"<representedOrganization><name>{name}</name>{setting}</representedOrganization>"
        "</assignedEntity></performer></serviceEvent></documentationOf>\n"
    )


def _encounter(document: Document) -> str:
    return (
        f"<componentOf><encompassingEncounter>{_value('effectiveTime', document.performed)}"
        f"<location><healthCareFacility>{_code('code', document.facility)}</healthCareFacility>"
        "</location></encompassingEncounter></componentOf>\n"
    )
