"""A body ends only when it is whole and good; otherwise it raises."""

import asyncio

import pytest

from smtp.receive.body import Body, BodyError
from tests.smtp.stage import turn


def nothing() -> None:
    """Nobody is relieved."""


async def read(body: Body) -> bytes:
    return b"".join([block async for block in body])


async def test_blocks_come_out_in_order_and_the_end_is_the_end() -> None:
    """What was put before the reader came, and what comes while it waits."""
    body = Body(nothing)
    body.put(b"a")
    reading = asyncio.ensure_future(read(body))
    await turn()
    body.put(b"b")
    body.put(b"c")
    await turn()
    assert not body.read_whole
    body.finish()
    assert b"abc" == await reading
    assert (True, 0) == (body.read_whole, body.queued)


@pytest.mark.parametrize("waiting", [True, False])
async def test_a_failure_raises_instead_of_what_is_left(waiting: bool) -> None:  # noqa: FBT001
    """Nobody keeps half a message; what was queued is forgotten."""
    body = Body(nothing)
    if waiting:
        reading = asyncio.ensure_future(read(body))
        await turn()
    else:
        body.put(b"half")
        reading = asyncio.ensure_future(read(body))
    body.fail("smuggled")
    body.fail("closed")
    with pytest.raises(BodyError, match="smuggled") as caught:
        await reading
    assert ("smuggled", 0, False) == (caught.value.reason, body.queued, body.read_whole)


async def test_what_is_whole_cannot_fail_any_more() -> None:
    """The connection may go: the message is ours."""
    body = Body(nothing)
    body.put(b"whole")
    body.finish()
    body.fail("closed")
    assert b"whole" == await read(body)


async def test_whoever_fills_it_is_told_when_there_is_room() -> None:
    """Each block taken is weighed, and a tiny one weighs more than its octets."""
    weights: list[int] = []
    body = Body(lambda: weights.append(body.queued))
    body.put(b"x")
    body.put(b"y" * 1000)
    before = body.queued
    body.finish()
    await read(body)
    assert 2 == len(weights)
    assert before > 1001
    assert 0 == weights[-1]


async def test_after_an_early_refusal_nothing_is_kept() -> None:
    """What still comes is forgotten as it comes."""
    body = Body(nothing)
    body.put(b"x")
    body.discard()
    body.put(b"y")
    assert 0 == body.queued


async def test_a_reader_that_was_cancelled_is_not_woken() -> None:
    """A wake-up for nobody breaks nothing."""
    body = Body(nothing)
    reading = asyncio.ensure_future(read(body))
    await turn()
    reading.cancel()
    body.put(b"late")
    with pytest.raises(asyncio.CancelledError):
        await reading
