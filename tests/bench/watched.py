"""``python -m tests.bench.watched FILE -- serve --config …``: the gateway, its loop's pauses watched.

A clock in the gateway's own loop asks to be called every two milliseconds. How much later it is
called is how long everybody waited; how much of the CPU the process used meanwhile is how much of that
was its own doing, and not the machine's. SIGUSR2 writes the longest of both to FILE and begins anew.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, process_time
from typing import NamedTuple

import msgspec

import gateway.app
from gateway.cli import main

EVERY = 0.002


class Pause(NamedTuple):
    """The longest, in seconds."""

    whole: float = 0.0
    own: float = 0.0  # CPU of the process, its threads included


class Watch:
    """The longest pause since it was last asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: Path) -> None:
        self._loop, self._path = loop, path
        self._longest = Pause()
        self._due, self._used = 0.0, 0.0
        loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._loop.add_signal_handler(signal.SIGUSR2, self._tell)
        self._due, self._used = monotonic(), process_time()
        self._tick()

    def _tick(self) -> None:
        now, used = monotonic(), process_time()
        whole, own = self._longest
        self._longest = Pause(max(whole, now - self._due), max(own, used - self._used))
        self._due, self._used = now + EVERY, used
        self._loop.call_later(EVERY, self._tick)

    def _tell(self) -> None:
        draft = self._path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(self._longest))
        draft.rename(self._path)
        self._longest = Pause()


def watched(
    make: Callable[[], asyncio.AbstractEventLoop], path: Path
) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes loops that are watched."""

    def made() -> asyncio.AbstractEventLoop:
        loop = make()
        Watch(loop, path)
        return loop

    return made


def ask(pid: int, path: Path) -> Pause:
    """Return the longest pause since the gateway was last asked."""
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)
    until = monotonic() + 10
    while not path.exists():
        if monotonic() > until:
            raise TimeoutError("the gateway's loop does not answer")
        os.sched_yield()
    return msgspec.json.decode(path.read_bytes(), type=Pause)


if __name__ == "__main__":
    factory = gateway.app._loop_factory() or asyncio.new_event_loop  # the one it would have
    told = Path(sys.argv[1])
    gateway.app._loop_factory = lambda: watched(factory, told)
    sys.argv = ["sceau", *sys.argv[sys.argv.index("serve") :]]
    main()
