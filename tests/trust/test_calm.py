"""Heavy work beside the loop: nothing is collected while it lasts, and all is as before afterwards."""

import gc

import pytest

from trust.calm import calmly


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
