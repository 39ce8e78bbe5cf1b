"""What a mail's header says of the document in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import marks
from gateway.documents.document import Patient, Professional
from gateway.documents.ins import Traits
from gateway.documents.marks import Marks
from smtp.message.header import Header
from tests.gateway.documents.made import BIOLOGIST, PATIENT, document


def _read(*lines: str) -> Marks:
    return marks.read(Header.skim("".join(f"{line}\r\n" for line in lines).encode()))


def test_everything_is_read() -> None:
    """Codes, identity, product, the end of a thread, and the subject without its prefix (R-E5)."""
    found = _read(
        "Subject: XDM/1.0/DDM+TSH DESMAUX NATHALIE 01/03/1979",
        "X-MSS-CODECDA: 11502-2 , 18748-4,",
        "X-MSS-INS: o",
        "X-MSS-NIL: LOGICIEL-1",
        "X-MSS-MES: fin",
    )
    assert (
        Marks(
            codes=("11502-2", "18748-4"),
            ins=True,
            product="LOGICIEL-1",
            closing=True,
            subject="TSH DESMAUX NATHALIE 01/03/1979",
            structured=True,
        )
        == found
    )
    assert "DESMAUX" not in repr(found)


def test_an_ordinary_mail_says_nothing() -> None:
    """What is not there is empty, and an encoded subject is read as it is meant."""
    assert Marks(subject="Bonjour é") == _read("Subject: =?utf-8?q?Bonjour_=C3=A9?=")
    assert (False, True) == (_read("X-MSS-INS: N").ins, _read("Subject: clos [fin]").closing)
    assert _read("X-MSS-INS: X").ins is None


def test_a_document_names_itself() -> None:
    """Subject, fields, the PDF's name, the sender, as the framework has them (R-E2 to R-E5)."""
    made = document()
    assert (
        "XDM/1.0/DDM+Compte rendu d'examens biologiques DESMAUX NATHALIE 01/03/1979"
        == marks.subject(made)
    )
    assert "XDM/1.0/DDM+TSH" == marks.subject(document(patients=(Patient(),)), "TSH")
    assert {
        "X-MSS-CODECDA": "11502-2",
        "X-MSS-INS": "O",
        "X-MSS-NIL": "P",
    } == marks.fields((made, made), "P")
    assert {"X-MSS-NIL": "P"} == marks.fields((), "P")
    anonymous = document(patients=(Patient(),))
    assert "N" == marks.fields((made, anonymous), "P")["X-MSS-INS"]
    assert "20261122_CR_d_examens_biologiques_DESMAUX_NATHALIE_77.pdf" == marks.pdf_name(made, "77")
    assert "DR_Camille_ESSAI_Laboratoire-des-Essais" == marks.sender_name(BIOLOGIST)
    assert "SGL" == marks.sender_name(Professional("Sgl"))


@given(st.text(), st.text(), st.text())
def test_names_are_safe_everywhere(name: str, given_name: str, label: str) -> None:
    """No line break in a subject, no path in a file's name, whatever the document says."""
    patient = Patient(PATIENT.identifiers, Traits(name, given_name, "19790301", "F", "51215"))
    made = document(patients=(patient,))
    assert not set("\r\n\x00") & set(marks.subject(made, label))
    file = marks.pdf_name(made, label)
    assert file.isascii()
    assert not set('/\\:*?"<>|. ') & set(file.removesuffix(".pdf"))
    assert len(file) < 255


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ("TSH DESMAUX NATHALIE 01/03/1979", True),
        ("TSH Désmaux Nathalie 19790301", True),
        ("TSH DESMAUX NATHALIE 01031979", True),
        ("TSH DESMAUX NATHALIE 02/03/1979", False),
        ("TSH DESMAUXX NATHALIE 01/03/1979", False),
        ("", False),
    ],
)
def test_a_subject_names_a_patient_by_name_and_birth(told: str, *, names: bool) -> None:
    """Both, in whatever order and spelling; one alone is somebody else."""
    assert names == marks.names(told, document())


def test_what_a_document_does_not_know_cannot_be_missed() -> None:
    """A patient without name and date is named by anything."""
    assert marks.names("x", document(patients=(Patient(),)))
    assert "XDM/1.0/DDM+T A 1979" == marks.subject(
        document(patients=(Patient((), Traits("a", "", "1979")),)), "T"
    )


@given(st.binary())
def test_any_header_is_read(raw: bytes) -> None:
    """No header raises."""
    marks.read(Header.skim(b"Subject: " + raw + b"\r\nX-MSS-CODECDA: " + raw + b"\r\n"))
