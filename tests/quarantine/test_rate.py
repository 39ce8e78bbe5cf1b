from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from quarantine.rate import Rate
from tests.world.clock import START

MINUTE = timedelta(minutes=1)


def test_over() -> None:
    """More than the limit within an hour, counted by recipients."""
    rate = Rate(10)
    assert not rate.over("dr", 9, START)
    assert rate.over("dr", 2, START + MINUTE)
    assert not rate.over("other", 2, START + MINUTE)


def test_an_hour_later() -> None:
    """The window moves on."""
    rate = Rate(10)
    assert not rate.over("dr", 9, START)
    assert not rate.over("dr", 9, START + timedelta(hours=1))


def test_who_goes_on_stays_over() -> None:
    """What is sent while it is over counts too."""
    rate = Rate(10)
    sent = [rate.over("dr", 5, START + n * 10 * MINUTE) for n in range(12)]
    assert [False, False, *[True] * 10] == sent


def test_who_sends_no_more_is_forgotten() -> None:
    """Memory holds those who sent within the hour."""
    rate = Rate(10)
    rate.over("dr", 1, START)
    rate.over("other", 1, START + timedelta(hours=2))
    assert {"other"} == set(rate._sent)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 20)), max_size=60))
def test_like_a_count(sent: list[tuple[int, int]]) -> None:
    """It says what counting every message would say, but for the minute a step lasts."""
    rate = Rate(50)
    past: list[tuple[int, int]] = []
    at = 0
    for pause, count in sent:
        at += pause
        past.append((at, count))
        over = rate.over("dr", count, START + timedelta(seconds=at))
        exact = sum(n for when, n in past if when > at - 3600)
        fewer = sum(n for when, n in past if when > at - 3540)
        assert (fewer > 50) <= over <= (exact > 50)
