"""So many questions at once, and then so many a minute."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.web import allowance
from gateway.web.allowance import Allowance
from tests.world.clock import START


def test_a_minutes_worth_at_once_and_then_as_it_comes() -> None:
    """Who is told to wait, and waits, is answered."""
    asked = Allowance(6)
    assert [0] * 6 + [10] == [asked.ask("a", START) for _ in range(7)]
    assert 0 == asked.ask("b", START)
    assert 5 == asked.ask("a", START + timedelta(seconds=5))
    assert 0 == asked.ask("a", START + timedelta(seconds=10))
    assert 10 == asked.ask("a", START + timedelta(seconds=10))


def test_who_has_not_asked_for_long_is_forgotten() -> None:
    """Names that come once take no room for ever."""
    asked = Allowance(60)
    for number in range(allowance._CROWDED):
        asked.ask(str(number), START)
    asked.ask("late", START + timedelta(minutes=2))
    assert {"late"} == asked._spent.keys()


@given(st.lists(st.floats(0, 30), min_size=1, max_size=100), st.integers(1, 20))
def test_never_more_than_allowed(pauses: list[float], per_minute: int) -> None:
    """Within any time, a minute's worth and what that time brings, however the questions fall."""
    asked, now, taken = Allowance(per_minute), START, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        wait = asked.ask("a", now)
        assert wait >= 0
        taken += wait == 0
    brought = (now - START).total_seconds() * per_minute / 60
    assert taken <= per_minute + brought + 1
