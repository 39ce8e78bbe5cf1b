"""A document is written as the framework asks, and read back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import cda, cda_writer
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
from tests.gateway.documents.made import LAB, PATIENT, document

# What comes back is text without white space at its ends or twice in a row.
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cn", "Co")),
    min_size=1,
    max_size=20,
).filter(lambda text: text == " ".join(text.split()))
NUMBERS = st.builds(Identifier, WORDS, st.one_of(st.just(""), WORDS))
CODES = st.builds(Code, WORDS, st.one_of(st.just(""), WORDS), st.one_of(st.just(""), WORDS))
PLACES = st.builds(Organisation, WORDS, st.one_of(st.none(), NUMBERS))
PEOPLE = st.builds(
    Professional,
    WORDS,
    st.one_of(st.just(""), WORDS),
    st.one_of(st.none(), NUMBERS),
    st.one_of(st.just(""), WORDS),
    st.one_of(st.just(""), WORDS),
    st.one_of(st.none(), CODES),
    st.one_of(st.none(), PLACES),
)
TRAITS = st.builds(
    Traits,
    st.one_of(st.just(""), WORDS),
    st.one_of(st.just(""), WORDS),
    st.sampled_from(["", "19790301"]),
    st.sampled_from(["", "M", "F", "UN"]),
    st.sampled_from(["", "51215"]),
)
PATIENTS = st.builds(Patient, st.lists(NUMBERS, min_size=1, max_size=3).map(tuple), TRAITS)
DOCUMENTS = st.builds(
    Document,
    id=NUMBERS,
    code=CODES,
    title=WORDS,
    at=st.sampled_from(["", "20261122213015+0100"]),
    patients=st.lists(PATIENTS, min_size=1, max_size=2).map(tuple),
    set_id=st.one_of(st.none(), NUMBERS),
    version=st.integers(1, 9999),
    confidentiality=st.one_of(st.just(UNSAID), CODES),
    language=st.sampled_from(["", "fr-FR"]),
    authors=st.lists(PEOPLE, min_size=1, max_size=2).map(tuple),
    custodian=PLACES,
    responsible=PEOPLE,
    recipients=st.lists(WORDS, max_size=2).map(tuple),
    replaces=st.lists(NUMBERS, max_size=2).map(tuple),
    performed=st.sampled_from(["", "20261122080000+0100"]),
    facility=st.one_of(st.none(), CODES),
    practice=st.one_of(st.none(), CODES),
    pdf=st.binary(max_size=100),
)


@given(DOCUMENTS)
def test_what_is_written_is_read_again(made: Document) -> None:
    """Every value of a header comes back; nothing in one becomes another element."""
    assert made == cda.read(cda_writer.write(made))


def test_the_same_document_has_the_same_bytes() -> None:
    """So that a result offered twice is seen to be the same."""
    assert cda_writer.write(document()) == cda_writer.write(document())


def test_the_header_is_in_the_order_of_the_schema() -> None:
    """Readers that check it refuse another."""
    made = document(
        set_id=Identifier("1.2"), recipients=("a@b.example",), replaces=(Identifier("1.3"),)
    )
    written = cda_writer.write(made).decode()
    order = [
        "realmCode",
        "typeId",
        "templateId",
        "id",
        "code",
        "title",
        "effectiveTime",
        "confidentialityCode",
        "languageCode",
        "setId",
        "versionNumber",
        "recordTarget",
        "author",
        "custodian",
        "informationRecipient",
        "legalAuthenticator",
        "documentationOf",
        "relatedDocument",
        "componentOf",
        "component",
    ]
    places = [written.index(f"<{each}") for each in order]
    assert sorted(places) == places


@pytest.mark.parametrize(
    "changes",
    [
        {"pdf": None},
        {"structured": True},
        {"authors": ()},
        {"custodian": None},
        {"responsible": None},
    ],
)
def test_too_little_is_not_written(changes: dict[str, object]) -> None:
    """A document without a body, an author, somebody who answers or who keeps it is none."""
    with pytest.raises(DocumentError):
        cda_writer.write(document(**changes))


def test_what_xml_cannot_hold_is_refused() -> None:
    """A name with a control character stops the document, and is not repeated in the words."""
    bad = Patient(PATIENT.identifiers, Traits("EVIL\x00NAME", "A", "19790301", "F", "51215"))
    with pytest.raises(DocumentError) as caught:
        cda_writer.write(document(patients=(bad,)))
    assert "EVIL" not in str(caught.value)


def test_nothing_told_is_said_to_be_unknown() -> None:
    """A place that the schema wants is there, and says that nobody knows."""
    made = document(
        facility=None,
        performed="",
        responsible=Professional("X"),
        patients=(Patient((PATIENT.identifiers[0],)),),
        custodian=Organisation(LAB.name),
    )
    assert cda_writer.write(made).count(b"nullFlavor") >= 4
