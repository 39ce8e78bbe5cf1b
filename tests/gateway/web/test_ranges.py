"""Which part of a document is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.ranges import Span, UnsatisfiableError, span

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("bytes=0-3", Span(0, 4, 10)),
        ("bytes=4-", Span(4, 10, 10)),
        ("bytes=4-99", Span(4, 10, 10)),
        ("bytes=-3", Span(7, 10, 10)),
        ("bytes=-30", Span(0, 10, 10)),
        ("bytes=0-0,5-6", Span(0, 10, 10)),
        ("bytes=5-2", Span(0, 10, 10)),
        ("bytes=-", Span(0, 10, 10)),
        ("lines=1-2", Span(0, 10, 10)),
        ("", Span(0, 10, 10)),
    ],
)
def test_a_range_is_what_was_asked(asked: str, wanted: Span) -> None:
    """One range is served; of what is none, or several, the whole document (RFC 9110 §14.2)."""
    assert wanted == span({"range": asked}, 10, ETAG)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_what_lies_beyond_the_end_is_refused(asked: str) -> None:
    """Whoever asks it has another document in mind."""
    with pytest.raises(UnsatisfiableError):
        span({"range": asked}, 10, ETAG)


def test_a_range_of_another_version_is_the_whole() -> None:
    """A transfer that broke goes on only where it is still the same document."""
    asked = {"range": "bytes=4-", "if-range": '"old"'}
    assert Span(0, 10, 10) == span(asked, 10, ETAG)
    assert Span(4, 10, 10) == span(asked | {"if-range": ETAG}, 10, ETAG)


def test_a_span_says_what_it_is() -> None:
    """The status and the headers tell a part from the whole."""
    part, whole = Span(4, 10, 10), Span(0, 10, 10)
    assert (206, 200) == (part.status, whole.status)
    assert "bytes 4-9/10" == part.headers["Content-Range"]
    assert "6" == part.headers["Content-Length"]
    assert {"Content-Length": "10", "Accept-Ranges": "bytes"} == whole.headers


@given(
    st.one_of(st.text(max_size=40), st.from_regex(r"bytes=\d*-\d*", fullmatch=True)),
    st.integers(0, 20),
)
def test_whatever_is_asked_lies_within(asked: str, size: int) -> None:
    """Any header gives a part of the document, or the error that says there is none."""
    try:
        found = span({"range": asked}, size, ETAG)
    except UnsatisfiableError:
        return
    assert 0 <= found.start <= found.end <= found.size == size
    assert found.whole or found.end > found.start
