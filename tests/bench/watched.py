"""``python -m tests.bench.watched FILE -- serve --config …``: the gateway, its loop's pauses watched.

A clock in the gateway's own loop asks to be called every two milliseconds. How much later it is
called is how long everybody waited. How much of the CPU the process used meanwhile, and how long the loop's
thread did not wait in the machine's queue for a processor: the less of these is the most of it that
was its own doing, and not that of others who work there. SIGUSR2 writes the longest of both to FILE and begins anew.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, process_time
from typing import NamedTuple

import msgspec

from gateway.cli import main
from gateway.cli.serve import PAINTING, without

with without(*PAINTING):  # as ``serve`` itself
    import gateway.app

EVERY = 0.002


class Pause(NamedTuple):
    """The longest, in seconds."""

    whole: float = 0.0
    own: float = 0.0  # of it at most our own doing: what the process and its threads worked


class Watch:
    """The longest pause since it was last asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: Path) -> None:
        self._loop, self._path = loop, path
        self._longest = Pause()
        self._due, self._used, self._queued = 0.0, 0.0, 0.0
        self._about = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
        loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._loop.add_signal_handler(signal.SIGUSR2, self._tell)
        self._due, self._used, self._queued = monotonic(), process_time(), self._in_queue()
        self._tick()

    def _tick(self) -> None:
        now, used, queued = monotonic(), process_time(), self._in_queue()
        whole, own = self._longest
        late = now - self._due
        ours = min(used - self._used, late + EVERY - (queued - self._queued))
        self._longest = Pause(max(whole, late), max(own, ours))
        self._due, self._used, self._queued = now + EVERY, used, queued
        self._loop.call_later(EVERY, self._tick)

    def _in_queue(self) -> float:
        """Return for how long this thread has waited for a processor, all in all (proc(5))."""
        return int(os.pread(self._about, 100, 0).split()[1]) / 1e9

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
