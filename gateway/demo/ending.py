"""SIGTERM ends the demonstration as Ctrl-C does, and leaves no process behind.

It is held back between the birth of a process and the moment when somebody is to end it: raised
there, it would leave a gateway that runs for ever.
"""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class _Ending:
    """Whether we are asked to end, and whether that has to wait."""

    def __init__(self) -> None:
        self.waits = self.asked = False

    def end(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        signal.signal(number, signal.SIG_IGN)  # a second one must not cut the ending short
        self.asked = True
        self.now()

    def now(self) -> None:
        """End, if we are asked to and may."""
        if self.asked and not self.waits:
            # After a KeyboardInterrupt subprocess does not wait for the verb that it was running.
            raise SystemExit(0)


_ending = _Ending()


@contextmanager
def ending_on_terminate() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: the gateways and the broker end before we do."""
    _ending.asked = False
    before = signal.signal(signal.SIGTERM, _ending.end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def started(words: list[str], **how: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process, and end it with the block: politely, then for good."""
    _ending.waits = True
    process: subprocess.Popen[Any] | None = None
    try:
        process = subprocess.Popen(words, **how)
        _ending.waits = False
        _ending.now()
        yield process
    finally:
        _ending.waits = False
        if process is not None:
            _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
