"""Cases are read in words: what may harm first, how long they wait, how little time is left."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.console.cases import choices, line, lines, picked, tone_of, whys
from quarantine.case import State
from quarantine.reasons import REASONS
from tests.world.clock import START


def case(state: str = "held", reasons: tuple[str, ...] = ("many-recipients",)) -> dict[str, Any]:
    return {
        "opened": START.isoformat(),
        "expires": (START + timedelta(days=10)).isoformat(),
        "state": state,
        "reasons": list(reasons),
    }


def test_what_may_harm_comes_first() -> None:
    """Then the doubts, in their order; a reason that nobody knows any more stands for itself."""
    found = whys(("many-recipients", "malware", "weather"), "fr")
    assert [("malware", "ill"), ("many-recipients", "wait"), ("weather", "wait")] == [
        (each.slug, each.tone) for each in found
    ]
    assert "weather" == found[-1].words
    assert REASONS["malware"].french == found[0].words
    assert REASONS["malware"].english == whys(("malware",), "en")[0].words


@pytest.mark.parametrize(
    ("days", "left", "soon"), [(0, 100, False), (5, 50, False), (9, 10, True), (30, 0, True)]
)
def test_how_much_time_is_left(days: int, left: int, soon: bool) -> None:  # noqa: FBT001
    """In hundredths; little of it is said."""
    now = START + timedelta(days=days)
    found = line(case(), "fr", now)
    assert (left, soon, timedelta(days=days)) == (found.left, found.soon, found.since)
    assert not line(case("refused"), "fr", now).soon


def test_a_case_without_time_has_none_left() -> None:
    """It expires as it opens; and a clock that is behind shows no negative wait."""
    told = case() | {"expires": START.isoformat()}
    found = line(told, "fr", START - timedelta(hours=1))
    assert (0, timedelta()) == (found.left, found.since)


def test_each_state_has_its_colour() -> None:
    """Those that are over for another reason are grey."""
    assert ["wait", "well", "ill", "mute", "mute"] == [tone_of(state.value) for state in State]
    assert "well" == lines([case("released")], "fr", START)[0].tone


def test_every_reason_can_be_asked_for() -> None:
    """In the reader's words, by the alphabet."""
    found = choices("fr")
    assert set(REASONS) == {each.slug for each in found}
    assert sorted(each.words.casefold() for each in found) == [
        each.words.casefold() for each in found
    ]


def test_only_what_was_ticked_is_decided() -> None:
    """By the copies' own names: whoever comes to wait meanwhile is not among them."""
    fields = {"copy-m1.1": "on", "copy-m1.3": "on", "note": "copy-m1.2"}
    assert ["m1.1", "m1.3"] == picked(fields)
    assert [] == picked({"act": "release"})
