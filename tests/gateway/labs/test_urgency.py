"""What is critical among the files of a folder is known by a glance; whatever lies there, nothing breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.labs.names import Offered
from gateway.labs.urgency import Said, found, read

MAIL = (
    b"From: a@b\r\nX-Sceau-Priority: Critical\r\nSubject: x\r\n\r\nX-Sceau-Priority: critical\r\n"
)


def test_a_companion_or_a_header_says_so() -> None:
    """And nothing else does: neither a name nor a body."""
    lying = {"a.pdf.json": b'{"critical": true, "to": []}', "b.eml": MAIL, "c.eml": MAIL[41:]}
    glance = lying.__getitem__
    assert found(Offered("a.pdf", "a.pdf.json"), glance)
    assert found(Offered("b.eml", None), glance)
    assert not found(Offered("c.eml", None), glance)
    assert not found(Offered("critical.pdf", None), glance)
    assert not found(Offered("d.xml", "a"), lambda _: b'{"critical": false}')
    assert found(Offered("b.eml", "x"), lambda _: MAIL)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer(content: bytes) -> None:
    """What cannot be read is taken in its turn."""
    assert isinstance(read(content), Said)
    assert found(Offered("a.eml", "a.eml.json"), lambda _: content) in {True, False}


def test_what_is_said_is_read() -> None:
    """The key and the urgency; no companion says nothing."""
    assert Said("2026-1", critical=True) == read(b'{"key": "2026-1", "critical": true}')
    assert Said() == read(None) == read(b"[")


@pytest.mark.parametrize("companion", [b'{"key":"\xff"}', b'{"a":' + b"[" * 100_000, b"\xff"])
def test_what_no_decoder_reads_says_nothing(companion: bytes) -> None:
    """One companion in the wrong letters stands in no other file's way."""
    assert Said() == read(companion)
