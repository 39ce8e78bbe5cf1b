"""What stands in a message for a document that its reader fetches by a browser."""

import email
from datetime import UTC, datetime
from email.policy import SMTP

import pytest

from gateway.relay.large.notice import words
from gateway.relay.large.stub import Cut

UNTIL = datetime(2026, 4, 1, 12, tzinfo=UTC)
URL = "https://courrier.chu.example/document/" + "x" * 43
CANARY = "DUPONT_Jeanne_IRM.zip"


def _part(octets: int) -> bytes:
    cut = Cut(0, 0, 10, "application/zip", CANARY, "base64", octets, "0" * 64)
    return words(URL, UNTIL, "Pro Santé Connect")(3, cut, b"Content-Type: application/zip\r\n")


def test_the_words_say_what_where_and_until_when() -> None:
    """In both languages; a mail client shows them as the text that they are."""
    read = email.message_from_bytes(_part(1_500_000), policy=SMTP)
    text = str(read.get_content())
    assert ("text/plain", "inline") == (read.get_content_type(), read.get_content_disposition())
    for word in (URL, "Pro Santé Connect", "1,4 Mo", "1.4 MB", "01/04/2026", "2026-04-01"):
        assert word in text


def test_nothing_of_the_document_is_in_them() -> None:
    """No name of a file, which may be a patient's; only what seven bits carry, in lines that fit."""
    part = _part(1_500_000)
    assert part.isascii()
    assert CANARY not in str(email.message_from_bytes(part, policy=SMTP).get_content())
    assert CANARY.encode() not in part
    assert all(len(line) < 998 for line in part.split(b"\r\n"))
    assert b"\n" not in part.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("octets", "french", "english"),
    [
        (12, "12 octets", "12 bytes"),
        (2_048, "2 ko", "2 kB"),
        (3_250_000_000, "3 Go", "3 GB"),
    ],
)
def test_sizes_are_in_words(octets: int, french: str, english: str) -> None:
    """As people say them, and as the page behind the link does."""
    text = str(email.message_from_bytes(_part(octets), policy=SMTP).get_content())
    assert french in text
    assert english in text
