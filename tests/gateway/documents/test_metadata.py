"""The metadata of an archive: what a document's header says, told once more."""

import contextlib
import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.documents import metadata
from gateway.documents.document import Code, Document, Identifier, Patient, Professional
from gateway.documents.errors import DocumentError
from tests.gateway.documents.made import BIOLOGIST, NUMBER, PDF, TRAITS, document
from tests.gateway.documents.test_cda_writer import DOCUMENTS


def _written(made: Document, *recipients: str) -> bytes:
    return metadata.write(
        "DOC0001.XML", PDF, made, recipients=recipients, at="20261122203015", source="1.2.3"
    )


def _submission(objects: str) -> bytes:
    return (
        f'<SubmitObjectsRequest xmlns="{metadata.LCM}"><RegistryObjectList'
        f' xmlns="{metadata.RIM}">{objects}</RegistryObjectList></SubmitObjectsRequest>'
    ).encode()


def test_the_header_is_told_once_more() -> None:
    """Number, patient, type, title, size and hash, times in UTC, and who gets it."""
    found = metadata.read(_written(document(), "dr@chu.example"))
    (entry,) = found.entries
    assert ("DOC0001.XML", "1.2.250.1.213.1.1.9^essai-1") == (entry.uri, entry.number)
    assert NUMBER == entry.patient == found.patient
    assert "11502-2" == entry.type.code
    assert "Compte rendu d'examens biologiques" == entry.title
    assert replace(TRAITS, place="") == entry.traits
    assert (len(PDF), hashlib.sha1(PDF, usedforsecurity=False).hexdigest()) == (
        entry.size,
        entry.hash,
    )
    assert ("N",) == entry.confidentiality
    assert ("20261122203015", "1.2.3", ("dr@chu.example",)) == (
        found.at,
        found.source,
        found.recipients,
    )
    assert found.number.startswith("2.25.")


@given(DOCUMENTS)
def test_whatever_a_header_says_is_written_and_read(made: Document) -> None:
    """No name, number or title breaks the file, and the document's number comes back."""
    (entry,) = metadata.read(_written(made)).entries
    assert made.id.whole == entry.number
    assert made.code.code == entry.type.code
    assert made.title == entry.title


def test_people_and_places_are_written_as_hl7_has_them() -> None:
    """XCN, XON, CX and PID, as the framework's guide shows them."""
    values = _values(_written(document()))
    assert "810001234565^ESSAI^Camille^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS" in values
    assert "Laboratoire des Essais^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750000010" in values
    assert "279035121518989^^^&1.2.250.1.213.1.4.8&ISO^NH" in values
    assert {"PID-5|DESMAUX^NATHALIE^^^^^L", "PID-7|19790301", "PID-8|F"} <= values
    assert "20261122203015" in values


def _values(content: bytes) -> set[str]:
    root = etree.fromstring(content)
    return {each.text or "" for each in root.iter(f"{{{metadata.RIM}}}Value")}


def test_what_is_not_known_is_left_out() -> None:
    """A patient without an INS, a device without a number, no facility: no empty elements."""
    made = document(
        patients=(Patient(),),
        authors=(Professional("SGL"), Professional("X", id=Identifier("1.2", "7"))),
        responsible=None,
        performed="",
        title="",
    )
    content = _written(made)
    (entry,) = metadata.read(content).entries
    assert entry.patient is None
    assert {"^SGL", "7^X^^^^^^^&1.2&ISO^D^^^RI"} <= _values(content)
    assert b"<Value></Value>" not in content


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("57833-6", "42"), ("60593-1", "43"), ("SYNTH", "11"), ("18748-4", "10")],
)
def test_each_type_is_of_a_class(type_: str, kind: str) -> None:
    """Prescriptions, dispensations, summaries; what is not named is a report."""
    content = _written(document(code=Code(type_), structured=True))
    assert f'nodeRepresentation="{kind}"'.encode() in content
    assert b"mimeTypeSufficient" in content


def test_a_number_is_written_with_its_kind() -> None:
    """A national one, or an establishment's own."""
    assert "" == metadata.number(None)
    assert "7^^^&1.2&ISO^PI" == metadata.number(Identifier("1.2", "7"))


@given(st.text(alphabet="a^&|~\\SF", min_size=1), st.text(alphabet="1.^&\\T", min_size=1))
def test_no_number_ends_its_own_field(extension: str, root: str) -> None:
    """What separates fields may stand in a number, and it comes back as it was."""
    patient = Patient((Identifier("1.2.250.1.213.1.4.8", extension), Identifier(root, "x")))
    found = metadata.read(_written(document(patients=(patient,))))
    assert Identifier("1.2.250.1.213.1.4.8", extension) == found.patient
    assert 2 == metadata.number(Identifier(root, "x")).count("&")


@pytest.mark.parametrize(
    "content",
    [
        b"<a/>",
        _submission(""),
        _submission("<ExtrinsicObject/>" * 101),
    ],
)
def test_what_is_no_submission_is_refused(content: bytes) -> None:
    """Other XML, none or too many documents."""
    with pytest.raises(DocumentError, match="METADATA"):
        metadata.read(content)


def test_strangers_write_less_and_otherwise() -> None:
    """A bare entry, capitals in identifiers, sizes that are none: read as far as it goes."""
    scheme = "urn:uuid:58A6F841-87B3-4A3E-92FD-A8FFEFF98427"
    found = metadata.read(
        _submission(
            "<ExtrinsicObject><Slot name='size'><ValueList><Value>many</Value></ValueList></Slot>"
            "<Slot name='hash'><ValueList/></Slot><Slot name='URI'><ValueList><Value/></ValueList>"
            f"</Slot><ExternalIdentifier identificationScheme='{scheme}' value='7'/>"
            "</ExtrinsicObject>"
        )
    )
    (entry,) = found.entries
    assert (None, "", "", None, "") == (
        entry.size,
        entry.hash,
        entry.uri,
        entry.patient,
        entry.type.code,
    )
    assert ("", None, ()) == (found.number, found.patient, found.recipients)


def test_recipients_are_those_with_an_address() -> None:
    """A person without one is passed over."""
    found = metadata.read(
        _submission(
            "<ExtrinsicObject/><RegistryPackage><Slot name='intendedRecipient'><ValueList>"
            "<Value>|7^X</Value><Value>||^^Internet^a@b.example</Value></ValueList></Slot>"
            "</RegistryPackage>"
        )
    )
    assert ("a@b.example",) == found.recipients


def test_the_same_document_has_the_same_metadata() -> None:
    """Nothing in them is made up on the way."""
    assert _written(document()) == _written(document(responsible=BIOLOGIST))


@given(st.binary())
def test_any_bytes_are_metadata_or_our_error(noise: bytes) -> None:
    """Noise in the middle of what we write ourselves."""
    whole = _written(document())
    for content in (noise, whole[:700] + noise + whole[700:]):
        with contextlib.suppress(DocumentError):
            metadata.read(content)
