import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.budget import Limits
from quarantine.letter import Indexed, Thing, decoded
from quarantine.policy import Finding
from tests.quarantine.files import letter, mail

HEAD = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"


def part(*fields: str, body: bytes = b"x") -> bytes:
    """A message of one part."""
    return HEAD + "".join(f"{one}\r\n" for one in fields).encode() + b"\r\n" + body


def things(raw: bytes) -> list[Thing]:
    return [each for each in letter(raw).things() if isinstance(each, Thing)]


def odd(raw: bytes) -> list[Finding]:
    return [each for each in letter(raw).things() if isinstance(each, Finding)]


def multipart(*parts: bytes, kind: str = "mixed", more: str = "") -> bytes:
    body = b"".join(b"--b\r\n" + one + b"\r\n" for one in parts)
    return part(
        f"Content-Type: multipart/{kind}; boundary=b", *more.split("\n"), body=body + b"--b--\r\n"
    )


def test_things() -> None:
    """Each leaf, decoded; what the message says is no file."""
    text, file = things(mail(("a.pdf", b"%PDF-1.4")))
    assert ("1", b"Bonjour.\r\n", False) == (text.place, text.content, text.attached)
    assert Thing("a.pdf", b"%PDF-1.4", "2 a.pdf") == file


def test_a_text_that_is_a_file() -> None:
    """A text with a name, or said to be attached, is a file like another."""
    named = part('Content-Type: text/plain; name="a.txt"')
    attached = part("Content-Disposition: attachment")
    assert [True, True] == [one.attached for raw in (named, attached) for one in things(raw)]


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (
            part("Content-Type: text/plain", "Content-Type: text/html"),
            "content-type twice in one header",
        ),
        (part("Content-Type: multipart/mixed"), "TEXT: multipart/mixed without parts"),
        (
            part("Content-Type: message/partial; id=x; number=1"),
            "1: a fragment, whose rest is elsewhere",
        ),
        (part("Content-Transfer-Encoding: x-own"), "1: an encoding that nobody knows"),
        (part("Content-Transfer-Encoding: x-uuencode"), "1: encoded as x-uuencode"),
        (
            part("Content-Transfer-Encoding: base64", body=b"QUJD*"),
            "1: characters that are not base64",
        ),
        (
            part("Content-Transfer-Encoding: base64", body=b"QQ==QUJD"),
            "1: something follows its end",
        ),
        (
            multipart(b"\r\nx", more="Content-Transfer-Encoding: base64"),
            "TEXT: multipart/mixed in base64",
        ),
    ],
)
def test_what_two_readers_would_read_differently(raw: bytes, detail: str) -> None:
    """A structure that hides something is told, whatever it hides."""
    assert [detail] == [each.detail for each in odd(raw) if each.reason == "structure"]


FILE = b"Content-Type: application/octet-stream\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (
            part("Content-Type: text/plain", "Content-Type: text/html"),
            "content-type twice in one header",
        ),
        (multipart(FILE, more="Content-Type: text/plain"), "content-type twice in one header"),
        (part("Content-Type: multipart/mixed"), "TEXT: multipart/mixed without parts"),
        (multipart(b"X: a\r\n" * 2500 + FILE), "more header fields than anybody reads"),
        (
            multipart(b"\r\n" + b"--x\r\n" * 100_100, FILE),
            "more lines like delimiters than anybody reads",
        ),
        (
            multipart(b"\r\nx\r\n--b" + b" " * 400 + b"\r\n" + FILE),
            "a delimiter longer than anybody reads",
        ),
        (multipart(b"\r\nx") + b"--b\r\n" + FILE, "a part behind the end of its multipart"),
        (
            part("Content-Type: multipart; boundary=b", body=b"--b\r\n" + FILE),
            "a multipart to some readers only",
        ),
        (
            part('Content-Type: "multipart/mixed"; boundary=b', body=b"--b\r\n" + FILE),
            "a multipart to some readers only",
        ),
        (
            multipart(FILE, kind='mixed; boundary="c"'),
            "a boundary that readers take for different ones",
        ),
        (
            multipart(FILE, kind="mixed; boundary*=us-ascii''c"),
            "a boundary that readers take for different ones",
        ),
    ],
)
def test_what_another_reader_may_find(raw: bytes, detail: str) -> None:
    """A part that some program would show and that was not looked at waits for a person."""
    assert Finding("not-inspected", detail) in odd(raw)


