"""Heavy work in a thread, so that the loop beside it is not held up by the collector of garbage.

A list is a hundred thousand objects that stay for days. While they are made, Python would walk
through all of them again and again, with everybody waiting: a tenth of a second each time. So it does
not look meanwhile, and afterwards leaves them alone for good; they go when nothing refers to
them any more, as they make no cycles. What else lay about in that second is left alone as well: a
few thousand small objects a list, once a day.
"""

import asyncio
import gc
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


async def calmly(
    make: Callable[_Given, _Made], *args: _Given.args, **kwargs: _Given.kwargs
) -> _Made:
    """Run a function in a thread; what it makes is meant to stay. One at a time."""
    return await asyncio.to_thread(_uncollected, partial(make, *args, **kwargs))


def _uncollected(make: Callable[[], _Made]) -> _Made:
    collects = gc.isenabled()
    gc.disable()
    try:
        return make()
    finally:
        gc.freeze()
        if collects:
            gc.enable()
