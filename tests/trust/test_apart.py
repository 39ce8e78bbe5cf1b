"""What another process does for us, and what it cannot do to us."""

import asyncio
import os
import signal
import subprocess
from contextlib import ExitStack

import pytest

from tests.trust import works
from trust import apart as module
from trust.apart import apart, apart_from_thread, main
from trust.errors import ApartError, ListError


async def test_octets_in_octets_out() -> None:
    """What was handed over comes back as the work made it, empty or not."""
    made = await apart(works.join, b"one ", b"", b"two" * 100_000)

    assert b"one " + b"two" * 100_000 == bytes(made[:])
    assert b"" == await apart(works.join)


async def test_its_own_words() -> None:
    """What refuses the octets says why."""
    with pytest.raises(ListError, match="3 octets are no list"):
        await apart(works.refuse, b"123")


async def test_a_bug_tells_nothing_of_what_it_read() -> None:
    """The words of an unexpected error may quote what was read: they stay there."""
    with pytest.raises(ApartError, match="broke off") as caught:
        await apart(works.break_off, b"Dr Eve")

    assert "Eve" not in str(caught.value)


def test_from_a_thread() -> None:
    """Who waits in a thread already gets the same, and is told the same."""
    assert b"onetwo" == bytes(apart_from_thread(works.join, b"one", b"two")[:])
    with pytest.raises(ListError, match="1 octets"):
        apart_from_thread(works.refuse, b"1")
    with pytest.raises(ApartError, match="not done within"):
        apart_from_thread(works.dawdle, b"", within=0.1)


async def test_a_bomb() -> None:
    """Work that wants more memory than a gateway can spare ends, and nothing else does."""
    with pytest.raises(ApartError):
        await apart(works.swell, b"")


async def test_too_long() -> None:
    """Work that does not end is ended, and leaves no process behind."""
    with pytest.raises(ApartError, match="not done within"):
        await apart(works.dawdle, b"", within=0.2)


async def test_who_stops_waiting_stops_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that ends takes the child with it."""
    started: asyncio.Queue[subprocess.Popen[bytes]] = asyncio.Queue()
    loop, start = asyncio.get_running_loop(), module._start

    def watched(*given: list[str]) -> subprocess.Popen[bytes]:
        child = start(*given)  # type: ignore[arg-type]
        loop.call_soon_threadsafe(started.put_nowait, child)
        return child

    monkeypatch.setattr(module, "_start", watched)
    waiting = asyncio.ensure_future(apart(works.dawdle, b""))
    child = await started.get()
    assert child.poll() is None
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert -signal.SIGKILL == child.returncode


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [("join", 0, b"abc"), ("refuse", 3, b"3 octets are no list"), ("break_off", 4, b"")],
)
def test_the_child_side(work: str, code: int, said: bytes) -> None:
    """The exit code says whether the result is a result."""
    with ExitStack() as stack:
        result, lent = module._memory(stack), module._lend(b"abc", stack)

        assert code == main(f"tests.trust.works:{work}", result, [lent])
        assert said == os.pread(result, 100, 0)
