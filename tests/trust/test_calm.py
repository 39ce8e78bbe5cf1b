"""Heavy work beside the loop: nothing is collected while it lasts, and all is as before afterwards."""

import asyncio
import gc
import mmap
import sys
import weakref

import pytest

from trust.calm import calmly, let_go


def _at_work(fault: Exception | None = None) -> bool:
    if fault is not None:
        raise fault
    return gc.isenabled()


async def test_nobody_collects_meanwhile() -> None:
    """What is made stays, so walking through it would be for nothing."""
    frozen = gc.get_freeze_count()
    assert gc.isenabled()
    assert not await calmly(_at_work)
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen
    gc.unfreeze()


async def test_a_fault_leaves_the_collector_as_it_was() -> None:
    """On, or off where it was off."""
    with pytest.raises(ZeroDivisionError):
        await calmly(_at_work, ZeroDivisionError())
    assert gc.isenabled()
    gc.disable()
    try:
        await calmly(_at_work)
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


async def test_others_wait_less_long_for_their_turn_meanwhile() -> None:
    """The loop needs many turns for one message; afterwards they are as long as ever."""
    usual, turns = sys.getswitchinterval(), list[float]()
    piece = _Piece()
    weakref.finalize(piece, lambda: turns.append(sys.getswitchinterval()))
    held: list[object] = [piece]
    del piece

    turns.append(await calmly(sys.getswitchinterval))
    await let_go(held)

    assert [True, True] == [turn < usual / 2 for turn in turns]
    assert usual == sys.getswitchinterval()
    gc.unfreeze()


async def test_turns_are_as_long_afterwards_as_the_gateway_set_them() -> None:
    """However many were at work at once: the last one to end sets back what was found."""
    found = sys.getswitchinterval()
    sys.setswitchinterval(0.002)
    try:
        await asyncio.gather(calmly(sys.getswitchinterval), let_go([object()]), let_go([]))
        assert 0.002 == pytest.approx(sys.getswitchinterval())
    finally:
        sys.setswitchinterval(found)
        gc.unfreeze()


class _Piece:
    """Something that can be seen to go."""


async def test_what_is_outdated_goes_from_the_last_to_the_first() -> None:
    """What holds others goes before them, so that they do not all go in one stroke with it."""
    gone: list[str] = []
    held: list[object] = []
    for name in ("first", "last"):
        piece = _Piece()
        weakref.finalize(piece, gone.append, name)
        held.append(piece)
    del piece
    await let_go(held)
    assert ["last", "first"] == gone


async def test_what_is_mapped_is_unmapped_once_nobody_reads_in_it() -> None:
    """Who still reads goes on reading."""
    idle, read = mmap.mmap(-1, 4096), mmap.mmap(-1, 4096)
    with memoryview(read) as view:
        await let_go([idle, read])
        assert idle.closed
        assert 0 == view[4095]
    read.close()
