"""The last line of defence of a stop: whatever hangs, the process ends, and says what hung."""

import asyncio
import io
import json
import subprocess
import sys
import threading

import pytest

from gateway.observe.logs import open_log
from gateway.running import overdue
from gateway.running.overdue import Overdue

_HANGS = """
import asyncio, sys
from gateway.observe.logs import open_log
from gateway.running.overdue import Overdue

async def room():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def main():
    Overdue(open_log(sys.stderr)).within(0.2)
    await room()

asyncio.run(asyncio.wait_for(main(), 0.1))
"""


class Ending:
    """An end that is only noted."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.came = threading.Event()

    def __call__(self, code: int) -> None:
        self.code = code
        self.came.set()


async def test_what_still_ran_is_named_with_where_it_waits() -> None:
    """Tasks by name and by who waits for whom, threads by their calls; the exit code is a failure."""
    stream, ending = io.StringIO(), Ending()

    async def room() -> None:
        await asyncio.get_running_loop().create_future()

    async def corridor() -> None:
        await room()

    task = asyncio.get_running_loop().create_task(corridor(), name="courier")
    await asyncio.sleep(0)
    Overdue(open_log(stream), ending).within(0)
    ending.came.wait()  # the loop stands still: nobody needs it for this
    task.cancel()

    told = json.loads(stream.getvalue())
    assert ("gateway.overdue", "error", 1) == (told["event"], told["level"], ending.code)
    waits = [each.split(".")[-1] for each in told["tasks"][-1].split(" > ")]
    assert told["tasks"][-1].startswith("courier: ")
    assert ["corridor", "room"] == waits[:2]
    assert any(each.startswith("MainThread: ") and "wait" in each for each in told["threads"])


async def test_a_log_that_nobody_reads_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where even the log line is not taken the process ends without it."""
    monkeypatch.setattr(overdue, "_SAYING", 0.01)
    ending, read = Ending(), threading.Event()

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            read.wait()
            return len(text)

    Overdue(open_log(Full()), ending).within(0)
    ending.came.wait()
    read.set()

    assert 1 == ending.code


def test_a_room_that_swallows_its_cancellation_does_not_keep_the_process() -> None:
    """The exit is at once: not even threads that still work are waited for."""
    done = subprocess.run(
        [sys.executable, "-c", _HANGS], capture_output=True, text=True, timeout=30, check=False
    )

    told = json.loads(done.stderr)
    assert ("gateway.overdue", 1) == (told["event"], done.returncode)
    assert any("room > Event.wait" in each for each in told["tasks"])
