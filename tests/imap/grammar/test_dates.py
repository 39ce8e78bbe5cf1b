"""Days and moments."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap.grammar import dates
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError


@pytest.mark.parametrize("text", [b"1-Feb-2026", b'"01-FEB-2026"', b"01-feb-2026"])
def test_days(text: bytes) -> None:
    """Quoted or not, in any case."""
    assert date(2026, 2, 1) == dates.day(Cursor(text))


def test_a_moment_keeps_its_instant() -> None:
    """Whatever the zone it was written in."""
    read = dates.moment(Cursor(b'" 1-Feb-2026 09:00:00 +0100"'))
    assert datetime(2026, 2, 1, 8, tzinfo=UTC) == read
    assert '" 1-Feb-2026 08:00:00 +0000"' == dates.written(read)


@pytest.mark.parametrize(
    "text",
    [
        b'" 1-Foo-2026 09:00:00 +0100"',
        b'"31-Feb-2026 09:00:00 +0100"',
        b'" 1-Feb-2026 25:00:00 +0100"',
        b'" 1-Feb-2026 09:00:00 +9900"',
        b'" 1-Jan-0001 00:00:00 +0100"',
        b'" 1-Feb-0000 09:00:00 +0100"',
        b'"1-Feb-2026"',
    ],
)
def test_what_is_no_moment(text: bytes) -> None:
    """It is refused by our error."""
    with pytest.raises(GrammarError):
        dates.moment(Cursor(text))


@given(st.binary(max_size=30))
def test_any_octets_are_a_day_or_our_error(text: bytes) -> None:
    """Nothing else comes of them."""
    try:
        dates.day(Cursor(text))
    except GrammarError:
        return
