"""Many small steps beside the loop: all of them, in their order, and the lock is left free between."""

import asyncio
import threading
from time import perf_counter

from trust.pace import unhurried


def _counted(steps: int) -> float:
    began = perf_counter()
    assert list(range(steps)) == [each for each in unhurried(range(steps)) if _busy()]
    return perf_counter() - began


def _busy() -> bool:
    until = perf_counter() + 0.0002
    while perf_counter() < until:
        pass
    return True


async def test_a_thread_rests_for_longer_than_it_works() -> None:
    """A hundred steps of a fifth of a millisecond take twice as long again, and none is lost."""
    assert await asyncio.to_thread(_counted, 100) > 3 * 100 * 0.0002 * 0.7


def test_nobody_rests_where_nobody_else_is() -> None:
    """In the main thread the loop would rest with us."""
    assert threading.current_thread() is threading.main_thread()
    until = perf_counter() + 0.1
    taken = 0
    for taken in unhurried(range(1_000_000_000)):  # noqa: B007 - how far one comes
        if perf_counter() > until:
            break
    assert taken > 10_000
