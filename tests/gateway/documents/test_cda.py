"""A document's header is read, whatever somebody wrote into it."""

import base64
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents import cda, cda_writer
from gateway.documents.document import UNSAID, Document, Identifier, Professional
from gateway.documents.errors import DocumentError
from gateway.documents.ins import Traits
from tests.gateway.documents.made import EXAMPLES, PDF, document

_LEAST = '<id root="1.2"/><code code="11502-2"/><recordTarget><patientRole/></recordTarget>'


def _cda(inside: str, least: str = _LEAST) -> bytes:
    return f'<ClinicalDocument xmlns="urn:hl7-org:v3">{least}{inside}</ClinicalDocument>'.encode()


def test_the_least_that_is_a_document() -> None:
    """What is not said is empty; there is no document without a number, a type and a patient."""
    found = cda.read(_cda(""))
    assert (Identifier("1.2"), "11502-2", UNSAID) == (
        found.id,
        found.code.code,
        found.confidentiality,
    )
    assert Traits() == found.patient.traits
    assert (None, None, (), 1) == (found.custodian, found.pdf, found.authors, found.version)


@pytest.mark.parametrize(
    "least",
    [
        '<code code="1"/><recordTarget><patientRole/></recordTarget>',
        '<id root="1.2"/><recordTarget><patientRole/></recordTarget>',
        '<id root="1.2"/><code code="1"/>',
        '<id nullFlavor="UNK"/><code nullFlavor="UNK"/><recordTarget><patientRole/></recordTarget>',
    ],
)
def test_less_is_none(least: str) -> None:
    """It says that it does not say what it is."""
    with pytest.raises(DocumentError, match="does not say what it is"):
        cda.read(_cda("", least))


def test_other_xml_is_none() -> None:
    """The root element decides, with its namespace."""
    with pytest.raises(DocumentError, match="no CDA"):
        cda.read(b"<ClinicalDocument/>")


def test_names_are_those_of_birth() -> None:
    """The name that is so marked, else one without a mark, and never a married name (R-H1)."""
    name = "<name><family qualifier='CL'>B</family>{}<given>X</given></name>"
    role = (
        "<id root='1.2'/><code code='1'/><recordTarget><patientRole><patient>"
        + name
        + "</patient></patientRole></recordTarget>"
    )
    born = cda.read(_cda("", role.format("<family qualifier='BR'>  A \n C</family>")))
    assert ("A C", "X") == (born.patient.traits.name, born.patient.traits.given)
    assert "" == cda.read(_cda("", role.format(""))).patient.traits.name
    nameless = role.replace(name, "")
    assert Traits() == cda.read(_cda("", nameless)).patient.traits


def test_software_is_an_author_too() -> None:
    """It has a name and perhaps a number; a person without a name is one without a name."""
    found = cda.read(
        _cda(
            "<author><assignedAuthor><id root='1.2' extension='3'/><assignedAuthoringDevice>"
            "<softwareName>SGL</softwareName></assignedAuthoringDevice></assignedAuthor></author>"
            "<author><assignedAuthor/></author>"
        )
    )
    assert (Professional("SGL", id=Identifier("1.2", "3")), Professional("")) == found.authors


def test_only_a_replacement_replaces() -> None:
    """Other relations between documents are none of ours."""
    found = cda.read(
        _cda(
            "<relatedDocument typeCode='APND'><parentDocument><id root='1'/></parentDocument>"
            "</relatedDocument><relatedDocument typeCode='RPLC'><parentDocument><id root='2'/>"
            "</parentDocument></relatedDocument><relatedDocument typeCode='RPLC'/>"
        )
    )
    assert (Identifier("2"),) == found.replaces


def test_recipients_are_mail_addresses() -> None:
    """A telephone is no mailbox."""
    found = cda.read(
        _cda(
            "<informationRecipient><intendedRecipient><telecom value='tel:1'/>"
            "<telecom value='mailto:a@b.example'/><telecom/></intendedRecipient>"
            "</informationRecipient>"
        )
    )
    assert ("a@b.example",) == found.recipients


@pytest.mark.parametrize(
    ("version", "read"), [("3", 3), ("", 1), ("-1", 1), ("x", 1), ("9" * 5000, 1)]
)
def test_versions_are_small_numbers(version: str, read: int) -> None:
    """Anything else is the first."""
    assert read == cda.read(_cda(f"<versionNumber value='{version}'/>")).version


def test_when_it_was_done() -> None:
    """The beginning, or the moment where only one is told."""
    event = "<documentationOf><serviceEvent>{}</serviceEvent></documentationOf>"
    low = event.format("<effectiveTime><low value='2026'/></effectiveTime>")
    one = event.format("<effectiveTime value='2025'/>")
    assert ["2026", "2025"] == [cda.read(_cda(each)).performed for each in (low, one)]


_BODY = "<component><nonXMLBody><text mediaType='{}' representation='{}'>{}</text></nonXMLBody></component>"
_COPY = (
    "<component><structuredBody><component><observationMedia>"
    "<value mediaType='image/png' representation='B64'>QQ==</value>"
    "<value mediaType='application/pdf' representation='B64'>{}</value>"
    "</observationMedia></component></structuredBody></component>"
)


def test_the_pdf_is_found_as_body_or_as_copy() -> None:
    """Around a PDF, or with one for people beside the data for software."""
    text = base64.encodebytes(PDF).decode()
    around = cda.read(_cda(_BODY.format("application/pdf", "B64", text)))
    copied = cda.read(_cda(_COPY.format(text)))
    assert [(PDF, False), (PDF, True)] == [(each.pdf, each.structured) for each in (around, copied)]
    assert cda.read(_cda(_BODY.format("text/rtf", "B64", text))).pdf is None
    assert cda.read(_cda(_COPY.format(text).replace("application/pdf", "x/y"))).pdf is None


@pytest.mark.parametrize("body", [("TXT", "QQ=="), ("B64", "A"), ("B64", "é")])
def test_a_pdf_that_is_none_is_said(body: tuple[str, str]) -> None:
    """What says it is base64 and is not, cannot be relied on."""
    with pytest.raises(DocumentError, match="not written in base64"):
        cda.read(_cda(_BODY.format("application/pdf", *body)))


@given(st.binary())
@settings(max_examples=200)
def test_any_bytes_are_a_document_or_our_error(noise: bytes) -> None:
    """Noise alone, and noise in the middle of a document."""
    whole = cda_writer.write(document())
    middle = len(whole) // 3
    for content in (noise, whole[:middle] + noise + whole[middle:]):
        with contextlib.suppress(DocumentError):
            assert isinstance(cda.read(content), Document)


def test_the_published_examples_are_read() -> None:
    """Each real example has a type, a patient with a right INS, an author; five have a PDF."""
    found = {path.name: cda.read(path.read_bytes()) for path in sorted(EXAMPLES.glob("*.xml"))}
    for each in found.values():
        assert each.patient.qualified
        assert each.authors
        assert each.title
        assert each.facility is not None
    assert sum(each.pdf is not None for each in found.values()) in {0, 5}
