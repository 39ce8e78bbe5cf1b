"""A decision is drawn as a road with gates; what is behind a closed one is seen as not reached."""

import pytest

from gateway.console.steps import GATES, QUESTIONS, Stand, road
from trust import sentences

OPEN = [
    {"step": "list", "outcome": "passed", "sentence": "One source.", "french": "Une source."},
    {"step": "sender-denial", "outcome": "not-asked", "sentence": "No sender."},
    {"step": "peer-denial", "outcome": "not-asked", "sentence": "No connection."},
    {"step": "recipient-member", "outcome": "passed", "sentence": "A member."},
    {"step": "verdict", "outcome": "allow", "sentence": "listed: 250 2.0.0 OK: all of it"},
]


def test_every_step_is_a_question() -> None:
    """In both languages, at a gate that is drawn."""
    assert set(QUESTIONS) == {"list", "verdict", *(name for name, _ in sentences.PASSED.values())}
    assert {step.partition("-")[0] for step in QUESTIONS} == set(GATES)
    assert all(french and english for french, english in QUESTIONS.values())


def test_a_message_that_may_go_passes_every_gate() -> None:
    """What could not be asked is neither passed nor closed."""
    found = road(OPEN, "en")
    assert [
        ("list", Stand.PASSED),
        ("sender", Stand.SKIPPED),
        ("peer", Stand.SKIPPED),
        ("recipient", Stand.PASSED),
        ("verdict", Stand.PASSED),
    ] == [(gate.name, gate.stand) for gate in found.gates]
    assert ("allow", "listed", "250 2.0.0 OK: all of it", Stand.PASSED) == (
        found.action,
        found.reason,
        found.reply,
        found.stand,
    )
    assert "Is its domain a member?" == found.gates[3].asked[0].question


@pytest.mark.parametrize(
    ("outcome", "stand"),
    [("refuse", Stand.STOPPED), ("defer", Stand.WAITS), ("hold", Stand.WAITS)],
)
def test_behind_a_closed_gate_nobody_asks(outcome: str, stand: Stand) -> None:
    """The gate weighs as its gravest question; those behind were not reached."""
    found = road(
        [
            OPEN[0],
            {"step": "sender-denial", "outcome": "passed", "sentence": "No."},
            {"step": "sender-member", "outcome": outcome, "sentence": "None."},
            {"step": "verdict", "outcome": outcome, "sentence": "sender-not-listed: 550 5.7.1 No"},
        ],
        "fr",
    )
    assert [Stand.PASSED, stand, Stand.BEYOND, Stand.BEYOND, stand] == [
        gate.stand for gate in found.gates
    ]
    assert stand == found.stand


def test_it_speaks_the_readers_language() -> None:
    """French where there is some; else what there is."""
    found = road(OPEN, "fr")
    assert ["Une source.", "A member."] == [found.gates[n].asked[0].sentence for n in (0, 3)]
    assert "One source." == road(OPEN, "en").gates[0].asked[0].sentence


def test_a_step_that_is_not_known_is_still_shown() -> None:
    """A gateway of another version may ask more, or answer otherwise."""
    strange = {"step": "sender-mood", "outcome": "sulks", "sentence": "Hm."}
    found = road([OPEN[0], strange, OPEN[-1]], "fr")
    (asked,) = found.gates[1].asked
    assert ("sender-mood", Stand.WAITS, "Hm.") == (asked.question, asked.stand, asked.sentence)
