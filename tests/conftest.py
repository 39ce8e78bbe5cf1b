from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.smtp.stage import Pki
from tests.world.rest import Rest

# A busy machine is no failure: what is slow is measured by the bench.
settings.register_profile("sceau", deadline=None)
settings.load_profile("sceau")


@pytest.fixture
async def rest(tmp_path: Path) -> AsyncIterator[Rest]:
    opened = Rest.open(tmp_path)
    yield opened
    await opened.database.close()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))
