from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.case import TRANSITIONS, Case, Event, QuarantineError, State, step

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
HELD = Case("c1", "M.1", ("macro",), NOW, NOW + timedelta(days=30))


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (Event.RELEASE, State.RELEASED),
        (Event.REFUSE, State.REFUSED),
        (Event.EXPIRE, State.EXPIRED),
    ],
)
def test_decision(event: Event, state: State) -> None:
    """A held case ends as decided, and remembers when and in whose words."""
    later = NOW + timedelta(hours=1)
    ended = step(HELD, event, later, " checked with the sender ")

    assert (state, later, "checked with the sender") == (ended.state, ended.decided, ended.note)
    assert ("c1", "M.1", ("macro",)) == (ended.id, ended.delivery, ended.reasons)


@pytest.mark.parametrize("note", ["", "  \n"])
def test_release_needs_words(note: str) -> None:
    """What a rule stopped passes only for a reason that the journal can keep."""
    with pytest.raises(QuarantineError, match="needs a note"):
        step(HELD, Event.RELEASE, NOW, note)


def test_refusal_needs_none() -> None:
    """The rule's own reason is enough to refuse."""
    assert State.REFUSED == step(HELD, Event.REFUSE, NOW).state


@given(st.lists(st.sampled_from(Event)))
def test_final_is_final(events: list[Event]) -> None:
    """The first decision stands, whatever is asked afterwards."""
    case = HELD
    for event in events:
        try:
            case = step(case, event, NOW, "note")
        except QuarantineError:
            continue

    expected = TRANSITIONS[State.HELD, events[0]] if events else State.HELD
    assert expected == case.state
