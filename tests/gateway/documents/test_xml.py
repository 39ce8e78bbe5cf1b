"""Hostile XML: each trick is refused, by its own words, before it costs anything."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import xml
from gateway.documents.errors import DocumentError

_LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DTD"),
        (b'<!DOCTYPE a [<!ENTITY l0 "ha">' + _LAUGHS + b"]><a>&l9;</a>", "DTD"),
        (b'<!DOCTYPE a SYSTEM "http://evil.example/a.dtd"><a/>', "DTD"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"), "UTF-8"),
        (b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-<a/>', "UTF-8"),
        ("<a>é</a>".encode("latin-1"), "UTF-8"),
        (b"<a>&undefined;</a>", "well-formed"),
        (b"<a><b></a>", "well-formed"),
        (b"<a>", "whole"),
        (b"", "well-formed"),
        (b"<a/>" * 2, "well-formed"),
        (b"<a>" + b"<b/>" * 400_001 + b"</a>", "more elements"),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "well-formed"),
    ],
)
def test_hostile_documents_are_refused(content: bytes, words: str) -> None:
    """External entities, bombs, other encodings, broken or endless documents: our error each."""
    with pytest.raises(DocumentError, match=words):
        xml.parse(content)


def test_a_document_may_be_too_large() -> None:
    """More than is ever read is not even looked at."""
    with pytest.raises(DocumentError, match="larger"):
        xml.parse(b"<a/>", largest=3)


def test_a_long_text_is_read_where_the_library_would_stop() -> None:
    """A PDF of ten megabytes inside a document is ordinary."""
    text = b"QUJD" * (3 << 20)
    assert text.decode() == xml.parse(b"<a>" + text + b"</a>").text


def test_what_is_no_content_is_left_out() -> None:
    """A byte-order mark, comments and instructions to programs are passed over."""
    root = xml.parse(b'\xef\xbb\xbf<?xml version="1.0"?><!-- x --><a><?y z?>b<!-- c -->d</a>')
    assert "bd" == "".join(root.itertext())


@given(st.binary())
def test_any_bytes_are_a_document_or_our_error(content: bytes) -> None:
    """Whatever comes, it is an element or ``DocumentError``."""
    with contextlib.suppress(DocumentError):
        assert xml.parse(content).tag


@given(st.text())
def test_text_is_written_and_read_again(value: str) -> None:
    """Text is the same after a round trip, or cannot be written at all."""
    try:
        written = f"<a{xml.attributes(b=value)}>{xml.text(value)}</a>"
    except DocumentError:
        return
    root = xml.parse(written.encode())
    assert value.replace("\r\n", "\n").replace("\r", "\n") == (root.text or "")
    assert value == root.get("b", "")


def test_control_characters_cannot_be_written() -> None:
    """XML has no way to say NUL: the document is refused, not broken."""
    with pytest.raises(DocumentError, match="control"):
        xml.text("a\x00b")
