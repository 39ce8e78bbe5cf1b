"""Many lists in one buffer come back as they were, and what was cut is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.directory.lists import Lists, numbers, pack
from trust.errors import ListError

_NUMBERS = st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=5), max_size=8)


@given(lists=_NUMBERS, start=st.integers(0, 8), length=st.integers(0, 8))
def test_lists_side_by_side_are_one_slice(lists: list[list[int]], start: int, length: int) -> None:
    """Any range of them is what those lists hold, one after the other."""
    held = Lists(memoryview(pack(map(numbers, lists))))
    start = min(start, len(lists))
    end = min(start + length, len(lists))

    assert [each for one in lists[start:end] for each in one] == list(held.of(range(start, end)))


@given(octets=st.binary(max_size=64))
def test_any_octets_are_lists_or_our_error(octets: bytes) -> None:
    """What is on a disk may be anything."""
    with suppress(ListError):
        Lists(memoryview(octets)).of(range(0))


@given(lists=_NUMBERS, cut=st.integers(1, 8))
def test_what_was_cut_off_is_refused(lists: list[list[int]], cut: int) -> None:
    """A buffer that ends too early is none."""
    packed = pack(map(numbers, [*lists, [1, 2]]))
    with pytest.raises(ListError):
        Lists(memoryview(packed[:-cut]))
