from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.smtp.stage import Pki
from tests.world.rest import Rest


@pytest.fixture
async def rest(tmp_path: Path) -> AsyncIterator[Rest]:
    opened = Rest.open(tmp_path)
    yield opened
    await opened.database.close()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))
