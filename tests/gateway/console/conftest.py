"""One console for tests that leave nothing behind in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.console.desk import Operators, console


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Operators]:
    """A gateway with a console, where nobody sits yet."""
    async with console(tmp_path) as made:
        yield made
