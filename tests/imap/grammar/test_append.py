"""What stands before a message that is appended."""

from datetime import UTC, datetime

import pytest

from imap.grammar import append, reader
from imap.grammar.command import Announced
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError


def announced(line: bytes) -> Announced | None:
    cursor = Cursor(line)
    tag, _ = reader.begin(cursor)
    return append.announced(cursor, tag)


FULL = Announced(
    "a", "APPEND", "INBOX", 5, ("\\Seen",), datetime(2026, 2, 1, 8, tzinfo=UTC), True, True
)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"a append inbox {5}\r\n", Announced("a", "APPEND", "INBOX", 5)),
        (b"a append inbox {5+}\r\n", Announced("a", "APPEND", "INBOX", 5)),
        (b"a append {5}\r\n", None),
        (b"a append {5}\r\ninbox ~{6}\r\n", Announced("a", "APPEND", "INBOX", 6, binary=True)),
        (b'a append inbox (\\seen) " 1-Feb-2026 09:00:00 +0100" utf8 (~{5}\r\n', FULL),
    ],
)
def test_announcements(line: bytes, found: Announced | None) -> None:
    """Flags, date, binary and UTF-8; a literal that is the folder's name is none."""
    assert found == announced(line)


@pytest.mark.parametrize(
    "line",
    [
        b"a append inbox x {5}\r\n",
        b"a append inbox utf8 ({5}\r\n",
        b"a append inbox (\\Recent) {5}\r\n",
        b"a append inbox {x}\r\n",
        b"a append  {5}\r\n",
    ],
)
def test_what_announces_nothing(line: bytes) -> None:
    """It is refused before a message comes."""
    with pytest.raises(GrammarError):
        announced(line)
