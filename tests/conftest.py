import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.smtp.stage import Pki
from tests.world.rest import Rest

# A busy machine is no failure: what is slow is measured by the bench. What CI judges is the change,
# by the same examples each time; new ones are sought wherever a developer runs the tests.
settings.register_profile("sceau", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("sceau")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stress", type=float, default=3.0, help="seconds that clients do anything at random"
    )


@pytest.fixture
async def rest(tmp_path: Path) -> AsyncIterator[Rest]:
    opened = Rest.open(tmp_path)
    yield opened
    await opened.database.close()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))
