"""The numbers by which software says why it could not file a document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import codes
from gateway.documents.codes import Failure
from quarantine.reasons import REASONS


@pytest.mark.parametrize("failure", Failure)
def test_each_has_words_and_is_read_again(failure: Failure) -> None:
    """In both languages; from the subject and from the disposition that we write (R-F3, R-F5)."""
    assert failure.french != failure.english
    subject = codes.subject(failure, "XDM/1.0/DDM+TSH DESMAUX NATHALIE 01/03/1979")
    assert failure == codes.read(subject)
    assert "XDM/1.0/DDM+TSH DESMAUX NATHALIE 01/03/1979" == codes.original(subject)
    assert failure == codes.read(codes.disposition(failure))


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("[KO Intégration système ][902]  XDM/1.0/DDM+x", Failure.PATIENT_UNKNOWN),
        ("[KO intégration] [777] x", Failure.OTHER),
        ("automatic-action/MDN-sent-automatically; processed/error : 903", Failure.NO_INS),
        ("automatic-action/MDN-sent-automatically; processed", None),
        ("XDM/1.0/DDM+TSH", None),
    ],
)
def test_others_write_it_their_way(text: str, failure: Failure | None) -> None:
    """What strays from the rule is understood all the same (R-F4)."""
    assert failure == codes.read(text)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """No subject raises, and without a failure it stays as it is."""
    if codes.read(text) is None:
        assert text == codes.original(text)


def test_findings_have_the_number_that_software_would_give() -> None:
    """What is said of a document here is said to its sender by the numbers they know."""
    named = {reason: codes.of_finding(reason) for reason in REASONS}
    assert Failure.NO_INS == named["ins-missing"]
    assert Failure.INS_DIFFERS == named["ins-unlike-traits"]
    assert Failure.OTHER == named["malware"]


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("902^Identifiant patient inconnu", Failure.PATIENT_UNKNOWN),
        ("The software could not file it: 903 no INS", Failure.NO_INS),
        ("101 a field is missing", Failure.OTHER),
        ("1902", None),
        ("no number", None),
        ("", None),
    ],
)
def test_a_text_begins_with_a_number(text: str, failure: Failure | None) -> None:
    """Soon enough to be what it says, and of three digits."""
    assert failure == codes.numbered(text)


def test_a_number_has_a_name_and_words_in_ascii() -> None:
    """For receipts, and for a field of a report; filed has neither error nor number."""
    assert ("ins-differs", "904^Incoherence entre l'INS et les traits d'identite") == (
        Failure.INS_DIFFERS.slug,
        Failure.INS_DIFFERS.plain,
    )
    assert "automatic-action/MDN-sent-automatically; processed" == codes.disposition(None)


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("554 5.6.0 The software could not file it: 903 The document has no INS", Failure.NO_INS),
        ("550 902^Identifiant patient inconnu", Failure.PATIENT_UNKNOWN),
        ("550 5.1.1 No such mailbox 903 rue de la Paix", None),
        ("554 could not file it: 101 a field is missing", None),
        ("1902^x", None),
    ],
)
def test_a_refusal_names_a_number(text: str, failure: Failure | None) -> None:
    """In our own sentence, or as HL7 writes it; a number alone says nothing."""
    assert failure == codes.within(text)
