"""Hostile mail clients, and a running gateway that goes on serving the others."""

import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.canary import Canary, search_folder
from tests.interop.conftest import Pair
from tests.interop.mail import context
from tests.interop.site import Site, User

_MOST = 160 << 20  # octets by which the gateway may grow under all of this
KEYWORD = "Kanarimot-cle-5541"
TEXT = "Kanaritexte-lu-par-imap-9037"


class Raw:
    """A client that says exactly what it is told to."""

    def __init__(self, site: Site, user: User | None = None) -> None:
        clear = socket.create_connection(("127.0.0.1", site.ports["imap"]), 30)
        self.line = context(site).wrap_socket(clear)
        self.heard = b""
        self.until(rb"\* OK ")
        if user is not None:
            self.ask(f"LOGIN {user.address} {user.password}".encode())

    def until(self, pattern: bytes) -> bytes:
        """Read until a line begins so; ``b""`` if the server leaves first."""
        wanted = re.compile(rb"(?:\A|\r\n)(%b[^\r\n]*)\r\n" % pattern)
        while (found := wanted.search(self.heard)) is None:
            try:
                block = self.line.recv(1 << 16)
            except (ConnectionError, ssl.SSLError):
                block = b""
            if not block:
                return b""
            self.heard += block
        self.heard = self.heard[found.end() :]
        return found[1]

    def ask(self, octets: bytes, tag: bytes = b"t") -> bytes:
        """Say a command; return its answer, ``b""`` if there is none but the end."""
        with suppress(ConnectionError, ssl.SSLError):
            self.line.sendall(tag + b" " + octets + b"\r\n")
        return self.until(rb"%b (?:OK|NO|BAD)" % tag)

    def close(self) -> None:
        with suppress(OSError):
            self.line.close()


@pytest.fixture
def inside(pair: Pair) -> Iterator[Raw]:
    """Somebody who is in, has a message, and means ill."""
    raw = Raw(pair.hopital, pair.doctor)
    letter = b"Subject: a\r\n\r\nabc\r\n"
    raw.ask(b"APPEND INBOX {%d+}\r\n" % len(letter) + letter)
    assert raw.ask(b"SELECT INBOX").startswith(b"t OK")
    yield raw
    raw.close()


