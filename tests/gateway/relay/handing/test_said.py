"""What a program says of a document is filed, a number, or nothing that is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents.codes import Failure
from gateway.relay.handing.said import LARGEST, SaidError, read


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        (b'{"application": "filed"}', None),
        (b'{"application": "filed", "failure": 902}', None),
        (b'{"application": "failed", "failure": 902}', Failure.PATIENT_UNKNOWN),
        (b'{"application": "failed"}', Failure.OTHER),
    ],
)
def test_what_it_says(content: bytes, failure: Failure | None) -> None:
    """Without a number it is another error."""
    assert failure == read(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"application": "read"}',
        b'{"application": "failed", "failure": 7}',
        b'{"application": "filed", "more": 1}',
        b'{"application": "filed"}' + b" " * LARGEST,
        b"[" * 4000,
        b"\xff",
    ],
)
def test_anything_else_says_nothing(content: bytes) -> None:
    """A misspelt word must not be taken for a document that was filed."""
    with pytest.raises(SaidError):
        read(content)


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    """A value, or our error."""
    try:
        read(content)
    except SaidError:
        return
    assert b"application" in content
