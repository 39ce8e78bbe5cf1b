"""What a server says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap.grammar import writer
from imap.grammar.cursor import Cursor
from imap.grammar.writer import Answer


def test_answers() -> None:
    """With and without a code, under a tag or under none."""
    assert b"a OK [X 1] Done\r\n" == Answer("OK", "Done", "X 1").line("a")
    assert b"* BYE Goodbye\r\n" == Answer("BYE", "Goodbye").line()


@pytest.mark.parametrize(
    ("text", "code"), [("a\r\nb", ""), ("é", ""), ("[x", ""), ("x", "A]"), ("x", "a b")]
)
def test_an_answer_is_one_line(text: str, code: str) -> None:
    """Nothing from a message or a client injects another."""
    with pytest.raises(ValueError, match=r"unprintable|no response code"):
        Answer("NO", text, code)


@given(st.binary(max_size=600).filter(lambda octets: b"\0" not in octets))
def test_every_string_comes_back(octets: bytes) -> None:
    """Quoted where that can be, else as a literal."""
    assert octets == Cursor(writer.string(octets)).string()


def test_flags() -> None:
    """In parentheses."""
    assert b"(\\Seen x)" == writer.flags(("\\Seen", "x"))
