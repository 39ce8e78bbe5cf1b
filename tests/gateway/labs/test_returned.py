"""The notice in the folder of errors: whoever reads it knows why, and what to do."""

from email import message_from_bytes
from email.message import Message
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from gateway.labs.returned import Returned, notice
from smtp.address import Address
from tests.world.clock import START

LABO = Address("dr@labo.example")


def _about(
    message_id: str = "<1@labo.example>",
    why: str = "",
    refused: tuple[tuple[str, str], ...] = (),
    *,
    sent: bool = False,
) -> Returned:
    return Returned(
        LABO,
        "postmaster@labo.example",
        "Outbox",
        START,
        "7.1",
        message_id,
        why,
        refused,
        sent,
    )


def _read(content: bytes) -> Message:
    return message_from_bytes(content, policy=default)


def test_who_was_refused_and_why_is_said_in_two_languages() -> None:
    """Nothing was sent: it says so, where the mail lies, and each recipient's words."""
    found = _read(notice(_about(refused=(("x@nowhere.example", "550 5.7.1 not listed"),))))
    words = found.get_payload(decode=True)
    assert isinstance(words, bytes)
    text = words.decode()
    assert ("dr@labo.example", "<1@labo.example>") == (found["To"], found["In-Reply-To"])
    assert "Non envoyé / not sent" == found["Subject"]
    assert "à personne" in text
    assert "to nobody" in text
    assert "x@nowhere.example : les règles de l'un des deux côtés" in text
    assert "x@nowhere.example: 550 5.7.1 not listed" in text


def test_why_is_said_in_each_language() -> None:
    """Beneath what is to be done, where it is read."""
    told = notice(_about(why="a recipient is no mail address")).decode()
    french, english = told.split("Hello,")
    assert "un destinataire n'est pas une adresse de messagerie\r\n" in french
    assert "a recipient is no mail address\r\n" in english


def test_who_has_it_is_not_sent_it_again() -> None:
    """Sent to some: the notice does not ask to put it back."""
    text = notice(_about(why="", refused=(("x@y.example", "550 no"),), sent=True)).decode()
    assert "ne le\r\nleur renvoyez pas" in text
    assert "remettez" not in text


@given(st.text(), st.text(), st.text())
def test_nothing_in_a_mail_adds_a_line_to_the_header(
    message_id: str, why: str, address: str
) -> None:
    """Whatever the mail's own Message-ID is, and whatever the words are."""
    content = notice(_about(message_id, why, ((address, why),)))
    head = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert 9 + head[5].startswith(b"In-Reply-To: <") == len(head)
    assert content.count(b"\r\n") == content.count(b"\n")


def test_the_same_mail_has_the_same_notice() -> None:
    """Put twice by a crash, it is one to whoever sorts by Message-ID."""
    assert notice(_about()) == notice(_about())
