"""Chores are done again and again, and the failure of one is its own."""

import asyncio
import contextlib

from gateway.running.housekeeping import Chore, keep


async def test_a_chore_that_fails_is_told_and_done_again() -> None:
    """One bad round stops neither the chore nor the gateway."""
    rounds: list[str] = []
    crashes: list[str] = []
    pauses: list[float] = []

    async def work() -> None:
        rounds.append("done")
        if len(rounds) == 1:
            raise ValueError("canary")

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    with contextlib.suppress(asyncio.CancelledError):
        await keep(Chore("sweep", 300, work), lambda name, _: crashes.append(name), pause)

    assert ["done"] * 3 == rounds
    assert ["chore-sweep"] == crashes
    assert [300.0] * 3 == pauses
