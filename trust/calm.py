"""Heavy work in a thread, so that the loop beside it is not held up by what Python does unasked.

A list is a hundred thousand objects that stay for days. While they are made, Python would walk
through all of them again and again, with everybody waiting: a tenth of a second each time. So it does
not look meanwhile, and afterwards leaves them alone for good; they go when nothing refers to
them any more, as they make no cycles. What else lay about in that second is left alone as well: a
few thousand small objects a list, once a day. And what is outdated goes piece by piece: all of a
list in one stroke would be everybody's pause once more. While it lasts, turns are short: whoever
else has something to do waits for a tenth of a millisecond.
"""

import asyncio
import contextlib
import gc
import mmap
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from trust.pace import unhurried

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")

_SHORT = 0.0001  # seconds
_STRETCH = 1 << 20  # octets of a mapping that are given back at once


async def calmly(
    make: Callable[_Given, _Made], *args: _Given.args, **kwargs: _Given.kwargs
) -> _Made:
    """Run a function in a thread; what it makes is meant to stay. One at a time."""
    return await asyncio.to_thread(_uncollected, partial(make, *args, **kwargs))


def _uncollected(make: Callable[[], _Made]) -> _Made:
    collects = gc.isenabled()
    gc.disable()
    try:
        with _SHORT_TURNS:
            return make()
    finally:
        gc.freeze()
        if collects:
            gc.enable()


class _ShortTurns:
    """Let whoever waits for Python's one lock have it soon, while anybody works here.

    The loop gives it away and wants it back several times for one message, at each encryption, each
    write, each statement: while a thread computes, every time costs it a whole turn.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._usual = threading.Lock(), 0, 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(_SHORT)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                sys.setswitchinterval(self._usual)


_SHORT_TURNS = _ShortTurns()


async def let_go(held: list[object]) -> None:
    """Let go of these in a thread, from the last to the first, with room for others in between.

    Whoever calls holds nothing of it himself. What is mapped is unmapped without Python's one lock,
    if nobody reads in it any more; or else it goes when they have read.
    """
    await asyncio.to_thread(_let_go, held)


def _let_go(held: list[object]) -> None:
    with _SHORT_TURNS:
        for _ in unhurried(range(len(held))):
            each = held.pop()
            if isinstance(each, mmap.mmap):
                _unmap(each)
            del each


def _unmap(mapped: mmap.mmap) -> None:
    """Take a shared mapping out of our memory piece by piece, and then away.

    In one stroke, the loop would wait ten milliseconds for whatever memory it needs meanwhile. Who
    still reads in it finds all of it: it is not the memory's only owner.
    """
    with contextlib.suppress(BufferError, ValueError):
        for at in unhurried(range(0, len(mapped), _STRETCH)):
            mapped.madvise(mmap.MADV_DONTNEED, at, min(_STRETCH, len(mapped) - at))
        mapped.close()
