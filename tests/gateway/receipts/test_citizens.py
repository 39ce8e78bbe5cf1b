"""What both sides of a thread with a patient are told, in whole sentences and in both languages."""

import pytest

from gateway.receipts.citizens import words
from smtp import reply
from smtp.reply import Reply

_SAID = {name: said for name, said in vars(reply).items() if name.startswith("CITIZEN_")}


@pytest.mark.parametrize("said", _SAID.values(), ids=_SAID)
def test_every_refusal_has_its_words(said: Reply) -> None:
    """Without a word of protocol."""
    told = words(said)
    assert told is not None
    assert [".", "."] == [each[-1] for each in told]
    assert not any(word in each for each in told for word in ("SMTP", "550", "5.7.1"))


def test_how_large_it_may_be_is_said() -> None:
    """As it is set where it is refused, in each language's own way."""
    told = words(reply.citizen_too_large(25_600_000))
    assert told is not None
    assert "25,6 Mo au plus" in told[0]
    assert "25.6 MB at most" in told[1]


def test_other_replies_are_about_no_patient() -> None:
    """They have words elsewhere."""
    assert words(reply.too_big(1)) is None
