"""Names of folders: what they may be, how they are spelled, what a pattern stands for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap.grammar import names
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (b"INBOX", "INBOX"),
        (b"R&AOk-sultats", "Résultats"),
        (b"a&-b", "a&b"),
        (b"&U,BTFw-", "台北"),
        (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
        (b"&2D3eAA-", "😀"),
    ],
)
def test_modified_utf7(wire: bytes, name: str) -> None:
    """RFC 3501 §5.1.3's own examples, both ways."""
    assert name == names.decode(wire)
    assert wire == names.encode(name)


@pytest.mark.parametrize("wire", [b"&", b"&AOk", b"&AO-", b"&2D0-", b"a\x7fb", b"\xc3\xa9", b"&,-"])
def test_what_is_no_modified_utf7(wire: bytes) -> None:
    """It is refused."""
    with pytest.raises(GrammarError):
        names.decode(wire)


@given(st.text(st.characters(codec="utf-8")))
def test_every_name_comes_back(name: str) -> None:
    """What is written can be read, and is ASCII."""
    if any(ord(c) < 32 for c in name):
        name = "".join(c for c in name if ord(c) >= 32)
    wire = names.encode(name)
    assert (name, True) == (names.decode(wire), wire.isascii())


@given(octets=st.binary(max_size=40), utf8=st.booleans())
def test_any_octets_are_a_name_or_our_error(octets: bytes, *, utf8: bool) -> None:
    """And a name that is read is written so that it is read again."""
    try:
        name = names.read(Cursor(octets, utf8=utf8))
        clean = names.clean(name)
    except GrammarError:
        return
    assert clean == names.read(Cursor(names.written(clean, utf8=utf8), utf8=utf8))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a//b",
        "/a",
        " a",
        "a ",
        "a/ b",
        "a*b",
        "a%b",
        "a\tb",
        "a\u202eb",
        "a\ufeffb",
        "x" * 501,
        "/".join("x" * 21),
        "a\ud800",
    ],
)
def test_what_may_be_no_name(name: str) -> None:
    """Empty levels, wildcards, what cannot be seen, what has no end."""
    with pytest.raises(GrammarError):
        names.clean(name)


@pytest.mark.parametrize(
    ("name", "normal"),
    [("inbox", "INBOX"), ("Inbox/x", "INBOX/x"), ("x/inbox", "x/inbox"), ("e\u0301", "é")],
)
def test_one_name_for_one_folder(name: str, normal: str) -> None:
    """INBOX has no case, and accents have one spelling."""
    assert normal == names.normal(name)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "a/b", True),
        ("%", "a/b", False),
        ("%", "a", True),
        ("a/%", "a/b", True),
        ("%/%", "a/b", True),
        ("a*c", "a/b/c", True),
        ("a%c", "a/c", False),
        ("ab", "a", False),
        ("", "", True),
        ("*%*", "x/y", True),
    ],
)
def test_patterns(pattern: str, name: str, *, matches: bool) -> None:
    """``*`` passes separators, ``%`` does not."""
    assert matches == names.matches(pattern, name)


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_patterns_as_a_regular_expression_would(pattern: str, name: str) -> None:
    """The same answer, without its worst case."""
    spelled = re.escape(pattern).replace(r"\*", ".*").replace("%", "[^/]*")
    assert bool(re.fullmatch(spelled, name, re.DOTALL)) == names.matches(pattern, name)


def test_a_hostile_pattern_takes_no_time() -> None:
    """Many wildcards and a long name: all ways are followed at once."""
    assert not names.matches("*a" * 500 + "b", "a" * 500)
    assert not names.matches("%a" * 500 + "b", "a/" * 250)
    assert not names.matches("*a%" * 150 + "b", "a" * 450)
    assert names.matches("*a%" * 150, "a" * 450)


@pytest.mark.parametrize("octets", [b'"\xff\xfe"', b'"&!!-"', b'"' + b"x" * 2001 + b'"'])
def test_what_is_written_in_no_way_of_writing_is_no_name(octets: bytes) -> None:
    """Neither modified UTF-7 nor UTF-8, or without end."""
    with pytest.raises(GrammarError):
        names.read(Cursor(octets))
