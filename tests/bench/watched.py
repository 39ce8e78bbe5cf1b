"""``python -m tests.bench.watched FILE -- serve --config …``: the gateway, its loop's pauses watched.

A clock in the gateway's own loop asks to be called every two milliseconds. How much later it is
called is how long everybody waited. SIGUSR2 writes the longest of them to FILE and begins anew.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import gateway.app
from gateway.cli import main

EVERY = 0.002


class Watch:
    """The longest pause since it was last asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: Path) -> None:
        self._loop, self._path = loop, path
        self._longest, self._due = 0.0, 0.0
        loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._loop.add_signal_handler(signal.SIGUSR2, self._tell)
        self._due = monotonic()
        self._tick()

    def _tick(self) -> None:
        now = monotonic()
        self._longest = max(self._longest, now - self._due)
        self._due = now + EVERY
        self._loop.call_later(EVERY, self._tick)

    def _tell(self) -> None:
        draft = self._path.with_suffix(".draft")
        draft.write_text(repr(self._longest), "ascii")
        draft.rename(self._path)
        self._longest = 0.0


def watched(
    make: Callable[[], asyncio.AbstractEventLoop], path: Path
) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes loops that are watched."""

    def made() -> asyncio.AbstractEventLoop:
        loop = make()
        Watch(loop, path)
        return loop

    return made


def ask(pid: int, path: Path) -> float:
    """Return the longest pause, in seconds, since the gateway was last asked."""
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)
    until = monotonic() + 10
    while not path.exists():
        if monotonic() > until:
            raise TimeoutError("the gateway's loop does not answer")
        os.sched_yield()
    return float(path.read_text("ascii"))


if __name__ == "__main__":
    factory = gateway.app._loop_factory() or asyncio.new_event_loop  # the one it would have
    told = Path(sys.argv[1])
    gateway.app._loop_factory = lambda: watched(factory, told)
    sys.argv = ["sceau", *sys.argv[sys.argv.index("serve") :]]
    main()
