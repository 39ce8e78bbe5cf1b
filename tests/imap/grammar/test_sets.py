"""Sequence sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap.grammar import sets
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError
from imap.grammar.sets import STAR


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        (b"1", ((1, 1),)),
        (b"3:1", ((1, 3),)),
        (b"2,4:7,9,12:*", ((2, 2), (4, 7), (9, 9), (12, STAR))),
        (b"*:4", ((4, STAR),)),
        (b"*", ((STAR, STAR),)),
        (b"4294967295", ((STAR - 1, STAR - 1),)),
    ],
)
def test_sets(text: bytes, ranges: sets.Ranges) -> None:
    """In any order, the lower number first."""
    assert ranges == sets.read(Cursor(text))


@pytest.mark.parametrize(
    "text", [b"", b"0", b"1,", b",1", b"1:2:3", b"1:0", b"4294967296", b"01", b"a"]
)
def test_what_is_no_set(text: bytes) -> None:
    """0, empty places, numbers of more than 32 bits."""
    with pytest.raises(GrammarError):
        sets.read(Cursor(text))


@given(st.binary(max_size=30))
def test_any_octets_are_a_set_or_our_error(text: bytes) -> None:
    """Every range is in order and has no 0."""
    try:
        ranges = sets.parse(text)
    except GrammarError:
        return
    assert all(0 < first <= last <= STAR for first, last in ranges)