def test_a_multipart_with_nothing_in_it() -> None:
    """Odd, but it hides nothing."""
    raw = part("Content-Type: multipart/mixed; boundary=b", body=b"")
    assert [Finding("structure", "TEXT: multipart/mixed without parts")] == odd(raw)


def test_a_header_without_an_end() -> None:
    """What comes behind more of it than anybody reads waits for a person too."""
    indexed = Indexed()
    for block in (multipart(b"X: a\r\n" + b" a\r\n" * 90_000), FILE):
        for at in range(0, len(block), 50_000):
            indexed.feed(block[at : at + 50_000])
    found = indexed.letter(lambda start, end: bytes(end - start), 1 << 20)
    assert ("a header longer than anybody reads",) == found.hidden


@pytest.mark.parametrize(
    "raw",
    [
        multipart(b"\r\nx") + b"\r\nSome list's last words.\r\n--b--\r\n",
        part('Content-Type: multipart/mixed;\r\n boundary="b"', body=b"--b\r\n\r\nx\r\n--b--\r\n"),
        part("Content-Type: multipart/mixed; boundary*0=b", body=b"--b \r\n\r\nx\r\n--b--\r\n"),
        multipart(*2 * (b"Content-Type: message/rfc822\r\n\r\n" + multipart(b"\r\nx"),))
        .replace(b"boundary=b", b"boundary=o", 1)
        .replace(b"--b\r\nContent-Type: message", b"--o\r\nContent-Type: message"),
        part("Content-Type: text/plain; charset=utf-8"),
    ],
)
def test_what_all_readers_read_alike(raw: bytes) -> None:
    """Mail as it is, the sloppy included: the same message attached twice, words behind the end."""
    assert [] == odd(raw)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a.txt"; filename="a.js"', "a.js"),
        ("attachment; filename*=utf-8''a.txt; filename=a.js", "a.js"),
        ("attachment; filename=a b.js", "a b.js"),
        ("attachment filename=a.js", "a.js"),
        ("attachment; filename=a.js(x)", "a.js"),
        ("attachment" + "; p=1" * 70 + "; filename=a.js", "a.js"),
        ('attachment; filename="=?utf-8?q?a.js?="; filename=b', "b"),
    ],
)
def test_a_file_with_several_names(disposition: str, name: str) -> None:
    """Which one counts is a matter of taste, so all of them are looked at."""
    (one,) = things(part(f"Content-Disposition: {disposition}", "Content-Type: x/y; name=c.txt"))
    assert name in (one.name, *one.also)
    assert "c.txt" in (one.name, *one.also)


def test_a_text_that_some_readers_give_a_name() -> None:
    """It is a file, then."""
    (one,) = things(part("Content-Type: text/plain name=a.js"))
    assert one.attached


@pytest.mark.parametrize("encoding", ["base64 (hi)", '"base64"', "base64;", "x base64"])
def test_an_encoding_written_as_it_should_not_be(encoding: str) -> None:
    """What a tolerant reader would decode is decoded, and told; a word nobody knows is none."""
    content, doubt = decoded(b"QUJD", encoding)
    assert (b"QUJD" if encoding == "x base64" else b"ABC") == content
    assert doubt


def test_parts_without_end() -> None:
    """More than anybody reads, and deeper."""
    many = multipart(*[b"\r\nx"] * 10_050)
    assert Finding("structure", "more parts than anybody reads") in odd(many)
    deep = b"\r\nx"
    for _ in range(120):
        deep = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" + deep
    assert any("nested deeper" in each.detail for each in odd(HEAD + deep))


