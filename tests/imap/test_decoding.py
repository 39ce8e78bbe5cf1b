"""Transfer encodings undone: the same however they were cut, and whatever they hold."""

import base64
import binascii
import quopri
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap import decoding
from imap.decoding import Text, comparable, decoder
from imap.errors import UnknownEncoding

_PLACES = st.lists(st.integers(min_value=0), max_size=5)


def pieces(octets: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    return [octets[start:stop] for start, stop in pairwise(edges)]


def undone(encoding: str, octets: bytes, places: list[int] | None = None) -> bytes:
    undo = decoder(encoding)
    return b"".join([undo.feed(one) for one in pieces(octets, places or [])]) + undo.finish()


@given(st.binary(max_size=300), _PLACES)
def test_base64_comes_back(content: bytes, places: list[int]) -> None:
    """What was encoded comes back, in lines or not, padded or not."""
    for coded in (base64.encodebytes(content), base64.b64encode(content).rstrip(b"=")):
        assert content == undone("base64", coded, places)


@given(st.binary(max_size=300), _PLACES)
def test_quoted_printable_comes_back(content: bytes, places: list[int]) -> None:
    """What was encoded comes back."""
    coded = quopri.encodestring(content, quotetabs=True)
    assert binascii.a2b_qp(coded) == undone("quoted-printable", coded, places)


@given(
    st.binary(max_size=300), st.sampled_from(["", "7bit", "base64", "quoted-printable"]), _PLACES
)
def test_any_octets_are_read(content: bytes, encoding: str, places: list[int]) -> None:
    """Whatever a part holds, it gives octets, and the same however it was cut."""
    assert undone(encoding, content) == undone(encoding, content, places)


def test_what_follows_the_padding_is_no_part_of_it() -> None:
    """Base64 ends at its padding (RFC 2045 §6.8)."""
    assert b"ab" == undone("base64", b"YWI=YWI=", [4])


def test_spaces_at_the_end_of_a_line_are_not_meant() -> None:
    """Quoted-printable drops what was added on the way, not what was written (RFC 2045 §6.7)."""
    coded = b"a  \r\nb =\t\r\nc=20\t\nd \t"
    for places in ([], [1], [2], [3], [8], [20]):
        assert b"a\r\nb c \nd" == undone("quoted-printable", coded, places)


def test_spaces_without_end_go_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are held back as long as they may be the end of a line, and not for ever."""
    monkeypatch.setattr(decoding, "_LONGEST_LINE", 8)
    undo = decoder("quoted-printable")
    assert b"a" * 12 == undo.feed(b"a" * 12 + b" " * 8)
    assert b"\r\n" == undo.feed(b"\r\n")
    assert b"" == undo.feed(b" " * 20)  # more than is held back


def test_a_line_without_end_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with a line; no code is cut."""
    monkeypatch.setattr(decoding, "_LONGEST_LINE", 8)
    undo = decoder("quoted-printable")
    assert b"a" * 20 == undo.feed(b"a" * 20)
    assert b"b" * 19 == undo.feed(b"b" * 19 + b"=")
    assert "é".encode() == undo.feed(b"C3=A9") + undo.finish()


def test_an_unknown_encoding_is_said() -> None:
    """Nobody is given octets that were not decoded (RFC 3516 §4.3)."""
    with pytest.raises(UnknownEncoding):
        decoder("x-uuencode")


def test_comparing() -> None:
    """Case, composition and the width of white space make no difference (RFC 5255)."""
    assert comparable("STRASSE  e\u0301t\u00c9") == comparable("straße\r\n été")


@pytest.mark.parametrize(
    ("charset", "octets"),
    [
        ("utf-8", "Résultat".encode()),
        ("iso-8859-1", "Résultat".encode("latin-1")),
        ("windows-1252", "Résultat".encode("cp1252")),
        ("utf-16", "Résultat".encode("utf-16")),
        ("idna", "Résultat".encode()),
        ("cp9999", "Résultat".encode()),
        ("", "Résultat".encode()),
    ],
)
def test_text_is_found_in_its_charset(charset: str, octets: bytes) -> None:
    """A word is found whatever its charset; an unknown one is read as UTF-8."""
    text = Text("", charset, "text/plain")
    found = [
        text.feed(octets[at : at + 1], "résultat", last=at == len(octets) - 1)
        for at in range(len(octets))
    ]
    assert [False] * (len(octets) - 1) + [True] == found


def test_html_is_read_as_it_is_shown() -> None:
    """Marks within a word do not hide it."""
    text = Text("quoted-printable", "utf-8", "text/html")
    assert text.feed(b"<b>R</b>&eacute;sul=\r\ntat", "résultat", last=True)
