"""Texts in one buffer come back, by number and by their beginning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trust.directory.strings import Strings, pack
from trust.errors import ListError

texts = st.lists(st.text(max_size=8), unique=True).map(sorted)


@given(texts, st.text(max_size=3))
def test_found_by_their_beginning(given: list[str], begins: str) -> None:
    """Sorted as code points they are sorted as UTF-8, so all of one beginning lie together."""
    made = Strings(memoryview(pack(given)))

    assert given == [made.text(number) for number in range(len(made))]
    wanted = [number for number, text in enumerate(given) if text.startswith(begins)]
    assert wanted == list(made.beginning(begins))
    assert [made.number(text) for text in given] == list(range(len(given)))
    assert (begins in given) == (made.number(begins) is not None)


@given(st.binary(max_size=60) | texts.map(lambda given: pack([*given, "more"])[:-1]))
def test_what_is_none(octets: bytes) -> None:
    """What was cut off, or never was one, is our error."""
    try:
        made = Strings(memoryview(octets))
    except ListError:
        return
    assert pack(made.text(number) for number in range(len(made))) == octets


def test_empty() -> None:
    """No texts are texts too."""
    assert 0 == len(Strings(memoryview(pack([]))))
    with pytest.raises(ListError):
        Strings(memoryview(b""))
