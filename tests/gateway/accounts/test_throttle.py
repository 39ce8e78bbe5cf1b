from datetime import timedelta

from gateway.accounts.throttle import _CROWDED, Throttle
from tests.world.clock import START

WINDOW = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


def test_locks_at_the_limit() -> None:
    """The limit's failure locks, not the one before it, and the lock is reported once."""
    throttle = Throttle(3, WINDOW)

    assert [False, False, True, False] == [throttle.failed("a", START) for _ in range(4)]
    assert throttle.locked("a", START)
    assert not throttle.locked("b", START)


def test_lock_ends() -> None:
    """A lock ends a window after the last failure, and counting starts anew."""
    throttle = Throttle(2, WINDOW)
    throttle.failed("a", START)
    throttle.failed("a", START + SECOND)

    assert throttle.locked("a", START + WINDOW)
    assert not throttle.locked("a", START + WINDOW + SECOND)
    assert not throttle.failed("a", START + WINDOW + SECOND)
    assert not throttle.locked("a", START + WINDOW + SECOND)


def test_success_forgives() -> None:
    """Whoever succeeds starts again from nothing."""
    throttle = Throttle(2, WINDOW)
    throttle.failed("a", START)
    throttle.forgive(("a", "never seen"))

    assert not throttle.failed("a", START)


def test_lapsed_counts_are_swept() -> None:
    """Names that nobody tries any more do not stay in memory."""
    throttle = Throttle(2, WINDOW)
    for n in range(_CROWDED):
        throttle.failed(str(n), START)
    throttle.failed("new", START + WINDOW)

    assert {"new"} == set(throttle._failures)


def test_invented_names_cannot_fill_the_memory() -> None:
    """However many names are tried at once, memory is bounded and the newest locks stay."""
    throttle = Throttle(1, WINDOW)
    for n in range(_CROWDED * 2):
        throttle.failed(str(n), START + n * SECOND / 1000)
        assert len(throttle._failures) <= _CROWDED

    assert throttle.locked(str(_CROWDED * 2 - 1), START + 20 * SECOND)
