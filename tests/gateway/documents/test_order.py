"""What software says beside a file, and the document that a PDF becomes by it."""

import contextlib
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import cda, cda_writer, order
from gateway.documents.errors import DocumentError
from gateway.documents.order import Order
from tests.gateway.documents.made import PDF

ABOUT: dict[str, Any] = {
    "id": "2026-1",
    "code": "11502-2",
    "title": "Compte rendu d'examens biologiques",
    "at": "2026-11-22T20:30:15+01:00",
    "patient": {
        "name": "DESMAUX",
        "given": "NATHALIE",
        "born": "1979-03-01",
        "sex": "F",
        "ins": "2 79 03 51 215 189 89",
        "place": "51215",
        "number": "7",
        "numbers": "1.2.3",
    },
    "author": {"family": "ESSAI", "holder": "rpps:10001234565", "profession": "G15_10"},
    "organisation": {"name": "Labo", "holder": "finess:750000010"},
    "performed": "2026-11-22T08:00:00Z",
    "replaces": ["2026-0"],
    "facility": "SA25",
    "practice": "AMBULATOIRE",
}


def _order(**changes: Any) -> Order:
    about = ABOUT | changes
    return order.read(msgspec.json.encode({"to": ["dr@chu.example"], "document": about}))


def _made(pdf: bytes = PDF, **changes: Any) -> Any:
    about = _order(**changes).document
    assert about is not None
    return order.document(about, pdf)


def test_a_pdf_becomes_a_document() -> None:
    """Complete enough to be qualified, and the same after it was written and read."""
    made = _made()
    assert made.patient.qualified
    assert ("20261122203015+0100", "20261122080000+0000") == (made.at, made.performed)
    assert ("810001234565", "1750000010") == (
        made.authors[0].id.extension,
        made.custodian.id.extension,
    )
    assert made == cda.read(cda_writer.write(made))


def test_little_is_enough() -> None:
    """No INS, no numbers, nothing that could be known later."""
    least = {key: ABOUT[key] for key in ("id", "code", "title", "at", "patient")}
    least["patient"] = {"name": "A", "given": "B", "born": "1979-03-01", "sex": "U"}
    least |= {"author": {"family": "X"}, "organisation": {"name": "Y"}}
    about = order.read(msgspec.json.encode({"document": least})).document
    assert about is not None
    made = order.document(about, PDF)
    assert (False, (), None, None) == (
        made.patient.qualified,
        made.replaces,
        made.set_id,
        made.facility,
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'{"key": "\xff"}', "no JSON"),
        (b"[" * 100_000, "JSON|must be"),
        (b"[]", "not as it must be"),
        (b'{"too": []}', "nobody knows"),
        (b'{"to": [1]}', r"not as it must be at \$.to"),
        (b'{"document": {"patient": {"nmae": 1}}}', r"at \$.document"),
        (b" " * (order.LARGEST + 1), "larger"),
    ],
)
def test_every_word_is_checked(content: bytes, words: str) -> None:
    """A misspelt key is refused with its place, and nothing that was there is repeated."""
    with pytest.raises(DocumentError, match=words):
        order.read(content)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"patient": ABOUT["patient"] | {"ins": "279035121518988"}}, "key"),
        ({"patient": ABOUT["patient"] | {"oid": "1.2"}}, "register"),
        ({"patient": ABOUT["patient"] | {"numbers": ""}}, "OID"),
        ({"author": {"family": "X", "holder": "rpps:10001234566"}}, "check digit"),
        ({"author": {"family": "X", "holder": "finess:750000010"}}, "person's number"),
        ({"organisation": {"name": "X", "holder": "rpps:10001234565"}}, "of its own"),
        ({"at": "2026-11-22T20:30:15"}, "offset"),
        ({"performed": "2026-11-22T20:30:15"}, "offset"),
    ],
)
def test_wrong_numbers_make_no_document(changes: dict[str, Any], words: str) -> None:
    """A result with a wrong number would be filed nowhere, or with somebody else."""
    with pytest.raises(DocumentError, match=words):
        _made(**changes)


def test_another_file_is_no_pdf() -> None:
    """Whatever its name says."""
    with pytest.raises(DocumentError, match="no PDF"):
        _made(b"MZ")


@given(st.binary())
def test_any_bytes_are_an_order_or_our_error(content: bytes) -> None:
    """Whatever lies beside a file."""
    with contextlib.suppress(DocumentError):
        assert isinstance(order.read(content), Order)


def test_nothing_of_a_value_is_told() -> None:
    """What a companion says of a patient does not come back in the refusal (R-G6)."""
    with pytest.raises(DocumentError) as caught:
        _order(patient=ABOUT["patient"] | {"born": "DESMAUX-1979"})
    assert "DESMAUX" not in str(caught.value)
    told = repr(_order()) + repr(_order().document)
    assert not any(each in told for each in ("DESMAUX", "1979", "dr@chu.example"))
    assert datetime.fromisoformat(ABOUT["at"]).tzinfo is not None