def memory(site: Site) -> int:
    """Return how much memory the gateway has."""
    pages = int(Path(f"/proc/{site.pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


_DEEP = 5000
HOSTILE = {
    "not-not": (b"SEARCH " + b"NOT " * _DEEP + b"ALL", "BAD"),
    "parentheses": (b"SEARCH " + b"(" * _DEEP + b"ALL" + b")" * _DEEP, "BAD"),
    "or-or": (b"SEARCH " + b"OR ALL " * _DEEP + b"ALL", "BAD"),
    "many-keys": (b"SEARCH" + b" ALL" * 10_000, "BAD"),
    "charset": (b"SEARCH CHARSET " + b"X" * 60_000 + b" ALL", "NO"),
    "charset-utf-7": (b"SEARCH CHARSET UTF-7 SUBJECT a", "NO"),
    "no-utf-8": (b"SEARCH CHARSET UTF-8 TEXT {2+}\r\n\xff\xfe", "BAD"),
    "literals": (b"SEARCH" + b" SUBJECT {1+}\r\nx" * 10_000, ""),
    "literal-huge": (b"SEARCH SUBJECT {999999999999999999}", "BAD"),
    "literal-20-digits": (b"SEARCH SUBJECT {99999999999999999999}", "BAD"),
    "set-beyond": (b"FETCH 1:4294967295 FLAGS", "BAD"),
    "set-33-bits": (b"FETCH 4294967296 FLAGS", "BAD"),
    "set-zero": (b"FETCH 0 FLAGS", "BAD"),
    "set-long": (b"UID FETCH " + b",".join(b"%d" % n for n in range(1, 24_000, 2)) + b" UID", ""),
    "set-repeated": (b"UID FETCH " + b"1:*," * 15_000 + b"1 UID", ""),
    "parts-deep": (b"FETCH 1 BODY[" + b"1." * 1000 + b"1]", ""),
    "parts-deep-9": (b"FETCH 1 BODY[1.1.1.1.1.1.1.1.1]", "OK"),
    "part-zero": (b"FETCH 1 BODY[0]", "BAD"),
    "part-huge": (b"FETCH 1 BODY[99999999999999999999]", "BAD"),
    "partial-beyond": (b"FETCH 1 BODY[]<4294967295.4294967295>", "OK"),
    "partial-nothing": (b"FETCH 1 BODY[]<0.0>", "BAD"),
    "fields-many": (b"FETCH 1 BODY[HEADER.FIELDS (" + b"A " * 20_000 + b"B)]", ""),
    "items-many": (b"FETCH 1 (" + b"BODY[] " * 5000 + b"UID)", ""),
    "items-different": (
        b"FETCH 1 (" + b" ".join(b"BODY.PEEK[]<%d.9>" % n for n in range(3000)) + b")",
        "",
    ),
    "flags-many": (b"STORE 1 +FLAGS (" + b" ".join(b"k%d" % n for n in range(90)) + b")", "NO"),
    "flags-101": (b"STORE 1 +FLAGS (" + b" ".join(b"k%d" % n for n in range(101)) + b")", "BAD"),
    "flag-recent": (b"STORE 1 +FLAGS (\\Recent)", "BAD"),
    "name-up": (b"CREATE ../../etc", "NO|OK"),
    "name-root": (b"CREATE /", "NO"),
    "name-slashes": (b"CREATE a//b", "NO"),
    "name-nul": (b"CREATE {3+}\r\na\x00b", "BAD"),
    "name-nul-utf-7": (b"CREATE &AAA-", "NO"),
    "name-percent": (b'CREATE "%"', "NO"),
    "name-star": (b'CREATE "*"', "NO"),
    "name-surrogate": (b"CREATE &2AA-", "BAD|NO"),
    "name-no-utf-7": (b"CREATE &", "BAD"),
    "name-two-spellings": (b"CREATE &AEk-NBOX", "NO|BAD|OK"),
    "name-override": (b"CREATE &IC4-exe", "NO"),
    "name-deep": (b"CREATE " + b"a/" * 1000 + b"a", "NO|BAD"),
    "name-long": (b"CREATE " + b"a" * 10_000, "BAD"),
    "name-shared": (b"CREATE Partage/nobody@chu-nord.example/x", "NO"),
    "select-up": (b'SELECT "../dr.durand/INBOX"', "NO"),
    "select-shared-up": (b'SELECT "Partage/../INBOX"', "NO"),
    "list-wild": (b'LIST "" ' + b"*%" * 900, ""),
    "list-patterns": (b'LIST "" (' + b"* " * 1001 + b"a)", "BAD"),
    "rename-into-itself": (b"RENAME INBOX INBOX/x", "OK|NO"),
    "append-date": (b'APPEND INBOX "99-Foo-2026 00:00:00 +0000" {3+}\r\nabc', ""),
    "append-year-0": (b'APPEND INBOX "01-Jan-0000 00:00:00 +0000" {3+}\r\nabc', ""),
    "append-flag": (b"APPEND INBOX (\\Recent) {3+}\r\nabc", ""),
    "append-size": (b"APPEND INBOX {999999999999999999}", "NO"),
    "append-nothing": (b"APPEND INBOX {0+}\r\n", "OK|NO|BAD"),
    "acl-anyone": (b"SETACL INBOX anyone lrswipkxtea", "NO"),
    "acl-everybody": (b"SETACL INBOX {1+}\r\n\x00 lr", "BAD"),
    "id-many": (b"ID (" + b'"a" "b" ' * 1000 + b'"a" "b")', "BAD"),
    "enable-many": (b"ENABLE" + b" X" * 20_000, ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_answered_or_ends(pair: Pair, inside: Raw, name: str) -> None:
    """By a fixed sentence, never by a bug; and what follows it is obeyed, or the line is closed."""
    octets, answers = HOSTILE[name]
    said = inside.ask(octets)

    assert b"SERVERBUG" not in said
    assert not answers or said[2:].split(b" ")[0].decode() in answers.split("|"), said
    after = inside.ask(b"NOOP", b"after")
    assert after in {b"", b"after OK Done"}


def test_a_flood_of_idle_is_worked_off(inside: Raw) -> None:
    """Each is begun and ended; nothing piles up."""
    inside.line.sendall(b"i IDLE\r\nDONE\r\n" * 5000)

    assert b"after OK Done" == inside.ask(b"NOOP", b"after")


def test_a_literal_that_never_ends_takes_no_memory(pair: Pair) -> None:
    """A hundred messages that were announced and do not come; then their clients are gone."""
    before = memory(pair.hopital)
    idle = [Raw(pair.hopital, pair.doctor) for _ in range(100)]
    for raw in idle:
        raw.line.sendall(b"t APPEND INBOX {100000000}\r\n")
        assert raw.until(rb"\+ ")
        raw.line.sendall(b"x" * 100_000)
    grown = memory(pair.hopital) - before
    for raw in idle:
        raw.close()

    assert grown < _MOST, f"{grown >> 20} MiB"


def test_a_thousand_connections_leave_room_for_others(pair: Pair) -> None:
    """However little the crowd says; the memory it takes is bounded."""
    before = memory(pair.hopital)
    place = ("127.0.0.1", pair.hopital.ports["imap"])
    crowd = [socket.create_connection(place, 30) for _ in range(900)]
    raw = Raw(pair.hopital, pair.doctor)
    said, grown = raw.ask(b"NOOP"), memory(pair.hopital) - before
    raw.close()
    for each in crowd:
        each.close()

    assert b"t OK Done" == said
    assert grown < _MOST, f"{grown >> 20} MiB"


def test_what_was_kept_copied_searched_and_marked_is_unreadable(pair: Pair) -> None:
    """Texts, what was looked for, keywords and names of folders are nowhere in the data folder."""
    raw = Raw(pair.hopital, pair.hopital.user("canari"))
    letter = f"Subject: {TEXT}\r\n\r\n{TEXT}\r\n".encode()
    for command in (
        b"CREATE %b" % KEYWORD.encode(),
        b"APPEND INBOX (%b) {%d+}\r\n%b" % (KEYWORD.encode(), len(letter), letter),
        b"SELECT INBOX",
        b"STORE 1:* +FLAGS (%b)" % KEYWORD.encode(),
        b"COPY 1:* %b" % KEYWORD.encode(),
        b"SEARCH TEXT %b" % TEXT.encode(),
        b"SUBSCRIBE %b" % KEYWORD.encode(),
        b"FETCH 1:* BODY[]",
    ):
        assert raw.ask(command).startswith(b"t OK"), command
    raw.close()

    canaries = [Canary("keyword", KEYWORD), Canary("text", TEXT)]
    assert set() == search_folder(pair.hopital.data, canaries)
    log = pair.hopital.log.read_bytes()
    assert KEYWORD.encode() not in log
    assert TEXT.encode() not in log


def test_nothing_of_it_was_a_bug(pair: Pair) -> None:
    """No boundary had to catch anything."""
    assert b"session.error" not in pair.hopital.log.read_bytes()
