"""The messages the load is made of."""

import email

import pytest

from tests.bench.message import template


@pytest.mark.parametrize("size", [5 << 10, 200 << 10, 1 << 20, 1 << 20 | 1])
def test_a_message_has_exactly_the_size_asked_for(size: int) -> None:
    """A figure for 5 KB is of messages of 5 KB."""
    made = template("a@b.example", "c@d.example", size)

    assert size == made.size == len(made.numbered(7) + made.tail) - len(b".\r\n")


def test_a_message_is_an_ordinary_one() -> None:
    """Two parts, one of them an attachment in base64, and an id of its own."""
    made = template("a@b.example", "c@d.example", 5 << 10)
    parsed = email.message_from_bytes(made.numbered(7) + made.tail[: -len(b".\r\n")])

    assert ["text/plain", "application/pdf"] == [p.get_content_type() for p in parsed.walk()][1:]
    assert "<0000000000000007@b.example>" == parsed["Message-ID"]


def test_nothing_in_a_message_looks_like_its_end() -> None:
    """The body needs no stuffing: no line starts with a dot, and every line is short."""
    made = template("a@b.example", "c@d.example", 200 << 10)
    lines = made.tail.split(b"\r\n")

    assert [b"."] == [line for line in lines if line.startswith(b".")]
    assert 998 > max(map(len, lines))
