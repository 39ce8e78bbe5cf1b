"""The Annuaire Santé as its FHIR API tells it: mailboxes in the ``telecom`` of who has them.

A page is a Bundle; what it says of mailboxes is kept as compact ``Harvest`` octets, of which another
process makes the directory. What we publish of ourselves has the same shape. R-D1 to R-D6; FHIR R4.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from smtp.address import AddressError, parse
from trust import identifiers
from trust.addresses import Kind
from trust.book import Buffer
from trust.directory import filing
from trust.directory import report as reporting
from trust.directory.entry import Entry, clean
from trust.directory.report import Fault, Report
from trust.errors import HolderError, ListError

PAGE = 8 << 20  # octets of one answer
HARVEST = 512 << 20  # octets of a harvest, unpacked
PEOPLE = "urn:oid:1.2.250.1.71.4.2.1"
STRUCTURES = "urn:oid:1.2.250.1.71.4.2.2"
_ANS = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/"
METADATA = f"{_ANS}as-ext-mailbox-mss-metadata"
EMAIL_TYPE = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-contact-point-email-type"
_NOS = "https://mos.esante.gouv.fr/NOS/"
MESSAGING = f"{_NOS}TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie"
KINDS = f"{_NOS}TRE_R257-TypeBAL/FHIR/TRE-R257-TypeBAL"


class Coding(msgspec.Struct, omit_defaults=True):
    """One code of a system."""

    system: str = ""
    code: str = ""
    display: str = ""


class Concept(msgspec.Struct, omit_defaults=True):
    """A concept, in as many systems as its author likes."""

    coding: list[Coding] = []
    text: str = ""


class Extension(msgspec.Struct, omit_defaults=True):
    """What the standard does not have: here, what sort of mailbox it is."""

    url: str
    extension: "list[Extension]" = []
    valueString: str = ""  # noqa: N815 - FHIR's name
    valueBoolean: bool = False  # noqa: N815
    valueCoding: Coding | None = None  # noqa: N815
    valueCodeableConcept: Concept | None = None  # noqa: N815


class Contact(msgspec.Struct, omit_defaults=True):
    """A way to reach somebody."""

    system: str = ""
    value: str = ""
    extension: list[Extension] = []


class Number(msgspec.Struct, omit_defaults=True):
    """An identifier of somebody."""

    system: str = ""
    value: str = ""


class HumanName(msgspec.Struct, omit_defaults=True):
    """A person's name."""

    family: str = ""
    given: list[str] = []
    prefix: list[str] = []
    text: str = ""


class Reference(msgspec.Struct, omit_defaults=True):
    """Another resource, by its type and name."""

    reference: str = ""


class Qualification(msgspec.Struct, omit_defaults=True):
    """What a person may practise."""

    code: Concept = msgspec.field(default_factory=Concept)


class Resource(msgspec.Struct, omit_defaults=True):
    """Of the three resources that have mailboxes, what we read and write."""

    resourceType: str = ""  # noqa: N815
    id: str = ""
    identifier: list[Number] = []
    name: list[HumanName] | str = ""
    telecom: list[Contact] = []
    qualification: list[Qualification] = []
    code: list[Concept] = []
    practitioner: Reference | None = None
    organization: Reference | None = None


class BundleEntry(msgspec.Struct, omit_defaults=True):
    """One resource of an answer."""

    resource: msgspec.Raw = msgspec.Raw(b"{}")


class Link(msgspec.Struct, omit_defaults=True):
    """Where the answer goes on."""

    relation: str = ""
    url: str = ""