def test_encrypted_end_to_end() -> None:
    """By its type, whatever its parts hold (RFC 3156)."""
    raw = multipart(b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", kind="encrypted")
    assert {"content-encrypted"} == {each.reason for each in odd(raw)}


def test_files_in_a_text() -> None:
    """As programs wrote them before there was MIME, and some readers still offer them."""
    body = (
        b"Voici.\r\nbegin 644 outil.exe\r\n" + binascii.b2a_uu(b"MZ" * 20) + b"`\r\nend\r\nFin.\r\n"
    )
    text, file = things(part("Content-Type: text/plain", body=body))
    assert not text.attached
    assert Thing("outil.exe", b"MZ" * 20, "1/outil.exe") == file
    twice = things(part("Content-Type: text/plain", body=2 * body))
    assert ["", "outil.exe", "outil.exe"] == [each.name for each in twice]


def test_a_file_that_hides_behind_another() -> None:
    """One that is announced in the middle of another is a file too."""
    hidden = b"begin 644 outil.exe\r\n" + binascii.b2a_uu(b"MZ") + b"end\r\n"
    found = things(part("Content-Type: text/plain", body=b"begin 644 a\r\n" + hidden))
    assert ["", "a", "outil.exe"] == [each.name for each in found]
    assert b"MZ" == found[-1].content


@pytest.mark.parametrize("line", [b"not what it should be\r\n", b"x" * 200 + b"\r\n", b""])
def test_a_file_in_a_text_that_is_none(line: bytes) -> None:
    """A line that only looks like it costs nothing."""
    body = b"begin 644 a\r\n" + line
    (_, file) = things(part("Content-Type: text/plain", body=body))
    assert b"" == file.content


def test_content() -> None:
    """What others ask for is decoded too; what is too large is nothing."""
    found = letter(mail(("a.pdf", b"%PDF-1.4")))
    assert b"%PDF-1.4" == found.content(found.parts[2])
    large = letter(mail(("a.pdf", bytes(9000))), Limits(largest=5000))
    assert b"" == large.content(large.parts[2])
    assert [Finding("not-inspected", "2 a.pdf: larger than 5000 octets")] == [
        each for each in large.things() if isinstance(each, Finding)
    ]


def test_a_large_part_is_cut_anywhere() -> None:
    """That its beginning ends in the middle of something is nobody's fault."""
    raw = part("Content-Transfer-Encoding: base64", body=b"QUJD" * 100_000)
    found = letter(raw, Limits(largest=200_000)).things()
    (one,) = (each for each in found if isinstance(each, Thing))
    assert not one.whole
    assert one.content.startswith(b"ABCABC")


@pytest.mark.parametrize("encoding", ["", "7bit", "8bit", "binary"])
def test_nothing_to_decode(encoding: str) -> None:
    """Octets as they are."""
    assert (b"a=20b", "") == decoded(b"a=20b", encoding)


def test_quoted_printable() -> None:
    """As tolerant as the next reader, and wherever a piece ends."""
    assert (b"a bc=ZZ", "") == decoded(b"a=20b=\r\nc=ZZ", "quoted-printable")
    for pad in range(4):
        long = b"x" * ((1 << 20) - pad) + b"=41" * 3
        assert (b"x" * ((1 << 20) - pad) + b"AAA", "") == decoded(long, "quoted-printable")


def test_uuencode_as_an_encoding() -> None:
    """Some programs say so in the header."""
    raw = b"begin 644 a\r\n" + binascii.b2a_uu(b"bonjour") + b"end\r\n"
    assert b"bonjour" == decoded(raw, "x-uuencode")[0]


@pytest.mark.parametrize(
    ("raw", "content"),
    [
        (b"QQ==", b"A"),
        (b"QQ", b"A"),
        (b"QUI", b"AB"),
        (b"QUJDR", b"ABC"),
        (b" Q\r\nU\tI=", b"AB"),
        (b"QQ==QQ==", b"AA"),
        (b"Q*Q=*=", b"A"),
        (b"", b""),
        (b"=" * 5000, b""),
        (b"QQ=" * 5000, b"A" * 1000 + base64.b64decode("QQ" * 3998 + "QQ==")),
    ],
)
def test_base64(raw: bytes, content: bytes) -> None:
    """What hides behind a padding is looked at too; padding upon padding costs nothing."""
    if len(raw) > 5000:
        assert decoded(raw, "base64")[0].startswith(b"A" * 1000)
    else:
        assert content == decoded(raw, "base64")[0]


@given(st.binary(max_size=200))
def test_base64_of_anything(content: bytes) -> None:
    """What was encoded comes out, and nothing is wrong with it."""
    assert (content, "") == decoded(base64.encodebytes(content), "base64")


@given(st.binary(max_size=200), st.sampled_from(["base64", "quoted-printable", "uue", "other"]))
def test_any_octets(raw: bytes, encoding: str) -> None:
    """Whatever octets stand there are decoded to something."""
    content, doubt = decoded(raw, encoding)
    assert isinstance(content, bytes)
    assert isinstance(doubt, str)
