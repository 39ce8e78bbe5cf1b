"""A document as a value: whose it is, and when it was made."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents.document import Identifier, Patient, timestamp, universal
from gateway.documents.ins import Ins
from tests.gateway.documents.made import NUMBER, PATIENT, TRAITS, document


def test_a_patient_is_known_by_an_ins_that_is_right() -> None:
    """Of several numbers the INS counts, and only with its key."""
    assert NUMBER == PATIENT.claimed
    assert Ins("2790351215189") == PATIENT.ins
    assert PATIENT.qualified
    wrong = Patient((Identifier(NUMBER.root, "279035121518988"),), TRAITS)
    assert wrong.claimed is not None
    assert wrong.ins is None
    other = Patient((Identifier("1.2.3", "4"),), TRAITS)
    assert (None, None, False) == (other.claimed, other.ins, other.qualified)


def test_a_document_is_about_its_first_patient() -> None:
    """Where there are several, which is told of elsewhere."""
    assert PATIENT is document(patients=(PATIENT, Patient())).patient


def test_a_document_prints_no_patient() -> None:
    """No name, number, title or address of a patient comes out of a document's own words."""
    told = repr(document(recipients=("279035121518989@patient.example",)))
    assert not any(each in told for each in ("279035", "DESMAUX", "IPP-1", "patient.example"))


def test_numbers_are_written_in_one_word() -> None:
    """With what numbers it, as archives do."""
    assert ["1.2^3", "1.2"] == [Identifier("1.2", "3").whole, Identifier("1.2").whole]


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("20210104160527+0100", "20210104150527"),
        ("202101040030+0100", "202101032330"),
        ("20210104160527.123-0500", "20210104210527"),
        ("20210104", "20210104"),
        ("2021", "2021"),
        ("20210104160527", "20210104160527"),
        ("20211304160527+0100", ""),
        ("20210104160527+01", ""),
        ("00010101000000+0100", ""),
        ("demain", ""),
        ("", ""),
        ("٢٠٢١", ""),
    ],
)
def test_times_are_told_in_utc(written: str, utc: str) -> None:
    """With an offset they are moved, without one they stay, and what is no time is nothing."""
    assert utc == universal(written)


def test_time_is_written_with_its_offset() -> None:
    """As documents have it."""
    assert "20261122203015+0000" == timestamp(datetime(2026, 11, 22, 20, 30, 15, tzinfo=UTC))


@given(st.text())
def test_any_text_is_a_time_or_nothing(written: str) -> None:
    """No text raises."""
    assert universal(written).isdigit() or universal(written) == ""
