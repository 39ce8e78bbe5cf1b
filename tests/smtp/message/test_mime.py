"""Where the parts of a message lie: the same however it was cut, and whatever it is made of."""

from email import message_from_bytes
from email.message import Message
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.message import mime
from smtp.message.mime import Part, PartIndex


def index(message: bytes, places: list[int] | None = None) -> tuple[Part, ...]:
    edges = sorted({0, len(message), *(place % (len(message) + 1) for place in places or [])})
    scanner = PartIndex()
    for start, stop in pairwise(edges):
        scanner.feed(message[start:stop])
    return scanner.finish()


def outline(message: bytes) -> list[tuple[str, str, bytes]]:
    """Return number, type and content of every leaf, and of what holds parts its number and type."""
    parts = index(message)
    parents = {part.parent for part in parts}
    return [
        (p.number, p.type, b"..." if place in parents else message[p.body : p.end])
        for place, p in enumerate(parts)
    ]


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


_PIECES = (
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"\r\n",
    b"--b\r\n",
    b"--b--\r\n",
    b"text\r\n",
    b"a\nb\rc",
    b"long " * 20,
)

LETTER = crlf("""\
From: martin@labo.example
Content-Type: multipart/mixed; boundary="=_outer"

This is a message in parts.
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
between
--=_outer \t
Content-Type: message/rfc822

Subject: attached
Content-Type: multipart/mixed; boundary=third

--third
Content-Type: text/plain

deep
--third--
--=_outer
Content-Type: application/pdf; name="r.pdf"
Content-Disposition: attachment; filename="R\u00e9sultat.pdf"
Content-Transfer-Encoding: base64

JVBERi0=

--=_outer--
epilogue
""")


def test_a_letter_with_attachments() -> None:
    """Each part is found where it lies, and has the number IMAP gives it."""
    assert [
        ("TEXT", "multipart/mixed", b"..."),
        ("1", "multipart/alternative", b"..."),
        ("1.1", "text/plain", b"plain"),
        ("1.2", "text/html", b"<p>html"),
        ("2", "message/rfc822", b"..."),
        ("2.TEXT", "multipart/mixed", b"..."),
        ("2.1", "text/plain", b"deep"),
        ("3", "application/pdf", b"JVBERi0=\r\n"),
    ] == outline(LETTER)


def test_what_a_part_says_of_itself() -> None:
    """Name, encoding, attachment or not, and its header's place."""
    parts = index(LETTER)
    pdf = parts[7]
    assert ("R\u00e9sultat.pdf", "base64", True) == (pdf.name, pdf.encoding, pdf.attachment)
    assert LETTER[pdf.header : pdf.body].startswith(b"Content-Type: application/pdf")
    assert LETTER[pdf.header : pdf.body].endswith(b"base64\r\n\r\n")
    assert ("", "quoted-printable", False) == (
        parts[3].name,
        parts[3].encoding,
        parts[3].attachment,
    )
    assert (0, len(LETTER)) == (parts[0].header, parts[0].end)
    assert [-1, 0, 1, 1, 0, 4, 5, 0] == [part.parent for part in parts]


@given(st.lists(st.integers(min_value=0), max_size=30))
def test_any_split_gives_the_same(places: list[int]) -> None:
    """How the network cut the message does not move a part."""
    assert index(LETTER) == index(LETTER, places)


