"""Whatever a header holds makes an ENVELOPE, and a sound one says what the header says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap import envelope as room
from imap.envelope import EMPTY, addresses, envelope, spelled, string
from smtp.message.header import Header

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|\{(\d+)\}\r\n|[()]| |[A-Za-z0-9]+', re.DOTALL)


def well_formed(text: bytes) -> bool:
    """Whether it is one balanced list of strings, literals, numbers and NILs."""
    at = depth = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return False
        at = match.end() + int(match[1] or 0)
        depth += (match[0] == b"(") - (match[0] == b")")
        if depth == 0:
            return at == len(text)
    return False


def test_all_of_it() -> None:
    """Each field in its place; the sender and the reply address default to the author."""
    header = Header.skim(
        b"Date: Mon, 2 Mar 2026 09:30:00 +0100\r\nSubject: a\r\n b\r\nFrom: A <a@x>\r\n"
        b"To: b@x\r\nCc: c@x\r\nBcc: d@x\r\nIn-Reply-To: <1@x>\r\nMessage-ID: <2@x>\r\n\r\n"
    )
    a = b'(("A" NIL "a" "x"))'
    assert (
        b'("Mon, 2 Mar 2026 09:30:00 +0100" "a b" %b %b %b ((NIL NIL "b" "x"))'
        b' ((NIL NIL "c" "x")) ((NIL NIL "d" "x")) "<1@x>" "<2@x>")' % (a, a, a)
    ) == envelope(header)
    assert EMPTY == envelope(Header.skim(b""))
    sent = envelope(Header.skim(b"From: a@x\r\nSender: b@x\r\nReply-To: c@x\r\n\r\n"))
    assert b' ((NIL NIL "a" "x")) ((NIL NIL "b" "x")) ((NIL NIL "c" "x")) ' in sent


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"a@x", b'((NIL NIL "a" "x"))'),
        (b'"Q, \\"z" <q@r>', b'(("Q, \\"z" NIL "q" "r"))'),
        (b"=?utf-8?q?J=C3=A9?= Du <a@b>", b'(("=?utf-8?q?J=C3=A9?= Du" NIL "a" "b"))'),
        ("Jé <a@b>".encode(), b'(({3}\r\nJ\xc3\xa9 NIL "a" "b"))'),
        (b"foo@bar (na (me) \\) )", b'(("na (me) )" NIL "foo" "bar"))'),
        (b"<a@b> (n)", b'(("n" NIL "a" "b"))'),
        (b"<@r1,@r2:a@b>", b'((NIL "@r1,@r2" "a" "b"))'),
        (
            b"g: a@b, c@d;",
            b'((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL))',
        ),
        (b"g:;, a@b", b'((NIL NIL "g" NIL)(NIL NIL NIL NIL)(NIL NIL "a" "b"))'),
        (b"g: a@b", b'((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL))'),
        (b'"a b"@x', b'((NIL NIL "a b" "x"))'),
        (b"a@b@c", b'((NIL NIL "a@b" "c"))'),
        (b"<>", b'((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))'),
        (b"<a@b", b'((NIL NIL "a" "b"))'),
        (b"root", b'((NIL NIL "root" "MISSING_DOMAIN"))'),
        (b"not an address", b'(("not an address" NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))'),
        (b"a@b,, c@d", b'((NIL NIL "a" "b")(NIL NIL "c" "d"))'),
        (b'"open <a@b', b'((NIL NIL "open <a@b" "MISSING_DOMAIN"))'),
        (b"a@b (open", b'((NIL NIL "a" "b"))'),
        (b"a@b () ;", b'((NIL NIL "a" "b"))'),
        (b")", b"NIL"),
        (b" ", b"NIL"),
    ],
)
def test_addresses(value: bytes, expected: bytes) -> None:
    """Names, routes, groups, comments; and what is no address at all (RFC 5322 §3.4)."""
    assert expected == addresses(value)


@given(st.text('ab "<>@,;:()\\\r\n\t\x00é', max_size=60), st.binary(max_size=40))
def test_any_header_makes_an_envelope(value: str, more: bytes) -> None:
    """No header breaks the answer of a fetch."""
    for octets in (value.encode(), more):
        header = Header.skim(b"From: %b\r\nSubject: %b\r\nTo: %b\r\n" % (octets, octets, octets))
        assert well_formed(envelope(header)), octets


def test_addresses_are_spelled_without_what_is_between() -> None:
    """No comments, no spaces within; a group is the people in it."""
    value = b"Labo (of x) <a . b @ (y) c.example>, d@e (F), g: h@i;"
    assert b"Labo <a.b@c.example>, F <d@e>,  <g>,  <h@i>,  <>" == spelled(value)


def test_bombs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many addresses, so long a string; comments as deep as anybody likes."""
    monkeypatch.setattr(room, "_MOST_ADDRESSES", 3)
    assert 3 == addresses(b"a@b," * 90).count(b'"a"')
    assert (64 << 10) + 2 == len(string(b"x" * 100_000))
    assert b'((NIL NIL "a" "b"))' == addresses(b"a@b" + b"(" * 5000)


def test_strings() -> None:
    """Quoted where it may be; a literal where it must; no NUL in either."""
    assert b"NIL" == string(None)
    assert b'""' == string(b"")
    assert b'"a\\\\\\""' == string(b'a\\"')
    assert b"{2}\r\n\xc3\xa9" == string("é\0".encode())
