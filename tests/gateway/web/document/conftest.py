"""A world whose laboratory lends what is too large."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(tmp_path) as world:
        yield world