class Bundle(msgspec.Struct, omit_defaults=True):
    """One answer."""

    resourceType: str = ""  # noqa: N815
    type: str = ""
    link: list[Link] = []
    entry: list[BundleEntry] = []


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer says, and where the next one is; "" after the last."""

    entries: tuple[Entry, ...]
    next: str


def page(content: bytes, report: Report) -> Page:
    """Read an answer; raise ``ListError`` if it is no Bundle."""
    if len(content) > PAGE:
        raise ListError(f"an answer is larger than {PAGE} octets")
    try:
        bundle = msgspec.json.decode(content, type=Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ListError("the answer is no FHIR Bundle in JSON") from None
    if bundle.resourceType != "Bundle":
        raise ListError(f"the answer is a FHIR {clean(bundle.resourceType) or 'nothing'}")
    found = list(_resources(bundle, report))
    by_name = {f"{each.resourceType}/{each.id}": each for each in found}
    entries = (entry for each in found for entry in _entries(each, by_name, report))
    following = (link.url for link in bundle.link if link.relation == "next")
    return Page(tuple(entries), next(following, ""))


def _resources(bundle: Bundle, report: Report) -> Iterator[Resource]:
    for entry in bundle.entry:
        try:
            yield msgspec.json.decode(entry.resource, type=Resource)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            report.rows += 1
            report.leave_out(Fault.FORM)


def _entries(resource: Resource, by_name: dict[str, Resource], report: Report) -> Iterator[Entry]:
    """Yield the mailboxes of one resource."""
    for contact in resource.telecom:
        if contact.system != "email" or not _secure(contact):
            continue
        report.rows += 1
        try:
            yield _entry(contact, resource, by_name)
        except AddressError:
            report.leave_out(Fault.ADDRESS)
        except HolderError:
            report.leave_out(Fault.PERSON)
        except KeyError:
            report.leave_out(Fault.KIND)


def _secure(contact: Contact) -> bool:
    """Whether this is a mailbox of the trusted space, and no ordinary address."""
    return any(
        each.url == METADATA
        or (each.url == EMAIL_TYPE and each.valueCoding and each.valueCoding.code == "MSSANTE")
        for each in contact.extension
    )


def _entry(contact: Contact, resource: Resource, by_name: dict[str, Resource]) -> Entry:
    told = {part.url: part for each in contact.extension for part in each.extension}
    structure = resource if resource.resourceType == "Organization" else None
    person = None if structure else resource
    if resource.resourceType == "PractitionerRole":
        person = _referred(resource.practitioner, by_name)
        structure = _referred(resource.organization, by_name)
    sort, hidden = told.get("type"), told.get("listeRouge")
    return Entry(
        address=parse(contact.value.strip()),
        kind=_kind(sort, resource),
        person=identifiers.person(_number(person, PEOPLE)),
        organisation=identifiers.structure(_number(structure, STRUCTURES)),
        name=_name(person),
        profession=_profession(resource, person),
        structure=_name(structure),
        service=_service(told),
        hidden=hidden is not None and hidden.valueBoolean,
    )


def _referred(reference: Reference | None, by_name: dict[str, Resource]) -> Resource | None:
    return None if reference is None else by_name.get(reference.reference)


def _kind(sort: Extension | None, resource: Resource) -> Kind:
    concept = sort.valueCodeableConcept if sort else None
    if concept is None or not concept.coding:
        return Kind.ORG if resource.resourceType == "Organization" else Kind.PER
    return _KINDS[concept.coding[0].code]


def _number(resource: Resource | None, system: str) -> str:
    numbers = resource.identifier if resource else ()
    return next((each.value.strip() for each in numbers if each.system == system), "")


def _name(resource: Resource | None) -> str:
    if resource is None or not resource.name:
        return ""
    if isinstance(resource.name, str):
        return clean(resource.name)
    name = resource.name[0]
    return clean(" ".join((*name.prefix, *name.given, name.family))) or clean(name.text)


def _profession(resource: Resource, person: Resource | None) -> str:
    concepts = [*resource.code, *(each.code for each in (person.qualification if person else ()))]
    texts = (coding.display for concept in concepts for coding in concept.coding)
    return clean(next((text for text in texts if text), ""))


def _service(told: dict[str, Extension]) -> str:
    texts = (told[name].valueString for name in ("service", "description") if name in told)
    return clean(next((text for text in texts if text), ""))


class Harvest:
    """The entries of many pages, packed as they come: a million take some thirty megabytes."""

    def __init__(self) -> None:
        self.report = Report()
        self._packer = zlib.compressobj(1)
        self._parts: list[bytes] = []

    def add(self, content: bytes) -> str:
        """Take a page in; return where the next one is."""
        found = page(content, self.report)
        octets = msgspec.msgpack.encode(found.entries)
        self._parts.append(self._packer.compress(len(octets).to_bytes(4) + octets))
        return found.next

    def finish(self) -> tuple[bytes, bytes]:
        """Return what ``build`` makes a directory of."""
        return b"".join((*self._parts, self._packer.flush())), reporting.write(self.report)


def build(harvest: Buffer, report: Buffer) -> bytes:
    """Return the directory that a harvest makes."""
    octets = zlib.decompressobj().decompress(harvest, HARVEST)
    return filing.pack(_unpacked(octets), reporting.read(report))


def _unpacked(octets: bytes) -> Iterator[Entry]:
    at = 0
    while at < len(octets):
        start = at + 4
        at = start + int.from_bytes(octets[at:start])
        yield from msgspec.msgpack.decode(octets[start:at], type=list[Entry])


def bundle(entries: Iterable[Entry]) -> bytes:
    """Return entries as one Bundle, as the API would tell them."""
    resources = (_written(entry, number) for number, entry in enumerate(entries, 1))
    written = [BundleEntry(msgspec.Raw(msgspec.json.encode(each))) for each in resources]
    whole = Bundle(resourceType="Bundle", type="collection", entry=written)
    return msgspec.json.format(msgspec.json.encode(whole))


def _written(entry: Entry, number: int) -> Resource:
    contact = Contact("email", entry.address, [_messaging(), _metadata(entry)])
    if not entry.person:
        numbers = [Number(STRUCTURES, _national(entry.organisation))] if entry.organisation else []
        name = entry.structure or entry.name
        return Resource("Organization", f"mailbox-{number}", numbers, name, [contact])
    numbers = [Number(PEOPLE, _national(entry.person))]
    named = [HumanName(text=entry.name)] if entry.name else ""
    return Resource("Practitioner", f"mailbox-{number}", numbers, named, [contact])


def _national(holder: str) -> str:
    return identifiers.parse(holder).national


def _messaging() -> Extension:
    return Extension(EMAIL_TYPE, valueCoding=Coding(MESSAGING, "MSSANTE"))


def _metadata(entry: Entry) -> Extension:
    kind = Concept([Coding(KINDS, entry.kind.value)])
    told = [Extension("type", valueCodeableConcept=kind)]
    if entry.service:
        told.append(Extension("service", valueString=entry.service))
    if entry.hidden:
        told.append(Extension("listeRouge", valueBoolean=True))
    return Extension(METADATA, told)
