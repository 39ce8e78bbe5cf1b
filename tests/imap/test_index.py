"""Any message has an index: what a client is told of it, and where its parts lie."""

import weakref
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap import index as room
from imap.envelope import EMPTY
from imap.index import Index, Indexing, Section, Span, index_of, packed, unpacked
from tests.imap.test_envelope import well_formed


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


LETTER = crlf("""\
From: martin@labo.example
Subject: outer
Content-Type: multipart/mixed; boundary="=_outer"

--=_outer
Content-Type: multipart/alternative;
 boundary=inner

--inner

plain
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: Quoted-Printable

<p>html
--inner--
--=_outer
Content-Type: message/rfc822

Subject: attached
From: a@b

body
of it
--=_outer
Content-Type: application/pdf; name*0="a"; name*1="b.pdf"
Content-Disposition: attachment; filename="r\u00e9sultat.pdf"
Content-Transfer-Encoding: base64
Content-ID: <1@x>
Content-Description: a "result"
Content-MD5: Q2hlY2s=
Content-Language: fr, en
Content-Location: http://x/y

QUJD
--=_outer--
""")


def content(index: Index, section: str, message: bytes = LETTER) -> bytes | None:
    span = index.span(section)
    return None if span is None else message[span.start : span.end]


def test_body_structure() -> None:
    """Each part as it says it is, with its octets and lines (RFC 3501 §7.4.2)."""
    index = index_of(LETTER)
    nil = b"NIL NIL NIL NIL"
    ascii_, attached = b'("charset" "us-ascii")', b'((NIL NIL "a" "b"))'
    envelope = b'(NIL "attached" %b %b %b NIL NIL NIL NIL NIL)' % ((attached,) * 3)
    name = "{13}\r\nrésultat.pdf".encode()
    assert (
        b'((("text" "plain" %b NIL NIL "7bit" 5 0 %b)'
        b'("text" "html" ("charset" "utf-8") NIL NIL "Quoted-Printable" 7 0 %b)'
        b' "alternative" ("boundary" "inner") NIL NIL NIL)'
        b'("message" "rfc822" NIL NIL NIL "7bit" 43 %b ("text" "plain" %b NIL NIL "7bit" 11 1 %b)'
        b" 4 %b)"
        b'("application" "pdf" ("name*0" "a" "name*1" "b.pdf") "<1@x>" "a \\"result\\"" "base64" 4'
        b' "Q2hlY2s=" ("attachment" ("filename" %b)) ("fr" "en") "http://x/y")'
        b' "mixed" ("boundary" "=_outer") NIL NIL NIL)'
    ) % (ascii_, nil, nil, envelope, ascii_, nil, nil, name) == (index.bodystructure)
    assert index.body.startswith(b'((("text" "plain" %b NIL NIL "7bit" 5 0)(' % ascii_)
    assert index.body.endswith(b'"base64" 4) "mixed")')
    assert len(LETTER) == index.size


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("", LETTER),
        ("HEADER", LETTER[: LETTER.index(b"\r\n\r\n") + 4]),
        ("TEXT", LETTER[LETTER.index(b"\r\n\r\n") + 4 :]),
        ("1.1", b"plain"),
        ("1.2", b"<p>html"),
        ("1.1.MIME", b"\r\n"),
        ("2", b"Subject: attached\r\nFrom: a@b\r\n\r\nbody\r\nof it"),
        ("2.HEADER", b"Subject: attached\r\nFrom: a@b\r\n\r\n"),
        ("2.TEXT", b"body\r\nof it"),
        ("2.1", b"body\r\nof it"),
        ("3", b"QUJD"),
        ("4", None),
        ("1.HEADER", None),
        ("3.TEXT", None),
        ("4.MIME", None),
        ("1.1.HEADER", None),
        ("9.TEXT", None),
    ],
)
def test_sections(section: str, expected: bytes | None) -> None:
    """A section is found by its name (RFC 3501 §6.4.5)."""
    assert expected == content(index_of(LETTER), section)


def test_a_part_says_how_it_was_encoded() -> None:
    """So that it can be undone, and its text read."""
    index = index_of(LETTER)
    assert "base64" == (index.span("3") or Span(0, 0)).encoding
    html = next(part for part in index.parts if part.number == "1.2")
    assert ("quoted-printable", "utf-8", "text/html") == (html.encoding, html.charset, html.type)
    assert "résultat.pdf" == index.parts[-1].name


def test_a_single_part_is_number_one() -> None:
    """A message that is no multipart has one part; the message itself is no part of it."""
    index = index_of(b"Subject: x\r\n\r\nok\r\n")
    assert b"ok\r\n" == content(index, "1", b"Subject: x\r\n\r\nok\r\n")
    assert index.span("TEXT") == Span(14, 18)
    assert index.span("1.TEXT") is None
    assert index_of(LETTER).span("MIME") is None


_EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", _EMPTY),
        (
            b"Content-Type: multipart/mixed\r\n\r\nx",
            b'(%b "mixed" NIL NIL NIL NIL)' % _EMPTY,
        ),
        (
            b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64 (x)\r\n\r\nQQ==",
            b'("message" "rfc822" NIL NIL NIL "base64" 4 %b %b 0 NIL NIL NIL NIL)'
            % (EMPTY, _EMPTY),
        ),
        (
            b"Content-Type: multipart/digest; boundary=i\r\n\r\n--i\r\n\r\nSubject: a\r\n\r\nh\r\n--i--",
            b'(("message" "rfc822" NIL NIL NIL "7bit" 15 %b %b 2 NIL NIL NIL NIL)'
            b' "digest" ("boundary" "i") NIL NIL NIL)'
            % (EMPTY.replace(b"NIL NIL", b'NIL "a"', 1), _EMPTY.replace(b"0 0", b"1 0")),
        ),
        (
            b'Content-Type: image/png; (c) x="(no \\" comment)"; y=\r\nContent-Disposition: ;\r\n\r\n',
            b'("image" "png" ("x" "(no \\" comment)" "y" "") NIL NIL "7bit" 0 NIL NIL NIL NIL)',
        ),
    ],
)
def test_what_is_no_proper_mime(message: bytes, expected: bytes) -> None:
    """Told as other servers tell it: a multipart without parts has an empty one."""
    assert expected == index_of(message).bodystructure


_PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: multipart/digest; boundary=c\r\n",
        b"Content-Type: message/rfc822\r\n",
        b'Content-Type: text/\xff; x="\\\r\n',
        b"Content-Disposition: (\r\n",
        b"From: a@b, c <\r\n",
        b"\r\n",
        b"--b\r\n",
        b"--c\r\n",
        b"--b--\r\n",
        b"text \x00\n",
    ]
)


@given(st.lists(_PIECES, max_size=25), st.lists(st.integers(min_value=0), max_size=3))
def test_any_message_has_an_index(pieces: list[bytes], places: list[int]) -> None:
    """The same however it was cut, well formed, with every part inside it; kept and read back."""
    message = b"".join(pieces)
    edges = sorted({0, len(message), *(place % (len(message) + 1) for place in places)})
    indexing = Indexing()
    for start, stop in pairwise(edges):
        indexing.feed(message[start:stop])
    index = indexing.finish()

    assert index_of(message) == index == unpacked(packed(index))
    assert len(message) == index.size
    assert all(map(well_formed, (index.envelope, index.body, index.bodystructure)))
    assert all(part.header <= part.body <= part.end <= len(message) for part in index.parts)


@given(st.binary(max_size=200))
def test_any_octets_have_an_index(message: bytes) -> None:
    """A message that no parser likes is served as it is."""
    index = index_of(message)
    assert well_formed(index.bodystructure)
    assert message == content(index, "", message)


def test_a_bomb_is_one_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A structure that would fill a line of megabytes is told as one part, and still read."""
    monkeypatch.setattr(room, "_LARGEST", 2000)
    bomb = (
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nx\r\n" * 50
    )
    index = index_of(bomb)
    assert index.bodystructure.startswith(b'("text" "plain" ')
    assert (Section("1", -1, 0, 57, len(bomb), "text/plain"),) == index.parts
    assert b'(NIL "x" ' in index.envelope
    wide = b"Content-Type: image/png" + b"; a=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" * 60
    assert index_of(wide + b"\r\n\r\n").bodystructure.startswith(b'("text" "plain" ')


def test_headers_without_end_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand parts with long headers cost no more memory than their first few."""
    monkeypatch.setattr(room, "_LARGEST", 2000)
    part = b"--b\r\nContent-Type: image/png; a=" + b"x" * 900 + b"\r\n\r\n"
    indexing = Indexing()
    indexing.feed(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 20)
    assert 20 > len([one for one in indexing._said if one.parameters])
    assert 1 == len(indexing.finish().parts)


@pytest.mark.parametrize("bomb", [b'(\\"' * 80_000, b"(" + b"\\(" * 80_000 + b"(", b'"' * 80_001])
def test_marks_without_end(bomb: bytes) -> None:
    """No header makes us look at the same octets again and again."""
    assert index_of(b"Content-Type: image/png;" + bomb + b"\r\n\r\n").parts[0].type == "image/png"


def test_parameters_are_bounded() -> None:
    """So many parameters, and no more."""
    many = b"Content-Type: image/png" + b"; a=b" * 500 + b"\r\n\r\n"
    assert 64 == index_of(many).bodystructure.count(b'"a" "b"')


def test_what_made_an_index_goes_at_once() -> None:
    """Each message makes one: left to the collector, thousands would go together and hold mail up."""
    indexing = Indexing()
    indexing.feed(b"Subject: x\r\n\r\nbody\r\n")
    indexing.finish()
    gone = weakref.ref(indexing)
    del indexing

    assert gone() is None
