"""The last line of defence of a stop: one that does not come to its end is cut off, and says where.

Each wait on the way out has a bound of its own; this is for the one that nobody thought of, a thread
in a system call or a library that swallows its cancellation. What has its 250 is on the disk, and
what has not is its sender's to send again, so it costs no more than a power cut: nothing. It counts
in a thread of its own, for it may be the loop that hangs.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from structlog.typing import FilteringBoundLogger

MARGIN = 15.0  # seconds beyond what messages in hand are given
_SAYING = 2.0  # seconds for the log line: nobody may be reading our log
_MOST = 50  # tasks, or threads, that are named
_DEEP = 12  # calls of each


@dataclass(frozen=True, slots=True)
class Overdue:
    """One a process; ``within`` begins to count."""

    log: FilteringBoundLogger
    end: Callable[[int], object] = os._exit  # nothing else is sure to: an exit waits for threads

    def within(self, seconds: float) -> None:
        """End the process after so many seconds, unless it has come to its end by then."""
        loop = asyncio.get_running_loop()
        timer = threading.Timer(seconds, self._cut, (loop, seconds))
        timer.daemon = True
        timer.start()

    def _cut(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        saying = threading.Thread(target=self._say, args=(loop, seconds), daemon=True)
        saying.start()
        saying.join(_SAYING)
        self.end(1)

    def _say(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        tasks: list[str] = []
        with suppress(RuntimeError):  # the loop runs, and makes tasks while they are counted
            tasks = [_task(each) for each in asyncio.all_tasks(loop)]
        frames = sys._current_frames()  # noqa: SLF001 - the documented way to another thread's calls
        threads = [
            f"{each.name}: {_calls(frames.get(each.ident or 0))}"
            for each in threading.enumerate()
            if each is not threading.current_thread()
        ]
        self.log.error(
            "gateway.overdue",
            seconds=seconds,
            tasks=sorted(tasks)[:_MOST],
            threads=sorted(threads)[:_MOST],
        )


def _task(task: "asyncio.Task[Any]") -> str:
    """Return a task's name, and who waits for whom in it: places of ours, nothing they hold."""
    names: list[str] = []
    waits: object = task.get_coro()
    while waits is not None and len(names) < _DEEP:
        names.append(getattr(waits, "__qualname__", type(waits).__name__))
        waits = getattr(waits, "cr_await", None)
    return f"{task.get_name()}: {' > '.join(names)}"


def _calls(frame: FrameType | None) -> str:
    """Return where a thread is, the innermost call last."""
    names: list[str] = []
    while frame is not None and len(names) < _DEEP:
        names.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return " > ".join(reversed(names))
