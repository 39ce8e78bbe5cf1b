"""Structured values: media types, parameters and file names as mail clients really write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.message.fields import media, parameters, words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"text/plain", ("text/plain", {})),
        (b" Text / HTML ; Charset=UTF-8", ("text/html", {"charset": "UTF-8"})),
        (b"attachment; filename=a.pdf", ("attachment", {"filename": "a.pdf"})),
        (
            b'multipart/mixed;\tboundary="=_a; \\"b\\""',
            ("multipart/mixed", {"boundary": '=_a; "b"'}),
        ),
        (b"text", ("text", {})),
        (b"/plain", ("", {})),
        (b"", ("", {})),
        (b"caf\xe9/x", ("caf\ufffd/x", {})),
    ],
)
def test_media_types(value: bytes, expected: tuple[str, dict[str, str]]) -> None:
    """Case, white space and comments of habit do not hide a type."""
    assert expected == media(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("; name=a.pdf; name=b.pdf", {"name": "a.pdf"}),
        ('; name = "R\u00e9sultat 1.pdf"', {"name": "R\u00e9sultat 1.pdf"}),
        (
            '; name="=?utf-8?Q?R=C3=A9sultat=5F1?= =?utf-8?B?LnBkZg==?="',
            {"name": "R\u00e9sultat_1.pdf"},
        ),
        ("; filename*=utf-8''R%C3%A9sultat.pdf", {"filename": "R\u00e9sultat.pdf"}),
        ("; filename*=iso-8859-1'fr'R%E9sultat.pdf", {"filename": "R\u00e9sultat.pdf"}),
        (
            "; filename*0*=utf-8''R%C3%A9; filename*1=sul%20; filename*2*=tat%2Epdf",
            {"filename": "R\u00e9sul%20tat.pdf"},
        ),
        ("; filename*1=b.pdf; filename*0=a", {"filename": "ab.pdf"}),
        ("; filename=ascii.pdf; filename*=utf-8''%C3%A9.pdf", {"filename": "\u00e9.pdf"}),
        ("; filename*=plain.pdf", {"filename": "plain.pdf"}),
        ("; filename*=hex''41", {"filename": "41"}),
        ("; name=", {"name": ""}),
        ("; =x; ;; y", {}),
    ],
)
def test_parameters(text: str, expected: dict[str, str]) -> None:
    """Plain, quoted, encoded by RFC 2047 or in pieces by RFC 2231: a file has its name."""
    assert expected == parameters(text)


def test_parameters_are_bounded() -> None:
    """A part with ten thousand parameters has sixty-four."""
    assert 64 == len(parameters("".join(f"; p{n}=x" for n in range(10_000))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("=?utf-8?b?w6k=?= and =?ISO-8859-1*fr?q?=E9_x?=", "\u00e9 and \u00e9 x"),
        ("=?utf-8?b?w6k?=", "\u00e9"),
        ("=?utf-8?b?w?=", "=?utf-8?b?w?="),
        ("=?hex?q?41?=", "41"),
        ("=?windows-9999?q?=C3=A9?=", "\u00e9"),
        ("=?utf-8?q?=FF?=", "\ufffd"),
        ("=?open", "=?open"),
    ],
)
def test_encoded_words(text: str, expected: str) -> None:
    """Words are decoded by the charsets of mail; what is broken stays as it is."""
    assert expected == words(text)


@given(st.binary(max_size=200) | st.text("=?utf-8bq;*\"\\%41 '0", max_size=60).map(str.encode))
def test_any_value_is_read(value: bytes) -> None:
    """No header makes the reader fail."""
    media(value)
    words(value.decode("utf-8", "replace"))
