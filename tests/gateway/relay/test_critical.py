"""Who may not wait: what was agreed, and what a header says."""

from datetime import timedelta

import pytest

from gateway.relay.critical import FIELD, Care, Urgency, words
from smtp.address import Address, key
from smtp.message.header import Header
from tests.world.clock import START

LABO, OTHER = Address("resultats@labo.example"), Address("dr@labo.example")
AGREED = Urgency(agreed={key(LABO): Care(timedelta(minutes=3), "Dr Garde", importance=True)})


@pytest.mark.parametrize(
    ("field", "agreed", "otherwise"),
    [
        (FIELD, True, True),
        (b"X-Sceau-Priority: CRITICAL \r\n", True, True),
        (b"X-Sceau-Priority: normal\r\n", False, False),
        (b"Importance: High\r\n", True, False),
        (b"X-Priority: 1 (Highest)\r\n", True, False),
        (b"X-Priority: 3\r\n", False, False),
        (b"Priority: urgent\r\n", True, False),
        (b"Subject: critical\r\n", False, False),
    ],
)
def test_what_a_header_says(field: bytes, agreed: bool, otherwise: bool) -> None:  # noqa: FBT001
    """Our own field always; a mail program's red mark only where it was agreed."""
    header = Header.parse(field + b"\r\n")
    assert (agreed, otherwise) == (AGREED.asked(header, LABO), AGREED.asked(header, OTHER))


def test_the_sooner_of_what_was_agreed_and_promised() -> None:
    """A mailbox's own time, else ten minutes; a message may ask for less, not for more."""
    soon, late = START + timedelta(minutes=1), START + timedelta(hours=4)
    assert START + timedelta(minutes=3) == AGREED.due(LABO, START, None)
    assert START + timedelta(minutes=10) == AGREED.due(OTHER, START, late)
    assert soon == AGREED.due(LABO, START, soon)


def test_a_person_reads_whom_to_call_in_both_languages() -> None:
    """The reference leads to the patient; the mail does not."""
    left = (("dr@chu.example", "sa boîte est pleine", "its mailbox is full"),)
    subject, text = words("Dr Garde", LABO, "8Z0A-2C4E", START, left, "labo")
    assert "[labo] critical result not delivered: 8Z0A-2C4E" == subject
    assert subject.isascii()
    assert "Bonjour Dr Garde," in text
    assert "dr@chu.example : sa boîte est pleine" in text
    assert "dr@chu.example: its mailbox is full" in text
    assert words("", LABO, "8Z0A-2C4E", START, left, "labo")[1].startswith("Bonjour,\n")