def test_octet_by_octet() -> None:
    """Nor does the slowest sender."""
    assert index(LETTER) == index(LETTER, list(range(len(LETTER))))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", [("1", "text/plain", "")]),
        ("\nhello\n", [("1", "text/plain", "hello\n")]),
        ("Subject: no body", [("1", "text/plain", "")]),
        ("Subject: no body\n", [("1", "text/plain", "")]),
        ("Content-Type: nonsense\n\nx", [("1", "text/plain", "x")]),
        ("Content-Type: multipart/mixed\n\n--\nx", [("TEXT", "multipart/mixed", "--\nx")]),
        (
            f"Content-Type: multipart/mixed; boundary={'b' * 201}\n\n--{'b' * 201}\n\nx\n",
            [("TEXT", "multipart/mixed", f"--{'b' * 201}\n\nx\n")],
        ),
        # never opened, never closed, closed at once, closed at the very end
        ("Content-Type: multipart/mixed; boundary=b\n\nx\n", [("TEXT", "multipart/mixed", "x\n")]),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n",
            [("TEXT", "multipart/mixed", "..."), ("1", "text/plain", "x\n")],
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b--\n--b\n\nx\n",
            [("TEXT", "multipart/mixed", "--b--\n--b\n\nx\n")],
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--",
            [("TEXT", "multipart/mixed", "..."), ("1", "text/plain", "x")],
        ),
        # empty parts, parts without a blank line, lines that only look like delimiters
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\n--b\nX: y\n--b--\n",
            [
                ("TEXT", "multipart/mixed", "..."),
                ("1", "text/plain", ""),
                ("2", "text/plain", ""),
                ("3", "text/plain", ""),
            ],
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--bb\n--b-\n-- \n --b\n--b--x\n--b\n",
            [
                ("TEXT", "multipart/mixed", "..."),
                ("1", "text/plain", "--bb\n--b-\n-- \n --b\n--b--x"),
                ("2", "text/plain", ""),
            ],
        ),
        # an inner multipart that is not closed ends with the outer; the same boundary is no other
        (
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=i\n\n"
                "--i\n\nx\n--b\n\ny\n--b--\n"
            ),
            [
                ("TEXT", "multipart/mixed", "..."),
                ("1", "multipart/mixed", "..."),
                ("1.1", "text/plain", "x"),
                ("2", "text/plain", "y"),
            ],
        ),
        (
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n"
                "--b\n\nx\n--b--\n"
            ),
            [
                ("TEXT", "multipart/mixed", "..."),
                ("1", "multipart/mixed", ""),
                ("2", "text/plain", "x"),
            ],
        ),
        # messages in messages; one that is encoded is a leaf; a digest's parts are messages
        (
            "Content-Type: message/rfc822\n\nSubject: x\n\ninner\n",
            [("1", "message/rfc822", "..."), ("1.1", "text/plain", "inner\n")],
        ),
        (
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA==\n",
            [("1", "message/rfc822", "U3ViamVjdDogeA==\n")],
        ),
        (
            "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ninner\n--b--\n",
            [
                ("TEXT", "multipart/digest", "..."),
                ("1", "message/rfc822", "..."),
                ("1.1", "text/plain", "inner"),
            ],
        ),
        (
            "Content-Type: message/rfc822",
            [("1", "message/rfc822", "..."), ("1.1", "text/plain", "")],
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n--b--\n",
            [("TEXT", "multipart/mixed", "..."), ("1", "message/rfc822", "")],
        ),
    ],
)
def test_structures(message: str, expected: list[tuple[str, str, str]]) -> None:
    """Empty, unfinished and misleading structures are read as far as they go."""
    assert [(n, t, crlf(c)) for n, t, c in expected] == outline(crlf(message))


def test_a_delimiter_in_the_middle_of_a_cut() -> None:
    """A line that may yet become a delimiter is waited for; a long one is not."""
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx"
    assert b"x" == outline(head + b"\r\n--b" + b" " * 250 + b"\r\n\r\ny")[1][2]
    assert 2 == len(index(head + b"\r\n--b" + b"z" * 400 + b"\r\n--"))


def test_too_many_parts_end_in_one_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of a million parts has as many as the limit, and the last takes the rest."""
    monkeypatch.setattr(mime, "_MOST_PARTS", 10)
    message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50
    parts = index(message)
    assert 10 == len(parts)
    assert len(message) == parts[-1].end
    nested = b"Content-Type: message/rfc822\r\n\r\n" * 50
    assert 10 == len(index(nested))


def test_too_deep_a_message_ends_in_one_leaf() -> None:
    """Five hundred messages inside each other are a hundred."""
    nested = b"Content-Type: message/rfc822\r\n\r\n" * 500
    assert 100 == len(index(nested))
    multiparts = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(500)
    )
    assert 100 == len(index(multiparts))


def test_too_many_near_misses_end_in_one_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body of nothing but dashes is not searched for ever."""
    monkeypatch.setattr(mime, "_MOST_NEAR_MISSES", 10)
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
    assert 3 == len(index(head + b"--c\r\n" * 10 + b"--b\r\n\r\n"))
    assert 2 == len(index(head + b"--c\r\n" * 11 + b"--b\r\n\r\n"))
    assert 2 == len(index(head[:-2] + b"--c\r\n" * 11 + b"--b\r\n\r\n"))


