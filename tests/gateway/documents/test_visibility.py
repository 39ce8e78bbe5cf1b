"""From whom a document is kept: the table, and mail that would break it."""

from itertools import product

import pytest

from gateway.documents.visibility import Kept, Request, breached, kept, permitted

ALL = [frozenset(each) for each in ((), *[(k,) for k in Kept], tuple(Kept))]


def test_the_table_has_three_rows() -> None:
    """What the published table lists is permitted, and nothing else is (R-E9)."""
    allowed = {
        (professionals, patient, hidden)
        for professionals, patient, hidden in product((True, False), (True, False), ALL)
        if permitted(Request(professionals, patient, hidden))
    }
    assert {
        (True, True, frozenset()),
        (True, False, frozenset({Kept.PATIENT})),
        (False, True, frozenset()),
        (False, True, frozenset({Kept.PROFESSIONALS})),
        (False, True, frozenset({Kept.GUARDIANS})),
    } == allowed


def test_kept_from_professionals_and_guardians_goes_to_the_patient() -> None:
    """The third row has both, but not while the document also enters the record."""
    both = frozenset({Kept.PROFESSIONALS, Kept.GUARDIANS})
    assert permitted(Request(professionals=False, patient=True, kept=both))
    assert not permitted(Request(professionals=False, patient=True, kept=both, record=True))


def test_a_secret_connection_sends_nothing() -> None:
    """No row has it."""
    assert not permitted(Request(professionals=True, patient=True, secret=True))


def test_codes_are_read_as_they_are_spelt() -> None:
    """Two spellings of the same, any case, and what is not one of them says nothing."""
    assert frozenset({Kept.GUARDIANS, Kept.PATIENT}) == kept(
        ["N", " invisible_rep_legaux", "INVISIBLE_REPRESENTANTS_LEGAUX", "INVISIBLE_PATIENT"]
    )


@pytest.mark.parametrize(
    ("hidden", "professionals", "citizens", "breaks"),
    [
        (Kept.PROFESSIONALS, True, False, True),
        (Kept.PROFESSIONALS, False, True, False),
        (Kept.PATIENT, True, False, False),
        (Kept.PATIENT, True, True, True),
        (Kept.GUARDIANS, True, True, False),
    ],
)
def test_a_mail_may_show_a_document_to_nobody_it_is_kept_from(
    hidden: Kept, *, professionals: bool, citizens: bool, breaks: bool
) -> None:
    """Whoever it is kept from is not among the addressees."""
    found = frozenset({hidden})
    assert breaks == breached(found, professionals=professionals, citizens=citizens)
