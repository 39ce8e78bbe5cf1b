"""The header block: where it ends, what its fields are, who it says wrote it."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtp.message.header import Header, HeaderError, HeaderScanner, addresses, mailboxes

MESSAGE = (
    b"From: Dr Martin <martin@labo.example>\r\n"
    b"Bcc: secret@chu.example,\r\n\tother@chu.example\r\n"
    b"Subject: =?utf-8?q?R=C3=A9sultat?=\r\n"
    b" suite\r\n"
    b"bcc : third@chu.example\r\n"
    b"\r\n"
    b"body\r\n\r\nmore\r\n"
)
BLOCK = MESSAGE[: MESSAGE.index(b"body")]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(edges)]


@given(st.lists(st.integers(min_value=0)))
def test_any_split_finds_the_same_block(places: list[int]) -> None:
    """How the network cut the message does not move the end of its header."""
    scanner = HeaderScanner()
    for block in cut(MESSAGE, places):
        scanner.feed(block)
    assert BLOCK == scanner.raw
    assert b"body\r\n\r\nmore\r\n" == scanner.rest


def test_an_empty_header() -> None:
    """A message may begin with the blank line."""
    scanner = HeaderScanner()
    assert scanner.feed(b"\r\nbody")
    assert (b"\r\n", b"body") == (scanner.raw, scanner.rest)


def test_a_message_that_is_all_header() -> None:
    """A message that ends without a blank line is all header."""
    scanner = HeaderScanner()
    assert not scanner.feed(b"From: a@b.example\r\n")
    assert b"From: a@b.example\r\n" == scanner.finish()
    assert b"From: a@b.example\r\n" == scanner.finish()
    assert scanner.complete


def test_a_header_up_to_the_limit_passes_and_one_octet_more_does_not() -> None:
    """The limit is on the block, wherever the cuts fall and whatever follows it."""
    block = b"X: " + b"y" * 93 + b"\r\n\r\n"
    scanner = HeaderScanner(limit=100)
    assert scanner.feed(block + b"z" * 1000)
    with pytest.raises(HeaderError, match="too large"):
        HeaderScanner(limit=99).feed(block)


def test_a_header_without_end_is_cut_off_at_the_limit() -> None:
    """A header of 10 MB is never collected."""
    scanner = HeaderScanner(limit=1000)
    for _ in range(10):
        scanner.feed(b"X: " + b"y" * 95 + b"\r\n")
    with pytest.raises(HeaderError, match="too large"):
        scanner.feed(b"X")


def test_fields_are_read_unfolded() -> None:
    """A value is one line; the name's case and white space before the colon do not matter."""
    header = Header.parse(BLOCK)
    assert [b"secret@chu.example,\tother@chu.example", b"third@chu.example"] == header.all("bcc")
    assert b"=?utf-8?q?R=C3=A9sultat?= suite" == header.first("subject")
    assert header.first("sender") is None
    assert [] == header.all("sender")


def test_removing_a_field_touches_nothing_else() -> None:
    """Without Bcc, every other byte is as the sender wrote it."""
    assert (
        b"From: Dr Martin <martin@labo.example>\r\n"
        b"Subject: =?utf-8?q?R=C3=A9sultat?=\r\n suite\r\n\r\n"
    ) == Header.parse(BLOCK).without("bcc", "resent-bcc")
    assert BLOCK == Header.parse(BLOCK).without("x-absent")


@pytest.mark.parametrize(
    "raw",
    [
        b"From a@b Mon Jan 1\r\nFrom: a@b.example\r\n\r\n",
        b" folded first\r\nFrom: a@b.example\r\n\r\n",
        b"From: a@b.example\r\nno colon here\r\n\r\n",
        b"From: a@b.example\nFrom: c@d.example\r\n\r\n",
        b"From: a@b.example\rFrom: c@d.example\r\n\r\n",
        b"F\xc3\xa9: x\r\n\r\n",
        b": x\r\n\r\n",
        b"X: y\r\n\r\nFrom: late@b.example\r\n",
    ],
)
def test_a_line_that_is_no_field_is_refused(raw: bytes) -> None:
    """No reader may be left to guess where the header ends."""
    with pytest.raises(HeaderError, match="no header field"):
        Header.parse(raw)


def test_a_block_without_its_last_line_ending_is_read() -> None:
    """The last line of a message may lack its CRLF (BDAT)."""
    assert b"a@b.example" == Header.parse(b"X: 1\r\nFrom: a@b.example").first("from")
    assert () == Header.parse(b"\r\n").fields


def test_ten_thousand_fields_are_refused() -> None:
    """The number of fields is bounded, whatever the block's size."""
    Header.parse(b"X: y\r\n" * 2000 + b"\r\n")
    with pytest.raises(HeaderError, match="too many"):
        Header.parse(b"X: y\r\n" * 2001 + b"\r\n")
    assert 2000 == len(Header.skim(b"X: y\r\n" * 10_000).fields)


