"""OpenPGP keys, made once for the whole run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trust.signatures import gpg
from tests.trust.signatures.gpg import Keys
from trust.signatures.openpgp import Ring


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    with gpg.made(tmp_path_factory.mktemp("gpg") / "home") as made:
        yield made


@pytest.fixture
def ring(keys: Keys, tmp_path: Path) -> Ring:
    """Alice's key and Bob's, pinned."""
    return Ring.made(tmp_path / "ring", [keys.public(each) for each in (keys.alice, keys.bob)])
