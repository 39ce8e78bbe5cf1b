"""The question of bare line ends: the same answer for lines of one length as for any other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.endings import poisonous

LINE = b"A" * 76 + b"\r\n"
ATTACHMENT = LINE * 80
PIECES = st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b"a", b"\n\r", b"\r\r\n", b"A" * 78])


def plainly(body: bytes) -> bool:
    return bool(set(b"\r\n\0") & set(body.replace(b"\r\n", b"")))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a\r\n",
        ATTACHMENT,
        b"--x\r\n\r\n" + ATTACHMENT + b"AAA=\r\n--x--\r\n",
        b"\n".join([b"a" * n + b"\r" for n in range(150)]) + b"\n",
        b"a" * 5000,
        b"a" * 5000 + b"\r\n",
        b"\r\n" * 3000,
        b"\r\n" + ATTACHMENT + b"A" * 40,
    ],
)
def test_whole_line_ends_are_good(body: bytes) -> None:
    """A body whose lines all end in CRLF is relayed, however long they are."""
    assert not poisonous(body)


@given(st.integers(0, 3), st.lists(PIECES, min_size=1, max_size=4), st.integers(0, 3), st.data())
def test_it_is_what_is_left_without_crlf(
    lead: int, pieces: list[bytes], tail: int, data: st.DataObject
) -> None:
    """Anything put anywhere into lines of one length is judged as if it were looked for alone."""
    body = b"--x\r\n" * lead + ATTACHMENT + b"Q=\r\n--\r\n" * tail
    for piece in pieces:
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + piece + body[at + data.draw(st.sampled_from([0, len(piece)])) :]
    assert plainly(body) == poisonous(body)


@pytest.mark.parametrize("bad", [b"\r", b"\n", b"\0"])
def test_no_column_hides_anything(bad: bytes) -> None:
    """At each place of each kind of line, one bad octet instead of a good one is found."""
    middle = len(ATTACHMENT) // 2 // len(LINE) * len(LINE)
    starts = (0, middle - len(LINE), middle, middle + len(LINE), len(ATTACHMENT) - len(LINE))
    for at in (start + n for start in starts for n in range(len(LINE))):
        body = ATTACHMENT[:at] + bad + ATTACHMENT[at + 1 :]
        assert plainly(body) == poisonous(body)


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"\0"]), max_size=8), st.integers(1, 9)
)
def test_short_lines_in_large_bodies(pieces: list[bytes], length: int) -> None:
    """Any pattern, repeated until the body is large, is judged by what it is made of."""
    body = b"".join(pieces)
    body = body * (1 + length * 5000 // max(1, len(body)))
    assert plainly(body) == poisonous(body)