def test_a_part_header_without_end_is_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than any header is none, and is not collected."""
    monkeypatch.setattr(mime, "_LONGEST_HEADER", 100)
    message = b"X: y\r\n" * 100
    scanner = PartIndex()
    for at in range(0, len(message), 6):
        scanner.feed(message[at : at + 6])
    (part,) = scanner.finish()
    assert (0, 0, len(message)) == (part.header, part.body, part.end)


@given(st.integers(0, 9000), st.booleans())
def test_a_long_header_ends_where_it_ends(length: int, blank: bool) -> None:  # noqa: FBT001
    """By its blank line or by the next delimiter, however far away that is."""
    field = b"X-Long: " + b"y" * length + b"\r\n"
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    message = head + field + (b"\r\nbody" if blank else b"") + b"\r\n--b\r\n\r\nlast\r\n--b--"
    _, first, last = index(message)
    assert (field, b"body" if blank else b"") == (
        message[first.header : first.header + len(field)],
        message[first.body : first.end],
    )
    assert b"last" == message[last.body : last.end]
    assert index(message) == index(message, list(range(0, len(message), 100)))


def leaves(message: "Message[Any, Any]") -> list[tuple[str, str]]:
    """Return the leaves as the standard library sees them."""
    return [
        (part.get_content_type(), str(part.get_payload()))
        for part in message.walk()
        if not part.is_multipart()
    ]


CONTENT = st.sampled_from(["", "x", "two\r\nlines", "-- \r\nsignature", "--", "--=", "a\r\n\r\nb"])
LEAF = st.tuples(st.sampled_from(["text/plain", "application/pdf"]), CONTENT)
TREE = st.recursive(LEAF, lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=8)


def rendered(tree: Any, path: str = "0") -> str:
    if isinstance(tree, tuple):
        return f"Content-Type: {tree[0]}\r\n\r\n{tree[1]}"
    parts = "".join(
        f"--=_{path}\r\n{rendered(inner, f'{path}.{n}')}\r\n" for n, inner in enumerate(tree)
    )
    return f'Content-Type: multipart/mixed; boundary="=_{path}"\r\n\r\n{parts}--=_{path}--'


@given(TREE, st.lists(st.integers(min_value=0), max_size=10))
def test_the_standard_library_sees_the_same(tree: Any, places: list[int]) -> None:
    """Two readers, one structure."""
    message = rendered(tree).encode()
    parts = index(message, places)
    parents = {part.parent for part in parts}
    mine = [
        (part.type, message[part.body : part.end].decode())
        for place, part in enumerate(parts)
        if place not in parents
    ]
    assert leaves(message_from_bytes(message)) == mine


SCRAPS = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: multipart/digest; boundary=c\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"--c\r\n",
        b"--c--",
        b"-",
        b"\r",
        b"\n",
        b"text",
    ]
)


@given(
    st.lists(SCRAPS | st.binary(max_size=8), max_size=40),
    st.lists(st.integers(min_value=0), max_size=8),
)
def test_any_bytes_have_an_outline_that_nests(scraps: list[bytes], places: list[int]) -> None:
    """Whatever it is, however cut: parts lie inside their parents, in order, and within the message."""
    message = b"".join(scraps)
    parts = index(message, places)
    assert index(message) == parts
    for part in parts:
        assert 0 <= part.header <= part.body <= part.end <= len(message)
        if part.parent >= 0:
            parent = parts[part.parent]
            assert parent.body <= part.header
            assert part.end <= parent.end


@given(st.lists(st.integers(min_value=0), max_size=4), st.data())
def test_lines_are_counted_however_it_is_cut(places: list[int], data: st.DataObject) -> None:
    """Of texts and messages IMAP tells the line ends in their content (RFC 3501 §7.4.2)."""
    pieces = data.draw(st.lists(st.sampled_from(_PIECES), max_size=30))
    message = b"".join(pieces)

    told = ("text/", "message/")
    assert [
        message[p.body : p.end].count(b"\n") if p.type.startswith(told) else 0
        for p in index(message)
    ] == [p.lines for p in index(message, places)]


def test_a_part_without_content_has_no_lines() -> None:
    """A message that is cut off behind a delimiter: nothing lies in the part that would begin."""
    whole, first, cut_off = index(
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n\r\n\r\n\r\n--a\r\n--a"
    )
    assert [0, 0, 0] == [each.lines for each in (whole, first, cut_off)]


def test_a_header_is_shown_while_it_is_at_hand() -> None:
    """Who asks is given each part's header with the part's place, in their order."""
    seen: list[tuple[int, bytes | None]] = []
    scanner = PartIndex(lambda place, header: seen.append((place, header.first("content-type"))))
    scanner.feed(LETTER)
    parts = scanner.finish()

    assert list(range(len(parts))) == [place for place, _ in seen]
    assert b"message/rfc822" in [kind for _, kind in seen]


@pytest.mark.parametrize(
    ("tail", "doubts"),
    [
        (b"", []),
        (b"--b--\r\n", []),
        (b"words\r\n", []),
        (b"--b\r\n\r\nmore\r\n--b--\r\n", ["a part behind the end of its multipart"]),
    ],
)
@given(st.lists(st.integers(min_value=0), max_size=4))
def test_what_follows_the_end(tail: bytes, doubts: list[str], places: list[int]) -> None:
    """Some readers go on behind the closing delimiter, so a part that lies there is told of."""
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    message = head + b"--b\r\n\r\nfirst\r\n--b--\r\n" + tail
    scanner = PartIndex()
    for start, stop in pairwise(sorted({0, len(message), *(n % len(message) for n in places)})):
        scanner.feed(message[start:stop])
    assert 2 == len(scanner.finish())
    assert doubts == list(scanner.doubts)


def test_a_delimiter_longer_than_anybody_reads() -> None:
    """White space without an end behind a delimiter: another reader may take it for one."""
    scanner = PartIndex()
    scanner.feed(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b" + b" " * 400 + b"\r\n\r\nx"
    )

    assert 1 == len(scanner.finish())
    assert ["a delimiter longer than anybody reads"] == list(scanner.doubts)
