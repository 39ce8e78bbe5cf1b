"""The world that the relay's tests live in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(tmp_path) as made:
        yield made
