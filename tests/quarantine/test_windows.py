import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from quarantine import windows
from quarantine.windows import each, holds, matches, with_crlf

NEEDLE = re.compile(rb"needle")
STEP = windows._STEP


@given(st.integers(0, 3 * STEP), st.integers(0, 5000))
def test_windows(length: int, overlap: int) -> None:
    """They cover everything, each repeats the end of the one before."""
    found = list(windows.windows(length, overlap))
    assert (0, length) == (found[0][0], found[-1][1])
    assert all(after[0] == max(0, before[1] - overlap) for before, after in pairwise(found))


@given(st.integers(STEP - 10, STEP + 4), st.booleans())
def test_across_two_pieces(at: int, there: object) -> None:
    """What lies across the border of two pieces is found like anything else, and once."""
    content = bytes(at) + (b"needle" if there else b"") + bytes(STEP)
    assert bool(there) == matches(NEEDLE, content) == holds(content, b"needle")
    assert [at] * bool(there) == [found.start() for found in each(NEEDLE, content)]


def test_each_from_a_place_on() -> None:
    """What lies before it was seen already."""
    content = b"needle" + bytes(2 * STEP) + b"needle"
    assert [6 + 2 * STEP] == [found.start() for found in each(NEEDLE, content, 2 * STEP)]


@given(st.integers(STEP - 3, STEP + 3), st.lists(st.sampled_from([b"\n", b"\r\n", b"a", b"\r"])))
def test_lines_as_those_of_mail(at: int, lines: list[bytes]) -> None:
    """Every line ends in CRLF, and none is taken for two, wherever a piece ends."""
    content = b"x" * at + b"".join(lines)
    assert re.sub(rb"\r?\n", b"\r\n", content) == with_crlf(content)
