"""Work that takes seconds and much memory, done by another process: octets in, octets out.

A million addresses cannot be read beside the loop: a thread would share Python's one lock with it,
and what it leaves of the heap would stay. A child reads them, under limits that no bomb can pass,
and hands back one buffer that is mapped, not copied. Nothing touches a disk: what goes either way
lies in anonymous memory.
"""

import asyncio
import gc
import mmap
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Final

from trust.book import Buffer
from trust.errors import ApartError, ListError

WITHIN = 300.0  # seconds
MEMORY: Final = 3 << 30  # octets of address space that the child may have
_SAID, _BROKE = 3, 4  # exit codes: its reason is in the result; a bug, or out of memory
_ROOT = str(Path(__file__).resolve().parents[1])

Work = Callable[..., bytes]  # a function of a module of ours, from buffers to octets


async def apart(work: Work, *given: Buffer, within: float = WITHIN) -> Buffer:
    """Return what ``work`` makes of these, done by another process.

    ``ListError`` with its own words if ``work`` refuses them, ``ApartError`` if it breaks.
    """
    with ExitStack() as stack:
        result = _memory(stack)
        with ExitStack() as lending:  # from the start on the child alone has them, and frees them
            lent = [await asyncio.to_thread(_lend, each, lending) for each in given]
            child = _start(work, [result, *lent])  # a millisecond: nothing is copied (vfork)
        try:
            code = await asyncio.to_thread(child.wait, within)
        except subprocess.TimeoutExpired:
            raise ApartError(f"it was not done within {within:.0f} s") from None
        finally:
            child.kill()  # does nothing to one that has ended
            await asyncio.shield(asyncio.to_thread(child.wait))
        return _answer(code, result)


def apart_from_thread(work: Work, *given: Buffer, within: float = WITHIN) -> Buffer:
    """Do the same for who is in a thread already, and waits there."""
    with ExitStack() as stack:
        result = _memory(stack)
        with ExitStack() as lending:
            child = _start(work, [result, *(_lend(each, lending) for each in given)])
        try:
            code = child.wait(within)
        except subprocess.TimeoutExpired:
            raise ApartError(f"it was not done within {within:.0f} s") from None
        finally:
            child.kill()
            child.wait()
        return _answer(code, result)


def _start(work: Work, descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", __name__, f"{work.__module__}:{work.__qualname__}"]
    return subprocess.Popen(
        [*command, *map(str, descriptors)],
        pass_fds=descriptors,
        env={**os.environ, "PYTHONPATH": _ROOT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _memory(stack: ExitStack) -> int:
    descriptor = os.memfd_create("sceau")
    stack.callback(os.close, descriptor)
    return descriptor


def _lend(octets: Buffer, stack: ExitStack) -> int:
    descriptor = _memory(stack)
    _write(descriptor, octets)
    return descriptor


def _write(descriptor: int, octets: Buffer) -> None:
    with memoryview(octets) as view, open(descriptor, "wb", closefd=False) as file:
        file.write(view)


def _answer(code: int, result: int) -> Buffer:
    size = os.fstat(result).st_size
    if code == _SAID:
        raise ListError(os.pread(result, size, 0).decode())
    if code:
        raise ApartError("the process that should do it broke off")
    return mmap.mmap(result, size, prot=mmap.PROT_READ) if size else b""


# In the child.


def main(work: str, result: int, lent: Sequence[int]) -> int:
    """Do the work on what was lent; return the exit code."""
    module, _, name = work.partition(":")
    given = [_borrowed(each) for each in lent]
    try:
        _write(result, getattr(import_module(module), name)(*given))
    except ListError as error:
        _write(result, str(error).encode())
        return _SAID
    except Exception:  # noqa: BLE001 - whatever it says may quote what it read
        return _BROKE
    return 0


def _borrowed(descriptor: int) -> Buffer:
    size = os.fstat(descriptor).st_size
    return mmap.mmap(descriptor, size, prot=mmap.PROT_READ) if size else b""


if __name__ == "__main__":
    os.nice(10)  # mail goes first
    gc.disable()  # it looks at every object again and again, and finds nothing to free
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.exit(main(sys.argv[1], int(sys.argv[2]), [int(each) for each in sys.argv[3:]]))
