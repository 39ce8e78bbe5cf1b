from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vault.blobs import Folder
from vault.database import Database
from vault.journal import Journal
from vault.keys import KeyRing
from vault.store import Vault

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing.create(tmp_path / "ring.json", NOW)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database.open(tmp_path / "sceau.db")
    yield database
    await database.close()


@pytest.fixture
def blobs(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "blobs")


@pytest.fixture
async def vault(database: Database, ring: KeyRing, blobs: Folder) -> AsyncIterator[Vault]:
    vault = Vault(database, ring, blobs, inline_limit=1000, reserve=0)
    yield vault
    await vault.close()


@pytest.fixture
def journal(database: Database, ring: KeyRing, tmp_path: Path) -> Journal:
    return Journal(database, ring, tmp_path / "journal.head")
