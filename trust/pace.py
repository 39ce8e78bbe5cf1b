"""Many small steps in a thread, so that they hold nobody up: it rests in between.

Two that both want Python's one lock have it in turns, and half of the time each: what the loop does
for a message would take twice as long while a thread walks through ten thousand members.
"""

import threading
from collections.abc import Iterable, Iterator
from time import monotonic, sleep
from typing import TypeVar

_Each = TypeVar("_Each")

_WORK, _REST = 0.0005, 0.001  # seconds of each, in turns


def unhurried(steps: Iterable[_Each]) -> Iterator[_Each]:
    """Yield these, and rest for twice as long as they take.

    Not in the main thread: there everybody would wait meanwhile, or nobody else is there at all.
    """
    if threading.current_thread() is threading.main_thread():
        yield from steps
        return
    until = monotonic() + _WORK
    for each in steps:
        yield each
        if monotonic() >= until:
            sleep(_REST)
            until = monotonic() + _WORK