def test_skimming_passes_over_what_is_no_field() -> None:
    """A part's header is read as far as it can be."""
    header = Header.skim(b"junk\r\nContent-Type: text/plain\r\n junk\r\nmore junk\r\nA:b\r\nend")
    assert ["content-type", "a"] == [f.name for f in header.fields]
    assert b"text/plain junk" == header.first("content-type")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_header_or_our_error(raw: bytes) -> None:
    """No input makes the reader fail in a way of its own."""
    Header.skim(raw)
    try:
        header = Header.parse(raw)
    except HeaderError:
        return
    assert raw == header.without()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("martin@labo.example", ["martin@labo.example"]),
        ("<martin@LABO.example>", ["martin@labo.example"]),
        ("Dr. J. Martin (biologiste) <martin@labo.example>", ["martin@labo.example"]),
        ('"Martin, Jean" <martin@labo.example>', ["martin@labo.example"]),
        (r'"J \"x@y.example\" M" <martin@labo.example>', ["martin@labo.example"]),
        ("=?utf-8?Q?J=C3=A9r=C3=B4me?= <j@labo.example>", ["j@labo.example"]),
        ("Jérôme <j@labo.example>", ["j@labo.example"]),
        ("élan@labo.example", ["élan@labo.example"]),
        ("j@hôpital.example", ["j@xn--hpital-ixa.example"]),
        (
            "a@b.example, C <c@d.example>,,e@f.example,",
            ["a@b.example", "c@d.example", "e@f.example"],
        ),
        ("(a (nested (comment)) \\) <x@y.example>) a@b.example (end)", ["a@b.example"]),
        ("a@(here)b.example", ["a@b.example"]),
        ("a . b @ c . example", ["a.b@c.example"]),
        ("a@b.example <a@b.example>", ["a@b.example"]),
        ("[CHU] Accueil <a@b.example>", ["a@b.example"]),
        ('"quoted part"@b.example', ['"quoted part"@b.example']),
        ("Labo: a@b.example, C <c@d.example>;", ["a@b.example", "c@d.example"]),
        ("Labo: a@b.example;, c@d.example", ["a@b.example", "c@d.example"]),
        ("undisclosed-recipients:;", []),
        ("", []),
        (" , ", []),
    ],
)
def test_addresses(value: str, expected: list[str]) -> None:
    """Names, comments, groups and encoded words go; the addresses stay."""
    assert expected == list(addresses(value.encode()))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a@b.example", [""]),
        (r'"J \"x\" M"  Dr <a@b.example> (biologiste (chef))', ['J "x" M Dr biologiste (chef)']),
        ("a@b.example (one), (two) C <c@d.example>", ["one", "C two"]),
        (
            'Labo (x): a@b.example, C <c@d.example>;, "E" <e@f.example>',
            ["Labo x", "C Labo x", "E"],
        ),
        ("=?utf-8?Q?J=C3=A9?= <a@b.example>", ["=?utf-8?Q?J=C3=A9?="]),
    ],
)
def test_what_is_shown_with_an_address(value: str, shown: list[str]) -> None:
    """Its name, its comments, its group's name, as a reader sees them."""
    assert shown == [one.shown for one in mailboxes(value.encode())]


@pytest.mark.parametrize(
    "value",
    [
        "<a@b.example> <c@d.example>",
        "<a@b.example> c",
        "x@y.example <a@b.example>",
        "<<a@b.example>>",
        "<a@b.example",
        "a@b.example>",
        "<@relay.example:a@b.example>",
        "<a@b.example,c@d.example>",
        "<>",
        "Dr Martin",
        "Martin, Jean <a@b.example>",
        "a b@c.example",
        '"a"b@c.example',
        "a@b@c.example",
        "a@[192.0.2.1]",
        "a@b.example; c@d.example",
        "G: H: a@b.example;;",
        "G: a@b.example",
        "(open a@b.example",
        "a@b.example)",
        '"open a@b.example',
        "\\a@b.example",
        '"x\x0bFrom: c@d.example" <a@b.example>',
        "a@b.example (\x1e)",
        "\x1b[2J <a@b.example>",
        "\x7f <a@b.example>",
        "=?utf-8?q?a=40b.example?=",
        f"{'x' * 1001} <a@b.example>",
    ],
)
def test_an_ambiguous_or_broken_list_is_refused(value: str) -> None:
    """What two readers could read in two ways is nobody's address."""
    with pytest.raises(HeaderError):
        addresses(value.encode())


def test_an_address_that_is_not_utf_8_is_refused() -> None:
    """Legacy bytes are let be in a name, never in an address."""
    assert ("a@b.example",) == addresses(b"J\xe9r\xf4me <a@b.example>")
    with pytest.raises(HeaderError):
        addresses(b"j\xe9@b.example")


@example(b"(" * 5000)
@example(b"<" * 5000)
@given(st.binary(max_size=80) | st.text('ab@.<>,;:() "\\\r\n[]', max_size=40).map(str.encode))
def test_any_value_is_addresses_or_our_error(value: bytes) -> None:
    """No From makes the reader fail in a way of its own; what it finds is an address."""
    try:
        found = addresses(value)
    except HeaderError:
        return
    assert all("@" in address for address in found)
