"""Octets in base64 and words in a header: other programs read what was written."""

import base64
from email.header import decode_header, make_header

from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import coding


@given(st.binary(max_size=300))
def test_base64_is_what_everybody_writes(content: bytes) -> None:
    """The same as the standard library's, in lines that end as mail's do."""
    assert base64.encodebytes(content).replace(b"\n", b"\r\n") == coding.lines(content)


@given(st.text(max_size=200))
def test_words_are_read_by_others(text: str) -> None:
    """Encoded words give the same text back, are ASCII, and no line of them is too long."""
    coded = coding.words(coding.one_line(text))
    assert coding.one_line(text) == str(make_header(decode_header(coded.replace("\r\n", ""))))
    assert coding.plain(coded.replace("\r\n", ""))
    assert max(map(len, f"Subject: {coded}".split("\r\n"))) <= 76


def test_what_is_plain_is_told_from_what_is_not() -> None:
    """A header holds printable ASCII as it is, and nothing else; a line's end begins no field."""
    assert [True, False, False] == [coding.plain(each) for each in ("a b", "é", "a\tb")]
    assert "a b" == coding.one_line("a\r\n\x7fb")
