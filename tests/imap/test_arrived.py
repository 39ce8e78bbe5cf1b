"""What has arrived, however it was cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap.arrived import Arrived, LineTooLong


@given(st.binary(max_size=60), st.lists(st.integers(1, 7), max_size=20))
def test_lines_do_not_depend_on_the_blocks(octets: bytes, cuts: list[int]) -> None:
    """The same lines, the same rest."""
    arrived, lines, at = Arrived(), [], 0
    for size in [*cuts, 60]:
        arrived.push(octets[at : at + size])
        at += size
        while (line := arrived.line(100)) is not None:
            lines.append(line)
    whole = octets[: octets.rfind(b"\n") + 1]
    assert whole == b"".join(lines)
    assert octets[len(whole) :] == arrived.take(100)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_line_without_end_takes_no_memory(size: int) -> None:
    """It is read past, and what follows it is read."""
    arrived = Arrived()
    octets = b"a1 " + b"x" * 5000 + b"\r\na2\r\n"
    lines: list[bytes] = []
    for at in range(0, len(octets), size):
        arrived.push(octets[at : at + size])
        try:
            while (line := arrived.line(50)) is not None:
                lines.append(line)
        except LineTooLong as error:
            lines.append(error.begun[:3])
        assert len(arrived) <= 50 + size
    if (line := arrived.line(50)) is not None:
        lines.append(line)
    assert [b"a1 ", b"a2\r\n"] == lines


def test_a_line_that_comes_whole_and_too_long_is_told() -> None:
    """With what it began with; and what follows it is read."""
    arrived = Arrived()
    arrived.push(b"a1 " + b"x" * 60 + b"\r\na2\r\n")
    with pytest.raises(LineTooLong) as error:
        arrived.line(50)
    assert b"a1 x" == error.value.begun[:4]
    assert b"a2\r\n" == arrived.line(50)
