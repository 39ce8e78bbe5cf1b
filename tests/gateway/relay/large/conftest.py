"""Two gateways that lend each other what is too large."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world.lending import Lenders, lending


@pytest.fixture
async def lenders(tmp_path: Path) -> AsyncIterator[Lenders]:
    async with lending(tmp_path) as made:
        yield made
