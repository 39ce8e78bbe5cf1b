"""HL7 v2 as it lies in a file: whatever separates, however it is written, nothing is misread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import er7
from gateway.documents.errors import DocumentError

HEAD = b"MSH|^~\\&|LABO|BIO^250000015^L|SCEAU||20260302093000+0100||ORU^R01^ORU_R01|1|P|2.5"


def test_fields_components_and_repetitions_are_counted_as_the_standard_does() -> None:
    """MSH-1 is the separator itself; what is not there is empty."""
    head, pid = er7.read(HEAD + b"\rPID|1||12^^^A&1.2.3&ISO~34||Doe^J\r")
    assert ("|", "^~\\&", "LABO") == (head.raw(1), head.raw(2), head.raw(3))
    first, second = pid.repeated(3)
    assert ("12", "1.2.3", "34") == (
        first.component(1),
        first.part(2, of=4),
        second.component(1),
    )
    assert ("", "", []) == (pid.raw(40), pid.value(40).component(3), pid.repeated(40))
    assert "A&1.2.3&ISO" == first.whole(4)
    assert "Doe" not in repr(pid)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r"])
def test_lines_may_end_in_any_way(end: bytes) -> None:
    """And the frame of MLLP around them is passed over."""
    content = b"\x0b" + end.join((HEAD, b"PID|1", b"OBR|1")) + end + b"\x1c\r"
    assert ["MSH", "PID", "OBR"] == [each.name for each in er7.read(content)]


def test_escapes_are_undone_and_what_no_document_holds_is_a_space() -> None:
    """The separators, a line break, octets in hexadecimal; what only paints letters goes."""
    (_, pid) = er7.read(
        HEAD + rb"\rPID|a\F\b\S\c\R\d\E\e\T\f|x\.br\y\H\z\N\|\XC3A9\|\x\ ".replace(b"\\r", b"\r", 1)
    )
    assert ["a|b^c~d\\e&f", "x yz", "é", ""] == [pid.value(n).component(1) for n in range(1, 5)]


@pytest.mark.parametrize(
    ("named", "octets", "read"),
    [
        (b"", "é".encode(), "é"),
        (b"", b"\xe9\xa4", "é€"),
        (b"UNICODE UTF-8", "é".encode(), "é"),
        (b"8859/1~UNICODE UTF-8", b"\xe9", "é"),
        (b"ASCII", b"e", "e"),
    ],
)
def test_letters_are_those_that_the_header_names(named: bytes, octets: bytes, read: str) -> None:
    """Without a word of it UTF-8, and what cannot be that is Latin-9."""
    (_, pid) = er7.read(HEAD + b"||||||" + named + b"\rPID|" + octets)
    assert read == pid.value(1).component(1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not begin with MSH"),
        (b"PID|1", "does not begin with MSH"),
        (b"MSH|^~\\\rPID|1\rOBR|1", "what separates"),
        (b"MSHa^~\\&abcdef", "what separates"),
        (b"MSH||||||||||", "what separates"),
        (HEAD + b"\r" + HEAD, "several HL7 messages"),
        (HEAD + b"\rBHS|^~\\&", "several HL7 messages"),
        (HEAD + b"\rPID|1" * 20_001, "more segments"),
        (HEAD + b"||||||KLINGON", "character set"),
        (HEAD + b"||||||ASCII\rPID|\xe9", "not in the characters"),
    ],
)
def test_what_is_no_message_is_refused_in_words(content: bytes, words: str) -> None:
    """The words say what is wrong with it."""
    with pytest.raises(DocumentError, match=words):
        er7.read(content)


@given(st.binary(max_size=300))
def test_any_bytes_give_segments_or_our_error(octets: bytes) -> None:
    """Whatever comes after a header, or in place of one."""
    for content in (octets, b"MSH" + octets, HEAD + b"\r" + octets):
        try:
            found = er7.read(content)
        except DocumentError:
            continue
        for each in found:
            assert each.value(1).component(1).isprintable()


@pytest.mark.parametrize(
    ("raw", "text"), [("O\\Brien", "O\\Brien"), ("a\\T\\b\\c", "a&b\\c"), ("a\\", "a\\")]
)
def test_an_escape_that_does_not_end_is_a_letter(raw: str, text: str) -> None:
    """Software that escapes nothing: a patient's name is not cut off there."""
    assert text == er7.unescaped(raw, er7.Separators())
