from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.case import (
    TRANSITIONS,
    Case,
    Event,
    Held,
    QuarantineError,
    Ruling,
    State,
    decide,
    union,
)

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
ANNE = Ruling("operator:anne", NOW + timedelta(hours=1), " vu avec le labo ", "\n")
FIRST = Held("h1", "M.1", ("macros",), NOW)
SECOND = Held("h2", "M.2", ("sender-suspended", "macros"), NOW)
CASE = Case("c1", "M", NOW, NOW + timedelta(days=30), (FIRST, SECOND))


@pytest.mark.parametrize("event", Event)
def test_decision(event: Event) -> None:
    """What waits ends as decided, and remembers by whom, when and in whose words."""
    ended = decide(CASE, event, ANNE)

    assert {TRANSITIONS[State.HELD, event]} == {one.state for one in ended.copies}
    assert ended.state is TRANSITIONS[State.HELD, event]
    assert ("operator:anne", "vu avec le labo", "") == (ANNE.by, ANNE.note, ANNE.words)
    assert {ANNE} == {one.ruling for one in ended.copies}
    assert () == ended.waiting


def test_some_of_the_recipients() -> None:
    """Of two copies one may go and the other may not; the case is held while one of them is."""
    half = decide(CASE, Event.RELEASE, ANNE, ["M.2"])
    assert (State.HELD, ("macros",)) == (half.state, half.reasons)
    assert (FIRST,) == half.waiting

    ended = decide(half, Event.REFUSE, Ruling("operator:bruno", NOW))
    assert [State.REFUSED, State.RELEASED] == [one.state for one in ended.copies]
    assert State.RELEASED is ended.state
    assert ("macros", "sender-suspended") == ended.reasons


@pytest.mark.parametrize("note", ["", "  \n"])
def test_release_needs_words(note: str) -> None:
    """What a rule stopped passes only for a reason that the journal can keep."""
    with pytest.raises(QuarantineError, match="needs a note"):
        decide(CASE, Event.RELEASE, Ruling("operator:anne", NOW, note))


def test_refusal_needs_none() -> None:
    """The rule's own reason is enough to refuse."""
    assert State.REFUSED is decide(CASE, Event.REFUSE, Ruling("operator:anne", NOW)).state


def test_a_copy_that_does_not_wait_is_not_decided() -> None:
    """Nor is any other together with it."""
    half = decide(CASE, Event.REFUSE, ANNE, ["M.1"])
    for asked in (["M.1"], ["M.1", "M.2"], ["M.3"]):
        with pytest.raises(QuarantineError, match="for one of these recipients"):
            decide(half, Event.RELEASE, ANNE, asked)
    with pytest.raises(QuarantineError, match="already decided"):
        decide(half, Event.RELEASE, ANNE, [])
    ended = decide(half, Event.REFUSE, ANNE)
    with pytest.raises(QuarantineError, match="was already decided: a decision"):
        decide(ended, Event.RELEASE, ANNE, ["M.1"])


def test_a_copy_that_is_held_again_waits_anew() -> None:
    """What was decided before stands beside it."""
    again = Held("h3", "M.1", ("attempts-lost",), NOW)
    half = decide(CASE, Event.RELEASE, ANNE)
    case = Case("c1", "M", NOW, CASE.expires, (*half.copies, again))

    assert (State.HELD, ("attempts-lost",)) == (case.state, case.reasons)
    ended = decide(case, Event.REFUSE, ANNE, ["M.1"])
    assert [State.RELEASED, State.RELEASED, State.REFUSED] == [o.state for o in ended.copies]


@given(st.lists(st.sampled_from(Event)))
def test_final_is_final(events: list[Event]) -> None:
    """The first decision stands, whatever is asked afterwards."""
    case = CASE
    for event in events:
        try:
            case = decide(case, event, ANNE)
        except QuarantineError:
            continue

    expected = TRANSITIONS[State.HELD, events[0]] if events else State.HELD
    assert expected is case.state


@given(st.lists(st.lists(st.sampled_from("abcd"))))
def test_union(some: list[list[str]]) -> None:
    """Each reason once, in the order in which they came."""
    found = union(some)
    flat = [each for one in some for each in one]
    assert sorted(set(flat)) == sorted(found)
    assert list(found) == sorted(found, key=flat.index)
