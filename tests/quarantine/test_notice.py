import itertools

import pytest

from quarantine import notice
from quarantine.reasons import REASONS
from tests.world.clock import START


def test_a_sender_is_told_until_when_it_waits() -> None:
    """And not to send it again: two copies in quarantine help nobody."""
    words = notice.held(START)
    for advice in words.advice:
        assert f"{START:%Y-%m-%d}" in advice
    assert ("Ne le renvoyez pas" in words.advice[0]) is ("Do not send it again" in words.advice[1])


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_told_in_words(reason: str) -> None:
    """In both languages, and never as a slug."""
    french, english = notice.because([reason])
    assert (REASONS[reason].french, REASONS[reason].english) == (french, english)
    assert reason not in french or "-" not in reason


def test_an_unknown_reason_stands_for_itself() -> None:
    """A case of an older version is told all the same."""
    assert ("of-yesterday", "of-yesterday") == notice.because(["of-yesterday"])


def test_a_refusal_says_why_and_what_the_reviewer_adds() -> None:
    """Both languages keep the reviewer's own words as they are."""
    for said in notice.refused(["macros", "script"], "Renvoyez-le en PDF."):
        assert said.endswith("Renvoyez-le en PDF.")
    french, english = notice.refused(["macros"], "")
    assert REASONS["macros"].french in french
    assert REASONS["macros"].english in english
    assert french[-1] == english[-1] == "."


def test_nobody_looked_at_it() -> None:
    """The sender learns whose fault it was."""
    french, english = notice.expired(["macros"])
    assert ("opérateur" in french, "operator" in english) == (True, True)


def test_a_release_needs_no_words() -> None:
    """But may have some."""
    assert ("", "") == notice.released("")
    assert all("merci" in said for said in notice.released("merci"))


def test_no_protocol_in_it() -> None:
    """It is for somebody who has patients waiting."""
    words = (notice.held(START), notice.RELEASED)
    said = [
        *itertools.chain.from_iterable((*each.opening, *each.advice) for each in words),
        *notice.refused(["malware"], "x"),
        *notice.expired(["malware"]),
    ]
    for each in said:
        assert not {"SMTP", "DSN", "550", "4.7.0"} & set(each.replace(".", " ").split())
