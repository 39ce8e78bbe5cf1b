"""A CDA document's header, read tolerantly: what is missing is empty, what is hostile is refused.

Of the body only the PDF is taken, where there is one; nothing is ever shown or run. The document
itself travels byte for byte, whatever was understood of it: a result, an image's report, a
prescription for the pharmacy. HL7 CDA R2 §4, CI-SIS; R-E1, R-E10, R-J5.
"""

import base64
import binascii
from functools import lru_cache

from lxml import etree

from gateway.documents import xml
from gateway.documents.document import (
    UNSAID,
    Code,
    Document,
    Identifier,
    Organisation,
    Patient,
    Professional,
)
from gateway.documents.errors import DocumentError
from gateway.documents.ins import Traits

NAMESPACE = "urn:hl7-org:v3"
_MOST = 100  # of whatever may be said more than once
_LONGEST = 1000  # characters of one value


def read(content: bytes) -> Document:
    """Return what a document's header says; raise ``DocumentError`` if it is no CDA document."""
    root = xml.parse(content)
    if root.tag != f"{{{NAMESPACE}}}ClinicalDocument":
        raise DocumentError("the document is XML, but no CDA document")
    code = _code(root.find(_path("code")))
    number = _identifier(root.find(_path("id")))
    patients = tuple(_patient(each) for each in _all(root, "recordTarget/patientRole"))
    if code is None or number is None or not patients:
        raise DocumentError("the document does not say what it is, or about whom")
    event = root.find(_path("documentationOf/serviceEvent"))
    return Document(
        id=number,
        code=code,
        title=_text(root.find(_path("title"))),
        at=_value(root, "effectiveTime"),
        patients=patients,
        set_id=_identifier(root.find(_path("setId"))),
        version=_version(_value(root, "versionNumber")),
        confidentiality=_code(root.find(_path("confidentialityCode"))) or UNSAID,
        language=_value(root, "languageCode", "code"),
        authors=tuple(_professional(each) for each in _all(root, "author/assignedAuthor")),
        custodian=_organisation(
            root.find(_path("custodian/assignedCustodian/representedCustodianOrganization"))
        ),
        responsible=_responsible(root.find(_path("legalAuthenticator/assignedEntity"))),
        recipients=_addresses(root),
        replaces=_replaced(root),
        performed=_time(event),
        facility=_code(
            root.find(_path("componentOf/encompassingEncounter/location/healthCareFacility/code"))
        ),
        practice=_practice(event),
        structured=root.find(_path("component/structuredBody")) is not None,
        pdf=_pdf(root),
    )


@lru_cache(maxsize=128)
def _path(path: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))


def _all(element: etree._Element, path: str) -> list[etree._Element]:
    return element.findall(_path(path))[:_MOST]


def _text(element: etree._Element | None) -> str:
    found = "" if element is None else "".join(element.itertext())
    return " ".join(found.split())[:_LONGEST]


def _value(element: etree._Element, path: str, name: str = "value") -> str:
    found = element.find(_path(path))
    return "" if found is None else found.get(name, "")[:_LONGEST]


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _code(element: etree._Element | None) -> Code | None:
    if element is None or not (code := element.get("code", "")):
        return None
    system, display = element.get("codeSystem", ""), element.get("displayName", "")
    return Code(code[:_LONGEST], system[:_LONGEST], display[:_LONGEST])


def _identifier(element: etree._Element | None) -> Identifier | None:
    if element is None or not (root := element.get("root", "")):
        return None
    return Identifier(root[:_LONGEST], element.get("extension", "")[:_LONGEST])


def _identifiers(element: etree._Element) -> tuple[Identifier, ...]:
    return tuple(found for each in _all(element, "id") if (found := _identifier(each)))


def _patient(role: etree._Element) -> Patient:
    person = role.find(_path("patient"))
    if person is None:
        return Patient(_identifiers(role))
    name = person.find(_path("name"))
    traits = Traits(
        name=_part(name, "family", "BR"),
        given=_part(name, "given", "BR"),
        born=_value(person, "birthTime")[:8],
        sex=_value(person, "administrativeGenderCode", "code"),
        place=_text(person.find(_path("birthplace/place/addr/county"))),
    )
    return Patient(_identifiers(role), traits)


def _part(name: etree._Element | None, part: str, qualifier: str) -> str:
    """Return the part of a name that is so qualified; one that is not qualified will do."""
    if name is None:
        return ""
    found = _all(name, part)
    exact = [each for each in found if each.get("qualifier") == qualifier]
    plain = [each for each in found if each.get("qualifier") is None]
    return _text(next(iter(exact + plain), None))


def _professional(entity: etree._Element) -> Professional:
    organisation = _organisation(entity.find(_path("representedOrganization")))
    number = next(iter(_identifiers(entity)), None)
    name = entity.find(_path("assignedPerson/name"))
    if name is None:
        device = entity.find(_path("assignedAuthoringDevice/softwareName"))
        return Professional(_text(device), id=number, organisation=organisation)
    return Professional(
        family=_text(name.find(_path("family"))),
        given=_text(name.find(_path("given"))),
        id=number,
        prefix=_text(name.find(_path("prefix"))),
        suffix=_text(name.find(_path("suffix"))),
        profession=_code(entity.find(_path("code"))),
        organisation=organisation,
    )


def _responsible(entity: etree._Element | None) -> Professional | None:
    return None if entity is None else _professional(entity)


def _organisation(element: etree._Element | None) -> Organisation | None:
    if element is None:
        return None
    return Organisation(_text(element.find(_path("name"))), next(iter(_identifiers(element)), None))


def _addresses(root: etree._Element) -> tuple[str, ...]:
    """Return to which mail addresses the document says it goes."""
    path = "informationRecipient/intendedRecipient/telecom"
    values = (each.get("value", "") for each in _all(root, path))
    return tuple(
        value[len("mailto:") :][:_LONGEST] for value in values if value.startswith("mailto:")
    )


def _replaced(root: etree._Element) -> tuple[Identifier, ...]:
    """Return which documents this one takes the place of."""
    parents = (
        each.find(_path("parentDocument/id"))
        for each in _all(root, "relatedDocument")
        if each.get("typeCode") == "RPLC"
    )
    return tuple(found for each in parents if (found := _identifier(each)))


def _time(event: etree._Element | None) -> str:
    if event is None:
        return ""
    return _value(event, "effectiveTime/low") or _value(event, "effectiveTime")


def _practice(event: etree._Element | None) -> Code | None:
    path = "performer/assignedEntity/representedOrganization/standardIndustryClassCode"
    return None if event is None else _code(event.find(_path(path)))


def _pdf(root: etree._Element) -> bytes | None:
    """Return the PDF that is the body, or that lies in it as a copy for people."""
    body = root.find(_path("component/nonXMLBody/text"))
    if body is None:
        values = root.iterfind(_path("component/structuredBody"))
        media = (each for body in values for each in body.iter(_path("value")))
        body = next((each for each in media if each.get("mediaType") == "application/pdf"), None)
    if body is None or body.get("mediaType") != "application/pdf":
        return None
    if body.get("representation") != "B64":
        raise DocumentError("the document's PDF is not written in base64")
    try:
        return base64.b64decode("".join(body.itertext()))
    except (binascii.Error, ValueError):
        raise DocumentError("the document's PDF is not written in base64") from None
