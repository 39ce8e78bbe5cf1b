"""Who may not wait: what was agreed, and what a header says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.relay.critical import FIELD, Care, Missing, Urgency, words
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


def test_who_may_mark_a_result_as_critical() -> None:
    """Every mailbox of ours, or only those with which it was agreed who is told."""
    header = Header.parse(FIELD + b"\r\n")
    few = replace(AGREED, everybody=False)
    assert (True, True) == (AGREED.may(OTHER), AGREED.asked(header, OTHER))
    assert (False, False) == (few.may(OTHER), few.asked(header, OTHER))
    assert (True, True) == (few.may(LABO), few.asked(header, LABO))


def test_the_sooner_of_what_was_agreed_and_promised() -> None:
    """A mailbox's own time, else ten minutes; a message may ask for less, not for more."""
    soon, late = START + timedelta(minutes=1), START + timedelta(hours=4)
    assert START + timedelta(minutes=3) == AGREED.due(LABO, START, None)
    assert START + timedelta(minutes=10) == AGREED.due(OTHER, START, late)
    assert soon == AGREED.due(LABO, START, soon)


def test_a_person_reads_whom_to_call_in_both_languages() -> None:
    """The reference leads to the patient; the mail does not."""
    left = (("dr@chu.example", "sa boîte est pleine", "its mailbox is full"),)
    missing = Missing(LABO, "8Z0A-2C4E", START, left)
    subject, text = words("Dr Garde", [missing], 1, "labo")
    french, english = subject.split(" / ")
    assert "[labo] Examen critique non parvenu" == french
    assert "critical result not delivered: 8Z0A-2C4E" == english
    assert subject.isascii()
    assert "Bonjour Dr Garde," in text
    assert "dr@chu.example : sa boîte est pleine" in text
    assert "dr@chu.example: its mailbox is full" in text
    assert "faites noter par un\nexploitant" in text
    assert words("", [missing], 1, "labo")[1].startswith("Bonjour,\n")


def test_of_many_the_first_are_named_and_all_are_counted() -> None:
    """Who is on call reads how bad it is, and where all of them are listed."""
    left = (("dr@chu.example", "sa boîte est pleine", "its mailbox is full"),)
    some = [Missing(LABO, f"8Z0A-2C4{n}", START, left) for n in range(3)]
    subject, text = words("Dr Garde", some, 10_000, "labo")
    assert "[labo] 10000 examens critiques non parvenus / critical results not delivered" == subject
    assert "10000 résultats critiques envoyés par" in text
    assert "8Z0A-2C42" in text
    assert "… et 9997 de plus" in text
    assert "… and 9997 more" in text
    assert "de plus" not in words("", some, 3, "labo")[1]
